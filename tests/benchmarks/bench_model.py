"""The shipped model on the real images beside the checkout: accuracy, calibration, sets, and what it flags."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import roc_auc_score

from dashboard import calibration, images
from dashboard.bundles import find_bundle
from dashboard.classifier import Classifier, load_classifier
from dashboard.labels import read_labels
from tests.benchmarks import non_cells
from tests.benchmarks.row import Row

MODEL = "pbc8-mobilenetv2"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
Change = Callable[[np.ndarray], np.ndarray]


def measure() -> list[Row]:
    """Measure everything the model's card promises; no rows where the real images are absent."""
    if not (DATA / "labels.csv").is_file():
        print(f"no real images at {DATA}: nothing measured")
        return []
    classifier = load_classifier(find_bundle(MODEL))
    test = read_labels(
        DATA / "labels.csv", DATA, classifier.card.class_names, {"dataset": "pbc8", "split": "test"}
    ).rows
    pictures = [images.read(file).pixels for file in test["file"]]
    read = classify(classifier, pictures)
    return [
        *_accuracy(classifier, test, pictures, read),
        *_confidence(classifier, test, read),
        *_outside(classifier, pictures, read),
    ]


def classify(classifier: Classifier, pictures: Iterable[np.ndarray]) -> pd.DataFrame:
    """Classify pictures, 256 at a time."""
    pictures = list(pictures)
    return pd.concat(
        [classifier.classify(pictures[start : start + 256]) for start in range(0, len(pictures), 256)],
        ignore_index=True,
    )


def recompressed(pixels: np.ndarray, quality: int = 60) -> np.ndarray:
    """Pass through JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def enlarged(pixels: np.ndarray, factor: float = 2.5) -> np.ndarray:
    """Enlarge, bicubic."""
    image = Image.fromarray(pixels)
    return np.asarray(
        image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)
    )


def _accuracy(classifier: Classifier, test: pd.DataFrame, pictures: list[np.ndarray], read: pd.DataFrame) -> list[Row]:
    right = int((read["predicted"] == test["label"]).sum())
    rows = [
        Row("accuracy, shared test rows", share(right, len(test)), "≥ 0.985", right / len(test) >= 0.985, "pbc8 test")
    ]
    changes: dict[str, Change] = {"recompressed (JPEG 60)": recompressed, "enlarged 2.5 times": enlarged}
    for name, change in changes.items():
        again = int((classify(classifier, map(change, pictures))["predicted"] == test["label"]).sum())
        lost = "within the interval of the line above"
        met = again / len(test) >= calibration.binomial_interval(right, len(test))[0]
        rows.append(Row(f"accuracy, {name}", share(again, len(test)), lost, bool(met), "the same images"))
    originals = pd.read_csv(DATA / "native" / "labels.csv")
    originals = originals[originals["label"].isin(classifier.card.class_names)]
    known = dict(zip(test["path"], read["predicted"], strict=True))
    native = classify(classifier, [images.read(DATA / path).pixels for path in originals["path"]])["predicted"]
    right = int((native.to_numpy() == originals["label"].to_numpy()).sum())
    before = sum(known.get(of) == label for of, label in zip(originals["of"], originals["label"], strict=True))
    value = f"{share(right, len(originals))}; re-encoded: {before} right"
    rows.append(Row("accuracy, untouched originals", value, "not below re-encoded", right >= before, "native/, pbc8"))
    return rows


def _confidence(classifier: Classifier, test: pd.DataFrame, read: pd.DataFrame) -> list[Row]:
    confidence = read["confidence"].to_numpy()
    correct = (read["predicted"] == test["label"]).to_numpy()
    ece = calibration.expected_calibration_error(confidence, correct)
    floor = calibration.ece_noise_floor(confidence)
    covered = [label in sets.split("|") for label, sets in zip(test["label"], read["prediction_set"], strict=True)]
    low, high = calibration.binomial_interval(sum(covered), len(covered))
    unidentified = int(read["unidentified"].sum())
    sure = ~read["unidentified"].to_numpy()
    return [
        Row(
            "ECE", f"{ece:.4f}", f"≤ noise floor {floor:.4f}", bool(ece <= floor), "15 bins; floor: 95 % of 1,000 draws"
        ),
        Row(
            "coverage of the 90 % sets",
            share(sum(covered), len(covered)),
            "0.90 in interval",
            bool(low <= 0.9 <= high),
            "test",
        ),
        Row("Unidentified", share(unidentified, len(read)), "–", None, f"below {classifier.card.unidentified_below}"),
        Row("accuracy of the others", share(int(correct[sure].sum()), int(sure.sum())), "–", None, "test"),
    ]


def _outside(classifier: Classifier, pictures: list[np.ndarray], read: pd.DataFrame) -> list[Row]:
    inside = read["ood_score"].to_numpy()
    flagged = int(read["out_of_distribution"].sum())
    rows = [Row("flagged, its own test cells", share(flagged, len(read)), "≤ 5 %", flagged / len(read) <= 0.05, "test")]
    table = read_labels(DATA / "labels.csv", DATA).rows
    groups: dict[str, tuple[list[np.ndarray], float | None]] = {
        "cnmc": (_sample(table[(table["dataset"] == "cnmc") & (table["split"] == "test")]), 0.95),
        "non-cell images": (non_cells.photographs() + non_cells.fields(), 0.95),
        "smear background": (non_cells.corners(pictures[::5]), None),
        "taleghani": (_sample(table[table["dataset"] == "taleghani"]), None),
        "lmu (same cell kinds, other site)": (_sample(table[table["dataset"] == "lmu"]), None),
    }
    for name, (outside, target) in groups.items():
        away = classify(classifier, outside)
        auroc = roc_auc_score([0] * len(inside) + [1] * len(away), [*inside, *away["ood_score"]])
        value = f"{auroc:.4f}; flagged {share(int(away['out_of_distribution'].sum()), len(away))}"
        goal = "–" if target is None else f"AUROC ≥ {target}"
        rows.append(
            Row(f"AUROC, {name}", value, goal, None if target is None else bool(auroc >= target), f"{len(away)} images")
        )
    return rows


def _sample(table: pd.DataFrame, count: int = 300) -> list[np.ndarray]:
    chosen = table.sample(min(count, len(table)), random_state=0)
    return [images.read(file).pixels for file in chosen["file"]]


def share(part: int, whole: int) -> str:
    """Print a share with its 95 % interval (Wilson)."""
    low, high = calibration.binomial_interval(part, whole)
    return f"{part / whole:.3f} ({low:.3f}–{high:.3f}; {part:,} of {whole:,})"
