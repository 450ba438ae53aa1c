"""Each feature against a value worked by hand."""

import math

import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops

from dashboard.errors import MorphologyError
from dashboard.morphology.features import COLUMNS, TEXTURES, features
from dashboard.morphology.segmentation import CellSegmentation, segment
from tests.morphology.drawn import disc, smear, with_cell


def cell_of(cell, nucleus):
    return CellSegmentation(nucleus=nucleus, cell=cell)


@pytest.fixture
def measured():
    """A disc of radius 40 with a nucleus of radius 20, in two plain colours."""
    cell, nucleus = disc((128, 128), 64, 64, 40), disc((128, 128), 64, 64, 20)
    pixels = np.full((128, 128, 3), 255, np.uint8)
    pixels[cell], pixels[nucleus] = (200, 150, 100), (90, 60, 30)
    return features(pixels, cell_of(cell, nucleus))


def test_the_columns_come_in_their_order(measured):
    assert tuple(measured) == COLUMNS
    assert all(math.isfinite(measured[name]) for name in COLUMNS if "correlation" not in name)


def test_areas_are_shares_of_the_image(measured):
    assert measured["cell_area"] == pytest.approx(math.pi * 40**2 / 128**2, rel=0.01)
    assert measured["nucleus_area"] == pytest.approx(math.pi * 20**2 / 128**2, rel=0.01)
    assert measured["cytoplasm_area"] == pytest.approx(measured["cell_area"] - measured["nucleus_area"])


def test_half_the_radius_is_a_quarter_of_the_cell_and_a_third_of_the_cytoplasm(measured):
    assert measured["nucleus_to_cell"] == pytest.approx(1 / 4, rel=0.01)
    assert measured["nucleus_to_cytoplasm"] == pytest.approx(1 / 3, rel=0.02)
    assert measured["nucleus_parts"] == 1


def test_a_disc_is_round_and_convex(measured):
    for region in ("cell", "nucleus"):
        assert measured[f"{region}_circularity"] == pytest.approx(1, abs=0.03)
        assert measured[f"{region}_eccentricity"] < 0.1
        assert measured[f"{region}_solidity"] > 0.95


def test_colours_are_those_painted(measured):
    assert [measured[f"cytoplasm_{channel}_mean"] for channel in ("red", "green", "blue")] == [200, 150, 100]
    assert [measured[f"nucleus_{channel}_mean"] for channel in ("red", "green", "blue")] == [90, 60, 30]
    assert measured["nucleus_red_sd"] == measured["cytoplasm_blue_sd"] == 0


def test_one_colour_has_no_texture(measured):
    assert measured["nucleus_contrast"] == measured["nucleus_dissimilarity"] == 0
    assert measured["nucleus_homogeneity"] == measured["nucleus_energy"] == 1


def test_stripes_have_the_texture_worked_by_hand():
    cell = np.zeros((60, 60), bool)
    cell[10:50, 10:50] = True
    pixels = np.full((60, 60, 3), 255, np.uint8)
    pixels[:, ::2] = 0  # columns of level 0 and 31
    found = features(pixels, cell_of(cell, cell))
    # along a column the levels agree; across, and on both diagonals, they differ by 31
    assert found["cell_contrast"] == pytest.approx(3 / 4 * 31**2)
    assert found["cell_dissimilarity"] == pytest.approx(3 / 4 * 31)
    assert found["cell_homogeneity"] == pytest.approx(1 / 4 + 3 / 4 / (1 + 31**2))


def test_texture_within_a_rectangle_is_that_of_the_rectangle_cut_out():
    cell = np.zeros((60, 60), bool)
    cell[10:40, 20:50] = True
    grey = np.random.default_rng(0).integers(0, 255, (60, 60), np.uint8)
    found = features(grey[..., None].repeat(3, axis=2), cell_of(cell, cell))
    pairs = graycomatrix(grey[10:40, 20:50] // 8, [1], [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4], 32, symmetric=True)
    for name in TEXTURES:
        assert found[f"cell_{name}"] == pytest.approx(graycoprops(pairs, name).mean())


def test_a_cell_that_is_all_nucleus_has_no_cytoplasm_to_measure():
    cell = disc((64, 64), 32, 32, 20)
    found = features(np.full((64, 64, 3), 90, np.uint8), cell_of(cell, cell))
    assert found["nucleus_to_cell"] == 1
    assert found["cytoplasm_area"] == 0
    assert math.isnan(found["nucleus_to_cytoplasm"])
    assert math.isnan(found["cytoplasm_red_mean"])


def test_lobes_are_counted():
    cell = disc((64, 64), 32, 32, 28)
    nucleus = disc((64, 64), 32, 20, 7) | disc((64, 64), 32, 44, 7)
    assert features(np.full((64, 64, 3), 90, np.uint8), cell_of(cell, nucleus))["nucleus_parts"] == 2


def test_a_larger_picture_of_the_same_cell_measures_nearly_the_same():
    pixels = with_cell(smear((256, 256)), 128, 128)
    doubled = pixels.repeat(2, axis=0).repeat(2, axis=1)
    small, large = features(pixels, segment(pixels)), features(doubled, segment(doubled))
    for name in ("cell_area", "nucleus_to_cell", "cell_circularity", "nucleus_red_mean", "nucleus_dimension"):
        assert large[name] == pytest.approx(small[name], rel=0.05), name


def test_a_nucleus_of_one_pixel_is_measured_without_a_warning():
    cell, nucleus = disc((64, 64), 32, 32, 20), disc((64, 64), 32, 32, 0.5)
    assert features(np.full((64, 64, 3), 90, np.uint8), cell_of(cell, nucleus))["nucleus_dimension"] == 0


def test_what_was_not_segmented_is_not_measured():
    pixels = np.full((64, 64, 3), 255, np.uint8)
    with pytest.raises(MorphologyError, match="must be purple"):
        features(pixels, segment(pixels))
