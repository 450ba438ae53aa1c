"""Touching cells come apart at their neck; one cell stays one."""

import numpy as np

from dashboard.morphology.touching import separated
from tests.morphology.drawn import disc


def test_two_discs_that_touch_are_two_objects():
    left, right = disc((60, 100), 30, 30, 15), disc((60, 100), 30, 56, 15)
    labels = separated(left | right, least_radius=3)
    assert labels.max() == 2
    assert labels[30, 25] != labels[30, 61]
    assert ((labels > 0) == (left | right)).all()


def test_a_small_cell_comes_off_a_large_one():
    assert separated(disc((80, 100), 40, 40, 25) | disc((80, 100), 40, 74, 11), least_radius=3).max() == 2


def test_a_disc_an_ellipse_and_a_speck_stay_whole():
    rows, columns = np.indices((60, 100))
    ellipse = ((rows - 30) / 12) ** 2 + ((columns - 50) / 40) ** 2 < 1
    assert separated(disc((60, 60), 30, 30, 20), least_radius=3).max() == 1
    assert separated(ellipse, least_radius=3).max() == 1
    assert separated(disc((60, 60), 30, 30, 1.5), least_radius=3).max() == 1


def test_nothing_is_no_object():
    assert separated(np.zeros((9, 9), bool), least_radius=3).max() == 0
