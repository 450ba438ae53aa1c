"""Dimension and signature of outlines whose values are known."""

import math

import numpy as np
import pytest

from dashboard.morphology.contour import box_counting_dimension, contour_signature, outline
from tests.morphology.drawn import disc


def ellipse(shape, rows, columns):
    row, column = np.indices(shape)
    return ((row - shape[0] / 2) / rows) ** 2 + ((column - shape[1] / 2) / columns) ** 2 < 1


def test_a_line_has_dimension_one():
    mask = np.zeros((70, 70), bool)
    mask[20, 3:67] = True
    assert box_counting_dimension(mask) == 1


def test_a_filled_square_has_dimension_two():
    mask = np.zeros((100, 90), bool)
    mask[30:94, 10:74] = True
    assert box_counting_dimension(mask) == 2


def test_sierpinskis_triangle_has_its_known_dimension():
    triangle = np.ones((1, 1), bool)
    for _ in range(7):
        triangle = np.block([[triangle, np.zeros_like(triangle)], [triangle, triangle]])
    assert box_counting_dimension(triangle) == pytest.approx(math.log(3) / math.log(2))


def test_the_outline_of_a_disc_is_nearly_a_line():
    assert box_counting_dimension(outline(disc((256, 256), 128, 128, 100))) == pytest.approx(1, abs=0.1)


def test_a_point_has_dimension_zero_and_nothing_has_none():
    mask = np.zeros((9, 9), bool)
    assert math.isnan(box_counting_dimension(mask))
    mask[4, 4] = True
    assert box_counting_dimension(mask) == 0


def test_the_outline_is_the_rim():
    mask = np.zeros((7, 7), bool)
    mask[1:6, 1:6] = True
    assert outline(mask).sum() == 16


def test_a_disc_has_a_flat_signature():
    assert contour_signature(disc((128, 128), 64, 64, 40)).max() < 0.01


def test_an_ellipse_shows_in_the_second_harmonic():
    found = contour_signature(ellipse((200, 200), 30, 60))
    assert found.argmax() == 1
    assert found[1] > 5 * np.delete(found, [1, 3]).max()


def test_three_lobes_show_in_the_third_harmonic():
    row, column = np.indices((200, 200)) - 100
    lobes = np.hypot(row, column) < 50 * (1 + 0.3 * np.cos(3 * np.arctan2(row, column)))
    assert contour_signature(lobes).argmax() == 2


def test_size_place_and_quarter_turns_do_not_matter():
    small, large = ellipse((200, 200), 20, 40), ellipse((200, 200), 40, 80)
    assert contour_signature(large) == pytest.approx(contour_signature(small), abs=0.01)
    assert contour_signature(np.rot90(large)) == pytest.approx(contour_signature(large), abs=0.005)
    assert contour_signature(np.roll(small, 30, axis=0)) == pytest.approx(contour_signature(small), abs=1e-6)


def test_nothing_has_no_signature_and_a_mask_at_the_edge_has_one():
    assert np.isnan(contour_signature(np.zeros((9, 9), bool))).all()
    assert np.isfinite(contour_signature(np.ones((9, 9), bool))).all()
