"""Where the cell, its nucleus, the red cells and the empty glass are in a real image of one stained cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage import color, filters, measure, morphology

_BACKGROUND_PERCENTILE = 75  # glass is the lightest thing in the field
_CENTRE = 0.36  # of the side: the labelled cell lies within this radius


@dataclass(frozen=True)
class Regions:
    """Masks of one image, each bool (H, W).

    Attributes
    ----------
    cell, nucleus : numpy.ndarray
        The central cell with its nucleus, and the nucleus alone (for a platelet: its dense part).
    red_cells, background : numpy.ndarray
        Outside the cell: pigmented, and empty glass.
    """

    cell: np.ndarray
    nucleus: np.ndarray
    red_cells: np.ndarray
    background: np.ndarray


def segment(pixels: np.ndarray) -> Regions | None:
    """Segment the stained cell nearest to the centre.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), about 256 pixels a side.

    Returns
    -------
    Regions or None
        None where no stained cell is found.
    """
    smooth = ndimage.gaussian_filter(pixels.astype(float) / 255, (1.2, 1.2, 0))
    lab = color.rgb2lab(smooth)
    glass = lab[..., 0] >= np.percentile(lab[..., 0], _BACKGROUND_PERCENTILE)
    change = lab - np.median(lab[glass], axis=0)
    stain = 0.6 * change[..., 1] - change[..., 2]  # towards magenta and blue; haemoglobin moves little this way
    radius = _relative_radius(pixels.shape[:2])
    pigmented = change[..., 0] < -8
    cell = _central_cell(stain, (radius > 0.34) & pigmented & (stain < 30), radius)
    if cell is None:
        return None
    near = morphology.dilation(cell, morphology.disk(5))
    stained = stain > 30
    return Regions(cell, _nucleus(pixels, cell), pigmented & ~near & ~stained, (change[..., 0] > -3) & ~near)


def _relative_radius(shape: tuple[int, ...]) -> np.ndarray:
    rows, columns = np.indices(shape)
    return np.hypot(rows - (shape[0] - 1) / 2, columns - (shape[1] - 1) / 2) / shape[0]


def _central_cell(stain: np.ndarray, red_cells: np.ndarray, radius: np.ndarray) -> np.ndarray | None:
    limit = np.percentile(stain[red_cells], 90) + 3 if red_cells.sum() > 300 else 21
    mask = morphology.opening((stain > np.clip(limit, 16, 26)) & (radius < _CENTRE), morphology.disk(2))
    labelled = measure.label(mask)
    parts = measure.regionprops(labelled)
    if not parts:
        return None

    def distance(part: measure._regionprops.RegionProperties) -> float:
        return float(radius[tuple(part.coords.T)].min() - 0.0004 * part.area**0.5 - (0.05 if part.area > 300 else 0))

    cell = labelled == min(parts, key=distance).label
    return ndimage.binary_fill_holes(morphology.closing(cell, morphology.disk(3)))


def _nucleus(pixels: np.ndarray, cell: np.ndarray) -> np.ndarray:
    red = ndimage.gaussian_filter(pixels[..., 0].astype(float), 1.6)  # nuclei absorb red; cytoplasm hardly does
    dark = cell & (red < filters.threshold_otsu(red[cell]))
    return ndimage.binary_fill_holes(morphology.opening(dark, morphology.disk(2)))
