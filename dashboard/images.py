"""Bytes → pixels: the one door through which every image enters.

What comes out is always 8-bit RGB; what cannot become that without guessing is refused with a sentence.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from dashboard.errors import ImageError

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
MAX_BYTES = 64 * 2**20
MAX_PIXELS = 25_000_000  # 5,000 x 5,000: 75 MB decoded; larger is a whole field or a decompression bomb
MIN_SIDE = 16

_SIXTEEN_BIT_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")


@dataclass(frozen=True)
class SmearImage:
    """A decoded image.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB, 0 black to 255 white.
    image_id : str
        SHA-256 of shape and pixels, in hexadecimal: the same picture has the same id whatever its file is called.
    notes : tuple of str
        What was changed on the way in, one sentence each; empty for a plain 8-bit RGB file.
    """

    pixels: np.ndarray
    image_id: str
    notes: tuple[str, ...] = ()


def image_id(pixels: np.ndarray) -> str:
    """Identify an image by what it shows.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3).

    Returns
    -------
    str
        64 hexadecimal digits; the shape enters, so that 2x8 and 4x4 images of the same bytes differ.

    Examples
    --------
    >>> image_id(np.zeros((1, 1, 3), np.uint8))[:8]
    '5b5b6c1f'
    """
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def decode(data: bytes) -> SmearImage:
    """Decode the bytes of one image file.

    The content decides, never the file's suffix. Palette, CMYK, greyscale and alpha images become RGB and carry a
    note; the EXIF orientation is applied.

    Parameters
    ----------
    data : bytes
        A whole JPEG, PNG, BMP, TIFF or WebP file.

    Returns
    -------
    SmearImage

    Raises
    ------
    ImageError
        Empty, truncated, not an image, animated or multi-page, more than 8 bits a channel, larger than
        `MAX_PIXELS` or `MAX_BYTES`, or a side under `MIN_SIDE` pixels. Size and depth are judged from the header,
        before anything is decoded.
    """
    if not data:
        raise ImageError("The file is empty (0 bytes); copy it again from its source.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"An image file may have at most {MAX_BYTES >> 20} MB; this one has {len(data) >> 20} MB.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own size and EXIF warnings; the limits here are stricter
        notes: list[str] = []
        try:
            image = _open(data)
            _check_header(image, data)
            image.load()
            pixels = _to_rgb(ImageOps.exif_transpose(image), notes)
        except ImageError:
            raise
        except Exception as error:  # on damaged bytes Pillow raises nearly every built-in type
            raise ImageError("The image is damaged or cut short; copy it again from its source.") from error
    return SmearImage(pixels, image_id(pixels), tuple(notes))


def read(path: Path | str) -> SmearImage:
    """Read and decode one file; see `decode`.

    Raises
    ------
    ImageError
        As `decode`; also when the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"The file cannot be read: {error.strerror or error}.") from error
    return decode(data)


def encode_png(pixels: np.ndarray) -> bytes:
    """Encode uint8 (H, W, 3) pixels as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def thumbnail(pixels: np.ndarray, side: int = 96) -> np.ndarray:
    """Shrink to at most `side` pixels; uint8 (h, w, 3), aspect kept, never enlarged."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large("over 178") + " Crop it to single cells.") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            "The file must be a JPEG, PNG, BMP, TIFF or WebP image; its content is none of these."
        ) from error


def _too_large(megapixels: str) -> str:
    return f"An image may have at most {MAX_PIXELS // 10**6} megapixels; this one has {megapixels}."


def _check_header(image: Image.Image, data: bytes) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(_too_large(f"{width * height / 1e6:.0f} ({width}x{height})") + " Crop it to single cells.")
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"Each side must have at least {MIN_SIDE} pixels; this image is {width}x{height}.")
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageError(f"The file must hold one image; it holds {frames} frames. Export the one to be read.")
    if image.mode in _SIXTEEN_BIT_MODES or _depth(image, data) > 8:
        raise ImageError("An image must have 8 bits a channel; this one has more. Export it as 8-bit RGB.")


def _depth(image: Image.Image, data: bytes) -> int:
    # Pillow reads 16-bit RGB as 8-bit without a word.
    if image.format == "PNG":
        return data[24]  # in the header chunk, which is always the first
    if image.format == "TIFF":
        return max(image.tag_v2.get(ExifTags.Base.BitsPerSample, (1,)))  # type: ignore[attr-defined]
    return 8


def _to_rgb(image: Image.Image, notes: list[str]) -> np.ndarray:
    if image.mode == "RGB" and "transparency" not in image.info:
        return np.asarray(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        if np.asarray(image.getchannel("A")).min() < 255:
            notes.append("Transparency was replaced by white.")
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, image).convert("RGB"))
    if image.mode in ("1", "L"):
        notes.append("The image is greyscale: the stain's colour, which the model was trained on, is missing.")
    elif image.mode == "P":
        notes.append("Palette colours were converted to RGB.")
    else:
        notes.append(f"{image.mode} colours were converted to RGB and may differ from the original stain.")
    return np.asarray(image.convert("RGB"))
