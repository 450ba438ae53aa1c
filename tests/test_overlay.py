import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from dashboard.errors import ExplanationError
from dashboard.overlay import DISCLAIMER, colours, legend_labels, legend_swatch, overlay, picture, picture_png


def cell(height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_the_ramp_is_viridis():
    values = np.linspace(0, 1, 256)
    expected = np.array(mpl.colormaps["viridis"].colors) * 255
    assert np.abs(colours(values) - expected).max() <= 6


def test_the_ramp_only_gets_lighter():
    lightness = colours(np.linspace(0, 1, 256)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) >= -0.5).all()
    assert np.ptp(lightness) > 150


def test_colours_keep_the_shape_and_cut_off_outside_values():
    assert colours(np.zeros((2, 3))).shape == (2, 3, 3)
    np.testing.assert_array_equal(colours(np.array([-1.0, 2.0])), colours(np.array([0.0, 1.0])))
    assert colours(np.zeros((0, 0))).shape == (0, 0, 3)


def test_no_evidence_leaves_the_pixels_as_they_were():
    np.testing.assert_array_equal(overlay(cell(), np.zeros((40, 60), np.float32), 1.0), cell())


def test_no_opacity_leaves_the_pixels_as_they_were():
    np.testing.assert_array_equal(overlay(cell(), np.ones((40, 60), np.float32), 0.0), cell())


def test_full_evidence_at_full_opacity_is_the_ramps_end():
    shown = overlay(cell(), np.ones((40, 60), np.float32), 1.0)
    assert (shown == (253, 231, 37)).all()


def test_a_blend_worked_by_hand():
    pixels = np.full((1, 1, 3), 100, np.uint8)
    # the colour of 1 is (253, 231, 37); a quarter of it and three quarters of 100
    assert overlay(pixels, np.ones((1, 1), np.float32), 0.25).tolist() == [[[138, 133, 84]]]


def test_the_image_itself_is_not_changed():
    pixels = cell()
    overlay(pixels, np.ones((40, 60), np.float32))
    np.testing.assert_array_equal(pixels, cell())


@pytest.mark.parametrize(
    ("evidence", "opacity", "message"),
    [
        (np.zeros((60, 40), np.float32), 0.5, r"the size of its image, 40x60; it has shape \(60, 40\)"),
        (np.zeros((40, 60), np.float32), 1.5, r"opacity must be from 0 to 1; got 1.5"),
    ],
)
def test_what_does_not_fit_is_refused(evidence, opacity, message):
    with pytest.raises(ExplanationError, match=message):
        overlay(cell(), evidence, opacity)


def test_the_legend_runs_from_low_to_high():
    swatch = legend_swatch(100, 10)
    assert swatch.shape == (10, 100, 3)
    np.testing.assert_array_equal(swatch[0, [0, -1]], colours(np.array([0.0, 1.0])))
    assert legend_labels("Monocyte") == ("low", "high evidence for Monocyte")


@pytest.mark.parametrize("size", [(16, 16), (180, 360), (700, 300), (2500, 2500)])
def test_a_picture_holds_the_image_and_its_overlay_at_any_size(size):
    pixels = np.full((*size, 3), 200, np.uint8)
    drawn = picture(pixels, np.ones(size, np.float32), "Monocyte", ["Model: a.", "", "word " * 300])
    panel = (drawn.shape[1] - 36) // 2
    assert panel <= 1024
    assert drawn[20, 20].tolist() == [200, 200, 200]
    np.testing.assert_array_equal(drawn[20, 24 + panel + 8], overlay(pixels, np.ones(size, np.float32))[0, 0])


def test_a_picture_says_on_its_face_and_in_its_file_what_it_is_not():
    silent = picture(cell(), np.zeros((40, 60), np.float32), "Monocyte")
    assert (silent[-34:-12] < 128).any()  # the disclaimer's line is drawn
    with Image.open(io.BytesIO(picture_png(silent, {"Model": "pbc8"}))) as file:
        assert file.text == {"Model": "pbc8", "Disclaimer": DISCLAIMER}
        np.testing.assert_array_equal(np.asarray(file), silent)
