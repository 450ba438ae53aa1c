"""Pixels → the array a model was trained on. It belongs to the model (its card says how), never to the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from dashboard.errors import BundleError
from dashboard.white_balance import Colour, with_glass

SCALINGS = ("none", "zero_to_one", "minus_one_to_one", "caffe", "torch")
CONTRASTS = ("none", "autocontrast", "equalise")
RESIZES = ("centre", "stretch")

# keras.applications.imagenet_utils.preprocess_input, modes "caffe" and "torch"
_CAFFE_MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)
_TORCH_MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
_TORCH_SD = np.array([0.229, 0.224, 0.225], np.float32) * 255


@dataclass(frozen=True)
class InputSpec:
    """How an image becomes a model's input.

    Attributes
    ----------
    height, width : int
        Size of the model's input in pixels.
    resize : {"centre", "stretch"}
        "centre" takes the largest centred region of the input's aspect; "stretch" takes the whole image.
    crop : float
        Share of that region's side that is kept, about its centre, in (0, 1].
    scaling : {"none", "zero_to_one", "minus_one_to_one", "caffe", "torch"}
        What the network expects of 0...255: unchanged, x/255, x/127.5 - 1, or ImageNet's means (Keras's names).
    contrast : {"none", "autocontrast", "equalise"}
        Histogram-based enhancement before scaling.
    glass : tuple of float, optional
        Red, green and blue, 0 to 255, that the empty glass is brought to; see `dashboard.white_balance`.
    """

    height: int = 224
    width: int = 224
    resize: str = "centre"
    crop: float = 1.0
    scaling: str = "minus_one_to_one"
    contrast: str = "none"
    glass: Colour | None = None

    def __post_init__(self) -> None:
        for name, allowed in (("resize", RESIZES), ("scaling", SCALINGS), ("contrast", CONTRASTS)):
            value = getattr(self, name)
            if value not in allowed:
                raise BundleError(f"The input's {name} must be one of {', '.join(allowed)}; it is {value!r}.")
        if not 0 < self.crop <= 1:
            raise BundleError(f"The input's crop must be in (0, 1]; it is {self.crop}.")
        if min(self.height, self.width) < 8:
            raise BundleError(f"The input must be at least 8x8 pixels; it is {self.height}x{self.width}.")


def region(shape: tuple[int, ...], spec: InputSpec) -> tuple[float, float, float, float]:
    """Find the part of an image that the model sees.

    Parameters
    ----------
    shape : tuple of int
        (H, W, ...) of the image in pixels.

    Returns
    -------
    tuple of float
        (top, left, bottom, right) in pixels of the image; edges, not centres, so that a whole image is (0, 0, H, W).

    Examples
    --------
    >>> region((100, 200, 3), InputSpec(crop=0.5))
    (25.0, 75.0, 75.0, 125.0)
    """
    height, width = float(shape[0]), float(shape[1])
    if spec.resize == "centre":
        scale = min(height / spec.height, width / spec.width)
        kept_height, kept_width = spec.height * scale * spec.crop, spec.width * scale * spec.crop
    else:
        kept_height, kept_width = height * spec.crop, width * spec.crop
    top, left = (height - kept_height) / 2, (width - kept_width) / 2
    return top, left, top + kept_height, left + kept_width


def prepare(pixels: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Crop, resize and enhance one image; scaling follows in the compiled graph.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3).

    Returns
    -------
    numpy.ndarray
        uint8, shape (spec.height, spec.width, 3). Pillow's bicubic filter with antialiasing.
    """
    image = Image.fromarray(pixels)
    top, left, bottom, right = region(pixels.shape, spec)
    box = (left, top, right, bottom)
    # reducing_gap: a quick box reduction first, so that a 20-megapixel field costs no more than it must
    image = image.resize((spec.width, spec.height), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    if spec.contrast == "autocontrast":
        image = ImageOps.autocontrast(image, cutoff=1)
    elif spec.contrast == "equalise":
        image = ImageOps.equalize(image)
    prepared = np.asarray(image)
    return with_glass(prepared, spec.glass) if spec.glass else prepared


def shrunk(prepared: np.ndarray, size: float) -> np.ndarray:
    """Make prepared images smaller, and fill the margin with their mirror image.

    Parameters
    ----------
    prepared : numpy.ndarray
        uint8, shape (N, h, w, 3).
    size : float
        Of the new picture relative to the old, in [0.34, 1]: the mirror image reaches no farther.

    Returns
    -------
    numpy.ndarray
        uint8, same shape.
    """
    height, width = prepared.shape[1:3]
    inner_height, inner_width = round(height * size), round(width * size)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    margins = ((top, height - inner_height - top), (left, width - inner_width - left), (0, 0))
    smaller = [
        np.asarray(Image.fromarray(image).resize((inner_width, inner_height), Image.Resampling.BICUBIC))
        for image in prepared
    ]
    return np.stack([np.pad(image, margins, mode="reflect") for image in smaller])


def scale(images: Any, scaling: str) -> Any:
    """Bring 0...255 floats to the range a network expects.

    Plain arithmetic, so that it serves NumPy arrays and TensorFlow tensors alike.

    Parameters
    ----------
    images : array or tensor
        float32, shape (..., H, W, 3), RGB, 0 to 255.
    scaling : str
        One of `SCALINGS`.

    Returns
    -------
    array or tensor
        Same type and shape: [0, 255], [0, 1], [-1, 1] or standardised by ImageNet's means.
    """
    if scaling == "zero_to_one":
        return images / 255.0
    if scaling == "minus_one_to_one":
        return images / 127.5 - 1.0
    if scaling == "caffe":
        return images[..., ::-1] - _CAFFE_MEAN_BGR
    if scaling == "torch":
        return (images - _TORCH_MEAN) / _TORCH_SD
    return images
