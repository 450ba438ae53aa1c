"""The card in words says what is known and what is not."""

import dataclasses

from dashboard.bundles import (
    Calibration,
    OutOfDistributionRule,
    PredictionSetRule,
)
from dashboard.model_card import model_card
from dashboard.preprocessing import InputSpec
from tests.tiny_bundle import CARD


def test_the_card_names_the_model_its_classes_in_order_and_that_it_is_no_medical_device():
    text = model_card(CARD)
    assert text.startswith("# Tiny colours\n\n`tiny` · one convolution · for research and education, **not a medical")
    lines = ["- `red`: Red", "- `green`: Green", "- `blue`: Blue (critical class)"]
    assert "\n".join(lines) in text
    assert "It knows colours, not cells." in text
    assert text.endswith("\n")


def test_what_nobody_measured_is_said_to_be_unknown():
    text = model_card(dataclasses.replace(CARD, training={}, known_limits=(), intended_use=""))
    for sentence in (
        "Not stated by whoever made it.",
        "Not stated; assume many.",
        "**Uncalibrated**",
        "None in this bundle.",
        "Not known.",
    ):
        assert sentence in text
    assert "prediction sets" not in text
    assert "Flagged as outside" not in text


def test_what_was_measured_stands_with_its_numbers():
    text = model_card(
        dataclasses.replace(
            CARD,
            calibration=Calibration(1.2345, "split val", 720, "2026-01-31"),
            prediction_set=PredictionSetRule(0.9, 0.12345),
            out_of_distribution=OutOfDistributionRule("Mahalanobis distance of features", 2.345, 0.0123),
            unidentified_below=0.6,
            evaluation={"set": "split test", "accuracy": 0.98765432, "accuracy_interval": [0.98, 0.99]},
            training={"seed": 0, "counts": {"red": 3}},
            input=InputSpec(64, 32, crop=0.875, scaling="caffe"),
        )
    )
    for words in (
        "Temperature 1.234, fitted on 720 images (split val), 2026-01-31.",
        "90% prediction sets: every class of probability 0.1235 or more.",
        "Unidentified below a confidence of 0.60.",
        "above a score of 2.35 (Mahalanobis distance of features); 1.2% of held-out cells",
        "- accuracy: 0.9877",
        "- accuracy interval: 0.98–0.99",
        "- seed: 0",
        "- counts: red 3",
        "64x32 pixels: the largest centred region, of which the central 87.5% of the side; scaling `caffe`",
    ):
        assert words in text, words


def test_the_whole_image_is_called_so():
    text = model_card(dataclasses.replace(CARD, input=InputSpec(8, 8, resize="stretch")))
    assert "8x8 pixels: the whole image; scaling `minus_one_to_one`, contrast `none`." in text


def test_glass_and_second_look_are_stated_where_there_are_any():
    card = dataclasses.replace(CARD, input=InputSpec(glass=(254.0, 228.0, 203.0)), second_look=(0.7, 0.5))
    text = model_card(card)
    assert "The empty glass is brought to RGB 254, 228, 203." in text
    assert "looked at again at 0.7 and 0.5 of its size" in text
    assert "glass" not in model_card(CARD)
