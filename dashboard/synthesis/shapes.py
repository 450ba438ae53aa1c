"""Outlines as depth maps: positive inside, 0 on the edge, about the distance to it in pixels of a 360-pixel image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

SIDE = 360
SUPERSAMPLING = 2


@dataclass(frozen=True)
class Grid:
    """Where each pixel of the drawing lies, in pixels of the finished 360-pixel image from its centre.

    Attributes
    ----------
    rows, columns : numpy.ndarray
        float, shape (720, 720), -180 to 180.
    """

    rows: np.ndarray
    columns: np.ndarray

    def window(self, row: float, column: float, reach: float) -> tuple[tuple[slice, slice], Grid]:
        """The part of the grid within `reach` pixels of a place, as slices and as a grid about that place."""
        rows = np.flatnonzero(np.abs(self.rows[:, 0] - row) <= reach)
        columns = np.flatnonzero(np.abs(self.columns[0] - column) <= reach)
        if not len(rows) or not len(columns):
            return (slice(0, 0), slice(0, 0)), Grid(np.empty((0, 0)), np.empty((0, 0)))
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return part, Grid(self.rows[part] - row, self.columns[part] - column)

    def moved(self, row: float, column: float) -> Grid:
        """The same pixels seen from another origin."""
        return Grid(self.rows - row, self.columns - column)

    def warped(self, rng: np.random.Generator, amplitude: float, scale: float) -> Grid:
        """The same pixels shifted by smooth noise of this amplitude (SD) and scale, both in pixels."""
        shape = self.rows.shape
        shifts = [amplitude * smooth_noise(rng, shape, scale * SUPERSAMPLING) for _ in range(2)]
        return Grid(self.rows + shifts[0], self.columns + shifts[1])


def drawing_grid() -> Grid:
    """Make the grid of a whole drawing."""
    axis = (np.arange(SIDE * SUPERSAMPLING) + 0.5) / SUPERSAMPLING - SIDE / 2
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    return Grid(rows, columns)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> np.ndarray:
    """Gaussian-filtered white noise; float (H, W), mean 0, SD 1, `scale` the filter's SD in array elements."""
    step = max(1, int(scale / 4))  # what is smoother than the array needs no more than every step-th element
    small = [side // step + 2 for side in shape]
    noise = ndimage.gaussian_filter(rng.standard_normal(small), scale / step, mode="wrap")
    noise = ndimage.zoom(noise, step, order=1)[: shape[0], : shape[1]] if step > 1 else noise[: shape[0], : shape[1]]
    return (noise - noise.mean()) / noise.std()


def outline(
    grid: Grid,
    rng: np.random.Generator,
    radius: float,
    *,
    elongation: float = 1.0,
    irregularity: float = 0.02,
    crenation: float = 0.0,
) -> np.ndarray:
    """Draw a closed outline: an ellipse whose radius varies by a few smooth harmonics.

    Parameters
    ----------
    radius : float
        Of the circle of the same area, in pixels.
    elongation : float
        Minor by major axis, in (0, 1].
    irregularity : float
        SD of each harmonic, relative to the radius.
    crenation : float
        Height of regular spikes along the edge, relative to the radius.

    Returns
    -------
    numpy.ndarray
        float, the grid's shape: depth in pixels.
    """
    turn = rng.uniform(0, np.pi)
    along = grid.columns * np.cos(turn) + grid.rows * np.sin(turn)
    across = grid.rows * np.cos(turn) - grid.columns * np.sin(turn)
    stretched = np.hypot(along * elongation**0.5, across / elongation**0.5)
    angle = np.arctan2(across, along)
    edge = np.full_like(angle, 1.0)
    for order in range(2, 8):
        edge += rng.normal(0, irregularity * 2 / order) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    if crenation:
        edge += crenation * np.cos(rng.integers(9, 15) * angle + 2 * np.cos(2 * angle + rng.uniform(0, 6)))
    return radius * edge - stretched


def thick_curve(grid: Grid, points: np.ndarray, widths: np.ndarray, smoothing: float = 1.5) -> np.ndarray:
    """Draw a curve of varying half width: lobes where it is wide, bridges where it is narrow.

    Parameters
    ----------
    points : numpy.ndarray
        float, shape (N, 2): row and column along the curve, in pixels.
    widths : numpy.ndarray
        float, shape (N,): half width at each point, in pixels.
    smoothing : float
        SD of the rounding of inner corners, in pixels.

    Returns
    -------
    numpy.ndarray
        float, the grid's shape: depth in pixels.
    """
    depth = np.full(grid.rows.shape, -np.inf)
    for (row, column), width in zip(points, widths, strict=True):
        np.maximum(depth, width - np.hypot(grid.rows - row, grid.columns - column), out=depth)
    return ndimage.gaussian_filter(depth, smoothing * SUPERSAMPLING) if smoothing else depth


def arc(radius: float, extent: float, turn: float, count: int = 40) -> np.ndarray:
    """Points on an arc about the origin; (count, 2) row and column; `extent` and `turn` in radians."""
    angle = turn + np.linspace(-extent / 2, extent / 2, count)
    return radius * np.stack([np.sin(angle), np.cos(angle)], axis=1)


def coverage(depth: np.ndarray, softness: float = 0.8) -> np.ndarray:
    """Depth → opacity in [0, 1], 0.5 on the edge; `softness` is half the width of the edge in pixels."""
    share = np.clip(depth / (2 * softness) + 0.5, 0, 1)
    return share * share * (3 - 2 * share)
