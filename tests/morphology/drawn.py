"""Drawn smears whose every measure is known."""

from __future__ import annotations

import numpy as np

GLASS, RED, CYTOPLASM, NUCLEUS = (245, 235, 225), (200, 160, 150), (150, 125, 195), (70, 30, 120)


def disc(shape: tuple[int, int], row: float, column: float, radius: float) -> np.ndarray:
    rows, columns = np.indices(shape)
    return (rows - row) ** 2 + (columns - column) ** 2 < radius**2


def smear(shape: tuple[int, int] = (200, 240)) -> np.ndarray:
    """Red cells at two corners, on glass that is not quite even."""
    pixels = np.full((*shape, 3), GLASS, np.float64)
    for row, column in ((40, 40), (shape[0] - 40, shape[1] - 40)):
        pixels[disc(shape, row, column, 26)] = RED
    return noisy(pixels)


def noisy(pixels: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.clip(pixels + random.normal(0, 2, pixels.shape), 0, 255).astype(np.uint8)


def with_cell(pixels: np.ndarray, row: float, column: float, radius: float = 36, nucleus: float = 22) -> np.ndarray:
    drawn = pixels.astype(np.float64)
    drawn[disc(pixels.shape[:2], row, column, radius)] = CYTOPLASM
    drawn[disc(pixels.shape[:2], row, column, nucleus)] = NUCLEUS
    return noisy(drawn)
