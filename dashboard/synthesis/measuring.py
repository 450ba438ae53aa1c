"""Real images → `statistics.json`: how each kind of cell looks, as numbers from which no image can be had back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage
from skimage import measure, morphology

from dashboard.synthesis.segmentation import Regions, segment

SIDE = 360  # sizes are stated for an image this wide, as in Acevedo et al. 2020
LAGS = 13
QUANTILES = np.linspace(0.02, 0.98, 13)
PROFILE_BINS = 12
_LUMA = np.array([0.299, 0.587, 0.114])


def measure_appearance(
    rows: pd.DataFrame, kind: str = "label", per_kind: int = 120, seed: int = 0, tell: Callable[[str], None] = print
) -> dict:
    """Measure every kind of cell on real images.

    Parameters
    ----------
    rows : pandas.DataFrame
        Column file (path of an image of one centred cell) and the column `kind`.
    kind : str
        The column that names the kinds.
    per_kind : int
        Images that are measured, at most, of each kind.

    Returns
    -------
    dict
        ``cells`` (a kind: sizes, ramps, correlation) and ``field`` (glass, red cells); see `appearance`.
    """
    cells, fields = {}, []
    for name, group in rows.groupby(kind):
        sample = group.sample(min(per_kind, len(group)), random_state=seed)
        found = [(pixels, regions) for pixels in map(_read, sample["file"]) if (regions := segment(pixels)) is not None]
        measured = [one for pixels, regions in found if (one := _cell(pixels, regions)) is not None]
        cells[str(name)] = _summary(measured)
        fields += [_field(pixels, regions) for pixels, regions in found]
        tell(f"{name}: {len(measured)} of {len(sample)} images measured")
    return {"side": SIDE, "quantiles": _rounded(QUANTILES, 2), "cells": cells, "field": _field_summary(fields)}


def write_statistics(statistics: dict, path: Path) -> None:
    """Write the measured numbers as JSON, one line a kind of number."""
    text = json.dumps(statistics, indent=1)
    flat = re.sub(r"\[[\s\d\[\],.e-]+\]", lambda found: re.sub(r"\s+", "", found.group()), text)
    path.write_text(flat + "\n", encoding="utf-8")


def colour_ramp(pixels: np.ndarray) -> np.ndarray:
    """Mean colour from the darkest to the lightest pixels.

    Parameters
    ----------
    pixels : numpy.ndarray
        float or uint8, shape (N, 3), N at least 40.

    Returns
    -------
    numpy.ndarray
        float, shape (13, 3), RGB 0 to 255 about each of `QUANTILES` of luma.
    """
    ordered = pixels[np.argsort(pixels @ _LUMA)].astype(float)
    half = max(1, len(ordered) // 50)
    middle = (QUANTILES * (len(ordered) - 1)).astype(int)
    return np.stack([ordered[max(0, m - half) : m + half + 1].mean(axis=0) for m in middle])


def correlation(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Radial autocorrelation of a texture inside a mask, by masked FFT.

    Parameters
    ----------
    values : numpy.ndarray
        float, shape (H, W).
    mask : numpy.ndarray
        bool, shape (H, W); at least one pixel.

    Returns
    -------
    numpy.ndarray
        float, shape (13,), at lags of 0 to 12 pixels; 1 at lag 0, near 0 where unrelated.
    """
    shape = [2 * side for side in values.shape]
    centred = np.where(mask, values - values[mask].mean(), 0.0)
    products = np.fft.irfft2(np.abs(np.fft.rfft2(centred, shape)) ** 2, shape)
    pairs = np.fft.irfft2(np.abs(np.fft.rfft2(mask.astype(float), shape)) ** 2, shape)
    offsets = np.fft.fftfreq(shape[0], 1 / shape[0])[:, None], np.fft.fftfreq(shape[1], 1 / shape[1])[None]
    lag = np.rint(np.hypot(*offsets)).astype(int)
    result = np.zeros(LAGS)
    for step in range(LAGS):
        ring = (lag == step) & (pairs > 20)
        result[step] = products[ring].sum() / pairs[ring].sum() if ring.any() else 0.0
    return result / result[0] if result[0] > 0 else np.eye(1, LAGS)[0]


