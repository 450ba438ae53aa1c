"""Blur, size, colour cast, greyscale."""

import dataclasses

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage

from dashboard import quality
from dashboard.quality import measure, quality_warnings, reference
from tests.tiny_bundle import CARD


def picture(seed=0, colour=(230, 190, 200), side=128):
    """Dark spots on a pale ground: contours to be sharp or blurred."""
    random = np.random.default_rng(seed)
    pixels = np.full((side, side, 3), colour, np.int16)
    for row, column in random.integers(0, side - 12, (12, 2)):
        pixels[row : row + 12, column : column + 12] -= np.array([110, 120, 40], np.int16)
    return np.clip(pixels + random.integers(-4, 5, pixels.shape), 0, 255).astype(np.uint8)


def blurred(pixels, radius=3):
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


@pytest.fixture(scope="module")
def card():
    return dataclasses.replace(CARD, quality=reference([measure(picture(seed)) for seed in range(100)]))


def test_sharpness_is_the_variance_of_scipys_laplacian_over_that_of_the_greys():
    pixels = picture(side=quality.SIDE)
    grey = np.asarray(Image.fromarray(pixels).convert("L"), float)
    expected = ndimage.laplace(grey)[1:-1, 1:-1].var() / grey.var()
    assert measure(pixels).sharpness == pytest.approx(expected, rel=1e-4)


def test_a_flat_image_has_no_sharpness_and_its_own_colour():
    found = measure(np.full((40, 30, 3), (10, 20, 70), np.uint8))
    assert found.sharpness == 0.0
    assert found.colour == pytest.approx((10, 20, 70))
    assert found.colourfulness == pytest.approx(60)
    assert (found.height, found.width) == (40, 30)


def test_sharpness_hardly_depends_on_the_files_size():
    small = blurred(picture(), 1)
    large = np.asarray(Image.fromarray(small).resize((512, 512), Image.Resampling.BICUBIC))
    assert measure(large).sharpness == pytest.approx(measure(small).sharpness, rel=0.35)


def test_an_image_like_the_training_images_has_no_warning(card):
    assert quality_warnings(picture(seed=1000), card) == []


@pytest.mark.parametrize(
    ("pixels", "word"),
    [
        (blurred(picture(1)), "Blurred: "),
        (picture(1)[:12, :12], "Small image: 12x12 pixels, enlarged to the model's 16x16"),
        (picture(1, colour=(130, 190, 240)), "Colour cast: less red"),
        (np.repeat(picture(1)[..., :1], 3, axis=2), "Greyscale: "),
    ],
)
def test_each_defect_has_its_sentence(card, pixels, word):
    found = quality_warnings(pixels, card)
    assert any(sentence.startswith(word) for sentence in found), found
    assert all(sentence.endswith(".") for sentence in found)


def test_without_a_reference_only_size_and_greyscale_are_judged():
    assert quality_warnings(blurred(picture(1, colour=(130, 190, 240))), CARD) == []
    assert len(quality_warnings(np.full((12, 12, 3), 90, np.uint8), CARD)) == 2


def test_no_training_images_give_no_reference():
    assert reference([]) is None


@pytest.mark.slow
def test_real_cells_pass_and_the_same_cells_blurred_do_not(shared_data):
    import pandas as pd

    from dashboard import images

    rows = pd.read_csv(shared_data / "labels.csv", dtype=str)
    rows = rows[rows["dataset"] == "pbc8"]
    train = rows[rows["split"] == "train"].sample(300, random_state=0)
    test = rows[rows["split"] == "test"].sample(100, random_state=0)
    known = reference([measure(images.read(shared_data / path).pixels) for path in train["path"]])
    card = dataclasses.replace(CARD, quality=known)
    cells = [images.read(shared_data / path).pixels for path in test["path"]]
    assert np.mean([bool(quality_warnings(cell, card)) for cell in cells]) <= 0.03
    assert np.mean([bool(quality_warnings(blurred(cell, 2), card)) for cell in cells]) >= 0.95
