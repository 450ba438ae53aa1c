"""Cells, drawn layer by layer: outline, cytoplasm with its granules, nucleus with its chromatin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from dashboard.synthesis.appearance import Appearance, CellAppearance, Region
from dashboard.synthesis.nuclei import SHAPES
from dashboard.synthesis.shapes import Grid, coverage, outline, smooth_noise
from dashboard.synthesis.textures import correlated_noise, granules, ramp_colours, ranks


@dataclass(frozen=True)
class Granules:
    """Granules of one kind.

    Attributes
    ----------
    density : float
        How many in 1,000 square pixels of the finished image.
    radius : tuple of float
        Least and greatest, in pixels of the finished image.
    darkness : float
        How far they stand out of the texture around them, in its SD.
    over_nucleus : bool
        Whether they also lie over the nucleus.
    """

    density: float
    radius: tuple[float, float]
    darkness: float = 3.0
    over_nucleus: bool = False


@dataclass(frozen=True)
class Recipe:
    """How one kind of cell is drawn; what can be measured comes from `statistics.json` instead.

    Attributes
    ----------
    kind : str
        Key of the measured statistics.
    nucleus : str
        One of `nuclei.SHAPES`, or "" for none.
    granules : Granules or None
    irregularity : float
        Of the outline, relative to its radius.
    edge : float
        How much darker (positive, in SD of the texture) the cytoplasm is at its edge.
    rim : float
        How much darker the nucleus is at its edge, 0 not at all to 1.
    clumps : float
        Share of coarse clumping in the chromatin, 0 to 1.
    ragged : float
        Fraying of the outline, in pixels of the finished image.
    vacuoles : int
        Empty round holes in the cytoplasm.
    warm : bool
        Whether the granules stand out by their warm colour, not by their darkness.
    sizes, shares : tuple of float
        The part of the measured range (0 the 10 % quantile, 1 the 90 %) that diameter and nucleus share are drawn from.
        Pale cytoplasm is partly missed when real neutrophils are segmented, hence theirs.
    """

    kind: str
    nucleus: str
    granules: Granules | None = None
    irregularity: float = 0.02
    edge: float = 0.0
    rim: float = 0.75
    clumps: float = 0.0
    ragged: float = 0.3
    vacuoles: int = 0
    warm: bool = False
    sizes: tuple[float, float] = (0.05, 0.95)
    shares: tuple[float, float] = (0.1, 0.9)


_PALE = {"sizes": (0.45, 1.0), "shares": (0.0, 0.35)}

RECIPES = {
    "basophil": Recipe(
        "basophil", "segmented", Granules(17, (1.7, 3.3), 3.0, over_nucleus=True), 0.03, ragged=0.7, rim=0.4
    ),
    "eosinophil": Recipe("eosinophil", "two-lobed", Granules(38, (1.8, 2.7), 2.0), 0.012, warm=True),
    "erythroblast": Recipe("erythroblast", "dense", None, 0.04, ragged=0.6, rim=0.5),
    "promyelocyte": Recipe("promyelocyte", "oval", Granules(26, (1.0, 1.8), 2.6, over_nucleus=True), 0.03, 0.3, 0.5),
    "myelocyte": Recipe("myelocyte", "oval", Granules(20, (1.0, 1.8), 2.2), 0.025),
    "metamyelocyte": Recipe("metamyelocyte", "kidney", Granules(16, (1.0, 1.7), 2.0), 0.02, shares=(0.1, 0.6)),
    "lymphocyte": Recipe("lymphocyte", "round", None, 0.03, 0.8, 0.6, ragged=0.7),
    "monocyte": Recipe("monocyte", "folded", Granules(10, (0.9, 1.4), 1.0), 0.05, 0.4, 0.6, ragged=0.6),
    "neutrophil_band": Recipe("neutrophil_band", "band", Granules(14, (0.9, 1.7), 2.4), 0.015, **_PALE),
    "neutrophil_segmented": Recipe("neutrophil_segmented", "segmented", Granules(16, (0.9, 1.7), 2.4), 0.02, **_PALE),
    "platelet": Recipe("platelet", "", Granules(60, (1.3, 2.3), 1.6), 0.05, ragged=0.9),
}


def radius_of(rng: np.random.Generator, recipe: Recipe, cell: CellAppearance) -> float:
    """Draw a cell's radius from the measured sizes, in pixels of the finished image."""
    return 0.5 * float(np.interp(rng.uniform(*recipe.sizes), [0, 0.5, 1], cell.diameter))