def _read(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def _cell(pixels: np.ndarray, regions: Regions) -> dict | None:
    scale = SIDE / pixels.shape[1]
    inside = morphology.erosion(regions.nucleus, morphology.disk(2))
    apart = morphology.erosion(regions.cell, morphology.disk(4)) & ~morphology.dilation(
        regions.nucleus, morphology.disk(4)
    )
    if apart.sum() < 150:  # too thin for a wide margin
        apart = morphology.erosion(regions.cell, morphology.disk(2))
        apart &= ~morphology.dilation(regions.nucleus, morphology.disk(2))
    if inside.sum() < 40:
        return None
    shape = measure.regionprops(regions.cell.astype(int))[0]
    nucleus = max(measure.regionprops(measure.label(regions.nucleus)), key=lambda part: part.area)
    luma = pixels @ _LUMA
    result = {
        "diameter": shape.equivalent_diameter_area * scale,
        "elongation": shape.axis_minor_length / shape.axis_major_length,
        "nucleus_share": regions.nucleus.sum() / regions.cell.sum(),
        "nucleus_solidity": nucleus.solidity,
        "nucleus_ramp": colour_ramp(pixels[inside]),
        "nucleus_correlation": correlation(luma, inside),
    }
    if apart.sum() >= 40:
        result["cytoplasm_ramp"] = colour_ramp(pixels[apart])
        result["cytoplasm_correlation"] = correlation(luma, apart)
    return result


def _summary(measured: list[dict]) -> dict:
    summary: dict = {"images": len(measured)}
    for name in ("diameter", "elongation", "nucleus_share", "nucleus_solidity"):
        summary[name] = _rounded(np.quantile([one[name] for one in measured], [0.1, 0.5, 0.9]), 3)
    for region in ("nucleus", "cytoplasm"):
        ramps = np.array([one[f"{region}_ramp"] for one in measured if f"{region}_ramp" in one])
        curves = [one[f"{region}_correlation"] for one in measured if f"{region}_correlation" in one]
        means = ramps.mean(axis=1)
        summary[region] = {
            "ramp": _rounded(np.median(ramps, axis=0), 1),
            "between_images": _rounded(np.cov(means.T), 1),
            "correlation": _rounded(np.median(curves, axis=0), 3),
        }
    return summary


def _field(pixels: np.ndarray, regions: Regions) -> dict:
    scale = SIDE / pixels.shape[1]
    outside = regions.red_cells.sum() + regions.background.sum()
    result: dict = {
        "covered": regions.red_cells.sum() / max(1, outside),
        "profiles": [],
        "diameters": [],
        "elongations": [],
    }
    if regions.background.sum() > 400:
        glass = pixels[regions.background].astype(float)
        result["glass"] = np.median(glass, axis=0)
        grain = pixels.astype(float) - ndimage.gaussian_filter(pixels.astype(float), (1.5, 1.5, 0))
        result["grain"] = grain[morphology.erosion(regions.background, morphology.disk(3))].std(axis=0)
    filled = ndimage.binary_fill_holes(morphology.opening(regions.red_cells, morphology.disk(2)))
    for part in measure.regionprops(measure.label(filled)):
        top, left, bottom, right = part.bbox
        whole = min(top, left) > 1 and max(bottom, right) < pixels.shape[0] - 1
        if whole and part.solidity > 0.95 and 500 < part.area < 2600:
            result["diameters"].append(part.equivalent_diameter_area * scale)
            result["elongations"].append(part.axis_minor_length / part.axis_major_length)
            profile = _profile(pixels[top:bottom, left:right], part.image_filled)
            if profile is not None:
                result["profiles"].append(profile)
    return result


def _profile(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    bins = np.minimum((depth / depth.max() * PROFILE_BINS).astype(int), PROFILE_BINS - 1)
    rings = [pixels[mask & (bins == step)] for step in range(PROFILE_BINS)]
    return np.stack([ring.mean(axis=0) for ring in rings]) if all(len(ring) for ring in rings) else None


def _field_summary(fields: list[dict]) -> dict:
    glass = np.array([one["glass"] for one in fields if "glass" in one])
    usual = np.abs(glass - np.median(glass, axis=0)).max(axis=1) < 15
    profiles = [profile for one in fields for profile in one["profiles"]]
    flat = np.array(profiles).reshape(len(profiles), -1)
    middle = np.median(flat, axis=0)
    _, sizes, axes = np.linalg.svd(flat - middle, full_matrices=False)
    spread = sizes[:3, None] / len(flat) ** 0.5 * axes[:3]
    quantiles = [0.1, 0.5, 0.9]
    return {
        "images": len(fields),
        "red_cells": len(profiles),
        "glass": _rounded(np.median(glass[usual], axis=0), 1),
        "glass_between_images": _rounded(np.cov(glass[usual].T), 1),
        "grain": _rounded(np.median([one["grain"] for one in fields if "grain" in one], axis=0), 2),
        "covered": _rounded(np.quantile([one["covered"] for one in fields], quantiles), 3),
        "red_cell_diameter": _rounded(np.quantile(np.concatenate([f["diameters"] for f in fields]), quantiles), 1),
        "red_cell_elongation": _rounded(np.quantile(np.concatenate([f["elongations"] for f in fields]), quantiles), 3),
        "red_cell_profile": _rounded(middle.reshape(PROFILE_BINS, 3), 1),
        "red_cell_profile_axes": _rounded(spread.reshape(-1, PROFILE_BINS, 3), 1),
    }


def _rounded(values: np.ndarray, digits: int) -> list:
    return np.round(np.asarray(values, float), digits).tolist()
