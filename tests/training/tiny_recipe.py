"""A recipe small enough to fit in a test, and pictures to fit it to."""

from __future__ import annotations

from pathlib import Path

import keras
import pandas as pd
from PIL import Image

from dashboard.bundles import ClassInfo
from dashboard.labels import read_labels
from dashboard.preprocessing import InputSpec
from dashboard.training.recipes import Augmentation, Optimiser, Recipe
from tests.small_bundle import pictures


def tiny_backbone(weights=None, include_top=False, input_shape=None):
    """What `keras.applications` offers, only smaller; `install` puts it there."""
    image = keras.Input(input_shape)
    x = keras.layers.Conv2D(8, 3, strides=2, name="conv")(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    return keras.Model(image, keras.layers.ReLU(name="relu")(x), name="tiny")


def install() -> None:
    keras.applications.Tiny = tiny_backbone


def recipe(**changes) -> Recipe:
    settings = {
        "name": "tiny-recipe",
        "title": "Tiny",
        "source": "none",
        "backbone": "Tiny",
        "classes": (ClassInfo("dark", "Dark"), ClassInfo("pale", "Pale")),
        "input": InputSpec(32, 32, crop=0.8),
        "augmentation": Augmentation(rotation=10, brightness=0.05),
        "epochs": 3,
        "batch": 4,
        "optimiser": Optimiser(learning_rate=0.01, average_decay=0.5),
        "frozen_batch_norm": False,
    }
    return Recipe(**{**settings, **changes})


def make_rows(folder: Path, count: int = 24) -> pd.DataFrame:
    """Discs, half of them darkened, in three splits; their labels as `read_labels` gives them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["path,label,split,site"]
    for index, pixels in enumerate(pictures(count, seed=4)):
        dark = index % 2 == 0
        Image.fromarray(pixels // (3 if dark else 1)).save(folder / f"{index:02d}.png")
        split = ("train", "train", "val", "test")[index // 2 % 4]
        lines.append(f"{index:02d}.png,{'dark' if dark else 'pale'},{split},here")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return read_labels(folder / "labels.csv", folder).rows
