"""Named reasons and the order of the queue."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from dashboard import triage
from dashboard.bundles import OutOfDistributionRule, PredictionSetRule
from dashboard.predictions import predictions
from dashboard.triage import kinds, queue
from tests.tiny_bundle import CARD as TINY

CARD = dataclasses.replace(
    TINY,
    prediction_set=PredictionSetRule(0.9, 0.3),
    out_of_distribution=OutOfDistributionRule("distance", 1.0, 0.05),
    unidentified_below=0.5,
)


def results(*rows, scores=None):
    """Cells a, b, c... with these probabilities of red, green and (critical) blue."""
    table = predictions(np.log(np.array(rows)), CARD, np.zeros(len(rows)) if scores is None else np.array(scores))
    letters = [chr(ord("a") + number) for number in range(len(rows))]
    return table.assign(image_id=letters, file_name=letters, status="ok", reason="", quality="")


SURE, SURE_BLUE = (0.98, 0.01, 0.01), (0.01, 0.01, 0.98)


def test_a_sure_and_ordinary_cell_has_no_reason_and_stays_in_the_queue():
    table = queue(results(SURE), CARD)
    assert list(table["reasons"]) == [""]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (SURE_BLUE, "Critical class: Blue"),
        ((0.55, 0.05, 0.40), "Critical class possible: Blue"),
        ((0.41, 0.35, 0.24), "Unidentified: 0.41"),
        ((0.49, 0.47, 0.04), "Margin: 0.02"),
        ((0.55, 0.40, 0.05), "Several classes: 2"),
    ],
)
def test_each_reason_is_named(row, reason):
    assert reason in queue(results(row), CARD)["reasons"][0].split("; ")


def test_an_empty_set_says_that_no_class_reaches_the_level():
    card = dataclasses.replace(CARD, prediction_set=PredictionSetRule(0.9, 0.99))
    table = results(SURE).assign(prediction_set="")
    assert queue(table, card)["reasons"][0] == "No class reaches the 90 % level"


def test_without_a_rule_an_empty_set_is_no_reason():
    card = dataclasses.replace(CARD, prediction_set=None)
    assert queue(results(SURE).assign(prediction_set=""), card)["reasons"][0] == ""


def test_a_strange_image_and_a_poor_picture_are_reasons():
    table = results(SURE, SURE, scores=[2.0, 0.0])
    table["quality"] = ["", "Blurred: sharpness 0.001; nearly all training images have 0.040 or more."]
    assert list(queue(table, CARD)["reasons"]) == ["Outside the training data", "Picture: blurred"]


def test_the_critical_and_doubtful_come_first_and_the_decided_last():
    table = results(SURE, (0.55, 0.40, 0.05), SURE_BLUE, (0.05, 0.40, 0.55), (0.1, 0.1, 0.8))
    decisions = pd.DataFrame({"image_id": ["e"]})
    found = queue(table, CARD, decisions)
    assert list(found["image_id"]) == ["d", "c", "b", "a", "e"]
    assert list(found["decided"]) == [False, False, False, False, True]
    assert list(found["critical"]) == [True, True, False, False, True]


def test_of_equal_rank_the_smaller_margin_comes_first():
    found = queue(results((0.9, 0.09, 0.01), (0.7, 0.2, 0.1), (0.8, 0.1, 0.1)), CARD)
    assert list(found["image_id"]) == ["b", "c", "a"]


def test_rejected_files_and_repeats_are_left_out_and_nothing_else():
    table = pd.concat([results(SURE, SURE_BLUE), results(SURE)])
    rejected = table.iloc[:1].assign(image_id="", status="rejected")
    assert sorted(queue(pd.concat([table, rejected]), CARD)["image_id"]) == ["a", "b"]


def test_no_results_give_no_rows_but_the_columns():
    for empty in (results(SURE).iloc[:0], pd.DataFrame({"image_id": pd.Series(dtype="str")})):
        found = queue(empty, CARD)
        assert len(found) == 0
        assert {"reasons", "critical", "doubtful", "decided"} <= set(found.columns)


def test_every_reason_gives_one_text_a_row():
    table = results(SURE, (0.41, 0.35, 0.24), SURE_BLUE)
    for reason in triage.REASONS:
        assert list(reason(table, CARD).index) == list(table.index)


def test_kinds_drop_the_details():
    assert kinds("") == []
    assert kinds("Critical class: Blue; Margin: 0.02") == ["Critical class", "Margin"]
