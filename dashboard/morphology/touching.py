"""Cells that touch, told apart by the neck between them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import measure, morphology, segmentation


def separated(mask: np.ndarray, least_radius: float, neck: float = 0.7) -> np.ndarray:
    """Number the objects of a mask, touching ones apart, by a watershed on the distance from their edge.

    Parameters
    ----------
    mask : numpy.ndarray
        bool, shape (H, W); holes count as edges.
    least_radius : float
        Pixels: what is thinner is a tail and never an object beside its neighbour.
    neck : float
        In (0, 1), of the smaller cell's inner radius: where it is narrower, two cells touch.

    Returns
    -------
    numpy.ndarray
        int32, shape (H, W): 0 outside, else 1, 2, 3 …

    Notes
    -----
    Source: Vincent and Soille 1991, Watersheds in digital spaces, doi 10.1109/34.87344.
    """
    (box,) = ndimage.find_objects(mask.astype(np.uint8)) or [
        (slice(0), slice(0))
    ]  # a cell is a small part of its image
    labels = np.zeros(mask.shape, np.int32)
    labels[box] = _watershed(np.pad(mask[box], 1), least_radius, neck)[1:-1, 1:-1]
    return labels


def _watershed(mask: np.ndarray, least_radius: float, neck: float) -> np.ndarray:
    depth = ndimage.distance_transform_edt(mask)
    log_depth = np.log(np.where(mask, np.maximum(depth, least_radius), 1))  # a neck is judged by the cells' size
    flattened = morphology.reconstruction(log_depth + np.log(neck), log_depth)
    markers = measure.label(morphology.local_maxima(flattened)) * mask
    return segmentation.watershed(-depth, markers, mask=mask)
