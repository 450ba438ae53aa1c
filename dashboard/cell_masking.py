"""One picture → its background without the cell, and its cell without the background."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

MARGIN = 0.04  # of the shorter side: the cell's rim and its halo go with it
LEAST_BACKGROUND = 0.05  # of the picture
PLAIN = (232, 222, 220)  # a pale ground, the same for every laboratory


def background_alone(pixels: np.ndarray, cell: np.ndarray) -> np.ndarray | None:
    """Take the cell out of a picture.

    The cell and a margin about it are filled with the median colour of the background. The picture still tells where
    the hole is and about how large; it no longer tells what was in it.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3).
    cell : numpy.ndarray
        bool, shape (H, W): True on the cell.

    Returns
    -------
    numpy.ndarray or None
        uint8, shape (H, W, 3); None if less than `LEAST_BACKGROUND` of the picture would be left. Without a cell it is
        the picture as it is.
    """
    hole = _with_margin(cell)
    if (~hole).mean() < LEAST_BACKGROUND:
        return None
    filled = pixels.copy()
    filled[hole] = np.median(pixels[~hole], axis=0).round().astype(np.uint8)
    return filled


def cell_alone(pixels: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Put the cell on the same plain ground for every laboratory: uint8, shape (H, W, 3), parameters as above."""
    return np.where(cell[..., None], pixels, np.array(PLAIN, np.uint8))


def _with_margin(cell: np.ndarray) -> np.ndarray:
    if not cell.any():
        return cell
    return ndimage.distance_transform_edt(~cell) <= MARGIN * min(cell.shape)
