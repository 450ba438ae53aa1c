"""Fuzzy c-means on the colours of an image: each colour belongs to every cluster to a degree."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from skfuzzy.cluster import cmeans

_FUZZINESS = 2.0  # Bezdek's usual exponent
_SETTLED = 0.005  # change of the whole membership matrix between rounds
_ROUNDS = 40


def cluster_colours(colours: np.ndarray, start: np.ndarray, step: float) -> np.ndarray:
    """Find the centres of fuzzy clusters of colours.

    Each colour that occurs counts by the logarithm of its pixels: a platelet's purple weighs almost as much as a
    field of red cells.

    Parameters
    ----------
    colours : numpy.ndarray
        float, shape (N, D), N above 0.
    start : numpy.ndarray
        float, shape (C, D): where the centres are looked for first, so that the result needs no randomness and
        keeps the order of the clusters.
    step : float
        Colours nearer than this count as one.

    Returns
    -------
    numpy.ndarray
        float64, shape (C, D).

    Notes
    -----
    Source: Bezdek 1981, Pattern recognition with fuzzy objective function algorithms, doi 10.1007/978-1-4757-0450-1.
    """
    occurring = _weighted(np.rint(colours / step).astype(np.int64)) * step
    centres, *_ = cmeans(occurring.T, len(start), _FUZZINESS, _SETTLED, _ROUNDS, init=memberships(occurring, start).T)
    return centres


def memberships(colours: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Say how far each colour belongs to each cluster.

    Parameters
    ----------
    colours : numpy.ndarray
        float, shape (N, D).
    centres : numpy.ndarray
        float, shape (C, D).

    Returns
    -------
    numpy.ndarray
        float64, shape (N, C), in [0, 1], rows summing to 1. Empty input gives empty output.

    Examples
    --------
    >>> memberships(np.array([[1.0]]), np.array([[0.0], [4.0]])).round(2).tolist()
    [[0.9, 0.1]]
    """
    nearness = 1 / np.fmax(cdist(colours, centres, "sqeuclidean"), 1e-12)
    return nearness / nearness.sum(axis=1, keepdims=True)


def _weighted(cells: np.ndarray) -> np.ndarray:
    least = cells.min(axis=0)
    extent = tuple(cells.max(axis=0) - least + 1)
    used, counts = np.unique(np.ravel_multi_index(tuple((cells - least).T), extent), return_counts=True)
    distinct = np.stack(np.unravel_index(used, extent), axis=-1) + least
    return np.repeat(distinct, 1 + np.log2(counts).astype(int), axis=0)
