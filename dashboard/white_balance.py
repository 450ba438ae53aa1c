"""Empty glass in the colour that it has in the training images: another hospital's lamp and camera undone.

Scaling the density of the dyes as well was tried and made cells of another site worse; see docs/NEW_HOSPITALS.md.
"""

from __future__ import annotations

import numpy as np

_BRIGHTEST = 75  # percentile of brightness above which a pixel counts as glass
_DARKEST_GLASS = 30.0  # below this there is no glass to speak of: the gain stays finite
Colour = tuple[float, float, float]


def glass_colour(pixels: np.ndarray) -> Colour:
    """Find the colour of the empty glass.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB. Every fourth pixel along each side is looked at.

    Returns
    -------
    tuple of float
        Red, green, blue, 0 to 255: the median of the brightest quarter of the pixels.
    """
    step = 4 if min(pixels.shape[:2]) >= 32 else 1
    values = pixels[::step, ::step].reshape(-1, 3)
    brightness = values.sum(axis=1, dtype=np.int32)
    red, green, blue = np.median(values[brightness >= np.percentile(brightness, _BRIGHTEST)], axis=0)
    return float(red), float(green), float(blue)


def with_glass(pixels: np.ndarray, colour: Colour) -> np.ndarray:
    """Multiply each channel so that the glass gets this colour.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB.

    Returns
    -------
    numpy.ndarray
        uint8, same shape.
    """
    gain = np.array(colour) / np.maximum(glass_colour(pixels), _DARKEST_GLASS)
    table = np.clip(np.round(np.arange(256)[:, None] * gain), 0, 255).astype(np.uint8)
    return np.stack([table[:, channel][pixels[..., channel]] for channel in range(3)], axis=-1)
