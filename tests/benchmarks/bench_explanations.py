"""Grad-CAM against one forward pass and tf-keras-vis; LIME against `lime`'s defaults, and how far two seeds agree."""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from lime.lime_image import LimeImageExplainer

from dashboard import images
from dashboard.bundles import MODEL_STORE, list_bundles
from dashboard.classifier import Classifier, load_classifier
from dashboard.errors import BundleError
from dashboard.explanations import METHODS, on_original
from dashboard.grad_cam import grad_cam
from dashboard.lime_superpixels import covered_logits, lime_superpixels, random_masks, superpixels, surrogate_weights
from dashboard.preprocessing import scale
from tests.benchmarks.row import Row

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from tf_keras_vis.gradcam import Gradcam

SAMPLES = METHODS["lime"].samples or 0
REAL = MODEL_STORE.parent.parent / "shared" / "data"


def measure(classifier: Classifier | None = None, cells: int = 16, seeds: int = 3) -> list[Row]:
    """Measure on the first verified bundle, unless a classifier is given."""
    classifier = classifier or _first_classifier()
    source, pixels = _cells(cells)
    prepared = np.stack([classifier.prepare(cell) for cell in pixels])
    predicted = classifier.logits(prepared).argmax(axis=1)
    how = f"{classifier.card.id}, {source}"
    return [
        *_grad_cam(classifier, prepared, predicted, how),
        _lime_speed(classifier, prepared[0], int(predicted[0]), how),
        *_seed_agreement(classifier, prepared, predicted, seeds, how),
    ]


def jaccard_of_tops(weights: list[np.ndarray], top: int = 5) -> float:
    """Mean over the pairs: shared share of the superpixels with the largest weights."""
    tops = [set(np.argsort(-values)[:top]) for values in weights]
    return float(np.mean([len(a & b) / len(a | b) for a, b in itertools.combinations(tops, 2)]))


def _first_classifier() -> Classifier:
    for status in list_bundles():
        if status.bundle is not None:
            return load_classifier(status.bundle)
    raise BundleError("The benchmark needs a bundle in model_store; there is none that verifies.")


def _cells(count: int) -> tuple[str, list[np.ndarray]]:
    if (REAL / "labels.csv").is_file():
        rows = pd.read_csv(REAL / "labels.csv", dtype=str, keep_default_na=False)
        rows = rows[(rows["dataset"] == "pbc8") & (rows["split"] == "test")]
        # the first of each class, then the second of each, …
        order = rows.groupby("label").cumcount()
        files = [REAL / path for path in rows.loc[order.sort_values(kind="stable").index, "path"].head(count)]
        return f"{len(files)} real test cells", [images.read(file).pixels for file in files]
    folder: Path = MODEL_STORE.parent / "sample_images"
    files = sorted(file for file in folder.rglob("*") if file.suffix in images.SUFFIXES)[:count]
    return f"{len(files)} synthetic sample cells", [images.read(file).pixels for file in files]


