"""Random textures with a measured correlation and a measured range of colours."""

from __future__ import annotations

import numpy as np

from dashboard.synthesis.shapes import SIDE, SUPERSAMPLING, Grid

LAG = SIDE * SUPERSAMPLING / 256  # elements of the drawing in one pixel of the images that were measured


def correlated_noise(rng: np.random.Generator, shape: tuple[int, ...], correlation: np.ndarray) -> np.ndarray:
    """Gaussian noise whose autocorrelation is the measured one, by random phases on its spectrum.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the drawing.
    correlation : numpy.ndarray
        float, shape (L,), at lags of 0, 1, ... measured pixels; taken as 0 beyond.

    Returns
    -------
    numpy.ndarray
        float, shape (H, W), mean 0, SD 1.
    """
    offsets = [np.fft.fftfreq(side, 1 / side) for side in shape]
    lag = np.hypot(offsets[0][:, None], offsets[1][None]) / LAG
    taper = np.linspace(1, 0, len(correlation))
    covariance = np.interp(lag, np.arange(len(correlation)), correlation * taper, right=0.0)
    spectrum = np.clip(np.fft.rfft2(covariance).real, 0, None)
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * np.sqrt(spectrum), shape)
    return (noise - noise.mean()) / noise.std()


def ranks(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Rank of each element among those inside the mask, in [0, 1], 0.5 outside; float, the shape of `values`."""
    result = np.full(values.shape, 0.5)
    inside = values[mask]
    result[mask] = np.argsort(np.argsort(inside)) / max(1, len(inside) - 1)
    return result


def ramp_colours(ramp: np.ndarray, quantiles: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Look colours up: share 0 the darkest, 1 the lightest; float (H, W, 3) from a ramp (Q, 3)."""
    return np.stack([np.interp(share, quantiles, ramp[:, channel]) for channel in range(3)], axis=-1)


def granules(
    grid: Grid, rng: np.random.Generator, where: np.ndarray, count: int, radius: tuple[float, float]
) -> np.ndarray:
    """Scatter small round granules.

    Parameters
    ----------
    where : numpy.ndarray
        bool, the grid's shape: where their centres may lie.
    count : int
        How many.
    radius : tuple of float
        Least and greatest, in pixels of the finished image.

    Returns
    -------
    numpy.ndarray
        float, the grid's shape: 0 between granules to 1 in the middle of one. All 0 where nothing may lie.
    """
    result = np.zeros(grid.rows.shape)
    places = np.argwhere(where)
    if not len(places) or not count:
        return result
    reach = int(np.ceil(radius[1] * SUPERSAMPLING * 1.6))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    for row, column in places[rng.integers(len(places), size=count)]:
        size = rng.uniform(*radius) * SUPERSAMPLING
        window = np.s_[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
        part = result[window]
        cut = np.s_[max(0, reach - row) :, max(0, reach - column) :]
        stretch, turn = rng.uniform(0.85, 1.15), rng.uniform(0, np.pi)
        along = rows * np.cos(turn) + columns * np.sin(turn)
        across = columns * np.cos(turn) - rows * np.sin(turn)
        spot = np.clip((1.35 - np.hypot(along * stretch, across / stretch) / size) / 0.7, 0, 1)
        spot = spot[cut][: part.shape[0], : part.shape[1]]
        np.maximum(part, spot * rng.uniform(0.75, 1.0), out=part)
    return result
