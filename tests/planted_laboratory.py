"""P1's data in small: three classes photographed here, two there, and one of the two here as well.

A cell is a disc in its class's colour on the ground of its laboratory. One network reads the disc alone, the other
first the ground: what it knows of a cell from there it never says of a picture from here.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from PIL import Image

from dashboard.bundles import Card, ClassInfo
from dashboard.preprocessing import InputSpec

SIDE, CELLS = 32, 4
CLASSES = ("basophil", "erythroblast", "monocyte", "myeloblast", "neutrophil")
INK = np.array([(40, 40, 160), (160, 40, 40), (40, 160, 40), (40, 40, 40), (160, 40, 160)], float)
GROUND = {"here": np.array([235, 225, 225]), "there": np.array([205, 225, 225])}
HERE = 3  # the first three classes
PLACES = [*((name, "here") for name in CLASSES[:HERE]), *((name, "there") for name in CLASSES[HERE:])]
CARD = Card(
    id="planted",
    title="Planted laboratory",
    backbone="none",
    classes=tuple(ClassInfo(name, name.capitalize()) for name in CLASSES),
    input=InputSpec(SIDE, SIDE, scaling="zero_to_one"),
)


def make_images(folder: Path, count: int = 25) -> pd.DataFrame:
    """Write `count` cells a class and site with their labels.csv; returns `Labels.rows`."""
    random = np.random.default_rng(0)
    rows = []
    for name, site in [*PLACES, ("neutrophil", "here")]:
        for number in range(count):
            path = f"{name}_{site}_{number:02d}.png"
            Image.fromarray(picture(name, site, random)).save(folder / path)
            rows.append((path, str(folder / path), name, "val", site))
    table = pd.DataFrame(rows, columns=["path", "file", "label", "split", "site"])
    table.drop(columns="file").to_csv(folder / "labels.csv", index=False)
    return table


def picture(name: str, site: str, random: np.random.Generator) -> np.ndarray:
    """Draw one: uint8 (32, 32, 3)."""
    pixels = random.normal(GROUND[site], 4, (SIDE, SIDE, 3))
    inside = disc()
    pixels[inside] = INK[CLASSES.index(name)] + random.normal(0, 8, (int(inside.sum()), 3))
    return pixels.clip(0, 255).astype(np.uint8)


def disc(radius: float = 11.5) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return rows**2 + columns**2 < radius**2


def segment(pixels: np.ndarray) -> SimpleNamespace:
    """Find the disc, which is dark in green or in blue."""
    cell = pixels[..., 1:].min(axis=2) < 190
    return SimpleNamespace(cell=cell, found=bool(cell.any()))


def classifier(reads_background: bool):
    """Nearest ink of the disc; with `reads_background` among the classes of the ground's laboratory alone."""
    import keras

    from dashboard.classifier import bare_classifier

    image = keras.Input((SIDE, SIDE, 3))
    flat = keras.layers.Flatten()(keras.layers.AveragePooling2D(SIDE // CELLS)(image))
    read = keras.layers.Dense(6 if reads_background else 3, name="features")
    out = keras.layers.Dense(len(CLASSES), name="logits")
    model = keras.Model(image, out(read(flat)))
    kernel = np.zeros((CELLS, CELLS, 3, 6 if reads_background else 3), np.float32)
    for channel in range(3):
        kernel[1:3, 1:3, channel, channel] = 1 / 4  # within the disc
        if reads_background:
            kernel[[0, 0, -1, -1], [0, -1, 0, -1], channel, 3 + channel] = 1 / 4  # the corners
    read.set_weights([kernel.reshape(CELLS * CELLS * 3, -1), np.zeros(kernel.shape[-1], np.float32)])
    ink = INK / 255
    weights, bias = 100 * ink.T, -50 * (ink**2).sum(axis=1)
    if reads_background:
        side = np.where(np.arange(len(CLASSES)) < HERE, 1.0, -1.0)
        middle = (GROUND["here"] + GROUND["there"])[0] / 2 / 255
        red = np.zeros((3, len(CLASSES)))
        red[0] = 2000 * side
        weights, bias = np.concatenate([weights, red]), bias - 2000 * side * middle
    out.set_weights([weights.astype(np.float32), bias.astype(np.float32)])
    return bare_classifier(model, CARD)
