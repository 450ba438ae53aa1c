"""The field behind the cell: glass, red cells with their central pallor, stray platelets."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from dashboard.synthesis.appearance import Appearance
from dashboard.synthesis.shapes import SIDE, Grid, coverage, outline, smooth_noise

CRENATED_FIELDS = 0.12  # share of the fields
_ATTEMPTS = 600


def draw_field(
    grid: Grid,
    rng: np.random.Generator,
    measured: Appearance,
    clear_radius: float,
    covered: float | None = None,
) -> np.ndarray:
    """Draw glass and red cells, leaving room for a cell in the middle.

    Parameters
    ----------
    clear_radius : float
        Red cells keep clear of this radius about the centre, in pixels; 0 lets them lie anywhere.
    covered : float, optional
        Share of the field that red cells take; drawn from the measured range by default.

    Returns
    -------
    numpy.ndarray
        float, the grid's shape and 3: RGB, 0 to 255.
    """
    field = measured.field
    glass = rng.multivariate_normal(field.glass, field.glass_between_images)
    lighting = 1 + 0.006 * smooth_noise(rng, grid.rows.shape, 150)
    image = glass * lighting[..., None]
    if covered is None:
        covered = float(np.interp(rng.uniform(), [0, 0.5, 1], field.covered))
    tint = rng.normal(0, 0.8, 3)
    crenation = 0.035 if rng.uniform() < CRENATED_FIELDS else 0.0
    for place in _places(rng, measured, clear_radius, covered):
        draw_red_cell(image, grid, rng, measured, place, tint=tint, crenation=crenation)
    return image


def draw_red_cell(
    image: np.ndarray,
    grid: Grid,
    rng: np.random.Generator,
    measured: Appearance,
    place: tuple[float, float, float],
    *,
    tint: np.ndarray | float = 0.0,
    crenation: float = 0.0,
) -> None:
    """Draw one red cell in place, by the measured colour profile from edge to centre.

    Parameters
    ----------
    image : numpy.ndarray
        float, the grid's shape and 3, RGB 0 to 255; changed. What lies under the cell shines through.
    place : tuple of float
        Row and column of the cell's centre, in pixels from the image's centre, and its diameter in pixels.
    tint : numpy.ndarray or float
        float, shape (3,): the image's own part of the measured variation, in SD.
    crenation : float
        Height of the spikes of an echinocyte, relative to its radius.
    """
    field = measured.field
    row, column, diameter = place
    part, local = grid.window(row, column, diameter * 0.75)
    if not local.rows.size:
        return
    elongation = float(np.interp(rng.uniform(), [0, 0.5, 1], field.elongation))
    depth = outline(local, rng, diameter / 2, elongation=elongation, irregularity=0.012, crenation=crenation)
    towards = local.moved(*rng.normal(0, 0.04 * diameter, 2))
    pallor = outline(towards, rng, diameter / 2, elongation=elongation, irregularity=0.018)
    relative = np.clip(2 * np.minimum(depth, pallor) / diameter, 0, 1) + 0.03 * smooth_noise(rng, depth.shape, 14)
    weights = tint + rng.normal(0, 0.7, 3)
    profile = field.profile + np.tensordot(weights, field.profile_axes, axes=1)
    # A mean over many cells is flatter than each of them: every cell gets its own, steeper pallor of those colours.
    steep = np.clip(0.55 + (relative - rng.normal(0.53, 0.06)) * rng.uniform(1.3, 1.9), 0.15, 1)
    middle = (np.arange(len(profile)) + 0.5) / len(profile)
    colour = np.stack([np.interp(steep, middle, profile[:, channel]) for channel in range(3)], axis=-1)
    colour = np.minimum(colour, 0.98 * field.glass)  # no pallor is lighter than glass
    absorbed = coverage(depth, 1.3)[..., None] * (1 - colour / field.glass)
    free = np.clip(image[part] / field.glass, 0, 1)
    # Stacked cells flatten each other: the second absorbs about half of what it would alone.
    image[part] *= 1 - absorbed * (0.5 + 0.5 * np.clip(1 - (1 - free) / 0.15, 0, 1))


def _places(
    rng: np.random.Generator, measured: Appearance, clear_radius: float, covered: float
) -> list[tuple[float, float, float]]:
    field = measured.field
    half = SIDE / 2
    mean = float(field.diameter[1])
    free = (SIDE + mean) ** 2 - np.pi * clear_radius**2
    wanted = round(covered * 1.3 * free / (np.pi * mean**2 / 4))
    usual = float(np.interp(rng.uniform(), [0, 0.5, 1], field.diameter))
    places: list[tuple[float, float, float]] = []
    for _ in range(_ATTEMPTS):
        if len(places) >= wanted:
            break
        diameter = usual * rng.normal(1, 0.05)
        row, column = rng.uniform(-half - mean / 2, half + mean / 2, 2)
        if clear_radius and np.hypot(row, column) < clear_radius + diameter * rng.uniform(0.3, 0.55):
            continue
        nearest = min((np.hypot(row - r, column - c) for r, c, _ in places), default=np.inf)
        if nearest > diameter * (0.97 if rng.uniform() < 0.75 else 0.65):
            places.append((float(row), float(column), float(diameter)))
    return places


def draw_debris(image: np.ndarray, grid: Grid, rng: np.random.Generator, count: int, clear_radius: float) -> None:
    """Put a few specks of stain and platelet fragments on the field, in place."""
    for _ in range(count):
        place = rng.uniform(-SIDE / 2, SIDE / 2, 2)
        if np.hypot(*place) > clear_radius + 12:
            _draw_speck(image, grid, rng, place, rng.uniform(2, 6))


def draw_precipitate(image: np.ndarray, grid: Grid, rng: np.random.Generator) -> None:
    """Scatter clumps of precipitated stain about the centre, in place."""
    for _ in range(5):
        clump = rng.normal(0, 26, 2)
        for _ in range(int(rng.integers(6, 26))):
            _draw_speck(image, grid, rng, clump + rng.normal(0, 9, 2), rng.uniform(0.8, 3.2))


def _draw_speck(image: np.ndarray, grid: Grid, rng: np.random.Generator, place: np.ndarray, radius: float) -> None:
    part, local = grid.window(place[0], place[1], 2.5 * radius + 4)
    if not local.rows.size:
        return
    depth = outline(local, rng, radius, elongation=rng.uniform(0.6, 1), irregularity=0.12)
    colour = np.array([104.0, 48.0, 136.0]) + rng.normal(0, 14, 3)
    opacity = ndimage.gaussian_filter(coverage(depth, 1.5), 1.0)[..., None] * rng.uniform(0.6, 1.0)
    image[part] += opacity * (colour - image[part])
