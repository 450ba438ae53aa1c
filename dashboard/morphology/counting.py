"""How many leukocytes and red cells a smear field shows: HSV threshold and watershed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import color, filters, morphology

from dashboard.morphology.touching import separated

SIDE = 512  # pixels of the longer side; larger fields are counted at this size
_HUES = (0.64, 0.97)  # of the colour circle: violet to magenta
_SATURATION = (0.25, 0.4)  # between these lies the limit that parts leukocytes from paler red cells
_PIGMENT = (0.04, 0.2)  # and here the one that parts red cells from glass; light taken away, or saturation
_PALE_CENTRE = 0.003  # of the image: a larger hole is glass between cells
_WHOLE = 0.3  # of the usual area: less is a platelet, debris or a cell cut by the edge


@dataclass(frozen=True)
class CellCount:
    """The cells of one field.

    Attributes
    ----------
    leukocytes, red_cells : int
        Objects that stain like nuclei, and the other pigmented ones.
    leukocyte_labels, red_cell_labels : numpy.ndarray
        int32, shape (h, w) of the counted thumbnail: 0 outside, else which object.
    """

    leukocytes: int
    red_cells: int
    leukocyte_labels: np.ndarray
    red_cell_labels: np.ndarray

    @property
    def ratio(self) -> float:
        """Leukocytes per red cell (WBC:RBC); NaN without red cells."""
        return self.leukocytes / self.red_cells if self.red_cells else math.nan


def count_cells(pixels: np.ndarray) -> CellCount:
    """Count the cells of a smear field.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB, on light glass.

    Returns
    -------
    CellCount
        Zeros for an empty field. Red cells that overlap are told apart only where a neck shows: their number is a
        lower bound in a crowded field.

    Notes
    -----
    Source: the HSV watershed of Murtoza et al.; WBC:RBC as in Jeevitha et al. 2025, Deep Leuko.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    hue, saturation, value = _against_glass(np.asarray(image)).transpose(2, 0, 1)
    violet = (hue > _HUES[0]) & (hue < _HUES[1])
    purple = violet & (saturation > _limit(saturation[violet], _SATURATION))
    leukocytes = _counted(morphology.opening(purple, morphology.disk(2)), neck=0.75)
    pigment = np.maximum(1 - value, saturation)
    pigment[morphology.dilation(leukocytes > 0, morphology.disk(2)) | purple] = 0
    dark = morphology.closing(pigment > _limit(pigment[pigment > 0], _PIGMENT), morphology.disk(1.5))
    red_cells = _counted(dark, neck=0.85)
    return CellCount(int(leukocytes.max()), int(red_cells.max()), leukocytes, red_cells)


def _against_glass(small: np.ndarray) -> np.ndarray:
    """Hue, saturation and value, each in [0, 1], (H, W, 3), with the glass as white."""
    smooth = ndimage.gaussian_filter(small.astype(np.float64), (0.7, 0.7, 0))
    light = smooth.sum(axis=2)
    glass = np.median(smooth[light >= np.percentile(light, 90)], axis=0)
    return color.rgb2hsv(np.clip(smooth / np.maximum(glass, 1), 0, 1))


def _limit(values: np.ndarray, between: tuple[float, float]) -> float:
    """Otsu's threshold, kept where it can tell what it is meant to tell."""
    return float(np.clip(filters.threshold_otsu(values), *between)) if len(values) else between[1]


def _counted(mask: np.ndarray, neck: float) -> np.ndarray:
    """Number whole cells: pale centres filled, touching ones apart, fragments left out."""
    filled = morphology.remove_small_holes(mask, max_size=int(_PALE_CENTRE * mask.size))
    labels = separated(filled, least_radius=2, neck=neck)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    if not areas.any():
        return labels
    usual = np.median(np.repeat(areas, areas))  # half of the stained pixels lie in larger objects
    whole = np.flatnonzero(areas >= _WHOLE * usual)
    numbers = np.zeros(len(areas), np.int32)
    numbers[whole] = np.arange(1, len(whole) + 1)
    return numbers[labels]
