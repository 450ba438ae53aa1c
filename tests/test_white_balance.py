"""The glass of another hospital gets the colour that it has at home."""

import numpy as np
import pytest

from dashboard.white_balance import glass_colour, with_glass

GLASS, CELL = (240, 230, 220), (60, 40, 110)


def smear(glass=GLASS, cell=CELL, side=64):
    pixels = np.zeros((side, side, 3), np.uint8) + np.array(glass, np.uint8)
    pixels[20:44, 20:44] = cell
    return pixels


def test_the_glass_is_the_brightest_quarter():
    assert glass_colour(smear()) == GLASS


def test_a_picture_of_the_training_set_stays_as_it_is():
    np.testing.assert_array_equal(with_glass(smear(), GLASS), smear())


def test_another_lamp_is_undone():
    dimmed = np.round(smear() * np.array([0.8, 0.9, 0.7])).astype(np.uint8)
    assert np.abs(with_glass(dimmed, GLASS).astype(int) - smear()).max() <= 2


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_pictures_give_finite_pictures(value):
    plain = np.full((40, 50, 3), value, np.uint8)
    balanced = with_glass(plain, GLASS)
    assert balanced.shape == plain.shape
    assert balanced.std(axis=(0, 1)).max() == 0


def test_a_single_pixel_is_an_image_too():
    assert with_glass(np.zeros((1, 1, 3), np.uint8), GLASS).shape == (1, 1, 3)
