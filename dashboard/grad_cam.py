"""Grad-CAM in one compiled call: a forward pass, and the gradient of the part after the last spatial layer only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from dashboard.model_graph import with_constant_weights
from dashboard.preprocessing import scale

if TYPE_CHECKING:
    from dashboard.classifier import Classifier


def grad_cam(classifier: Classifier, prepared: np.ndarray, class_index: int) -> np.ndarray:
    """Explain one logit of one image; see `grad_cam_batch`.

    Parameters
    ----------
    prepared : numpy.ndarray
        uint8, shape (h, w, 3).

    Returns
    -------
    numpy.ndarray
        float32, shape (a, b) of the last spatial layer, not negative.
    """
    return grad_cam_batch(classifier, prepared[None], np.array([class_index]))[0]


def grad_cam_batch(classifier: Classifier, prepared: np.ndarray, class_indices: np.ndarray) -> np.ndarray:
    """Explain one logit of each image.

    The map is the last spatial layer's channels, each weighted by the mean gradient of the logit with respect to it,
    summed, and cut at 0. The logit, not its softmax: a sure model's softmax has no gradient left.

    Parameters
    ----------
    classifier : Classifier
    prepared : numpy.ndarray
        uint8, shape (N, h, w, 3), as `Classifier.prepare` gives them.
    class_indices : numpy.ndarray
        int, shape (N,): which logit of each image.

    Returns
    -------
    numpy.ndarray
        float32, shape (N, a, b) of the last spatial layer, in logits, not negative; empty input gives (0, a, b).

    Raises
    ------
    ExplanationError
        The network has no spatial layer.

    Notes
    -----
    Source: Selvaraju et al. 2017, doi 10.1109/ICCV.2017.74, equations 1 and 2.
    """
    compiled = _compiled(classifier.model, classifier.last_spatial_layer, classifier.card.input.scaling)
    return compiled(prepared, np.asarray(class_indices, np.int32)).numpy()


@functools.lru_cache(maxsize=4)
def _compiled(model: keras.Model, layer: str, scaling: str) -> Callable[..., tf.Tensor]:
    both = keras.Model(model.inputs, [model.get_layer(layer).output, model.outputs[0]])
    height, width = model.inputs[0].shape[1:3]

    @tf.function(input_signature=[tf.TensorSpec([None, height, width, 3], tf.uint8), tf.TensorSpec([None], tf.int32)])
    def maps(prepared: tf.Tensor, class_indices: tf.Tensor) -> tf.Tensor:
        features, logits = both(scale(tf.cast(prepared, tf.float32), scaling), training=False)
        scores = tf.gather(logits, class_indices, batch_dims=1)
        # tf.gradients walks back from the score to the features and no further: the backbone costs nothing
        gradients = tf.gradients(scores, features)[0]
        return class_activation(tf.cast(features, tf.float32), tf.cast(gradients, tf.float32))

    return with_constant_weights(maps, both)


def class_activation(features: tf.Tensor, gradients: tf.Tensor) -> tf.Tensor:
    """Weigh each channel by its mean gradient, sum, cut at 0.

    Parameters
    ----------
    features, gradients : tensor
        float32, shape (N, a, b, C).

    Returns
    -------
    tensor
        float32, shape (N, a, b).
    """
    weights = tf.reduce_mean(gradients, axis=[1, 2], keepdims=True)
    return tf.nn.relu(tf.reduce_sum(weights * features, axis=-1))
