"""Principal components of the images' features, and the images that lie far from the rest of their class."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.covariance import MinCovDet
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from dashboard.errors import ExplorationError
from dashboard.exploration.reading import Images

KEPT = 64  # components at most
SHOWN = 5  # components in components.csv and in the distances
LEAST = 30  # images of a class from which its middle and spread can be told
LEVEL = 0.999  # of a normal cloud lies within the limit
OUTLIER_COLUMNS = ["path", "label", "split", "site", "distance", "limit"]


@dataclass(frozen=True)
class Components:
    """Features turned so that the first direction holds most of the variance, and so on.

    Attributes
    ----------
    scores : numpy.ndarray
        float64, shape (N, d), d at most `KEPT`.
    shares : numpy.ndarray
        float64, shape (d,): the share of the variance along each, in [0, 1], falling.
    """

    scores: np.ndarray
    shares: np.ndarray


def colour_and_texture(images: Images) -> np.ndarray:
    """Join what was measured without a model: float64, shape (N, 116), square roots of shares."""
    return np.sqrt(np.hstack([images.colours.reshape(len(images.rows), -1), images.textures]).astype(np.float64))


def principal_components(features: np.ndarray) -> Components:
    """Find the principal components of features, each feature first brought to variance 1.

    Parameters
    ----------
    features : numpy.ndarray
        Finite floats, shape (N, D).

    Returns
    -------
    Components
        The largest score of each component is positive, so that the same images give the same picture.

    Raises
    ------
    ExplorationError
        Fewer than three images, or all alike.
    """
    if len(features) < 3:
        raise ExplorationError(f"Principal components need three images or more; there are {len(features)}.")
    if not np.ptp(features, axis=0).any():
        raise ExplorationError("Principal components need images that differ; all of these have the same features.")
    scaled = StandardScaler().fit_transform(features.astype(np.float64))
    fitted = PCA(min(KEPT, *scaled.shape), svd_solver="full").fit(scaled)
    scores = fitted.transform(scaled)
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])]
    return Components(scores * np.where(largest < 0, -1, 1), fitted.explained_variance_ratio_)


def component_table(images: Images, components: Components) -> pd.DataFrame:
    """Table the first components: path, label, split, site, pc1 … pc5."""
    first = components.scores[:, :SHOWN]
    names = [f"pc{number}" for number in range(1, first.shape[1] + 1)]
    return images.rows[["path", "label", "split", "site"]].join(pd.DataFrame(first, columns=names))


def outliers(images: Images, components: Components, groups: np.ndarray) -> tuple[pd.DataFrame, list[str]]:
    """List the images that lie far from the rest of their class.

    Parameters
    ----------
    images : Images
        N of them.
    components : Components
        Of the same images; the first `SHOWN` count.
    groups : numpy.ndarray
        int, shape (N,): one image of each group of copies counts for middle and spread.

    Returns
    -------
    table : pandas.DataFrame
        Farthest first: path, label, split, site, distance (robust Mahalanobis distance within the class, 0 at its
        middle), limit (within which `LEVEL` of a normal cloud would lie).
    too_small : list of str
        Classes of fewer than `LEAST` different images, which were not judged.

    Raises
    ------
    ExplorationError
        Every class is too small.

    Notes
    -----
    Source: the minimum covariance determinant, Rousseeuw & Van Driessen 1999, doi:10.1080/00401706.1999.10485670.
    """
    scores = components.scores[:, :SHOWN]
    limit = float(np.sqrt(stats.chi2.ppf(LEVEL, scores.shape[1])))
    labels = images.rows["label"].to_numpy()
    first = ~pd.Series(groups).duplicated().to_numpy()
    distance = np.full(len(labels), np.nan)
    too_small = []
    for name in sorted(set(labels)):
        mine = labels == name
        if (mine & first).sum() < LEAST:
            too_small.append(name)
            continue
        distance[mine] = _robust_distance(scores[mine & first], scores[mine])
    if len(too_small) == len(set(labels)):
        raise ExplorationError(
            f"Outliers need a class of {LEAST} different images or more; the largest has "
            f"{max((first & (labels == name)).sum() for name in too_small)}."
        )
    table = images.rows[["path", "label", "split", "site"]].assign(distance=distance, limit=limit)
    far = table[table["distance"] > limit].sort_values("distance", ascending=False, kind="stable")
    return far.reset_index(drop=True), too_small


def _robust_distance(cloud: np.ndarray, points: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a flat cloud, whose pseudo-inverse serves all the same
        fitted = MinCovDet(support_fraction=0.9, random_state=0).fit(cloud)
        return np.sqrt(np.maximum(fitted.mahalanobis(points), 0))
