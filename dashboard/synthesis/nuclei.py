"""Shapes of nuclei, by name; each a depth map on the grid for a cell of a given radius."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dashboard.synthesis.shapes import SUPERSAMPLING, Grid, arc, outline, thick_curve

Shape = Callable[[Grid, np.random.Generator, float, float], np.ndarray]


def round_nucleus(grid: Grid, rng: np.random.Generator, radius: float, share: float) -> np.ndarray:
    """Round and central, as in a lymphocyte; `share` is the nucleus's part of the cell's area, in (0, 1)."""
    size = radius * share**0.5
    place = _off_centre(rng, (radius - size) * 0.8)
    return outline(grid.moved(*place), rng, size, elongation=rng.uniform(0.86, 0.98), irregularity=0.025)


def dense_nucleus(grid: Grid, rng: np.random.Generator, radius: float, share: float) -> np.ndarray:
    """Small, smooth and very round, as in an erythroblast."""
    size = radius * share**0.5
    place = _off_centre(rng, (radius - size) * 0.45)
    return outline(grid.moved(*place), rng, size, elongation=rng.uniform(0.92, 1.0), irregularity=0.008)


def oval_nucleus(grid: Grid, rng: np.random.Generator, radius: float, share: float) -> np.ndarray:
    """Oval and off centre, as in a myelocyte or promyelocyte."""
    size = radius * share**0.5
    place = _off_centre(rng, (radius - size) * 0.85)
    warped = grid.warped(rng, radius * 0.025, radius * 0.3)
    return outline(warped.moved(*place), rng, size, elongation=rng.uniform(0.78, 0.95), irregularity=0.03)


def kidney_nucleus(grid: Grid, rng: np.random.Generator, radius: float, share: float) -> np.ndarray:
    """Indented on one side, as in a metamyelocyte."""
    return _bent(grid, rng, radius, share, bend=rng.uniform(0.30, 0.38), extent=rng.uniform(2.0, 2.7))


def folded_nucleus(grid: Grid, rng: np.random.Generator, radius: float, share: float) -> np.ndarray:
    """Broad, folded horseshoe with uneven lobes, as in a monocyte."""
    warped = grid.warped(rng, radius * 0.06, radius * 0.28)
    return _bent(warped, rng, radius, share, bend=rng.uniform(0.34, 0.42), extent=rng.uniform(2.4, 3.6), uneven=0.1)


def band_nucleus(grid: Grid, rng: np.random.Generator, radius: float, share: float) -> np.ndarray:
    """A bent band of even width, as in a band neutrophil."""
    warped = grid.warped(rng, radius * 0.03, radius * 0.25)
    return _bent(warped, rng, radius, share, bend=rng.uniform(0.48, 0.54), extent=rng.uniform(3.0, 4.1), uneven=0.06)


def segmented_nucleus(grid: Grid, rng: np.random.Generator, radius: float, share: float) -> np.ndarray:
    """Three or four lobes joined by narrow bridges, as in a segmented neutrophil."""
    return _lobed(grid, rng, radius, share, lobes=int(rng.choice([3, 3, 4])), bridge=rng.uniform(0.22, 0.4))


def two_lobed_nucleus(grid: Grid, rng: np.random.Generator, radius: float, share: float) -> np.ndarray:
    """Two plump lobes and a bridge, as in an eosinophil."""
    return _lobed(grid, rng, radius, share, lobes=2, bridge=rng.uniform(0.2, 0.45))


def _off_centre(rng: np.random.Generator, distance: float) -> np.ndarray:
    turn = rng.uniform(0, 2 * np.pi)
    return distance * np.array([np.sin(turn), np.cos(turn)])


def _bent(
    grid: Grid,
    rng: np.random.Generator,
    radius: float,
    share: float,
    *,
    bend: float,
    extent: float,
    uneven: float = 0.04,
) -> np.ndarray:
    turn = rng.uniform(0, 2 * np.pi)
    points = arc(bend * radius, extent, turn)
    along = np.linspace(0, 1, len(points))
    swing = np.sin(2 * np.pi * along * rng.uniform(0.8, 1.6) + rng.uniform(0, 2 * np.pi))
    ends = np.abs(2 * along - 1) ** 2
    profile = 1 + uneven * swing + 0.12 * ends
    centred = points - 0.6 * points.mean(axis=0)
    return _of_area(grid, centred, profile, share * np.pi * radius**2, 0.3 * radius)


def _lobed(
    grid: Grid, rng: np.random.Generator, radius: float, share: float, *, lobes: int, bridge: float
) -> np.ndarray:
    size = radius * (share / lobes) ** 0.5
    extent = {2: rng.uniform(1.9, 2.6), 3: rng.uniform(2.9, 3.8), 4: rng.uniform(3.9, 4.6)}[lobes]
    step = extent / (lobes - 1)
    turn = rng.uniform(0, 2 * np.pi)
    reach = min(radius - size * 1.3, 1.18 * size / np.sin(step / 2)) if lobes > 2 else radius * rng.uniform(0.40, 0.47)
    angles = turn + step * (np.arange(lobes) - (lobes - 1) / 2) + rng.normal(0, 0.12, lobes)
    centres = reach * rng.normal(1, 0.08, (lobes, 1)) * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    points, profile = [], []
    for number, centre in enumerate(centres):
        heading = angles[number] + np.pi / 2 + rng.normal(0, 0.5)
        half = size * rng.uniform(0.25, 0.55) * np.array([np.sin(heading), np.cos(heading)])
        bulge = rng.uniform(0.85, 1.1)
        for part in np.linspace(-1, 1, 7):
            points.append(centre + part * half)
            profile.append(bulge * (1 - 0.12 * part * rng.uniform(-1, 1)))
        if number:
            for part in np.linspace(0, 1, 16):
                points.append((1 - part) * centres[number - 1] + part * centre)
                profile.append(bridge)
    middle = np.mean(points, axis=0)
    warped = grid.warped(rng, radius * 0.025, radius * 0.2)
    return _of_area(
        warped, np.array(points) - 0.8 * middle, np.array(profile), share * np.pi * radius**2, 0.25 * radius
    )


def _of_area(grid: Grid, points: np.ndarray, profile: np.ndarray, target: float, width: float) -> np.ndarray:
    # The widths are scaled until the nucleus takes its share of the cell; depth grows evenly, so that few steps do.
    coarse = Grid(grid.rows[::4, ::4], grid.columns[::4, ::4])
    pixel = 16 / SUPERSAMPLING**2
    for _ in range(6):
        area = (thick_curve(coarse, points, width * profile, smoothing=0) > 0).sum() * pixel
        width *= (target / max(area, 1.0)) ** 0.6
    return thick_curve(grid, points, width * profile)


SHAPES: dict[str, Shape] = {
    "round": round_nucleus,
    "dense": dense_nucleus,
    "oval": oval_nucleus,
    "kidney": kidney_nucleus,
    "folded": folded_nucleus,
    "band": band_nucleus,
    "segmented": segmented_nucleus,
    "two-lobed": two_lobed_nucleus,
}
