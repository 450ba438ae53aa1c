"""Where the leukocyte is, and its nucleus: two-stage fuzzy colour segmentation of an image of one stained cell.

Stage 1 sorts the colours into glass, red cells and leukocyte; stage 2 the leukocyte's into nucleus and cytoplasm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import color, filters, measure, morphology

from dashboard.morphology.fuzzy_colour import cluster_colours, memberships
from dashboard.morphology.touching import separated

SIDE = 160  # pixels of the longer side; every image is segmented at this size
_BLACK = 16  # of 255: what lies below in every channel was cut away before
_PURPLE = 26.0  # Lab units of stain; red cells seldom reach it
_RED_TINGE = (0.5, 1.1)  # stain of a red cell as a share of its darkness, whatever the lamp
_DARK, _STAINED = 30.0, 24.0  # more tells no more about cell or not: nuclei must not make pale cytoplasm a red cell
_CYTOPLASM, _CORE = 0.35, 0.8  # membership of the leukocyte: to belong to it, and to be where it grows from
_CONTRAST = 12.0  # Lab units of lightness between nucleus and cytoplasm; less is chromatin
_TAIL = 0.2  # of the cell's inner radius
_LOBE = 0.1  # of the largest lobe
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
    cut_away = small.max(axis=2) < _BLACK
    if cut_away.mean() > 0.1:
        colour, contrast = _stretched(small, ~cut_away), 1.5 * _CONTRAST
        cell = _central(~cut_away)
    else:
        colour, contrast = _against_glass(small), _CONTRAST
        cell = _by_colour(colour)
    if isinstance(cell, str):
        nothing = np.zeros(pixels.shape[:2], bool)
        return CellSegmentation(nothing, nothing, cell)
    return CellSegmentation(_enlarged(_nucleus(colour, cell, contrast), pixels), _enlarged(cell, pixels))


def _small(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image)


def _enlarged(mask: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    grey = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(grey.resize((width, height), Image.Resampling.BILINEAR)) >= 128


def _against_glass(small: np.ndarray) -> np.ndarray:
    """Darkness and stain (towards magenta and blue) of each pixel against the glass, in Lab units, (H, W, 2)."""
    lab = color.rgb2lab(ndimage.gaussian_filter(small.astype(np.float32) / 255, (1, 1, 0)))
    light = lab[..., 0]
    glass = np.median(lab[light >= np.percentile(light, 80)], axis=0)
    change = lab - glass
    return np.stack([-change[..., 0], 0.6 * change[..., 1] - change[..., 2]], axis=-1)


def _stretched(small: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """As `_against_glass`, for a cell without any: its lightest part stands for the glass."""
    lightest = max(float(np.percentile(small[cell].max(axis=-1), 98)), 1.0) if cell.any() else 255.0
    lab = color.rgb2lab(ndimage.gaussian_filter(np.minimum(small / lightest, 1), (1, 1, 0)))
    return np.stack([-lab[..., 0], 0.6 * lab[..., 1] - lab[..., 2]], axis=-1)


def _by_colour(colour: np.ndarray) -> np.ndarray | str:
    """Stage 1: the central cell among glass and red cells, or why there is none."""
    darkness, stain = ndimage.gaussian_filter(colour, (1, 1, 0)).transpose(2, 0, 1)
    purple = stain > _PURPLE
    if purple.mean() < _LEAST_AREA:
        return (
            "A stained cell must be purple against the glass; nothing in this image is. "
            "Use a colour image of a leukocyte."
        )
    red = (darkness > 8) & ~purple
    tinge = np.clip(np.median(stain[red] / darkness[red]), *_RED_TINGE) if red.any() else _RED_TINGE[1]
    beyond_red = np.clip(3 * (stain - tinge * darkness), 0, _STAINED)
    colours = np.stack([np.clip(darkness, 0, _DARK), beyond_red], axis=-1).reshape(-1, 2)
    centres = cluster_colours(colours, np.array([[0, 0], [20, 0], [_DARK, _STAINED]]), step=2.0)
    leukocyte = memberships(colours, centres)[:, 2].reshape(stain.shape)
    return _central(filters.apply_hysteresis_threshold(leukocyte, _CYTOPLASM, _CORE))


def _central(mask: np.ndarray) -> np.ndarray | str:
    """The one object that the image is of, cut off from what touches it."""
    whole = morphology.closing(morphology.opening(mask, morphology.disk(2)), morphology.disk(3))
    nearest = _nearest(measure.label(ndimage.binary_fill_holes(whole)))
    if nearest is None:
        return "A stained cell must fill some of the image; nothing here is large enough. Crop the image to one cell."
    apart = _nearest(separated(nearest, least_radius=4))
    return _without_tails(nearest if apart is None else apart)


def _nearest(labels: np.ndarray) -> np.ndarray | None:
    """The object nearest to the centre, a large one rather than a small; bool (H, W), None without any."""
    parts = [part for part in measure.regionprops(labels) if part.area >= _LEAST_AREA * labels.size]
    if not parts:
        return None
    centre = (np.array(labels.shape) - 1) / 2

    def away(part: measure._regionprops.RegionProperties) -> float:
        distance = np.hypot(*(part.coords - centre).T).min() / max(labels.shape)
        return float(distance) - 0.1 * (part.area / labels.size) ** 0.5

    return labels == min(parts, key=away).label


def _without_tails(part: np.ndarray) -> np.ndarray:
    """What is left of an object without what is thinner than a fifth of it: stain streaks, edges of red cells."""
    depth = ndimage.distance_transform_edt(part)
    radius = _TAIL * depth.max()
    return (ndimage.distance_transform_edt(~_largest(depth > radius)) <= radius) & part


def _largest(mask: np.ndarray) -> np.ndarray:
    labels = measure.label(mask)
    return labels == np.bincount(labels.ravel())[1:].argmax() + 1


def _nucleus(colour: np.ndarray, cell: np.ndarray, contrast: float) -> np.ndarray:
    """Stage 2: the darker of the cell's two fuzzy clusters, or the whole cell if they hardly differ."""
    smooth = ndimage.gaussian_filter(colour, (0.7, 0.7, 0)) * (1, 0.4)
    inner = ndimage.binary_erosion(cell, iterations=2)  # the blurred edge would pass for cytoplasm
    colours = smooth[inner if inner.sum() > 50 else cell]
    centres = cluster_colours(colours, np.percentile(colours, [5, 90], axis=0), step=1.0)
    if centres[1, 0] - centres[0, 0] < contrast:
        return cell
    dense = np.zeros_like(cell)
    dense[cell] = memberships(smooth[cell], centres)[:, 1] > 0.5
    lobes = _lobes(morphology.opening(dense, morphology.disk(1.5)))
    return lobes if lobes.any() else cell


def _lobes(dense: np.ndarray) -> np.ndarray:
    """All parts that are no mere granules beside the largest one, without holes."""
    labels = measure.label(dense)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    lobes = np.isin(labels, np.flatnonzero(areas >= max(_LOBE * areas.max(), 1)))
    return ndimage.binary_fill_holes(lobes)
