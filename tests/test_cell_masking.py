"""What is cut out is gone, and what is left is untouched."""

import numpy as np

from dashboard.cell_masking import PLAIN, background_alone, cell_alone

CELL = np.zeros((100, 100), bool)
CELL[40:60, 40:60] = True


def picture():
    pixels = np.full((100, 100, 3), (200, 180, 190), np.uint8)
    pixels[0] = 10  # a little of another colour: the median does not mind
    pixels[CELL] = (60, 20, 120)
    return pixels


def test_the_cell_and_a_margin_take_the_colour_of_the_background():
    pixels = picture()
    pixels[38, 50] = 255  # the rim: within 4 of the 100 pixels
    pixels[35, 50] = 255  # beyond it
    found = background_alone(pixels, CELL)
    assert found.dtype == np.uint8
    assert (found[36:64, 40:60] == (200, 180, 190)).all()
    assert (found[35, 50] == 255).all()
    assert (found[0] == 10).all()


def test_the_picture_given_is_not_changed():
    pixels = picture()
    before = pixels.copy()
    background_alone(pixels, CELL)
    cell_alone(pixels, CELL)
    np.testing.assert_array_equal(pixels, before)


def test_without_a_cell_the_background_is_the_picture():
    np.testing.assert_array_equal(background_alone(picture(), np.zeros((100, 100), bool)), picture())


def test_a_cell_that_leaves_no_background_cannot_be_taken_out():
    cell = np.ones((100, 100), bool)
    cell[:4] = False  # all within the margin
    assert background_alone(picture(), cell) is None


def test_the_cell_alone_stands_on_the_same_ground_everywhere():
    found = cell_alone(picture(), CELL)
    assert (found[CELL] == (60, 20, 120)).all()
    assert (found[~CELL] == PLAIN).all()
