"""Logits → what the screen says."""

import dataclasses

import numpy as np
import pytest

from dashboard.bundles import Calibration, OutOfDistributionRule, PredictionSetRule
from dashboard.errors import BundleError
from dashboard.predictions import COLUMNS, predictions
from tests.tiny_bundle import CARD

LOGITS = np.log([[0.7, 0.2, 0.1], [0.45, 0.44, 0.11]])


def with_rules(**rules):
    return dataclasses.replace(CARD, **rules)


def test_probabilities_of_log_probabilities_are_those_probabilities():
    table = predictions(LOGITS, CARD)
    assert table[["p_red", "p_green", "p_blue"]].to_numpy() == pytest.approx(np.exp(LOGITS))
    assert list(table["predicted"]) == ["red", "red"]
    assert list(table["confidence"]) == pytest.approx([0.7, 0.45])
    assert list(table["margin"]) == pytest.approx([0.5, 0.01])


def test_the_temperature_of_the_card_is_applied():
    card = with_rules(calibration=Calibration(2.0, "held out", 10, "2026-01-01"))
    root = np.sqrt([0.7, 0.2, 0.1])  # p ** (1 / T), normalised
    assert predictions(LOGITS, card)["confidence"][0] == pytest.approx(root[0] / root.sum())


def test_a_set_holds_the_classes_that_reach_the_threshold_likeliest_first():
    card = with_rules(prediction_set=PredictionSetRule(0.9, 0.15))
    logits = np.log([[0.2, 0.7, 0.1], [0.45, 0.44, 0.11]])
    assert list(predictions(logits, card)["prediction_set"]) == ["green|red", "red|green"]


def test_a_set_may_be_empty_and_the_class_is_still_named():
    table = predictions(LOGITS, with_rules(prediction_set=PredictionSetRule(0.9, 0.5)))
    assert list(table["prediction_set"]) == ["red", ""]
    assert table["predicted"][1] == "red"


def test_unidentified_is_below_the_limit_not_at_it():
    assert list(predictions(LOGITS, with_rules(unidentified_below=0.5))["unidentified"]) == [False, True]
    half = np.zeros((1, 3))
    assert not predictions(half, with_rules(unidentified_below=predictions(half, CARD)["confidence"][0]))[
        "unidentified"
    ].any()


def test_a_score_above_the_threshold_is_flagged_and_no_score_never_is():
    card = with_rules(out_of_distribution=OutOfDistributionRule("distance", 2.0, 0.05))
    logits = np.repeat(LOGITS[:1], 3, axis=0)
    table = predictions(logits, card, np.array([2.0, 2.1, np.nan]))
    assert list(table["out_of_distribution"]) == [False, True, False]
    assert not predictions(logits, CARD, np.array([9.0, 9.0, 9.0]))["out_of_distribution"].any()


def test_no_images_give_no_rows_and_every_column():
    table = predictions(np.zeros((0, 3)), CARD)
    assert len(table) == 0
    assert list(table.columns) == [*COLUMNS, "p_red", "p_green", "p_blue"]


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (np.zeros((2, 4)), r"3 classes; got \(2, 4\)"),
        (np.zeros(3), "one logit for each"),
        (np.array([[0.0, np.nan, 0.0]]), "finite"),
        (np.array([[0.0, np.inf, 0.0]]), "finite"),
    ],
)
def test_logits_that_do_not_fit_are_refused(logits, message):
    with pytest.raises(BundleError, match=message):
        predictions(logits, CARD)
