"""How good, from names alone: confusion matrix, per-class metrics and averages, each with its 95 % interval.

An unknown value, such as the recall of a class without images, is NaN and never 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from dashboard.calibration import binomial_interval
from dashboard.errors import LabelsError

MEASURES = ("precision", "recall", "specificity", "f1")
_BOOTSTRAP_REPEATS = 2000


def confusion_matrix(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """Count who was taken for whom.

    Returns
    -------
    pandas.DataFrame
        int, shape (K, K): rows the labels, columns the predictions, both in the order of `classes`.

    Raises
    ------
    LabelsError
        A label or a prediction is not one of the classes, or their numbers differ.
    """
    codes = [pd.Index(classes).get_indexer(list(values)) for values in (labels, predicted)]
    if len(codes[0]) != len(codes[1]):
        raise LabelsError(f"Each label needs one prediction; got {len(codes[0])} and {len(codes[1])}.")
    if any((code < 0).any() for code in codes):
        raise LabelsError(f"Labels and predictions must be among the classes {', '.join(classes)}; some are not.")
    size = len(classes)
    counts = np.bincount(codes[0] * size + codes[1], minlength=size * size).reshape(size, size)
    return pd.DataFrame(
        counts, index=pd.Index(classes, name="label", dtype=str), columns=pd.Index(classes, name="predicted", dtype=str)
    )


def normalised(counts: pd.DataFrame) -> pd.DataFrame:
    """Turn each row of a confusion matrix into shares in [0, 1]; a row without images is NaN."""
    total = counts.sum(axis=1)
    return counts.div(total.where(total > 0), axis=0)


def per_class_metrics(
    labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str], seed: int = 0
) -> pd.DataFrame:
    """Measure each class against the rest.

    Parameters
    ----------
    labels, predicted : sequence of str
        N class names each.
    classes : sequence of str
        All K classes, in order.
    seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        K rows: class, support (images with this label), then precision, recall, specificity and f1 in [0, 1], each
        with its 95 % interval in <measure>_low and <measure>_high. Wilson's interval for the three proportions, the
        percentile bootstrap over images for F1. Precision, recall and F1 of a class without images are NaN; so is
        the precision of a class that was never predicted, whose F1 is 0.

    Raises
    ------
    LabelsError
        As `confusion_matrix`.
    """
    matrix = confusion_matrix(labels, predicted, classes).to_numpy()
    hits, support, called = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    others = matrix.sum() - support
    table = pd.DataFrame({"class": list(classes), "support": support})
    _add_proportion(table, "precision", hits, called)
    _add_proportion(table, "recall", hits, support)
    _add_proportion(table, "specificity", others - (called - hits), others)
    table["f1"] = _f1(matrix)
    table["f1_low"], table["f1_high"] = _percentiles(_f1(_bootstrap(matrix, seed)))
    doubtful = [column for column in table if column.split("_")[0] in ("precision", "recall", "f1")]
    table.loc[support == 0, doubtful] = np.nan
    return table


def averages(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """Measure all classes together.

    Returns
    -------
    pandas.DataFrame
        Rows accuracy, macro_precision, macro_recall, macro_f1 (each class with images counts the same) and
        weighted_precision, weighted_recall, weighted_f1 (each counts by its images); columns measure, value, low,
        high (95 %: Wilson for the accuracy, else percentile bootstrap). The precision of a class that was never
        predicted counts as 0 in an average. NaN for no images.

    Raises
    ------
    LabelsError
        As `confusion_matrix`.
    """
    matrix = confusion_matrix(labels, predicted, classes).to_numpy()
    total, right = matrix.sum(), matrix.trace()
    accuracy = right / total if total else np.nan
    table = [("accuracy", accuracy, *binomial_interval(right, total))]
    values, draws = _averages(matrix), _averages(_bootstrap(matrix, seed))
    for name, value in values.items():
        table.append((name, float(value), *_percentiles(draws[name])))
    return pd.DataFrame(table, columns=["measure", "value", "low", "high"])


def _add_proportion(table: pd.DataFrame, name: str, successes: np.ndarray, trials: np.ndarray) -> None:
    table[name] = _ratio(successes, trials)
    table[f"{name}_low"], table[f"{name}_high"] = binomial_interval(successes, trials)


def _ratio(part: ArrayLike, whole: ArrayLike) -> np.ndarray:
    total = np.asarray(whole, np.float64)
    return np.asarray(part, np.float64) / np.where(total > 0, total, np.nan)


def _bootstrap(matrix: np.ndarray, seed: int) -> np.ndarray:
    # Drawing N images with replacement is drawing the cells of their confusion matrix from a multinomial.
    total = matrix.sum()
    shares = matrix.ravel() / total if total else np.full(matrix.size, 1 / matrix.size)
    draws = np.random.default_rng(seed).multinomial(total, shares, size=_BOOTSTRAP_REPEATS)
    return draws.reshape(-1, *matrix.shape)


def _f1(matrix: np.ndarray) -> np.ndarray:
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    return _ratio(2 * hits, matrix.sum(axis=-1) + matrix.sum(axis=-2))


def _averages(matrix: np.ndarray) -> dict[str, np.ndarray]:
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    support = matrix.sum(axis=-1)
    measures = {
        "precision": np.nan_to_num(_ratio(hits, matrix.sum(axis=-2))),
        "recall": np.nan_to_num(_ratio(hits, support)),
        "f1": np.nan_to_num(_f1(matrix)),
    }
    present = (support > 0).astype(np.float64)
    weights = {"macro": present, "weighted": support}
    return {
        f"{kind}_{name}": _ratio((values * weight).sum(axis=-1), weight.sum(axis=-1))
        for kind, weight in weights.items()
        for name, values in measures.items()
    }


def _percentiles(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a class absent from every draw: its interval is NaN
        low, high = np.nanquantile(draws, [0.025, 0.975], axis=0)
    return low, high
