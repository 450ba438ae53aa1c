import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from dashboard.classifier import bare_classifier
from dashboard.explanations import METHODS, explain
from dashboard.grad_cam import class_activation, grad_cam, grad_cam_batch
from dashboard.preprocessing import InputSpec, scale
from tests.planted import bright_corners, card, corner_classifier

BACKBONES = (
    "MobileNet",
    "MobileNetV2",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB3",
    "ResNet50",
    "ResNet101",
    "VGG16",
    "VGG19",
    "InceptionV3",
    "DenseNet121",
    "Xception",
)


def random_backbone(name, side=96):
    keras.utils.set_random_seed(0)
    base = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(side, side, 3))
    nested = keras.Sequential(
        [keras.Input((side, side, 3)), base, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    )
    return bare_classifier(nested, card(InputSpec(side, side, scaling="minus_one_to_one"), classes=3))


def library_map(classifier, prepared, class_index):
    """tf-keras-vis on the same graph and layer, before it enlarges the map."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from tf_keras_vis.gradcam import Gradcam

    spec = classifier.card.input
    return np.asarray(
        Gradcam(classifier.model)(
            lambda logits: logits[:, class_index],
            scale(prepared[None].astype(np.float32), spec.scaling),
            penultimate_layer=classifier.last_spatial_layer,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
    )[0]


def test_class_activation_worked_by_hand():
    # channel means of the gradient: 1 and -2; so the map is 1 * first channel - 2 * second, cut at 0
    features = tf.constant([[[[3.0, 1.0], [1.0, 1.0]]]])
    gradients = tf.constant([[[[0.0, -1.0], [2.0, -3.0]]]])
    np.testing.assert_array_equal(class_activation(features, gradients), [[[1.0, 0.0]]])


def test_the_map_of_the_corner_network_is_its_gain_times_the_corners_brightness():
    classifier = corner_classifier(gain=160)
    pixels = np.full((64, 64, 3), 51, np.uint8)  # 0.2
    expected = np.zeros((4, 4))
    expected[0, 0] = 160 / 16 * 0.2  # the gradient's mean over 4 x 4 places is 160 / 16
    np.testing.assert_allclose(grad_cam(classifier, pixels, 0), expected, rtol=1e-5)


def test_it_equals_tf_keras_vis():
    classifier = corner_classifier()
    for class_index in (0, 1):
        expected = library_map(classifier, bright_corners(), class_index)
        np.testing.assert_allclose(grad_cam(classifier, bright_corners(), class_index), expected, rtol=1e-5)


def test_a_batch_equals_its_images_one_by_one_each_with_its_class():
    classifier = corner_classifier()
    batch = np.stack([bright_corners(), bright_corners()[::-1], 255 - bright_corners()])
    maps = grad_cam_batch(classifier, batch, np.array([0, 1, 1]))
    one_by_one = [grad_cam(classifier, image, index) for image, index in zip(batch, (0, 1, 1), strict=True)]
    np.testing.assert_allclose(maps, one_by_one, rtol=1e-5)


def test_no_image_gives_no_map():
    assert grad_cam_batch(corner_classifier(), np.zeros((0, 64, 64, 3), np.uint8), np.zeros(0)).shape == (0, 4, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_it_equals_tf_keras_vis_on_the_backbones_of_the_papers(name):
    classifier = random_backbone(name)
    prepared = np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)
    expected = np.stack([library_map(classifier, prepared, index) for index in range(3)])
    maps = grad_cam_batch(classifier, np.stack([prepared] * 3), np.arange(3))
    assert maps.any()
    assert np.corrcoef(maps.ravel(), expected.ravel())[0, 1] >= 0.999


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0"])
def test_every_method_runs_on_a_backbone_nested_in_a_sequential(name):
    classifier = random_backbone(name)
    pixels = np.random.default_rng(0).integers(0, 256, (120, 100, 3)).astype(np.uint8)
    for method in METHODS.values():
        explanation = explain(classifier, pixels, 1, method.name, samples=16)
        assert explanation.map.shape == (120, 100)
        assert explanation.map.max() == 1 or explanation.note
