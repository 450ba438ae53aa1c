"""Cells, drawn layer by layer: outline, cytoplasm with its granules, nucleus with its chromatin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.synthesis.appearance import Appearance, CellAppearance, Region
from dashboard.synthesis.nuclei import SHAPES
from dashboard.synthesis.shapes import SUPERSAMPLING, Grid, coverage, outline, smooth_noise
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
    holes : Granules or None
        Light spots between the clumps of chromatin.
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
    holes: Granules | None = None
    sizes: tuple[float, float] = (0.05, 0.95)
    shares: tuple[float, float] = (0.1, 0.9)


_SPOTTED = Granules(7, (1.1, 2.0), 1.8)
_NETTED = Granules(14, (1.0, 1.9), 1.3)

RECIPES = {
    "basophil": Recipe(
        "basophil",
        "segmented",
        Granules(17, (1.7, 3.2), 2.2, over_nucleus=True),
        irregularity=0.03,
        rim=0.2,
        ragged=0.7,
    ),
    "eosinophil": Recipe("eosinophil", "two-lobed", Granules(20, (1.9, 2.9), 2.2), irregularity=0.015, holes=_SPOTTED),
    "erythroblast": Recipe(
        "erythroblast", "dense", irregularity=0.04, ragged=0.6, rim=0.5, holes=Granules(5, (1.2, 2.2), 2.0)
    ),
    "promyelocyte": Recipe(
        "promyelocyte",
        "oval",
        Granules(15, (1.2, 2.1), 2.4, over_nucleus=True),
        irregularity=0.03,
        edge=0.3,
        rim=0.5,
        holes=_NETTED,
    ),
    "myelocyte": Recipe("myelocyte", "oval", Granules(14, (1.1, 1.9), 3.5), irregularity=0.025, holes=_NETTED),
    "metamyelocyte": Recipe(
        "metamyelocyte", "kidney", Granules(14, (1.0, 1.6), 2.2), holes=_SPOTTED, shares=(0.1, 0.6)
    ),
    "lymphocyte": Recipe("lymphocyte", "round", irregularity=0.03, edge=0.8, rim=0.6, clumps=0.35, ragged=0.7),
    "monocyte": Recipe(
        "monocyte",
        "folded",
        Granules(9, (1.0, 1.6), 2.5),
        irregularity=0.05,
        edge=0.4,
        rim=0.6,
        ragged=0.6,
        vacuoles=3,
        holes=_NETTED,
    ),
    "neutrophil_band": Recipe(
        "neutrophil_band",
        "band",
        Granules(7, (1.2, 2.0), 5.0),
        irregularity=0.015,
        holes=_SPOTTED,
        sizes=(0.45, 1.0),
        shares=(0.0, 0.35),
    ),
    "neutrophil_segmented": Recipe(
        "neutrophil_segmented",
        "segmented",
        Granules(9, (1.2, 2.0), 5.0),
        holes=_SPOTTED,
        sizes=(0.45, 1.0),
        shares=(0.0, 0.35),
    ),
    "platelet": Recipe("platelet", "", Granules(32, (1.6, 2.7), 3.0), irregularity=0.05, ragged=0.9),
}


def radius_of(rng: np.random.Generator, recipe: Recipe, cell: CellAppearance) -> float:
    """Draw a cell's radius from the measured sizes, in pixels of the finished image."""
    return 0.5 * float(np.interp(rng.uniform(*recipe.sizes), [0, 0.5, 1], cell.diameter))


@dataclass(frozen=True)
class _Drawing:
    """What the layers of one cell share; `spots` and `depth` are maps over the window that `grid` covers."""

    image: np.ndarray
    grid: Grid
    rng: np.random.Generator
    quantiles: np.ndarray
    recipe: Recipe
    cell: CellAppearance
    radius: float
    shift: np.ndarray
    depth: np.ndarray
    spots: np.ndarray

    def paint(self, opacity: np.ndarray, colour: np.ndarray) -> None:
        """Lay a colour over the image."""
        self.image[...] += opacity[..., None] * (colour - self.image)

    def colours(self, region: Region, share: np.ndarray) -> np.ndarray:
        """Look a region's colours up, share 0 the darkest."""
        return ramp_colours(shifted_ramp(region, self.shift), self.quantiles, share)

    def noise(self, region: Region) -> np.ndarray:
        """Texture of a region, mean 0 and SD 1."""
        return correlated_noise(self.rng, self.depth.shape, region.correlation)


def draw_cell(
    image: np.ndarray,
    grid: Grid,
    rng: np.random.Generator,
    recipe: Recipe,
    radius: float,
    *,
    measured: Appearance,
    cell: CellAppearance | None = None,
) -> None:
    """Draw one cell about the grid's origin, in place.

    Parameters
    ----------
    image : numpy.ndarray
        float, the grid's shape and 3, RGB 0 to 255; changed.
    radius : float
        Of the cell, in pixels of the finished image.
    cell : CellAppearance, optional
        Instead of the measured one of the recipe's kind.
    """
    cell = cell or measured.cells[recipe.kind]
    part, grid = grid.window(0.0, 0.0, radius * 1.45 + 6)
    elongation = float(np.interp(rng.uniform(0.3, 1), [0, 0.5, 1], cell.elongation))
    edge = grid.warped(rng, recipe.ragged, 2.5) if recipe.ragged else grid
    depth = outline(edge, rng, radius, elongation=elongation, irregularity=recipe.irregularity)
    shift = rng.normal(0, 0.4, 3)
    spots = np.zeros(depth.shape)
    drawing = _Drawing(image[part], grid, rng, measured.quantiles, recipe, cell, radius, shift, depth, spots)
    if recipe.nucleus:
        _draw_nucleated(drawing)
    else:
        _draw_platelet(drawing)


