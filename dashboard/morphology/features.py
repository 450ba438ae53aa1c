"""What a segmented cell measures: areas, shape, outline, texture and colour, one number each.

Lengths count on a picture of at most `SIDE` pixels a side, so that a sharper camera does not make a rougher cell.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from PIL import Image
from skimage import measure
from skimage.feature import graycomatrix, graycoprops

from dashboard.errors import MorphologyError
from dashboard.morphology.contour import box_counting_dimension, contour_signature, outline
from dashboard.morphology.segmentation import CellSegmentation

SIDE = 256
HARMONICS = 8
TEXTURES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")
_LEVELS = 32  # grey levels of the co-occurrence matrix
_ANGLES = (0, math.pi / 4, math.pi / 2, 3 * math.pi / 4)

COLUMNS = (
    "cell_area",
    "nucleus_area",
    "cytoplasm_area",
    "nucleus_to_cytoplasm",
    "nucleus_to_cell",
    "nucleus_parts",
    *(f"{region}_{name}" for region in ("cell", "nucleus") for name in ("eccentricity", "solidity", "circularity")),
    *(f"{region}_{name}" for region in ("cell", "nucleus") for name in TEXTURES),
    *(
        f"{region}_{channel}_{name}"
        for region in ("nucleus", "cytoplasm")
        for channel in ("red", "green", "blue")
        for name in ("mean", "sd")
    ),
    "cell_dimension",
    "nucleus_dimension",
    *(f"nucleus_signature_{number}" for number in range(1, HARMONICS + 1)),
)


def features(pixels: np.ndarray, segmentation: CellSegmentation) -> dict[str, float]:
    """Measure one cell.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB.
    segmentation : CellSegmentation
        Of these pixels.

    Returns
    -------
    dict of str to float
        One value for each of `COLUMNS`, in their order:

        * <region>_area: share of the image, in [0, 1]; nucleus_to_cytoplasm: ratio of their areas, NaN without
          cytoplasm; nucleus_to_cell: the same against the whole cell, in (0, 1]; nucleus_parts: separate lobes.
        * _eccentricity [0, 1), 0 for a circle; _solidity (0, 1], area over that of the convex hull; _circularity
          4 pi area / perimeter², 1 for a disc, cut off there. Of a nucleus in parts, all parts together.
        * _contrast, _dissimilarity, _homogeneity, _energy, _correlation: of grey levels 0 to 31 one pixel apart,
          mean of four directions, counted only between pixels that both lie in the region.
        * _<channel>_mean, _sd: 0 to 255; NaN for a cytoplasm that is not there.
        * _dimension: of the outline, see `contour.box_counting_dimension`; nucleus_signature_<n>: see
          `contour.contour_signature`.

    Raises
    ------
    MorphologyError
        Nothing was segmented.

    Notes
    -----
    Source: the feature families of Jeevitha et al. 2025, Deep Leuko; Haralick et al. 1973, doi
    10.1109/TSMC.1973.4309314, for the texture.
    """
    if not segmentation.found:
        raise MorphologyError(segmentation.reason)
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    small = np.asarray(image)
    cell, nucleus = (_resized(mask, image.size) for mask in (segmentation.cell, segmentation.nucleus))
    cytoplasm = cell & ~nucleus
    values = {
        **_areas(cell, nucleus),
        **_shape("cell", cell),
        **_shape("nucleus", nucleus),
        **_texture("cell", small, cell),
        **_texture("nucleus", small, nucleus),
        **_colour("nucleus", small[nucleus]),
        **_colour("cytoplasm", small[cytoplasm]),
        "cell_dimension": box_counting_dimension(outline(cell)),
        "nucleus_dimension": box_counting_dimension(outline(nucleus)),
    }
    for number, magnitude in enumerate(contour_signature(nucleus, HARMONICS), start=1):
        values[f"nucleus_signature_{number}"] = float(magnitude)
    return {name: values[name] for name in COLUMNS}


def _resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if mask.shape == size[::-1]:
        return mask
    return np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)) >= 128


def _areas(cell: np.ndarray, nucleus: np.ndarray) -> dict[str, float]:
    whole, inner = int(cell.sum()), int(nucleus.sum())
    return {
        "cell_area": whole / cell.size,
        "nucleus_area": inner / cell.size,
        "cytoplasm_area": (whole - inner) / cell.size,
        "nucleus_to_cytoplasm": inner / (whole - inner) if whole > inner else math.nan,
        "nucleus_to_cell": inner / whole,
        "nucleus_parts": float(measure.label(nucleus).max()),
    }


def _shape(region: str, mask: np.ndarray) -> dict[str, float]:
    (found,) = measure.regionprops(mask.astype(np.uint8))
    perimeter = measure.perimeter_crofton(mask, directions=4)
    return {
        f"{region}_eccentricity": float(found.eccentricity),
        f"{region}_solidity": float(found.solidity),
        f"{region}_circularity": min(4 * math.pi * float(found.area) / perimeter**2, 1.0),
    }


def _texture(region: str, pixels: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    levels = np.where(mask, 1 + grey.astype(np.uint16) * _LEVELS // 256, 0).astype(np.uint8)  # 0 is outside
    rows, columns = np.nonzero(mask)
    cut = levels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    pairs = graycomatrix(cut, [1], _ANGLES, _LEVELS + 1, symmetric=True)[1:, 1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a direction in which no two pixels of the region lie
        return {f"{region}_{name}": float(graycoprops(pairs, name).mean()) for name in TEXTURES}


def _colour(region: str, colours: np.ndarray) -> dict[str, float]:
    values = {}
    for number, channel in enumerate(("red", "green", "blue")):
        one = colours[:, number].astype(np.float64)
        values[f"{region}_{channel}_mean"] = float(one.mean()) if len(one) else math.nan
        values[f"{region}_{channel}_sd"] = float(one.std()) if len(one) else math.nan
    return values
