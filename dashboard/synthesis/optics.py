"""From drawing to photograph: averaging onto the camera's pixels, blur, sharpening, grain."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from dashboard.synthesis.shapes import SIDE, SUPERSAMPLING

_LUMA = np.array([0.299, 0.587, 0.114])


def photograph(
    drawing: np.ndarray, rng: np.random.Generator, grain: np.ndarray, blur: float = 0.65, sharpening: float = 0.75
) -> np.ndarray:
    """Photograph a drawing.

    Parameters
    ----------
    drawing : numpy.ndarray
        float, shape (720, 720, 3), RGB 0 to 255.
    grain : numpy.ndarray
        float, shape (3,): SD of the camera's noise.
    blur : float
        SD of the optics' blur, in pixels of the photograph.
    sharpening : float
        Strength of the camera's unsharp mask; 0 for none.

    Returns
    -------
    numpy.ndarray
        uint8, shape (360, 360, 3).
    """
    blurred = ndimage.gaussian_filter(drawing, (blur * SUPERSAMPLING, blur * SUPERSAMPLING, 0), mode="nearest")
    image = blurred.reshape(SIDE, SUPERSAMPLING, SIDE, SUPERSAMPLING, 3).mean(axis=(1, 3))
    luma = image @ _LUMA
    colour = _without_fine_colour(image - luma[..., None])
    luma += sharpening * (luma - ndimage.gaussian_filter(luma, 1.5))
    image = colour + luma[..., None]
    noise = ndimage.gaussian_filter(rng.standard_normal(image.shape), (0.7, 0.7, 0))
    image += noise / noise.std() * grain
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _without_fine_colour(colour: np.ndarray) -> np.ndarray:
    """Keep colour at half the resolution, as cameras and JPEG do; hence the soft colour edges of real images."""
    halves = colour.reshape(SIDE // 2, 2, SIDE // 2, 2, 3).mean(axis=(1, 3))
    return ndimage.gaussian_filter(halves.repeat(2, axis=0).repeat(2, axis=1), (0.8, 0.8, 0))
