"""LIME: cover parts of the image, watch the logit, fit a linear surrogate whose weights are the evidence.

`lime` fits the surrogate. Its image explainer is not used: it covers one image at a time in Python, assumes superpixel
ids from 0 and cuts a small image into five; here superpixels fit the model's input, covering happens in the compiled
graph, and each random mask is followed by its opposite, so that what two superpixels do together cancels out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf
from lime.lime_base import LimeBase
from PIL import Image, ImageFilter
from skimage.segmentation import slic

from dashboard.errors import ExplanationError
from dashboard.model_graph import with_constant_weights
from dashboard.preprocessing import scale

if TYPE_CHECKING:
    from dashboard.classifier import Classifier

SUPERPIXELS = 40  # asked for; about 30 come back at 224 px, each about as large as a lobe
# lime's 0.25 favours the fuller image of each opposite pair so much that the two no longer cancel
KERNEL_WIDTH = 0.4
BATCH = 32


def lime_superpixels(
    classifier: Classifier,
    prepared: np.ndarray,
    class_index: int,
    *,
    samples: int = 512,
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> np.ndarray:
    """Explain one logit by LIME.

    Parameters
    ----------
    classifier : Classifier
    prepared : numpy.ndarray
        uint8, shape (h, w, 3).
    samples : int
        Covered images.
    seed : int
        Same seed, same map.
    progress : callable
        Called with the share done, 0 to 1.

    Returns
    -------
    numpy.ndarray
        float32, shape (h, w): the surrogate's weight of each pixel's superpixel, in logits; negative where the
        superpixel speaks against the class.

    Raises
    ------
    ExplanationError
        The model's logits are not numbers.

    Notes
    -----
    Source: Ribeiro et al. 2016, doi 10.1145/2939672.2939778.
    """
    segments = superpixels(prepared)
    masks = random_masks(int(segments.max()) + 1, samples, seed)
    logits = covered_logits(classifier, prepared, segments, masks, progress=progress)
    return surrogate_weights(masks, logits[:, class_index])[segments].astype(np.float32)


def superpixels(prepared: np.ndarray, count: int = SUPERPIXELS) -> np.ndarray:
    """Cut an image into superpixels.

    Parameters
    ----------
    prepared : numpy.ndarray
        uint8, shape (h, w, 3).
    count : int
        About how many.

    Returns
    -------
    numpy.ndarray
        int64, shape (h, w): 0 to K - 1, every number used.

    Notes
    -----
    Source: Achanta et al. 2012, doi 10.1109/TPAMI.2012.120, by scikit-image.
    """
    labels = slic(prepared, n_segments=count, compactness=10.0, sigma=1.0, start_label=0, channel_axis=-1)
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def random_masks(superpixel_count: int, samples: int, seed: int) -> np.ndarray:
    """Draw which superpixels stay in each covered image.

    The first row keeps all. Then each random row, half of it kept on average, is followed by its opposite.

    Returns
    -------
    numpy.ndarray
        uint8, shape (samples, superpixel_count): 1 kept, 0 covered.
    """
    random = np.random.default_rng(seed)
    half = random.integers(0, 2, (samples // 2 + 1, superpixel_count), np.uint8)
    pairs = np.stack([half, 1 - half], axis=1).reshape(-1, superpixel_count)
    return np.concatenate([np.ones((1, superpixel_count), np.uint8), pairs])[:samples]


def cover(prepared: np.ndarray) -> np.ndarray:
    """What a covered superpixel shows: the image, blurred until lobes and granules are gone; uint8 (h, w, 3)."""
    radius = max(prepared.shape[:2]) / 18
    return np.asarray(Image.fromarray(prepared).filter(ImageFilter.GaussianBlur(radius)))


def covered_logits(
    classifier: Classifier,
    prepared: np.ndarray,
    segments: np.ndarray,
    masks: np.ndarray,
    *,
    background: np.ndarray | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> np.ndarray:
    """Run the model on an image with superpixels covered.

    Parameters
    ----------
    prepared : numpy.ndarray
        uint8, shape (h, w, 3).
    segments : numpy.ndarray
        int, shape (h, w), 0 to K - 1.
    masks : numpy.ndarray
        uint8, shape (N, K): 1 kept, 0 covered.
    background : numpy.ndarray, optional
        uint8, shape (h, w, 3), shown where covered; `cover(prepared)` if not given.

    Returns
    -------
    numpy.ndarray
        float32, shape (N, classes).

    Raises
    ------
    ExplanationError
        The model's logits are not numbers.
    """
    run = _compiled(classifier.model, classifier.card.input.scaling)
    shown = prepared, cover(prepared) if background is None else background, segments.astype(np.int32)
    logits = []
    for start in range(0, len(masks), BATCH):
        logits.append(run(masks[start : start + BATCH], *shown).numpy())
        progress(min(1.0, (start + BATCH) / len(masks)))
    answers = np.concatenate(logits)
    if not np.isfinite(answers).all():
        raise ExplanationError("The model gave logits that are not numbers for this image; LIME cannot explain them.")
    return answers


@functools.lru_cache(maxsize=4)
def _compiled(model: keras.Model, scaling: str) -> Callable[..., tf.Tensor]:
    height, width = model.inputs[0].shape[1:3]
    image = tf.TensorSpec([height, width, 3], tf.uint8)
    places = tf.TensorSpec([height, width], tf.int32)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.uint8), image, image, places])
    def run(masks: tf.Tensor, prepared: tf.Tensor, background: tf.Tensor, segments: tf.Tensor) -> tf.Tensor:
        kept = tf.gather(masks, segments, axis=1)[..., None] > 0
        covered = tf.where(kept, prepared, background)
        return tf.cast(model(scale(tf.cast(covered, tf.float32), scaling), training=False), tf.float32)

    return with_constant_weights(run, model)


def surrogate_weights(masks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Fit `lime`'s local linear surrogate: ridge regression, near images weighing more.

    Parameters
    ----------
    masks : numpy.ndarray
        0 or 1, shape (N, K).
    scores : numpy.ndarray
        float, shape (N,): the logit of each covered image.

    Returns
    -------
    numpy.ndarray
        float64, shape (K,): what each superpixel adds to the logit.
    """
    kept = masks.mean(axis=1)
    distances = 1 - np.sqrt(kept)  # the cosine distance from a row of ones
    base = LimeBase(lambda distance: np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2)), random_state=0)
    _, weights, _, _ = base.explain_instance_with_data(
        masks.astype(np.float64), scores[:, None], distances, 0, masks.shape[1], feature_selection="none"
    )
    ordered = np.zeros(masks.shape[1])
    for superpixel, weight in weights:
        ordered[superpixel] = weight
    return ordered
