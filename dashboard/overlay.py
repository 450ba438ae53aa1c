"""A map of evidence laid over its image, with its legend, and as one picture to keep. Pillow and NumPy only."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from dashboard.errors import ExplanationError

DISCLAIMER = "Research and education only; not a medical device."

# Viridis (van der Walt & Smith 2015, CC0): even in lightness and safe for colour-blind readers, and its bright end,
# yellow-green, is the complement of a stained cell's purple. Every 15th of matplotlib's 256 entries; straight lines
# between them stay within 5 of 255. matplotlib itself would cost half a second of import for one table.
_VIRIDIS = np.frombuffer(
    bytes.fromhex(
        "440154 481769 472a7a 433d84 3d4e8a 355e8d 2e6d8e 297b8e 23898e"
        "1f978b 21a585 2eb37c 46c06f 65cb5e 89d548 b0dd2f d8e219 fde725"
    ),
    np.uint8,
).reshape(-1, 3)
_PANEL = (320, 1024)  # least and largest side of a panel in the picture, in pixels


def colours(values: np.ndarray) -> np.ndarray:
    """Colour values by the ramp.

    Parameters
    ----------
    values : numpy.ndarray
        float, any shape, [0, 1]; outside is cut off.

    Returns
    -------
    numpy.ndarray
        uint8, shape (..., 3): dark violet for 0 to yellow for 1.

    Examples
    --------
    >>> colours(np.array([0.0, 1.0])).tolist()
    [[68, 1, 84], [253, 231, 37]]
    """
    stops = np.linspace(0, 1, len(_VIRIDIS))
    channels = [np.interp(values, stops, _VIRIDIS[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def overlay(pixels: np.ndarray, evidence: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Lay a map over its image.

    The colour's share of a pixel is `opacity` times the map's value: no evidence leaves the pixel as it was.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3).
    evidence : numpy.ndarray
        float32, shape (H, W), [0, 1].
    opacity : float
        Share of the colour where the map is 1, [0, 1].

    Returns
    -------
    numpy.ndarray
        uint8, shape (H, W, 3).

    Raises
    ------
    ExplanationError
        The map is not of the image's size, or the opacity is not in [0, 1].
    """
    if evidence.shape != pixels.shape[:2]:
        raise ExplanationError(
            f"A map must have the size of its image, {pixels.shape[0]}x{pixels.shape[1]}; it has shape "
            f"{evidence.shape}. Explain this image again."
        )
    if not 0 <= opacity <= 1:
        raise ExplanationError(f"The opacity must be from 0 to 1; got {opacity}.")
    share = (opacity * np.clip(evidence, 0, 1))[..., None].astype(np.float32)
    return np.rint(pixels * (1 - share) + colours(evidence) * share).astype(np.uint8)


def legend_swatch(width: int = 256, height: int = 12) -> np.ndarray:
    """Draw the ramp from 0 (left) to 1 (right); uint8, shape (height, width, 3)."""
    return np.repeat(colours(np.linspace(0, 1, width))[None], height, axis=0)


def legend_labels(class_name: str) -> tuple[str, str]:
    """Say what the two ends of the ramp mean.

    Examples
    --------
    >>> legend_labels("Monocyte")
    ('low', 'high evidence for Monocyte')
    """
    return "low", f"high evidence for {class_name}"


def picture(
    pixels: np.ndarray,
    evidence: np.ndarray,
    class_name: str,
    captions: Sequence[str] = (),
    opacity: float = 0.5,
) -> np.ndarray:
    """Draw the original beside its overlay, with legend, captions and the disclaimer.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3).
    evidence : numpy.ndarray
        float32, shape (H, W), [0, 1].
    class_name : str
        As on screen.
    captions : sequence of str
        Lines below: model id, method, note. Empty ones are left out.

    Returns
    -------
    numpy.ndarray
        uint8, shape (h, w, 3), on white.
    """
    left = _panel(pixels)
    right = _panel(overlay(pixels, evidence, opacity))
    gap, line = 12, 20
    width = 2 * left.width + 3 * gap
    lines = [text for caption in (*captions, DISCLAIMER) for text in _wrapped(caption, width - 2 * gap)]
    sheet = Image.new("RGB", (width, left.height + 3 * gap + line * (len(lines) + 2)), "white")
    sheet.paste(left, (gap, gap))
    sheet.paste(right, (2 * gap + left.width, gap))
    draw, font = ImageDraw.Draw(sheet), _font()
    top = left.height + 2 * gap
    sheet.paste(Image.fromarray(legend_swatch(left.width)), (2 * gap + left.width, top))
    low, high = legend_labels(class_name)
    draw.text((2 * gap + left.width, top + 15), low, "black", font)
    draw.text((2 * (gap + left.width), top + 15), high, "black", font, anchor="ra")
    draw.text((gap, top), "original", "black", font)
    for row, text in enumerate(lines):
        draw.text((gap, top + line * (row + 2)), text, "black", font)
    return np.asarray(sheet)


def picture_png(picture: np.ndarray, about: dict[str, str]) -> bytes:
    """Encode a picture as PNG with `about` (and the disclaimer) as its text fields."""
    fields = PngImagePlugin.PngInfo()
    for name, text in {**about, "Disclaimer": DISCLAIMER}.items():
        fields.add_itxt(name, text)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", pnginfo=fields)
    return buffer.getvalue()


def _panel(pixels: np.ndarray) -> Image.Image:
    least, largest = _PANEL
    height, width = pixels.shape[:2]
    factor = max(least / width, 1.0) if width < least else min(1.0, largest / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=13)


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font().getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
