"""As many cells are counted as were drawn."""

import math

import numpy as np
import pytest

from dashboard.morphology.counting import count_cells
from tests.morphology.drawn import GLASS, NUCLEUS, RED, disc, noisy

LEUKOCYTES = [(50, 60), (50, 86), (150, 150)]  # the first two touch
RED_CELLS = [(100, 40), (100, 80), (30, 140), (60, 160), (160, 40), (160, 63), (130, 110)]


def field(leukocytes=LEUKOCYTES, red_cells=RED_CELLS):
    pixels = np.full((200, 200, 3), GLASS, float)
    for row, column in red_cells:
        pixels[disc((200, 200), row, column, 11)] = RED
        pixels[disc((200, 200), row, column, 4)] = (238, 224, 214)  # the pale centre
    for row, column in leukocytes:
        pixels[disc((200, 200), row, column, 14)] = NUCLEUS
    return noisy(pixels)


def test_the_drawn_cells_are_counted():
    counted = count_cells(field())
    assert counted.leukocytes == 3
    assert counted.red_cells == 7
    assert counted.ratio == pytest.approx(3 / 7)


def test_every_cell_has_its_own_label():
    counted = count_cells(field())
    assert len({counted.leukocyte_labels[place] for place in LEUKOCYTES} - {0}) == 3
    assert len({counted.red_cell_labels[row, column + 7] for row, column in RED_CELLS} - {0}) == 7
    assert not ((counted.leukocyte_labels > 0) & (counted.red_cell_labels > 0)).any()


def test_specks_are_no_cells():
    pixels = field()
    pixels[10:14, 10:14] = NUCLEUS
    assert count_cells(pixels).leukocytes == 3


def test_a_field_without_leukocytes_has_none():
    counted = count_cells(field(leukocytes=[]))
    assert counted.leukocytes == 0
    assert counted.red_cells == 7
    assert counted.ratio == 0


def test_an_empty_field_has_no_cells_and_no_ratio():
    counted = count_cells(np.full((64, 64, 3), 240, np.uint8))
    assert (counted.leukocytes, counted.red_cells) == (0, 0)
    assert math.isnan(counted.ratio)


def test_a_large_field_is_counted_at_the_size_it_says():
    large = np.asarray(field()).repeat(4, axis=0).repeat(4, axis=1)
    counted = count_cells(large)
    assert counted.leukocyte_labels.shape == (512, 512)
    assert counted.leukocytes == 3
