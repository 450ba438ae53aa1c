"""How far an image's features lie from those of the training set.

Each class is a Gaussian with its own mean and one shared covariance; the score is the squared Mahalanobis distance to
the nearest mean, a feature. The covariance is that of probabilistic PCA (k leading directions and one variance for all
the others), so that a direction that training images never used counts, and the file stays small.

Sources: Lee et al. 2018, "A simple unified framework for detecting out-of-distribution samples", arXiv:1807.03888;
Tipping & Bishop 1999, "Probabilistic principal component analysis", doi 10.1111/1467-9868.00196.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashboard.errors import BundleError, CalibrationError


@dataclass(frozen=True)
class FeatureStatistics:
    """Statistics of a training set's features.

    Attributes
    ----------
    layers : tuple of str
        Layers whose outputs, averaged over their places, make the feature vector, in this order.
    means : numpy.ndarray
        float32, shape (K, D): a mean a class.
    directions : numpy.ndarray
        float32, shape (D, k), orthonormal columns.
    variances : numpy.ndarray
        float32, shape (k,), of the features along the directions, within classes.
    rest : float
        Variance along every other direction.
    """

    layers: tuple[str, ...]
    means: np.ndarray
    directions: np.ndarray
    variances: np.ndarray
    rest: float

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Score images: 1 is typical of the training set, larger is farther.

        Parameters
        ----------
        features : numpy.ndarray
            float32, shape (N, D).

        Returns
        -------
        numpy.ndarray
            float32, shape (N,), >= 0; NaN where a feature is not finite.
        """
        offsets = features[:, None, :] - self.means[None]
        along = offsets @ self.directions
        inside = (along**2 / self.variances).sum(axis=2)
        outside = np.maximum((offsets**2).sum(axis=2) - (along**2).sum(axis=2), 0) / self.rest
        return ((inside + outside).min(axis=1) / features.shape[1]).astype(np.float32)

    def save(self, file: Path) -> None:
        """Write as `.npz`."""
        np.savez_compressed(
            file,
            layers=np.array(self.layers),
            means=self.means,
            directions=self.directions,
            variances=self.variances,
            rest=np.float32(self.rest),
        )


def fit_statistics(
    features: np.ndarray, labels: np.ndarray, layers: tuple[str, ...], directions: int = 64
) -> FeatureStatistics:
    """Fit the Gaussians to a training set.

    Parameters
    ----------
    features : numpy.ndarray
        float32, shape (N, D).
    labels : numpy.ndarray
        int, shape (N,), 0 to K - 1, each class at least once.
    directions : int
        k; at most min(D - 1, N - K).

    Raises
    ------
    CalibrationError
        A class without an image, fewer images than classes and two, or features that are not finite.
    """
    count = int(labels.max(initial=0)) + 1
    present = np.bincount(labels, minlength=count)
    if (present == 0).any() or len(labels) < count + 2:
        raise CalibrationError("Feature statistics need at least one image of every class, and two more.")
    if not np.isfinite(features).all():
        raise CalibrationError("The features of the training images must be finite; the network gives NaN or infinity.")
    means = np.stack([features[labels == index].mean(axis=0) for index in range(count)])
    offsets = (features - means[labels]).astype(np.float64)
    covariance = offsets.T @ offsets / (len(offsets) - count)
    values, vectors = np.linalg.eigh(covariance)
    kept = min(directions, len(values) - 1, len(labels) - count)
    first = len(values) - kept
    rest = max(float(values[:first].mean()), 1e-12)
    return FeatureStatistics(
        tuple(layers),
        means.astype(np.float32),
        vectors[:, first:].astype(np.float32),
        np.maximum(values[first:], rest).astype(np.float32),
        rest,
    )


def load_statistics(file: Path) -> FeatureStatistics:
    """Read what `FeatureStatistics.save` wrote; BundleError if it is something else or does not fit together."""
    try:
        with open(file, "rb") as handle:
            stored = np.load(handle, allow_pickle=False)
            statistics = FeatureStatistics(
                tuple(str(name) for name in stored["layers"]),
                stored["means"],
                stored["directions"],
                stored["variances"],
                float(stored["rest"]),
            )
        fits = _fits_together(statistics)
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{file.name} does not hold feature statistics; pack the bundle again.") from error
    if not fits:
        raise BundleError(f"The feature statistics in {file.name} do not fit together; pack the bundle again.")
    return statistics


def _fits_together(statistics: FeatureStatistics) -> bool:
    means, directions, variances = statistics.means, statistics.directions, statistics.variances
    shapes = means.ndim == 2 and directions.ndim == 2 and (means.shape[1], len(variances)) == directions.shape
    finite = all(np.isfinite(array).all() for array in (means, directions, variances, statistics.rest))
    return shapes and finite and bool((variances > 0).all()) and statistics.rest > 0
