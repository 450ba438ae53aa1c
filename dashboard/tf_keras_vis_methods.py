"""Grad-CAM++, Score-CAM and SmoothGrad by tf-keras-vis, on the flat graph of logits.

The library's own normalisation and enlargement are off: it divides by the range plus 1e-7, which turns faint maps
blank, and its enlargement lays the corners' centres on the corners. None of its model modifiers is used (the graph
ends in logits already), so the classifier's model is neither cloned nor changed.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from dashboard.preprocessing import scale

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports scipy.ndimage.interpolation, the old name
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.scorecam import Scorecam

if TYPE_CHECKING:
    from dashboard.classifier import Classifier

SMOOTH_GRAD_NOISE = 0.2  # standard deviation as a share of the image's range; 10-20 % in the paper
_BATCH = 16


def grad_cam_plus_plus(classifier: Classifier, prepared: np.ndarray, class_index: int) -> np.ndarray:
    """Explain one logit by Grad-CAM++.

    Parameters
    ----------
    classifier : Classifier
    prepared : numpy.ndarray
        uint8, shape (h, w, 3).

    Returns
    -------
    numpy.ndarray
        float32, shape (a, b) of the last spatial layer, not negative.

    Raises
    ------
    ExplanationError
        The network has no spatial layer.

    Notes
    -----
    Source: Chattopadhay et al. 2018, doi 10.1109/WACV.2018.00097.
    """

    def score(logits: tf.Tensor) -> tf.Tensor:
        # The method scales its map by exp(score), which overflows at 88; less its own value, the map is the same.
        return logits[:, class_index] - tf.stop_gradient(logits[:, class_index])

    cam = GradcamPlusPlus(classifier.model)(
        score,
        _scaled(classifier, prepared[None]),
        penultimate_layer=classifier.last_spatial_layer,
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )
    return np.asarray(cam)[0]


def score_cam(
    classifier: Classifier,
    prepared: np.ndarray,
    class_index: int,
    *,
    samples: int = 128,
    progress: Callable[[float], None] = lambda _: None,
) -> np.ndarray:
    """Explain one class by Score-CAM.

    The weight of a channel is the class's probability when the image is kept only where the channel is active: the
    paper's choice. It takes no gradient, so a sure model's softmax does not blank the map.

    Parameters
    ----------
    classifier : Classifier
    prepared : numpy.ndarray
        uint8, shape (h, w, 3).
    samples : int
        How many channels to try, those that vary most first; all if there are fewer.
    progress : callable
        Called with the share done, 0 to 1.

    Returns
    -------
    numpy.ndarray
        float32, shape (a, b) of the last spatial layer, not negative.

    Raises
    ------
    ExplanationError
        The network has no spatial layer.

    Notes
    -----
    Source: Wang et al. 2020, doi 10.1109/CVPRW50498.2020.00020.
    """
    layer = classifier.last_spatial_layer
    channels = classifier.model.get_layer(layer).output.shape[-1]
    model = _ModelWithProgress(inputs=classifier.model.inputs, outputs=classifier.model.outputs, name="told")
    model.forward, model.progress = _compiled(classifier.model), progress
    cam = Scorecam(model)(
        lambda probabilities: probabilities[:, class_index],
        _scaled(classifier, prepared[None]),
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        batch_size=_BATCH,
        max_N=min(samples, channels),
        expand_cam=False,
        normalize_cam=False,
    )
    return np.asarray(cam)[0]


def smooth_grad(
    classifier: Classifier,
    prepared: np.ndarray,
    class_index: int,
    *,
    samples: int = 32,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> np.ndarray:
    """Explain one logit by SmoothGrad: the mean absolute gradient over noisy copies of the image.

    The noise is drawn here: the library draws it from NumPy's global generator, which other threads share.

    Parameters
    ----------
    classifier : Classifier
    prepared : numpy.ndarray
        uint8, shape (h, w, 3).
    samples : int
        Noisy copies.
    seed : int
        Same seed, same map.
    progress : callable
        Called with the share done, 0 to 1.

    Returns
    -------
    numpy.ndarray
        float32, shape (h, w): the largest over the colour channels, in logits per unit of the scaled input; cut at
        the 99th percentile of what is not 0, as in the paper, or a few pixels would outshine the rest.

    Notes
    -----
    Source: Smilkov et al. 2017, arXiv:1706.03825.
    """
    random = np.random.default_rng(seed)
    image = _scaled(classifier, prepared)
    sigma = SMOOTH_GRAD_NOISE * float(image.max() - image.min())
    # The library passes a list, as this model's inputs are; the classifier's takes one tensor and would warn.
    saliency = Saliency(keras.Model(classifier.model.inputs, classifier.model.outputs))
    total = np.zeros(image.shape, np.float64)
    for start in range(0, samples, _BATCH):
        count = min(_BATCH, samples - start)
        noise = random.standard_normal((count, *image.shape), np.float32)
        gradients = saliency(
            lambda logits: logits[:, class_index], image + sigma * noise, keepdims=True, normalize_map=False
        )
        total += np.asarray(gradients).sum(axis=0)
        progress((start + count) / samples)
    sensitivity = (total / samples).max(axis=-1).astype(np.float32)
    if sensitivity.any():
        sensitivity = np.minimum(sensitivity, np.percentile(sensitivity[sensitivity != 0], 99))
    return sensitivity


class _ModelWithProgress(keras.Model):
    """The same graph, whose predict is compiled once a model, quiet, and tells how far it is."""

    forward: Callable[[np.ndarray], tf.Tensor]
    progress: Callable[[float], None]

    def predict(self, x: list[np.ndarray], batch_size: int = _BATCH) -> np.ndarray:
        images, outputs = x[0], []
        for start in range(0, len(images), batch_size):
            outputs.append(self.forward(images[start : start + batch_size]).numpy())
            self.progress(min(1.0, (start + batch_size) / len(images)))
        return np.concatenate(outputs)


@functools.lru_cache(maxsize=4)
def _compiled(model: keras.Model) -> Callable[[np.ndarray], tf.Tensor]:
    signature = tf.TensorSpec([None, *model.inputs[0].shape[1:]], tf.float32)
    return tf.function(lambda images: model(images, training=False), input_signature=[signature])


def _scaled(classifier: Classifier, prepared: np.ndarray) -> np.ndarray:
    return np.asarray(scale(prepared.astype(np.float32), classifier.card.input.scaling), np.float32)
