"""The shipped model at a site and in looks that its training never saw: what each step is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
from PIL import Image

from dashboard import images
from dashboard.bundles import find_bundle
from dashboard.classifier import Classifier, load_classifier
from dashboard.labels import read_labels
from tests.benchmarks.bench_model import DATA, MODEL, classify, share
from tests.benchmarks.row import Row

CELLS = 300
Look = Callable[[np.ndarray], np.ndarray]


def measure() -> list[Row]:
    """Judge neutrophils of Munich, and Barcelona's test cells in other looks; no rows without the real images."""
    if not (DATA / "labels.csv").is_file():
        print(f"no real images at {DATA}: nothing measured")
        return []
    shipped = load_classifier(find_bundle(MODEL))
    away = read_labels(DATA / "labels.csv", DATA, None, {"dataset": "lmu", "label": "seg_neutrophil"}).rows
    away = away.sample(CELLS, random_state=0)
    pictures = [images.read(file).pixels for file in away["file"]]
    rows = []
    for name, classifier in _ablations(shipped).items():
        rows.append(_accuracy(f"neutrophils of Munich, {name}", classify(classifier, pictures), "neutrophil", "≥ 0.75"))
    home = read_labels(DATA / "labels.csv", DATA, shipped.card.class_names, {"dataset": "pbc8", "split": "test"}).rows
    home = home.groupby("label").sample(25, random_state=0)
    cells = [images.read(file).pixels for file in home["file"]]
    read = [classify(shipped, pictures).assign(label="neutrophil")]
    for name, look in LOOKS.items():
        seen = classify(shipped, [look(cell) for cell in cells]).assign(label=home["label"].to_numpy())
        rows.append(_accuracy(f"Barcelona's test cells, {name}", seen, seen["label"], "≥ 0.75"))
        read.append(seen)
    return [*rows, _flagged(pd.concat(read))]


def _ablations(shipped: Classifier) -> dict[str, Classifier]:
    card = shipped.card
    plain = dataclasses.replace(card, input=dataclasses.replace(card.input, glass=None), second_look=())
    balanced = dataclasses.replace(card, second_look=())
    statistics = shipped._statistics
    return {
        "as trained": Classifier(shipped.model, plain, statistics),
        "with the glass balanced": Classifier(shipped.model, balanced, statistics),
        "and a second look (as shipped)": shipped,
    }


def _accuracy(what: str, read: pd.DataFrame, label: str | pd.Series, target: str) -> Row:
    right = int((read["predicted"] == label).sum())
    sure = f"{share(right, len(read))}, mean confidence {read['confidence'].mean():.2f}"
    return Row(what, sure, target, right / len(read) >= float(target.removeprefix("≥ ")), "never trained on this look")


def _flagged(read: pd.DataFrame) -> Row:
    wrong = read[read["predicted"] != read["label"]]
    flagged = int(wrong["out_of_distribution"].sum())
    return Row(
        "wrong images above that are flagged outside the training data",
        share(flagged, len(wrong)),
        "≥ 0.95",
        flagged / len(wrong) >= 0.95,
        "all sets above together, as shipped",
    )


def cropped(pixels: np.ndarray, zoom: float) -> np.ndarray:
    """Cut the centre out, so that the cell fills more of the picture."""
    height, width = pixels.shape[:2]
    margin_x, margin_y = width * (1 - 1 / zoom) / 2, height * (1 - 1 / zoom) / 2
    box = (margin_x, margin_y, width - margin_x, height - margin_y)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, box=box))


def recoloured(pixels: np.ndarray, dyes: list[list[float]], glass: list[float]) -> np.ndarray:
    """Mix the optical densities of the channels, and darken the glass by a density."""
    density = -np.log((pixels.astype(float) + 1) / 256)
    return np.clip(256 * np.exp(-(density @ np.array(dyes).T) - np.array(glass)) - 1, 0, 255).astype(np.uint8)


def coarse(pixels: np.ndarray, side: int) -> np.ndarray:
    """Photograph with fewer pixels."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR))


LOOKS: dict[str, Look] = {
    "cut out closely (1.9 times)": lambda pixels: cropped(pixels, 1.9),
    "cut out very closely (2.4 times)": lambda pixels: cropped(pixels, 2.4),
    "blue, yellow dye weak": lambda pixels: recoloured(
        cropped(pixels, 1.2), [[0.8, 0.25, 0.1], [0.1, 0.9, 0.0], [0.0, 0.1, 0.45]], [0.25, 0.15, 0.02]
    ),
    "dark and pink": lambda pixels: recoloured(
        cropped(pixels, 1.5), [[1.3, 0.1, 0.0], [0.05, 0.8, 0.1], [0.1, 0.2, 0.7]], [0.25, 0.35, 0.3]
    ),
    "80 pixels wide, strongly stained": lambda pixels: coarse(
        recoloured(cropped(pixels, 1.7), [[1.2, 0, 0], [0, 1.25, 0], [0, 0, 0.9]], [0.1, 0.08, 0.1]), 80
    ),
}