def _median_seconds(*calls: Callable[[], object], rounds: int = 30) -> list[float]:
    """Median time of each call, taken in turns so that a busy machine slows all alike."""
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds + 2):
        for call, times in zip(calls, seconds, strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return [float(np.median(times[2:])) for times in seconds]


def _library_grad_cam(classifier: Classifier, cell: np.ndarray, index: int, expand: bool) -> np.ndarray:
    return np.asarray(
        Gradcam(classifier.model)(
            lambda logits: logits[:, index],
            scale(cell[None].astype(np.float32), classifier.card.input.scaling),
            penultimate_layer=classifier.last_spatial_layer,
            seek_penultimate_conv_layer=False,
            expand_cam=expand,
            normalize_cam=False,
        )
    )[0]


def _grad_cam(classifier: Classifier, prepared: np.ndarray, predicted: np.ndarray, how: str) -> list[Row]:
    ours, theirs, enlarged = [], [], []
    for cell, index in zip(prepared, map(int, predicted), strict=True):
        ours.append(grad_cam(classifier, cell, index))
        theirs.append(_library_grad_cam(classifier, cell, index, expand=False))
        side = cell.shape[:2]
        large = on_original(ours[-1], (0.0, 0.0, float(side[0]), float(side[1])), side)
        enlarged.append(np.corrcoef(large.ravel(), _library_grad_cam(classifier, cell, index, True).ravel())[0, 1])
    worst = min(np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(ours, theirs, strict=True) if b.any())
    cell, index = prepared[0], int(predicted[0])
    forward, one_call = _median_seconds(
        lambda: classifier.logits(cell[None]), lambda: grad_cam(classifier, cell, index)
    )
    library = _median_seconds(lambda: _library_grad_cam(classifier, cell, index, True), rounds=5)[0]
    return [
        Row(
            "Grad-CAM, one image, over one compiled forward pass",
            f"{one_call / forward:.2f}× ({1000 * one_call:.0f} ms over {1000 * forward:.0f} ms)",
            "≤ 1.5×",
            one_call <= 1.5 * forward,
            f"{how}; median of 30, in turns",
        ),
        Row(
            "Grad-CAM, correlation with tf-keras-vis (lowest of the cells)",
            f"{worst:.6f} (enlarged: {min(enlarged):.3f}; it lays corners' centres on corners)",
            "≥ 0.999",
            bool(worst >= 0.999),
            f"{how}; maps of the last spatial layer",
        ),
        Row(
            "Grad-CAM, times faster than tf-keras-vis",
            f"{library / one_call:.1f}× ({1000 * library:.0f} ms)",
            "> 1×",
            library > one_call,
            f"{how}; median of 5",
        ),
    ]


def _lime_speed(classifier: Classifier, cell: np.ndarray, index: int, how: str) -> Row:
    lime_superpixels(classifier, cell, index, samples=33)  # compiled before the clock starts
    ours = _median_seconds(lambda: lime_superpixels(classifier, cell, index, samples=SAMPLES), rounds=1)[0]

    def predict(covered: np.ndarray) -> np.ndarray:
        return classifier.model.predict(scale(covered.astype(np.float32), classifier.card.input.scaling), verbose=0)

    start = time.perf_counter()
    LimeImageExplainer().explain_instance(cell, predict, labels=(index,), top_labels=None)
    defaults = time.perf_counter() - start
    return Row(
        "LIME, times faster than lime's defaults with model.predict",
        f"{defaults / ours:.1f}× ({ours:.1f} s against {defaults:.1f} s)",
        "≥ 5×",
        defaults >= 5 * ours,
        f"{how}; {SAMPLES} samples against its 1,000",
    )


def _seed_agreement(
    classifier: Classifier, prepared: np.ndarray, predicted: np.ndarray, seeds: int, how: str
) -> list[Row]:
    agreement, correlation = [], []
    for cell, index in zip(prepared, predicted, strict=True):
        segments = superpixels(cell)
        weights = []
        for seed in range(seeds):
            masks = random_masks(int(segments.max()) + 1, SAMPLES, seed)
            weights.append(surrogate_weights(masks, covered_logits(classifier, cell, segments, masks)[:, index]))
        agreement.append(jaccard_of_tops(weights))
        correlation.append(np.corrcoef(weights)[np.triu_indices(seeds, 1)].mean())
    how = f"{how}; {seeds} seeds, {SAMPLES} samples"
    return [
        Row(
            "LIME, agreement of two seeds (Jaccard of the 5 strongest superpixels)",
            f"{np.mean(agreement):.2f} (cells {min(agreement):.2f} to {max(agreement):.2f})",
            "≥ 0.75",
            bool(np.mean(agreement) >= 0.75),
            how,
        ),
        Row(
            "LIME, correlation of two seeds' weights",
            f"{np.mean(correlation):.3f} (cells {min(correlation):.3f} to {max(correlation):.3f})",
            "",
            None,
            how,
        ),
    ]
