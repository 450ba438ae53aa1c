"""The sentences and words that the pages put beside a cell."""

import dataclasses

import pandas as pd
import pytest

from dashboard.ui import components, decision, picture_list, reading, review_queue
from tests.small_bundle import CARD

ROW = {"predicted": "monocyte", "confidence": 0.97, "prediction_set": "monocyte|lymphocyte"}
ROW |= {"unidentified": False, "out_of_distribution": False}


@pytest.mark.parametrize(
    ("confidence", "word"),
    [(1.0, "very high"), (0.99, "very high"), (0.98, "high"), (0.8, "moderate"), (0.5, "low"), (0.125, "very low")],
)
def test_confidence_has_a_word(confidence, word):
    assert components.confidence_word(confidence) == word


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "> 99.9 %"), (0.999, "99.9 %"), (0.5, "50.0 %"), (0.0004, "< 0.1 %"), (0.0, "< 0.1 %")]
)
def test_a_share_is_never_rounded_to_certainty(share, text):
    assert components.percent(share) == text


def test_markdown_in_a_file_name_stays_text():
    assert components.plain("![x](http://a)_*$:red[") == "!\\[x\\](http\\://a)\\_\\*\\$\\:red\\["


def test_an_uncertain_cell_is_unidentified():
    assert components.pre_classification(ROW, CARD) == "Monocyte"
    assert components.pre_classification(ROW | {"unidentified": True}, CARD) == "Unidentified"


def test_the_prediction_set_is_named():
    assert reading.prediction_set_sentence(ROW, CARD) == "90 % prediction set (dark bars): Monocyte, Lymphocyte."


def test_an_empty_prediction_set_is_explained():
    sentence = reading.prediction_set_sentence(ROW | {"prediction_set": ""}, CARD)
    assert sentence == "The 90 % prediction set is empty: less sure than for 90 % of cells, no class reaches the level."


def test_a_model_without_a_rule_says_so():
    assert "No prediction set" in reading.prediction_set_sentence(ROW, dataclasses.replace(CARD, prediction_set=None))


def test_doubts_are_said():
    assert reading.doubts(ROW, CARD) == []
    (unlike,) = reading.doubts(ROW | {"out_of_distribution": True}, CARD)
    assert unlike.startswith("Unlike the images")
    (uncalibrated,) = reading.doubts(ROW, dataclasses.replace(CARD, calibration=None))
    assert "uncalibrated" in uncalibrated


@pytest.mark.parametrize(
    ("action", "words"),
    [("confirm", "confirmed as Monocyte"), ("override", "overridden to Monocyte"), ("not_classed", "not classed")],
)
def test_a_decision_is_described(action, words):
    assert decision.describe({"action": action, "label": "monocyte"}, CARD) == words


@pytest.mark.parametrize(
    ("current", "decided", "expected"),
    [("a", set(), "b"), ("c", set(), "a"), ("a", {"b"}, "c"), ("a", {"b", "c"}, None), ("gone", {"a"}, "b")],
)
def test_the_queue_goes_on_to_the_next_undecided_cell(current, decided, expected):
    assert review_queue.following(["a", "b", "c"], current, decided) == expected


def test_an_empty_queue_has_no_cell():
    assert review_queue.current_cell(pd.DataFrame({"image_id": []}), set()) is None


def test_without_readings_none_is_chosen():
    assert picture_list.select_reading([], CARD, {}) is None
