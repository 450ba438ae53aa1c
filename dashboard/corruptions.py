"""What may befall an image before a model sees it: noise, blur, compression, light, stain, turn and scale.

A corruption acts on the decoded image at its own size, before the model's crop and resize; so noise of one sigma is
averaged away in part where a large image is shrunk, as it would be in use.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from dashboard.images import SmearImage

BLUR_SIDE = 224  # pixels: what the sigma of the blur refers to, whatever the size of the image


@dataclass(frozen=True)
class Corruption:
    """One way to spoil an image, at several strengths.

    Attributes
    ----------
    name, display_name : str
        In files, and on screen.
    unit : str
        What a severity is: the title of its axis.
    severities : tuple of float
        Ascending along the axis; none of them leaves the image as it is.
    apply : callable
        (pixels uint8 (H, W, 3), severity, generator) → a new uint8 array of the same shape.
    form : str
        How a severity is printed, such as "σ {:g}".
    clean : float
        Where on the axis the untouched image stands; severities on either side of it grow worse away from it.
    clean_tick : str
        What the axis says there.
    """

    name: str
    display_name: str
    unit: str
    severities: tuple[float, ...]
    apply: Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
    form: str
    clean: float = 0.0
    clean_tick: str = "0"


def corrupted(image: SmearImage, corruption: Corruption, severity: float, seed: int = 0) -> np.ndarray:
    """Corrupt one image; the same image, corruption, severity and seed always give the same pixels.

    Returns
    -------
    numpy.ndarray
        uint8, shape (H, W, 3).
    """
    key = f"{seed} {image.image_id} {corruption.name} {severity:g}"
    generator = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()))
    return corruption.apply(image.pixels, severity, generator)


def add_gaussian_noise(pixels: np.ndarray, sigma: float, generator: np.random.Generator) -> np.ndarray:
    """Add independent noise of mean 0 to each pixel and channel; sigma in 8-bit levels.

    Source: Makem, Tamas & Buşoniu 2025, Front Artif Intell 8:1620252 (sigma 2, 5, 8 and 10 as test noise).
    """
    return _to_uint8(pixels + np.float32(sigma) * generator.standard_normal(pixels.shape, np.float32))


def blur(pixels: np.ndarray, sigma: float, _: np.random.Generator) -> np.ndarray:
    """Blur by a Gaussian; sigma in pixels of an image whose shorter side has `BLUR_SIDE` of them."""
    spread = sigma * min(pixels.shape[:2]) / BLUR_SIDE
    return _to_uint8(ndimage.gaussian_filter(pixels.astype(np.float32), (spread, spread, 0)))


def compress(pixels: np.ndarray, quality: float, _: np.random.Generator) -> np.ndarray:
    """Write and read as JPEG; Pillow's quality, 1 to 95, with chroma at half size."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=int(quality))
    return np.asarray(Image.open(buffer))


def brighten(pixels: np.ndarray, percent: float, _: np.random.Generator) -> np.ndarray:
    """Multiply every channel by 1 + percent / 100; what exceeds white is white."""
    return _to_uint8(pixels * np.float32(1 + percent / 100))


def shift_stain(pixels: np.ndarray, shift: float, _: np.random.Generator) -> np.ndarray:
    """Scale the optical density of haematoxylin by 1 + shift and that of eosin by 1 - shift.

    Notes
    -----
    The two stand for the azure and the eosin of a Romanowsky stain. Densities keep their sign: `skimage.rgb2hed` sets
    negative ones to 0, and that alone, without any shift, changes May-Grünwald-Giemsa images visibly.

    Source: Ruifrok & Johnston 2001, Anal Quant Cytol Histol 23:291 (the vectors, from scikit-image); Tellez et al.
    2018, doi:10.1109/TMI.2018.2820199 (scaling each).
    """
    from skimage.color import hed_from_rgb, rgb_from_hed

    matrix = hed_from_rgb @ np.diag([1 + shift, 1 - shift, 1.0]) @ rgb_from_hed
    density = -np.log(np.maximum(pixels, 1) / np.float32(255))
    return _to_uint8(255 * np.exp(-(density @ matrix.astype(np.float32))))


def rotate(pixels: np.ndarray, degrees: float, _: np.random.Generator) -> np.ndarray:
    """Turn anticlockwise about the centre; the border mirrors the image, so that no corner is black."""
    from skimage import transform

    return _to_uint8(transform.rotate(pixels.astype(np.float32), degrees, mode="reflect", preserve_range=True))


def zoom(pixels: np.ndarray, factor: float, _: np.random.Generator) -> np.ndarray:
    """Magnify (above 1) or shrink (below 1) about the centre.

    Beyond its border the image is mirrored, so parts of a cell that nearly fills it are seen twice when it shrinks.
    """
    height, width = pixels.shape[:2]
    rows, columns = (int(np.ceil(max(0.0, 1 / factor - 1) / 2 * side)) for side in (height, width))
    canvas = np.pad(pixels, ((rows, rows), (columns, columns), (0, 0)), "symmetric")
    top, left = (canvas.shape[0] - height / factor) / 2, (canvas.shape[1] - width / factor) / 2
    box = (left, top, left + width / factor, top + height / factor)
    return np.asarray(Image.fromarray(canvas).resize((width, height), Image.Resampling.BICUBIC, box=box))


def _to_uint8(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


CORRUPTIONS = {
    corruption.name: corruption
    for corruption in (
        Corruption(
            "gaussian_noise", "Gaussian noise", "σ in 8-bit levels", (2, 5, 8, 10, 20), add_gaussian_noise, "σ {:g}"
        ),
        Corruption(
            "blur", "Gaussian blur", f"σ in pixels of a {BLUR_SIDE}-pixel side", (0.5, 1, 2, 3, 4), blur, "σ {:g} px"
        ),
        Corruption(
            "jpeg", "JPEG", "quality", (10, 20, 40, 60, 80), compress, "quality {:g}", clean=100, clean_tick="none"
        ),
        Corruption(
            "brightness", "Brightness", "change in %", (-40, -30, -20, -10, 10, 20, 30, 40), brighten, "{:+g} %"
        ),
        Corruption(
            "stain", "Stain shift", "haematoxylin up, eosin down by", (0.1, 0.2, 0.3, 0.4, 0.5), shift_stain, "{:g}"
        ),
        Corruption("rotation", "Rotation", "degrees", (15, 30, 45, 60, 75, 90), rotate, "{:g}°"),
        Corruption("zoom", "Zoom", "magnification", (0.6, 0.8, 1.2, 1.4, 1.6), zoom, "×{:g}", clean=1, clean_tick="1"),
    )
}