def shifted_ramp(region: Region, shift: np.ndarray) -> np.ndarray:
    """Move a ramp by `shift` (3,) SD along the axes in which images differ; float (Q, 3), 0 to 255."""
    sizes, axes = np.linalg.eigh(region.between_images)
    return np.clip(region.ramp + (axes * np.sqrt(np.clip(sizes, 0, None))) @ shift, 0, 255)


def _draw_nucleated(drawing: _Drawing) -> None:
    recipe, rng = drawing.recipe, drawing.rng
    share = float(np.interp(rng.uniform(*recipe.shares), [0, 0.5, 1], drawing.cell.nucleus_share))
    nucleus = np.minimum(SHAPES[recipe.nucleus](drawing.grid, rng, drawing.radius, share), drawing.depth - 1.0)
    if recipe.granules:
        over = recipe.granules.over_nucleus
        drawing.spots[...] = _scatter(drawing, recipe.granules, (drawing.depth > 2) & (over | (nucleus < 0)))
    _paint_cytoplasm(drawing, nucleus)
    _paint_nucleus(drawing, nucleus)
    if recipe.granules and recipe.granules.over_nucleus:
        _paint_spots(drawing, nucleus)


def _scatter(drawing: _Drawing, kind: Granules, where: np.ndarray) -> np.ndarray:
    rng = drawing.rng
    where = where & (smooth_noise(rng, where.shape, 24) > rng.uniform(-2.5, -1.2))
    count = int(kind.density * where.sum() / SUPERSAMPLING**2 / 1000)
    return granules(drawing.grid, rng, where, count, kind.radius)


def _paint_cytoplasm(drawing: _Drawing, nucleus: np.ndarray) -> None:
    recipe, region, depth = drawing.recipe, drawing.cell.cytoplasm, drawing.depth
    texture = drawing.noise(region) + 0.5 * smooth_noise(drawing.rng, depth.shape, 18)
    texture -= recipe.edge * 2 * np.exp(-np.clip(depth, 0, None) / 5)
    if recipe.granules:
        texture -= recipe.granules.darkness * drawing.spots
    visible = (depth > 0) & (nucleus < 0)
    colour = drawing.colours(region, ranks(texture, visible))
    drawing.paint(coverage(depth, 1.0), colour)
    if recipe.vacuoles:
        holes = granules(drawing.grid, drawing.rng, (depth > 5) & (nucleus < -3), recipe.vacuoles, (2.0, 4.0))
        drawing.paint(0.7 * holes, np.array([245.0, 222.0, 212.0]))


def _paint_nucleus(drawing: _Drawing, nucleus: np.ndarray) -> None:
    recipe, region, rng = drawing.recipe, drawing.cell.nucleus, drawing.rng
    inside = nucleus > 0
    chromatin = drawing.noise(region)
    if recipe.clumps:
        chromatin = (1 - recipe.clumps) * chromatin + recipe.clumps * smooth_noise(rng, nucleus.shape, 9)
    if recipe.holes:
        chromatin += recipe.holes.darkness * _scatter(drawing, recipe.holes, nucleus > 3)
    if recipe.granules and recipe.granules.over_nucleus:
        chromatin -= recipe.granules.darkness * drawing.spots
    share = ranks(chromatin, inside)
    share *= 1 - recipe.rim * np.exp(-((np.clip(nucleus, 0, None) / 3.0) ** 2))
    drawing.paint(coverage(nucleus, 1.2), drawing.colours(region, share))


def _paint_spots(drawing: _Drawing, nucleus: np.ndarray) -> None:
    region = drawing.cell.nucleus
    shade = 0.5 * ranks(drawing.noise(region), drawing.spots > 0)
    drawing.paint(0.85 * drawing.spots * (1 - coverage(nucleus, 2.0)), drawing.colours(region, shade))


def _draw_platelet(drawing: _Drawing) -> None:
    recipe, cell, depth = drawing.recipe, drawing.cell, drawing.depth
    assert recipe.granules is not None
    drawing.spots[...] = _scatter(drawing, recipe.granules, depth > 4)
    texture = drawing.noise(cell.nucleus) - recipe.granules.darkness * drawing.spots
    share = ranks(texture, depth > 0)
    central = np.clip(depth / (0.4 * depth.max()), 0, 1)[..., None]
    colour = central * drawing.colours(cell.nucleus, share) + (1 - central) * drawing.colours(cell.cytoplasm, share)
    drawing.paint(coverage(depth, 1.5), colour)
