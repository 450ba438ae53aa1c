"""Is this picture fit to be read? Blur, size and colour, against the model's training images.

The reference is measured on the training images when a bundle is packed and lies in its card; nothing is typed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from dashboard.bundles import Card, Quality

SIDE = 128  # pixels; every image is judged at this size, so that a larger file is not a sharper one
_GREY = 2.0  # mean difference between the channels, of 255, under which there is no stain colour
_WIDER = 0.25  # of the range's own width, on either side: other days and microscopes are not defects
_SOFTER = 0.7  # of the 1st percentile of sharpness


@dataclass(frozen=True)
class QualityMeasures:
    """What was measured on one image.

    Attributes
    ----------
    sharpness : float
        Variance of the Laplacian over the variance of the grey values at `SIDE` pixels; 0 is flat or fully blurred.
        Divided so that a pale stain is not taken for blur.
    colour : tuple of float
        Mean red, green and blue, 0 to 255.
    colourfulness : float
        Mean difference between the highest and the lowest channel, 0 (grey) to 255.
    height, width : int
        Size in pixels.
    """

    sharpness: float
    colour: tuple[float, float, float]
    colourfulness: float
    height: int
    width: int


def measure(pixels: np.ndarray) -> QualityMeasures:
    """Measure one image in less than a millisecond.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB.

    Returns
    -------
    QualityMeasures

    Notes
    -----
    Source: Pech-Pacheco et al. 2000, Diatom autofocusing in brightfield microscopy, doi 10.1109/ICPR.2000.903548.
    """
    image = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=1.0)
    grey = np.asarray(image.convert("L"), np.float32)
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    variance = float(grey.var())
    red, green, blue = np.moveaxis(np.asarray(image), 2, 0)
    return QualityMeasures(
        sharpness=float(laplacian.var()) / variance if variance > 1e-6 else 0.0,
        colour=(float(red.mean()), float(green.mean()), float(blue.mean())),
        colourfulness=float(
            (np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)).mean()
        ),
        height=pixels.shape[0],
        width=pixels.shape[1],
    )


def reference(measures: Sequence[QualityMeasures]) -> Quality | None:
    """Summarise the training images.

    Parameters
    ----------
    measures : sequence of QualityMeasures
        One for each training image; a few hundred are enough.

    Returns
    -------
    Quality or None
        The 1st percentile of sharpness and the 1st and 99th of each colour channel, widened; None without images.
    """
    from dashboard.bundles import Quality

    if not measures:
        return None
    colours = np.array([one.colour for one in measures])
    low, high = np.percentile(colours, [1, 99], axis=0)
    margin = _WIDER * (high - low) + 2.0
    sharpness = float(np.percentile([one.sharpness for one in measures], 1))
    return Quality(
        sharpness_low=_SOFTER * sharpness,
        colour_low=_triple(np.clip(low - margin, 0, 255)),
        colour_high=_triple(np.clip(high + margin, 0, 255)),
    )


def quality_warnings(pixels: np.ndarray, card: Card) -> list[str]:
    """Say what may be wrong with a picture; the model still reads it.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB.
    card : Card
        Of the model that will read it. Without a quality reference only size and greyscale are judged.

    Returns
    -------
    list of str
        Sentences; empty if nothing was found.
    """
    measures, known, needed = measure(pixels), card.quality, card.input
    found = []
    if min(measures.height, measures.width) < min(needed.height, needed.width):
        found.append(
            f"Small image: {measures.width}x{measures.height} pixels, enlarged to the model's "
            f"{needed.width}x{needed.height}."
        )
    if known and measures.sharpness < known.sharpness_low:
        found.append(
            f"Blurred: sharpness {measures.sharpness:.3f}; nearly all training images have {known.sharpness_low:.3f} "
            "or more."
        )
    if measures.colourfulness < _GREY:
        found.append("Greyscale: the stain's colour, which the model was trained on, is missing.")
    elif known and (channels := _outside(measures.colour, known)):
        found.append(f"Colour cast: {channels} than the training images; stain, light or white balance differ.")
    return found


def _outside(colour: tuple[float, float, float], known: Quality) -> str:
    bounds = zip(("red", "green", "blue"), colour, known.colour_low, known.colour_high, strict=True)
    words = [
        f"{'less' if value < low else 'more'} {name} ({value:.0f}, not {low:.0f}–{high:.0f})"
        for name, value, low, high in bounds
        if not low <= value <= high
    ]
    return ", ".join(words)


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (round(float(value), 1) for value in values)
    return red, green, blue
