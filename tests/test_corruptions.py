"""Corruptions: each worked by hand on a small image; all repeatable, none changes what it is given."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.color import rgb_from_hed

from dashboard.corruptions import (
    CORRUPTIONS,
    add_gaussian_noise,
    blur,
    brighten,
    compress,
    corrupted,
    rotate,
    shift_stain,
    zoom,
)
from dashboard.images import SmearImage, image_id
from tests.small_bundle import pictures

NONE = np.random.default_rng(0)


def flat(value, height=48, width=64):
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture(scope="module")
def smear():
    pixels = pictures(1)[0].repeat(3, axis=0).repeat(3, axis=1)  # 216 x 240: the weakest blur is of half a pixel
    return SmearImage(pixels, image_id(pixels))


@pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=lambda one: one.name)
def test_every_corruption_keeps_size_and_kind_changes_the_image_and_spares_the_original(smear, corruption):
    before = smear.pixels.copy()
    for severity in corruption.severities:
        got = corrupted(smear, corruption, severity)
        assert (got.dtype, got.shape) == (np.uint8, before.shape)
        assert (got != before).any()
    assert (smear.pixels == before).all()


@pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=lambda one: one.name)
def test_severities_ascend_and_are_printed_apart_and_none_is_clean(corruption):
    assert list(corruption.severities) == sorted(set(corruption.severities))
    assert len({corruption.form.format(severity) for severity in corruption.severities}) == len(corruption.severities)
    assert not {0, corruption.clean} & set(corruption.severities)


@pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=lambda one: one.name)
def test_further_from_clean_is_worse(smear, corruption):
    changed = [
        np.abs(corrupted(smear, corruption, severity).astype(int) - smear.pixels).mean()
        for severity in corruption.severities
    ]
    if corruption.name != "rotation":  # of a disc, which turns into itself
        sides = [[], []]
        for severity, change in zip(corruption.severities, changed, strict=True):
            sides[severity > corruption.clean].append(change)
        assert sides[0] == sorted(sides[0], reverse=True)
        assert sides[1] == sorted(sides[1])


def test_the_same_seed_repeats_and_image_severity_and_seed_each_matter(smear):
    noise = CORRUPTIONS["gaussian_noise"]
    first = corrupted(smear, noise, 5)
    assert (corrupted(smear, noise, 5) == first).all()
    assert (corrupted(smear, noise, 5, seed=1) != first).any()
    other = SmearImage(smear.pixels, "0" * 64)
    assert (corrupted(other, noise, 5) != first).any()
    assert np.corrcoef((corrupted(smear, noise, 8) - 225.0).ravel(), (first - 225.0).ravel())[0, 1] < 1


@pytest.mark.parametrize("sigma", CORRUPTIONS["gaussian_noise"].severities)
def test_noise_has_its_sigma_and_no_mean(sigma):
    change = add_gaussian_noise(flat(128, 200, 200), sigma, np.random.default_rng(0)) - 128.0
    assert change.mean() == pytest.approx(0, abs=4 * sigma / np.sqrt(change.size))
    assert change.std() == pytest.approx(np.sqrt(sigma**2 + 1 / 12), rel=0.01)  # 1/12: rounding
    assert abs(np.corrcoef(change[..., 0].ravel(), change[..., 1].ravel())[0, 1]) < 0.02


def test_noise_stops_at_black_and_white():
    noisy = add_gaussian_noise(flat(254), 20, np.random.default_rng(0))
    assert noisy.max() == 255
    assert noisy.min() > 128


def test_blur_spreads_a_point_as_a_gaussian_of_a_224_pixel_side():
    pixels = flat(0, 448, 448)
    pixels[224, 224] = 255
    got = blur(pixels, 0.5, NONE)[224, 220:229, 0]  # twice 224 pixels: sigma 1
    weights = np.exp(-(np.arange(-4, 5) ** 2) / 2) / np.sqrt(2 * np.pi)
    assert got == pytest.approx(255 * weights * weights[4], abs=0.6)


def test_blur_leaves_a_flat_image_and_the_mean():
    assert (blur(flat(77), 4, NONE) == 77).all()
    random = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert blur(random, 2, NONE).mean() == pytest.approx(random.mean(), abs=0.5)


def test_jpeg_is_pillows(smear):
    buffer = io.BytesIO()
    Image.fromarray(smear.pixels).save(buffer, format="JPEG", quality=40)
    assert (compress(smear.pixels, 40, NONE) == np.asarray(Image.open(buffer))).all()
    assert (compress(flat(128), 10, NONE) == 128).all()


@pytest.mark.parametrize(("percent", "expected"), [(10, 110), (40, 140), (-10, 90), (-40, 60)])
def test_brightness_multiplies(percent, expected):
    assert (brighten(flat(100), percent, NONE) == expected).all()


def test_brightness_stops_at_white():
    assert (brighten(flat(200), 40, NONE) == 255).all()


@pytest.mark.parametrize(("stain", "factor"), [(0, 1.5), (1, 0.5), (2, 1.0)])
def test_a_shift_of_a_half_scales_each_stain_by_its_factor(stain, factor):
    density = 0.6 * rgb_from_hed[stain]
    pixels = np.broadcast_to(255 * np.exp(-density), (4, 4, 3)).round().astype(np.uint8)
    expected = 255 * np.exp(-factor * density)
    assert shift_stain(pixels, 0.5, NONE)[0, 0] == pytest.approx(expected, abs=1.5)


def test_a_stain_shift_keeps_white_and_a_shift_of_nothing_keeps_every_colour():
    assert (shift_stain(flat(255), 0.5, NONE) == 255).all()
    random = np.random.default_rng(0).integers(1, 256, (32, 32, 3), np.uint8)
    assert (shift_stain(random, 0.0, NONE) == random).all()


def test_a_quarter_turn_is_anticlockwise_and_exact():
    random = np.random.default_rng(0).integers(0, 256, (33, 33, 3), np.uint8)
    assert (rotate(random, 90, NONE) == np.rot90(random)).all()


def test_a_turn_agrees_with_scipy_in_the_middle_and_leaves_no_black_corner():
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(128, 200, (64, 64, 3)), (3, 3, 0))
    pixels = smooth.clip(1, 255).astype(np.uint8)
    expected = ndimage.rotate(pixels.astype(float), 30, reshape=False, order=1)
    assert rotate(pixels, 30, NONE)[20:44, 20:44] == pytest.approx(expected[20:44, 20:44], abs=1)
    assert (rotate(flat(90, 40, 60), 45, NONE) == 90).all()


@pytest.mark.parametrize("factor", CORRUPTIONS["zoom"].severities)
def test_zoom_scales_a_disc_about_its_centre(factor):
    rows, columns = np.mgrid[:120, :160]
    disc = np.where((rows - 59.5) ** 2 + (columns - 79.5) ** 2 < 18**2, 255, 0).astype(np.uint8)
    got = zoom(np.repeat(disc[..., None], 3, axis=2), factor, NONE)[..., 0] > 127
    assert got.sum() == pytest.approx(np.pi * (18 * factor) ** 2, rel=0.02)
    assert np.argwhere(got).mean(axis=0) == pytest.approx([59.5, 79.5], abs=0.01)


def test_shrinking_leaves_no_black_border():
    assert (zoom(flat(90), 0.6, NONE) == 90).all()