def draw_cell(
    image: np.ndarray,
    grid: Grid,
    rng: np.random.Generator,
    measured: Appearance,
    recipe: Recipe,
    radius: float,
    cell: CellAppearance | None = None,
) -> np.ndarray:
    """Draw one cell in the grid's origin, in place.

    Parameters
    ----------
    image : numpy.ndarray
        float, the grid's shape and 3, RGB 0 to 255; changed.
    radius : float
        Of the cell, in pixels of the finished image.
    cell : CellAppearance, optional
        Instead of the measured one of the recipe's kind.

    Returns
    -------
    numpy.ndarray
        float: depth inside the cell in pixels, over a window about the grid's origin.
    """
    cell = cell or measured.cells[recipe.kind]
    part, grid = grid.window(0.0, 0.0, radius * 1.45 + 6)
    image = image[part]
    elongation = float(np.interp(rng.uniform(0.3, 1), [0, 0.5, 1], cell.elongation))
    warped = grid.warped(rng, recipe.ragged, 2.5) if recipe.ragged else grid
    depth = outline(warped, rng, radius, elongation, recipe.irregularity)
    share = float(np.interp(rng.uniform(*recipe.shares), [0, 0.5, 1], cell.nucleus_share))
    shift = rng.normal(0, 0.5, 3)
    if not recipe.nucleus:
        _paint_platelet(image, grid, rng, measured, recipe, cell, depth)
        return depth
    nucleus = np.minimum(SHAPES[recipe.nucleus](grid, rng, radius, share), depth - 1.0)
    spots = _granule_map(grid, rng, recipe, depth, nucleus)
    _paint_cytoplasm(image, rng, measured, recipe, cell, depth, nucleus, spots, shift)
    _paint_vacuoles(image, grid, rng, recipe, depth, nucleus)
    _paint_nucleus(image, rng, measured, recipe, cell.nucleus, nucleus, spots, shift)
    if recipe.granules and recipe.granules.over_nucleus:
        _paint_spots(image, rng, measured, spots, cell.nucleus, shift)
    return depth


def _granule_map(
    grid: Grid, rng: np.random.Generator, recipe: Recipe, depth: np.ndarray, nucleus: np.ndarray
) -> np.ndarray:
    if recipe.granules is None:
        return np.zeros(depth.shape)
    inside = depth > 2.0
    where = inside if recipe.granules.over_nucleus else inside & (nucleus < 0)
    pixels = where.sum() * (grid.columns[0, 1] - grid.columns[0, 0]) ** 2
    uneven = where & (smooth_noise(rng, depth.shape, 24) > rng.uniform(-2.5, -1.2))
    return granules(grid, rng, uneven, int(recipe.granules.density * pixels / 1000), recipe.granules.radius)


def shifted_ramp(region: Region, shift: np.ndarray) -> np.ndarray:
    """Move a ramp by `shift` (3,) SD along the axes in which images differ; float (Q, 3), 0 to 255."""
    sizes, axes = np.linalg.eigh(region.between_images)
    return np.clip(region.ramp + (axes * np.sqrt(np.clip(sizes, 0, None))) @ shift, 0, 255)


def _paint(image: np.ndarray, opacity: np.ndarray, colour: np.ndarray) -> None:
    image += opacity[..., None] * (colour - image)


