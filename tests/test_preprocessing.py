"""The model sees the region, size and range that its card states."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from dashboard.errors import BundleError
from dashboard.preprocessing import InputSpec, prepare, region, scale, shrunk
from dashboard.white_balance import with_glass

NOISE = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)


@pytest.mark.parametrize(
    ("shape", "spec", "expected"),
    [
        ((100, 100, 3), InputSpec(), (0, 0, 100, 100)),
        ((100, 200, 3), InputSpec(), (0, 50, 100, 150)),
        ((200, 100, 3), InputSpec(), (50, 0, 150, 100)),
        ((100, 200, 3), InputSpec(crop=0.5), (25, 75, 75, 125)),
        ((100, 200, 3), InputSpec(resize="stretch"), (0, 0, 100, 200)),
        ((100, 200, 3), InputSpec(resize="stretch", crop=0.5), (25, 50, 75, 150)),
        ((100, 100, 3), InputSpec(100, 200), (25, 0, 75, 100)),  # input twice as wide as high
        ((256, 256, 3), InputSpec(crop=0.875), (16, 16, 240, 240)),
        ((1, 1, 3), InputSpec(), (0, 0, 1, 1)),
    ],
)
def test_the_region_is_the_one_worked_out_by_hand(shape, spec, expected):
    assert region(shape, spec) == pytest.approx(expected)


def test_prepare_takes_exactly_the_pixels_of_the_region():
    spec = InputSpec(32, 32, crop=0.5)
    np.testing.assert_array_equal(prepare(NOISE, spec), NOISE[16:48, 32:64])


def test_what_lies_outside_the_region_does_not_matter():
    other = NOISE.copy()
    other[:, :4] = 0  # 12 pixels from the region's edge, farther than the filter reaches
    other[:, -4:] = 0
    np.testing.assert_array_equal(prepare(NOISE, InputSpec(16, 16)), prepare(other, InputSpec(16, 16)))
    assert not np.array_equal(
        prepare(NOISE, InputSpec(16, 16, resize="stretch")), prepare(other, InputSpec(16, 16, resize="stretch"))
    )


def test_a_plain_colour_stays_the_same_at_any_size():
    for side in (8, 63, 500):
        prepared = prepare(np.full((side, side + 5, 3), (10, 120, 250), np.uint8), InputSpec(32, 48, crop=0.9))
        assert prepared.shape == (32, 48, 3)
        assert prepared.dtype == np.uint8
        assert (prepared == (10, 120, 250)).all()


def test_a_larger_copy_of_a_picture_gives_nearly_the_same_input():
    smooth = np.asarray(Image.fromarray(NOISE).resize((12, 8)).resize((240, 160), Image.Resampling.BICUBIC))
    larger = np.asarray(Image.fromarray(smooth).resize((2400, 1600), Image.Resampling.BICUBIC))
    spec = InputSpec(64, 64, crop=0.9)
    assert np.abs(prepare(smooth, spec).astype(int) - prepare(larger, spec)).max() <= 3


def test_one_pixel_is_enlarged():
    assert (prepare(np.full((1, 1, 3), 7, np.uint8), InputSpec(8, 8)) == 7).all()


@pytest.mark.parametrize(
    ("contrast", "reference"),
    [("autocontrast", lambda image: ImageOps.autocontrast(image, cutoff=1)), ("equalise", ImageOps.equalize)],
)
def test_contrast_follows_the_crop(contrast, reference):
    dull = (NOISE // 4 + 90).astype(np.uint8)
    expected = np.asarray(reference(Image.fromarray(dull[16:48, 32:64])))
    prepared = prepare(dull, InputSpec(32, 32, crop=0.5, contrast=contrast))
    np.testing.assert_array_equal(prepared, expected)
    assert np.ptp(prepared) > np.ptp(dull)


def test_the_glass_is_balanced_after_the_crop():
    spec = InputSpec(32, 32, crop=0.5, glass=(250.0, 230.0, 210.0))
    np.testing.assert_array_equal(prepare(NOISE, spec), with_glass(NOISE[16:48, 32:64], (250.0, 230.0, 210.0)))
    assert not np.array_equal(prepare(NOISE, spec), prepare(NOISE, InputSpec(32, 32, crop=0.5)))


def test_a_shrunk_plain_colour_is_the_same_and_size_one_changes_nothing():
    images = np.stack([NOISE[:32, :48], NOISE[32:, 48:]])
    np.testing.assert_array_equal(shrunk(images, 1.0), images)
    plain = np.full((2, 30, 41, 3), (10, 120, 250), np.uint8)
    np.testing.assert_array_equal(shrunk(plain, 0.5), plain)


@pytest.mark.parametrize("size", [0.34, 0.5, 0.7, 0.99])
def test_a_shrunk_picture_is_itself_in_small_within_its_mirror_image(size):
    image = NOISE[:32, :48]
    smaller = shrunk(image[None], size)[0]
    height, width = round(32 * size), round(48 * size)
    top, left = (32 - height) // 2, (48 - width) // 2
    inner = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
    assert (smaller.shape, smaller.dtype) == (image.shape, np.uint8)
    np.testing.assert_array_equal(smaller[top : top + height, left : left + width], inner)
    for away in range(1, min(left + 1, width)):
        np.testing.assert_array_equal(smaller[top : top + height, left - away], inner[:, away])


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ("none", (0, 127.5, 255)),
        ("zero_to_one", (0, 0.5, 1)),
        ("minus_one_to_one", (-1, 0, 1)),
        ("caffe", (255 - 103.939, 127.5 - 116.779, 0 - 123.68)),  # blue, green, red
        ("torch", ((0 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225)),
    ],
)
def test_scaling_is_the_one_worked_out_by_hand(scaling, expected):
    np.testing.assert_allclose(scale(np.array([0, 127.5, 255], np.float32), scaling), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("application", "scaling"),
    [
        ("mobilenet", "minus_one_to_one"),
        ("mobilenet_v2", "minus_one_to_one"),
        ("inception_v3", "minus_one_to_one"),
        ("xception", "minus_one_to_one"),
        ("efficientnet", "none"),
        ("resnet", "caffe"),
        ("vgg16", "caffe"),
        ("vgg19", "caffe"),
        ("densenet", "torch"),
    ],
)
def test_scaling_equals_that_of_keras_applications(application, scaling):
    import keras
    import tensorflow as tf

    images = NOISE[None].astype(np.float32)
    expected = getattr(keras.applications, application).preprocess_input(images.copy())
    np.testing.assert_allclose(scale(images, scaling), expected, atol=1e-4)
    np.testing.assert_allclose(scale(tf.constant(images), scaling).numpy(), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("resize", "pad", "resize must be one of centre, stretch; it is 'pad'"),
        ("scaling", "imagenet", "scaling must be one of none, zero_to_one"),
        ("contrast", "clahe", "contrast must be one of none, autocontrast, equalise"),
        ("crop", 0, r"crop must be in \(0, 1\]"),
        ("crop", 1.01, r"crop must be in \(0, 1\]"),
        ("crop", float("nan"), r"crop must be in \(0, 1\]"),
        ("height", 7, "at least 8x8 pixels; it is 7x224"),
        ("width", -1, "at least 8x8 pixels; it is 224x-1"),
    ],
)
def test_an_impossible_input_is_refused(field, value, message):
    with pytest.raises(BundleError, match=message):
        InputSpec(**{field: value})
