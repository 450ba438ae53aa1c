"""How ragged an outline is, and of what shape: box-counting dimension and centroid-distance signature."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import measure

_POINTS = 128  # of the outline, evenly spaced


def outline(mask: np.ndarray) -> np.ndarray:
    """Keep the pixels of a mask that touch its outside; bool (H, W). The image's edge is outside."""
    return mask & ~ndimage.binary_erosion(mask)


def box_counting_dimension(mask: np.ndarray) -> float:
    """Estimate the Hausdorff dimension of a set of pixels by counting the boxes that it meets.

    Parameters
    ----------
    mask : numpy.ndarray
        bool, shape (H, W).

    Returns
    -------
    float
        The slope of log(boxes) over log(1 / side) for sides 1, 2, 4 … up to a quarter of the set's longer side: 0 for
        a point, 1 for a line, 2 for a filled square. NaN for an empty mask, 0 for a set of fewer than 8 pixels a side.

    Notes
    -----
    Source: Jeevitha et al. 2025, Deep Leuko (Hausdorff dimension); Mandelbrot 1967, doi 10.1126/science.156.3775.636.

    Examples
    --------
    >>> box_counting_dimension(np.ones((64, 64), bool))
    2.0
    """
    if not mask.any():
        return float("nan")
    rows, columns = np.nonzero(mask)
    rows, columns = rows - rows.min(), columns - columns.min()
    longest = int(max(rows.max(), columns.max())) + 1
    sides = 2 ** np.arange(int(np.log2(longest)) - 1)
    if len(sides) < 2:
        return 0.0
    boxes = [len(np.unique((rows // side) * longest + columns // side)) for side in sides]
    return round(float(-np.polyfit(np.log(sides), np.log(boxes), 1)[0]), 12)


def contour_signature(mask: np.ndarray, harmonics: int = 8) -> np.ndarray:
    """Describe an outline by how its distance from the centroid goes up and down along it.

    Parameters
    ----------
    mask : numpy.ndarray
        bool, shape (H, W). Of several parts the longest outline counts.
    harmonics : int
        How many Fourier magnitudes, from the first.

    Returns
    -------
    numpy.ndarray
        float64, shape (harmonics,), 0 and above: magnitude of each Fourier term over that of the mean distance, so
        that size, place, rotation and starting point do not matter. About 0 for a disc; the second is large for an
        ellipse, the third for three lobes. NaN for an empty mask.

    Notes
    -----
    Source: Zhang and Lu 2004, Review of shape representation and description techniques,
    doi 10.1016/j.patcog.2003.07.008.
    """
    if not mask.any():
        return np.full(harmonics, np.nan)
    contour = max(measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5), key=len)
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(contour, axis=0).T))])
    at = np.linspace(0, along[-1], _POINTS, endpoint=False)
    points = np.stack([np.interp(at, along, values) for values in contour.T])
    distance = np.hypot(*(points - points.mean(axis=1, keepdims=True)))
    magnitude = np.abs(np.fft.rfft(distance))
    return magnitude[1 : harmonics + 1] / magnitude[0]
