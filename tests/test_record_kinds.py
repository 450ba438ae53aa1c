"""A field of the wrong kind is found and named."""

import dataclasses

import pytest

from dashboard.bundles import Calibration, ClassInfo, Quality
from dashboard.record_kinds import wrong_kind
from tests.tiny_bundle import CARD


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (ClassInfo("a", "A"), ""),
        (ClassInfo("a", "A", 1), "critical is 1"),
        (Calibration(2, "val", 3, "d"), ""),
        (Calibration(2.0, "val", 3.0, "d"), "n is 3.0"),
        (Calibration(float("-inf"), "val", 3, "d"), "temperature is -inf"),
        (Quality(0.1, (1.0, 2.0, 3.0), (1.0, 2.0, 3.0, 4.0)), "colour_high is (1.0, 2.0, 3.0, 4.0)"),
        (dataclasses.replace(CARD, classes=(ClassInfo("a", "A"), "b")), "classes is "),
        (dataclasses.replace(CARD, quality=Quality("x", (1, 2, 3), (1, 2, 3))), "sharpness_low is 'x'"),
        (dataclasses.replace(CARD, training={1: 2}), "training is {1: 2}"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(record, problem):
    assert wrong_kind(record).startswith(problem)
    assert bool(wrong_kind(record)) == bool(problem)
