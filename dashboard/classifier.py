"""A bundle of model_store → a classifier: labels, logits, out-of-distribution scores.

Importing this module imports TensorFlow (about 8 s); nothing imports it before the first page is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from dashboard import images, model_graph
from dashboard.bundles import Bundle, Card, read_bundle
from dashboard.errors import BundleError, ExplanationError, ImageError
from dashboard.out_of_distribution import FeatureStatistics, load_statistics
from dashboard.predictions import predictions
from dashboard.preprocessing import prepare, scale, shrunk

BATCH = 32
GOLDEN_TOLERANCE = 0.05  # logits; processors differ by about 1e-4, another preprocessing by 0.1 and more


class Classifier:
    """A trained network with the preprocessing, calibration and statistics of its card.

    Attributes
    ----------
    card : Card
    model : keras.Model
        Flat graph: scaled float32 (N, h, w, 3) → raw logits float32 (N, K).
    """

    def __init__(self, model: keras.Model, card: Card, statistics: FeatureStatistics | None = None) -> None:
        self.card = card
        self.model = model_graph.logit_graph(model)
        self._statistics = statistics
        self._check_shapes()
        self._forward = self._compile(statistics.layers if statistics else ())

    @property
    def last_spatial_layer(self) -> str:
        """Name of the last layer with places; ExplanationError if the network has none."""
        name = model_graph.last_spatial_layer(self.model)
        if name is None:
            raise ExplanationError("This network has no spatial layer, so no Grad-CAM; LIME and SmoothGrad remain.")
        return name

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """Bring uint8 (H, W, 3) pixels to the network's size: uint8 (h, w, 3)."""
        return prepare(pixels, self.card.input)

    def logits(self, prepared: np.ndarray) -> np.ndarray:
        """Raw logits of prepared images.

        Parameters
        ----------
        prepared : numpy.ndarray
            uint8, shape (N, h, w, 3), as `prepare` gives them.

        Returns
        -------
        numpy.ndarray
            float32, shape (N, K), before the temperature; empty input gives (0, K).
        """
        return self.outputs(prepared)[0]

    def outputs(self, prepared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits, and scores of how far each image is from the training set.

        Returns
        -------
        logits : numpy.ndarray
            float32, shape (N, K).
        ood_scores : numpy.ndarray
            float32, shape (N,); NaN where the bundle has no statistics.
        """
        if len(prepared) == 0:
            return np.zeros((0, len(self.card.classes)), np.float32), np.zeros(0, np.float32)
        logits, features = [], []
        for start in range(0, len(prepared), BATCH):
            batch_logits, batch_features = self._forward(prepared[start : start + BATCH])
            logits.append(batch_logits.numpy())
            features.append(batch_features.numpy())
        if self._statistics is None:
            return np.concatenate(logits), np.full(len(prepared), np.nan, np.float32)
        scores = self._statistics.scores(np.concatenate(features))
        return self._looked_at_again(prepared, np.concatenate(logits), scores), scores

    def _looked_at_again(self, prepared: np.ndarray, logits: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Average the logits of images outside the training data over smaller sizes: cells may be cut out closer."""
        rule = self.card.out_of_distribution
        if rule is None or not self.card.second_look:
            return logits
        (foreign,) = np.nonzero(scores > rule.threshold)
        for start in range(0, len(foreign), BATCH):
            chosen = foreign[start : start + BATCH]
            looks = [self._forward(shrunk(prepared[chosen], size))[0].numpy() for size in self.card.second_look]
            logits[chosen] = np.mean([logits[chosen], *looks], axis=0)
        return logits

    def features(self, prepared: np.ndarray, layers: Sequence[str]) -> np.ndarray:
        """Outputs of layers, averaged over their places and joined: float32 (N, D)."""
        forward = self._compile(tuple(layers))
        starts = range(0, len(prepared), BATCH)
        return np.concatenate([forward(prepared[start : start + BATCH])[1].numpy() for start in starts])

    def classify(self, pixels: Sequence[np.ndarray]) -> pd.DataFrame:
        """Classify images of any size; a row an image, columns as `predictions.predictions`."""
        shape = (0, self.card.input.height, self.card.input.width, 3)
        prepared = np.stack([self.prepare(image) for image in pixels]) if len(pixels) else np.zeros(shape, np.uint8)
        logits, ood_scores = self.outputs(prepared)
        return predictions(logits, self.card, ood_scores)

    def _check_shapes(self) -> None:
        spec, given = self.card.input, tuple(self.model.inputs[0].shape[1:3])
        if given != (spec.height, spec.width):
            raise BundleError(f"The card states an input of {spec.height}x{spec.width}; the model's is {given}.")
        units = self.model.outputs[0].shape[1]
        if units != len(self.card.classes):
            raise BundleError(f"The card names {len(self.card.classes)} classes; the model gives {units} outputs.")

    def _compile(self, layers: tuple[str, ...]) -> Any:
        spec, flat = self.card.input, self.model
        try:
            taps = [flat.get_layer(name).output for name in layers]
        except ValueError as error:
            raise BundleError(f"The feature statistics name a layer that the model lacks: {error}") from error
        graph = keras.Model(flat.inputs, [flat.outputs[0], *taps])
        width = sum(tap.shape[-1] for tap in taps)
        if self._statistics and layers == self._statistics.layers and width != self._statistics.means.shape[1]:
            raise BundleError(
                f"The feature statistics are of {self._statistics.means.shape[1]} features; the model gives {width}."
            )

        @tf.function(input_signature=[tf.TensorSpec([None, spec.height, spec.width, 3], tf.uint8)])
        def forward(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            logits, *tapped = tf.nest.flatten(graph(scale(tf.cast(batch, tf.float32), spec.scaling), training=False))
            pooled = [tf.reduce_mean(tap, axis=[1, 2]) if tap.shape.rank == 4 else tap for tap in tapped]
            features = tf.concat(pooled, axis=1) if pooled else tf.zeros([tf.shape(batch)[0], 0])
            return tf.cast(logits, tf.float32), tf.cast(features, tf.float32)

        return model_graph.with_constant_weights(forward, flat)


def load_classifier(bundle: Bundle | Path) -> Classifier:
    """Load a bundle and check it against its golden image.

    Parameters
    ----------
    bundle : Bundle or path
        A verified bundle, or a folder to verify first.

    Raises
    ------
    BundleError
        A hash, the classes, the sizes or the golden image's logits do not agree, or the file is unsafe.
    """
    bundle = bundle if isinstance(bundle, Bundle) else read_bundle(bundle)
    statistics = load_statistics(bundle.ood_file) if bundle.ood_file.is_file() else None
    classifier = Classifier(model_graph.open_keras(bundle.model_file), bundle.card, statistics)
    _check_golden(classifier, bundle)
    return classifier


def bare_classifier(model: keras.Model, card: Card) -> Classifier:
    """Make a classifier of a Keras model in memory, without a bundle: while one is being made, and in tests."""
    return Classifier(model, card)


def golden_logits(classifier: Classifier, pixels: np.ndarray) -> dict[str, float]:
    """Logits of the golden image by class name, in logit order: what `golden/expected.json` holds.

    Raises
    ------
    BundleError
        A logit is not finite.
    """
    logits = classifier.logits(classifier.prepare(pixels)[None])[0]
    if not np.isfinite(logits).all():
        raise BundleError("The model must give finite logits; it gives NaN or infinity. Its weights are damaged.")
    return {name: round(float(logit), 5) for name, logit in zip(classifier.card.class_names, logits, strict=True)}


def _check_golden(classifier: Classifier, bundle: Bundle) -> None:
    name = bundle.card.id
    try:
        expected = {str(key): float(value) for key, value in json.loads(bundle.golden_logits.read_bytes()).items()}
        pixels = images.read(bundle.golden_image).pixels
    except (OSError, ValueError, TypeError, AttributeError, ImageError) as error:
        raise BundleError(f"The bundle {name} has no readable golden image with its logits; pack it again.") from error
    if tuple(expected) != bundle.card.class_names:
        raise BundleError(
            f"The classes of {name} are not those it was packed with, or stand in another order: "
            f"card {', '.join(bundle.card.class_names)}; golden image {', '.join(expected)}."
        )
    got = golden_logits(classifier, pixels)
    worst = np.abs(np.array(list(got.values())) - np.array(list(expected.values()))).max()
    if not worst <= GOLDEN_TOLERANCE:
        raise BundleError(
            f"The model {name} does not give its golden image the logits it was packed with (off by {worst:.2f}); "
            "its preprocessing or its weights differ."
        )
