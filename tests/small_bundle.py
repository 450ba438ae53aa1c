"""A small real bundle: eight classes, 64 px, random weights, labelled pictures and everything that a card can hold."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from dashboard.bundles import Bundle, Calibration, Card, OutOfDistributionRule, PredictionSetRule
from dashboard.images import image_id
from dashboard.preprocessing import InputSpec, prepare
from dashboard.quality import measure, reference
from dashboard.training.recipes import PBC8_CLASSES

SIDE = 64
CARD = Card(
    id="small",
    title="Small network of random weights",
    backbone="two convolutions",
    classes=PBC8_CLASSES,
    input=InputSpec(SIDE, SIDE, crop=0.9, scaling="minus_one_to_one"),
    calibration=Calibration(1.5, "drawn discs", 24, "2026-01-01"),
    prediction_set=PredictionSetRule(0.9, 0.1),
    unidentified_below=0.5,
    training={"data": "none: random weights", "licence": "Apache-2.0", "seed": 0},
    intended_use="Testing the programs that read bundles.",
    known_limits=("It knows nothing.",),
)


def pictures(count: int, seed: int = 0) -> list[np.ndarray]:
    """Coloured discs on a pale, slightly noisy ground: uint8 (72, 80, 3)."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:72, :80]
    drawn = []
    for _ in range(count):
        pixels = random.normal(225, 6, (72, 80, 3))
        radius, row, column = random.uniform(12, 30), random.uniform(30, 42), random.uniform(34, 46)
        inside = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        pixels[inside] = random.uniform(40, 220, 3) + random.normal(0, 12, (int(inside.sum()), 3))
        drawn.append(pixels.clip(0, 255).astype(np.uint8))
    return drawn


def network():
    """Two convolutions and a dense layer, its logits spread so that each class wins now and then; needs TensorFlow."""
    import keras

    keras.utils.set_random_seed(0)
    image = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(8, 5, strides=2, activation="relu", name="first")(image)
    x = keras.layers.Conv2D(16, 3, strides=2, activation="relu", name="second")(x)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    model = keras.Model(image, keras.layers.Dense(8, name="logits")(x))
    shown = np.stack([prepare(pixels, CARD.input) for pixels in pictures(48)])
    logits = model(shown / np.float32(127.5) - 1).numpy()
    kernel, _ = model.layers[-1].get_weights()
    model.layers[-1].set_weights([3 * kernel / logits.std(axis=0), -3 * logits.mean(axis=0) / logits.std(axis=0)])
    return model


def make_small_images(folder: Path) -> Path:
    """Write 48 pictures; `make_small_bundle` adds the labels.csv."""
    folder.mkdir(parents=True)
    for index, pixels in enumerate(pictures(48)):
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")
    return folder


def make_small_bundle(store: Path, images: Path) -> Bundle:
    """Pack the network, judged on the pictures; a fifth of the labels disagree with it."""
    from dashboard.classifier import bare_classifier
    from dashboard.out_of_distribution import fit_statistics
    from dashboard.packing import create_bundle

    shown = pictures(48)
    classifier = bare_classifier(network(), CARD)
    prepared = np.stack([classifier.prepare(pixels) for pixels in shown])
    logits = classifier.logits(prepared)
    found = logits.argmax(axis=1)
    statistics = fit_statistics(
        classifier.features(prepared, ["features"]), np.arange(48) % 8, ("features",), directions=4
    )
    other = (found + (np.arange(48) % 5 == 0)) % 8
    rows = pd.DataFrame(
        {
            "image_id": [image_id(pixels) for pixels in shown],
            "label": [CARD.class_names[index] for index in other],
            "split": np.where(np.arange(48) < 24, "val", "test"),
            "site": np.where(np.arange(48) % 3, "here", "there"),
            "path": [f"{index:02d}.png" for index in range(48)],
        }
    )
    rows[["path", "label", "split", "site"]].to_csv(images / "labels.csv", index=False)
    card = dataclasses.replace(
        CARD,
        out_of_distribution=OutOfDistributionRule("Mahalanobis distance of features", 3.0, 0.04),
        quality=reference([measure(pixels) for pixels in shown]),
    )
    evaluation = rows.join(pd.DataFrame(logits, columns=[f"logit_{name}" for name in CARD.class_names]))
    return create_bundle(store, network(), card, pictures(1, seed=9)[0], statistics=statistics, evaluation=evaluation)
