"""A network that can be read by eye: each class looks at one corner and nowhere else."""

from __future__ import annotations

import keras
import numpy as np

from dashboard.bundles import Card, ClassInfo
from dashboard.classifier import Classifier, bare_classifier
from dashboard.preprocessing import InputSpec

SIDE, CELLS = 64, 4
CORNERS = ((0, 0), (CELLS - 1, CELLS - 1))  # of class 0 and class 1, as row and column of the 4 x 4 cells


def card(spec: InputSpec, classes: int = 2) -> Card:
    names = ("top_left", "bottom_right", *(f"class_{index}" for index in range(2, classes)))[:classes]
    return Card(
        id="planted",
        title="Planted evidence",
        backbone="none",
        classes=tuple(ClassInfo(name, name.replace("_", " ").capitalize()) for name in names),
        input=spec,
    )


def corner_model(gain: float = 200.0) -> keras.Model:
    """Logit k is `gain` times the mean brightness (0 to 1) of corner k, over 16."""
    image = keras.Input((SIDE, SIDE, 3))
    brightness = keras.layers.AveragePooling2D(SIDE // CELLS)(image)
    read = keras.layers.Dense(CELLS * CELLS * 2, use_bias=False, name="read")
    spatial = keras.layers.Reshape((CELLS, CELLS, 2))(read(keras.layers.Flatten()(brightness)))
    out = keras.layers.Dense(2, use_bias=False, name="logits")
    model = keras.Model(image, out(keras.layers.GlobalAveragePooling2D()(spatial)))
    weights = np.zeros((CELLS, CELLS, 3, CELLS, CELLS, 2), np.float32)
    for channel, (row, column) in enumerate(CORNERS):
        weights[row, column, :, row, column, channel] = 1 / 3
    read.set_weights([weights.reshape(CELLS * CELLS * 3, -1)])
    out.set_weights([gain * np.eye(2, dtype=np.float32)])
    return model


def corner_classifier(gain: float = 200.0, crop: float = 1.0) -> Classifier:
    spec = InputSpec(SIDE, SIDE, crop=crop, scaling="zero_to_one")
    return bare_classifier(corner_model(gain), card(spec))


def flat_classifier() -> Classifier:
    """A network without a spatial layer."""
    keras.utils.set_random_seed(0)
    image = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)))
    return bare_classifier(model, card(InputSpec(SIDE, SIDE, scaling="zero_to_one")))


def bright_corners() -> np.ndarray:
    """Both corners bright on a dark, slightly textured ground; uint8 (64, 64, 3)."""
    pixels = np.random.default_rng(0).integers(20, 40, (SIDE, SIDE, 3)).astype(np.uint8)
    cell = SIDE // CELLS
    pixels[:cell, :cell] = 230
    pixels[-cell:, -cell:] = 230
    return pixels


def share_in_corner(values: np.ndarray, index: int) -> float:
    """Share of a map's sum inside the corner of class `index`, one cell wide and half a cell more for blur."""
    row, column = CORNERS[index]
    reach = values.shape[0] * 3 // (2 * CELLS)
    rows = slice(0, reach) if row == 0 else slice(-reach, None)
    columns = slice(0, reach) if column == 0 else slice(-reach, None)
    return float(values[rows, columns].sum() / values.sum())
