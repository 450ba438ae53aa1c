"""Where the leukocyte is, and its nucleus: two-stage fuzzy colour segmentation of an image of one stained cell.

Stage 1 sorts the colours into glass, red cells and leukocyte; stage 2 those of the leukocyte into nucleus and cytoplasm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import color, filters, measure, morphology

from dashboard.morphology.fuzzy_colour import cluster_colours, memberships

SIDE = 160  # pixels of the longer side; every image is segmented at this size
_BLACK = 16  # of 255: what lies below in every channel was masked out before
_STAINED = 26.0  # Lab units towards magenta and blue of the glass; red cells seldom reach it
_FULL_STAIN = 45.0  # more is nucleus, and no reason to take pale cytoplasm for something else
_LEAST_AREA = 0.0015  # of the image


@dataclass(frozen=True)
class CellSegmentation:
    """The central leukocyte of an image.

    Attributes
    ----------
    nucleus : numpy.ndarray
        bool, shape (H, W); all lobes. For a platelet, which has none, its dense part.
    cell : numpy.ndarray
        bool, shape (H, W); includes the nucleus.
    reason : str
        Why nothing was found, a sentence; empty if something was. Both masks are then empty.
    """

    nucleus: np.ndarray
    cell: np.ndarray
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether there is a cell."""
        return not self.reason

    @property
    def cytoplasm(self) -> np.ndarray:
        """The cell without its nucleus, bool (H, W)."""
        return self.cell & ~self.nucleus


def segment(pixels: np.ndarray) -> CellSegmentation:
    """Segment the stained cell nearest to the centre; the same pixels always give the same masks.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB: one leukocyte, erythroblast or platelet on a field of any size, or already cut
        out on black.

    Returns
    -------
    CellSegmentation
        Empty masks and a reason where no stained cell stands out.

    Notes
    -----
    Colours are measured against the glass of the same image, so that stain and lamp matter less.

    Source: the two-stage fuzzy colour segmentation of Jeevitha et al. 2025, Deep Leuko.
    """
    small = _small(pixels)
    dark = (small < _BLACK).all(axis=2)
    masked_out = dark if dark.mean() > 0.1 else np.zeros_like(dark)
    cell = _central(~masked_out) if masked_out.any() else _stained_cell(small)
    if isinstance(cell, str):
        nothing = np.zeros(pixels.shape[:2], bool)
        return CellSegmentation(nothing, nothing, cell)
    return CellSegmentation(_enlarged(_nucleus(small, cell), pixels), _enlarged(cell, pixels))


def _small(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image)


def _enlarged(mask: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    grey = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(grey.resize((width, height), Image.Resampling.BILINEAR)) >= 128


def _stained_cell(small: np.ndarray) -> np.ndarray | str:
    """Stage 1: the central cell by its colour, or why there is none."""
    lightness, stain = _against_glass(small)
    colours = np.stack([lightness, np.clip(stain, 0, _FULL_STAIN)], axis=-1).reshape(-1, 2)
    strongest = float(np.sort(stain, axis=None)[-max(int(_LEAST_AREA * stain.size), 1)])
    if strongest < _STAINED:
        return (
            "A stained cell must be purple against the glass; nothing in this image is. "
            "Use a colour image of a leukocyte."
        )
    start = np.array([[0.0, 0.0], [-15.0, 10.0], [-30.0, min(strongest, _FULL_STAIN)]])
    centres = cluster_colours(colours, start, step=2.0)
    leukocyte = memberships(colours, centres)[:, 2].reshape(stain.shape)
    sure = (leukocyte > 0.5) & (stain > _STAINED)
    mask = filters.apply_hysteresis_threshold(leukocyte, 0.35, 0.8) & ndimage.binary_dilation(sure, iterations=8)
    return _central(mask)


def _against_glass(small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lightness and stain (towards magenta and blue) of each pixel less those of the glass, in Lab units."""
    smooth = ndimage.gaussian_filter(small.astype(np.float32), (0.8, 0.8, 0))
    lab = color.rgb2lab(smooth / 255)
    light = lab[..., 0]
    glass = np.median(lab[light >= np.percentile(light, 80)], axis=0)
    change = lab - glass
    return change[..., 0], 0.6 * change[..., 1] - change[..., 2]


def _central(mask: np.ndarray) -> np.ndarray | str:
    opened = morphology.opening(mask, morphology.disk(2))
    labels = measure.label(opened)
    parts = measure.regionprops(labels)
    parts = [part for part in parts if part.area >= _LEAST_AREA * mask.size]
    if not parts:
        return "A stained cell must fill some of the image; only specks are purple here. Crop the image to one cell."
    centre = (np.array(mask.shape) - 1) / 2

    def away(part: measure._regionprops.RegionProperties) -> float:
        distance = np.hypot(*(part.coords - centre).T).min() / max(mask.shape)
        return float(distance) - 0.1 * (part.area / mask.size) ** 0.5

    cell = labels == min(parts, key=away).label
    return ndimage.binary_fill_holes(morphology.closing(cell, morphology.disk(3)))


def _nucleus(small: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Stage 2: the denser of the cell's two fuzzy clusters, or the whole cell if they hardly differ."""
    smooth = ndimage.gaussian_filter(small.astype(np.float32), (1, 1, 0))
    density = -np.log10((smooth[..., :2] + 1) / 256)[cell]  # nuclei absorb red and green; cytoplasm less
    low, high = np.percentile(density, [5, 95], axis=0)
    centres = cluster_colours(density, np.stack([low, high]), step=0.02)
    dense = np.zeros_like(cell)
    if np.abs(centres[1] - centres[0]).max() < 0.12:
        return cell
    dense[cell] = memberships(density, centres)[:, 1] > 0.5
    dense = morphology.opening(dense, morphology.disk(1))
    return ndimage.binary_fill_holes(dense)