def _paint_cytoplasm(
    image: np.ndarray,
    rng: np.random.Generator,
    measured: Appearance,
    recipe: Recipe,
    cell: CellAppearance,
    depth: np.ndarray,
    nucleus: np.ndarray,
    spots: np.ndarray,
    shift: np.ndarray,
) -> None:
    region = cell.cytoplasm
    texture = correlated_noise(rng, depth.shape, region.correlation) + 0.5 * smooth_noise(rng, depth.shape, 18)
    texture -= recipe.edge * 2 * np.exp(-np.clip(depth, 0, None) / 5)
    if recipe.granules:
        texture -= recipe.granules.darkness * spots
    visible = (depth > 0) & (nucleus < 0)
    ramp = shifted_ramp(region, shift)
    colour = ramp_colours(ramp, measured.quantiles, ranks(texture, visible))
    if recipe.warm:
        warm = 0.7 * smooth_noise(rng, depth.shape, 20) + 1.2 * spots + 0.25 * np.clip(depth / 6, 0, 1)
        warm_ramp = cell.warmth_ramp + ramp.mean(axis=0) - region.ramp.mean(axis=0)
        light = colour.mean(axis=-1, keepdims=True) / ramp.mean()
        colour = ramp_colours(warm_ramp, measured.quantiles, ranks(warm, visible)) * (0.25 + 0.75 * light)
    _paint(image, coverage(depth, 1.0), colour)


def _paint_vacuoles(
    image: np.ndarray, grid: Grid, rng: np.random.Generator, recipe: Recipe, depth: np.ndarray, nucleus: np.ndarray
) -> None:
    if recipe.vacuoles:
        holes = granules(grid, rng, (depth > 5) & (nucleus < -3), recipe.vacuoles, (2.5, 4.5))
        _paint(image, 0.75 * holes, np.array([245.0, 222.0, 212.0]))


def _paint_nucleus(
    image: np.ndarray,
    rng: np.random.Generator,
    measured: Appearance,
    recipe: Recipe,
    region: Region,
    nucleus: np.ndarray,
    spots: np.ndarray,
    shift: np.ndarray,
) -> None:
    inside = nucleus > 0
    chromatin = correlated_noise(rng, nucleus.shape, region.correlation)
    if recipe.clumps:
        chromatin = (1 - recipe.clumps) * chromatin + recipe.clumps * smooth_noise(rng, nucleus.shape, 9)
    share = ranks(chromatin, inside)
    share *= 1 - recipe.rim * np.exp(-((np.clip(nucleus, 0, None) / 3.0) ** 2))
    _paint(image, coverage(nucleus, 1.2), ramp_colours(shifted_ramp(region, shift), measured.quantiles, share))


def _paint_spots(
    image: np.ndarray,
    rng: np.random.Generator,
    measured: Appearance,
    spots: np.ndarray,
    region: Region,
    shift: np.ndarray,
) -> None:
    shade = 0.35 * ranks(correlated_noise(rng, spots.shape, region.correlation), spots > 0)
    _paint(image, 0.85 * spots, ramp_colours(shifted_ramp(region, shift), measured.quantiles, shade))


def _paint_platelet(
    image: np.ndarray,
    grid: Grid,
    rng: np.random.Generator,
    measured: Appearance,
    recipe: Recipe,
    cell: CellAppearance,
    depth: np.ndarray,
) -> None:
    assert recipe.granules is not None
    shift = rng.normal(0, 0.6, 3)
    inside = depth > 0
    spots = _granule_map(grid, rng, recipe, depth - 2, np.full(depth.shape, -1.0))
    texture = correlated_noise(rng, depth.shape, cell.nucleus.correlation) - recipe.granules.darkness * spots
    share = ranks(texture, inside)
    core = shifted_ramp(cell.nucleus, shift)
    rim = shifted_ramp(cell.cytoplasm, shift)
    central = np.clip(ndimage.gaussian_filter(depth, 2) / (0.45 * depth.max()), 0, 1)[..., None]
    colour = central * ramp_colours(core, measured.quantiles, share)
    colour += (1 - central) * ramp_colours(rim, measured.quantiles, share)
    _paint(image, coverage(depth, 1.5), colour)
