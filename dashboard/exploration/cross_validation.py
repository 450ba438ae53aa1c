"""What can be read from features, judged on images that the reader was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dashboard.calibration import binomial_interval
from dashboard.errors import ExplorationError

FOLDS = 5


@dataclass(frozen=True)
class OutOfSample:
    """What logistic regression says of images that it was not fitted on.

    Attributes
    ----------
    positions : numpy.ndarray
        int, shape (n,): the rows that were judged.
    labels : numpy.ndarray
        str, shape (n,): their given labels.
    classes : numpy.ndarray
        str, shape (K,), sorted.
    probabilities : numpy.ndarray
        float64, shape (n, K), in [0, 1], each row summing to 1.
    left_out : tuple of str
        Classes with too few images.
    """

    positions: np.ndarray
    labels: np.ndarray
    classes: np.ndarray
    probabilities: np.ndarray
    left_out: tuple[str, ...]

    @property
    def correct(self) -> np.ndarray:
        """Whether the likeliest class is the given label: bool, shape (n,)."""
        return self.classes[self.probabilities.argmax(axis=1)] == self.labels

    @property
    def majority(self) -> float:
        """The share of the commonest label, in (0, 1]: what always naming it would reach."""
        return float(np.unique(self.labels, return_counts=True)[1].max() / len(self.labels))

    def accuracy(self) -> tuple[float, float, float]:
        """Share of correct images with its 95 % Wilson interval, in [0, 1]."""
        low, high = binomial_interval(self.correct.sum(), len(self.labels))
        return float(self.correct.mean()), float(low), float(high)


def out_of_sample(features: np.ndarray, labels: ArrayLike, groups: np.ndarray, what: str = "classes") -> OutOfSample:
    """Judge every image by a logistic regression that was fitted on other images.

    Parameters
    ----------
    features : numpy.ndarray
        Finite floats, shape (N, D).
    labels : array of str
        Shape (N,).
    groups : numpy.ndarray
        int, shape (N,): images of one group stay on one side, so that no copy answers for another.
    what : str
        What the labels are, in the plural, for the sentence of a refusal.

    Returns
    -------
    OutOfSample
        From stratified `FOLDS`-fold cross-validation. A class with fewer groups than folds is left out.

    Raises
    ------
    ExplorationError
        Fewer than two classes have as many different images as there are folds.
    """
    truth = np.asarray(labels, str)
    names = np.unique(truth)
    different = {name: len(np.unique(groups[truth == name])) for name in names}
    enough = [name for name in names if different[name] >= FOLDS]
    if len(enough) < 2:
        raise ExplorationError(
            f"Cross-validation needs two {what} or more with at least {FOLDS} different images each; "
            f"got {_counts(different)}."
        )
    positions = np.flatnonzero(np.isin(truth, enough))
    features, truth, groups = features[positions], truth[positions], groups[positions]
    classes = np.array(enough)
    probabilities = np.zeros((len(truth), len(classes)))
    for fitted, judged in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(features, truth, groups):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=5000))
        model.fit(features[fitted], truth[fitted])
        columns = np.searchsorted(classes, model.classes_)
        probabilities[np.ix_(judged, columns)] = model.predict_proba(features[judged])
    left_out = tuple(str(name) for name in names if name not in enough)
    return OutOfSample(positions, truth, classes, probabilities, left_out)


def _counts(different: dict[str, int]) -> str:
    named = [f"{name or '(empty)'} with {count}" for name, count in list(different.items())[:8]]
    return (", ".join(named) or "none") + (f" and {len(different) - 8} more" if len(different) > 8 else "")
