"""A labelled folder → what the exploratory report needs of each image, each read once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image
from scipy import fft
from skimage.feature import local_binary_pattern

from dashboard import images
from dashboard.errors import ImageError, LabelsError

if TYPE_CHECKING:
    from dashboard.classifier import Classifier

CHANNELS = ("red", "green", "blue")
BINS = 32  # of a channel's histogram: 8 of the 256 values each
HASH_BITS = 143
_SIDE = 96  # pixels; colour and texture are measured at one size, so that a larger file is not another texture
_RADII = (1, 3)  # pixels at that size
_POINTS = 8
_BATCH = 32
_COLUMNS = ["path", "file", "label", "split", "site", "subject"]


@dataclass(frozen=True)
class Images:
    """The N images that could be read, and the rows that could not.

    Attributes
    ----------
    rows : pandas.DataFrame
        path, file, label, split, site, subject, image_id (text), height, width (pixels).
    rejected : pandas.DataFrame
        path, label, reason.
    colours : numpy.ndarray
        float32, shape (N, 3, `BINS`): the share of pixels in each bin of red, green and blue; each channel sums to 1.
    textures : numpy.ndarray
        float32, shape (N, 20): shares of the uniform local binary patterns at two radii.
    hashes : numpy.ndarray
        bool, shape (N, 8, `HASH_BITS`): `perceptual_hash` of the image as it is, turned by quarters, and mirrored.
    model_features : numpy.ndarray or None
        float32, shape (N, D): the last spatial layer of a model, averaged over its places.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame
    colours: np.ndarray
    textures: np.ndarray
    hashes: np.ndarray
    model_features: np.ndarray | None = None


def read_images(rows: Iterable[Any], classifier: Classifier | None = None) -> Images:
    """Read and measure every image of a labelled folder.

    Parameters
    ----------
    rows : iterable of named tuples
        `Labels.rows.itertuples()`; wrap it to watch the progress.
    classifier : Classifier, optional
        Its features are kept beside those of colour and texture.

    Returns
    -------
    Images
        An image that cannot be read is a row of `rejected` and stops nothing.

    Raises
    ------
    LabelsError
        Not one could be read.
    """
    kept: list[tuple[Any, ...]] = []
    rejected: list[tuple[str, str, str]] = []
    measured: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    waiting: list[np.ndarray] = []
    features: list[np.ndarray] = []
    for row in rows:
        try:
            image = images.read(row.file)
        except ImageError as error:
            rejected.append((row.path, row.label, str(error)))
            continue
        kept.append((*(getattr(row, name) for name in _COLUMNS), image.image_id, *image.pixels.shape[:2]))
        measured.append((colour_histogram(image.pixels), texture(image.pixels), perceptual_hash(image.pixels)))
        if classifier is not None:
            waiting.append(classifier.prepare(image.pixels))
            if len(waiting) == _BATCH:
                features.append(_features(classifier, waiting))
                waiting = []
    if not kept:
        first = f" The first, {rejected[0][0]}: {rejected[0][2]}" if rejected else ""
        raise LabelsError(f"None of the {len(rejected)} images could be read.{first}")
    if classifier is not None and waiting:
        features.append(_features(classifier, waiting))
    colours, textures, hashes = (np.stack(part) for part in zip(*measured, strict=True))
    return Images(
        pd.DataFrame(kept, columns=[*_COLUMNS, "image_id", "height", "width"]),
        pd.DataFrame(rejected, columns=["path", "label", "reason"]),
        colours,
        textures,
        hashes,
        np.concatenate(features) if features else None,
    )


def colour_histogram(pixels: np.ndarray) -> np.ndarray:
    """Count the shares of pixels by value: uint8 (H, W, 3) → float32 (3, `BINS`), each channel summing to 1."""
    small = np.asarray(_small(pixels))
    counts = [np.bincount(small[..., channel].ravel() // (256 // BINS), minlength=BINS) for channel in range(3)]
    return (np.stack(counts) / small[..., 0].size).astype(np.float32)


def texture(pixels: np.ndarray) -> np.ndarray:
    """Count the shares of uniform local binary patterns: uint8 (H, W, 3) → float32 (20,), ten for each radius.

    Notes
    -----
    Source: Ojala, Pietikäinen & Mäenpää 2002, doi:10.1109/TPAMI.2002.1017623.
    """
    grey = np.asarray(_small(pixels).convert("L"))
    patterns = [local_binary_pattern(grey, _POINTS, radius, "uniform").astype(int) for radius in _RADII]
    counts = [np.bincount(pattern.ravel(), minlength=_POINTS + 2) for pattern in patterns]
    return (np.concatenate(counts) / grey.size).astype(np.float32)


def perceptual_hash(pixels: np.ndarray) -> np.ndarray:
    """Hash what an image looks like: few bits change with size, compression or brightness.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (H, W, 3), RGB.

    Returns
    -------
    numpy.ndarray
        bool, shape (8, `HASH_BITS`): first the image as it is, then its quarter turns and their mirror images. Each
        bit says whether one of the lowest frequencies of the cosine transform lies above their median.

    Notes
    -----
    Source: Zauner 2010, Implementation and benchmarking of perceptual image hash functions, thesis, Hagenberg.
    """
    grey = np.asarray(Image.fromarray(pixels).convert("L").resize((32, 32), Image.Resampling.BILINEAR), np.float64)
    seen = [np.rot90(side, turns) for side in (grey, grey[:, ::-1]) for turns in range(4)]
    lowest = fft.dctn(np.stack(seen), axes=(1, 2), norm="ortho")[:, :12, :12].reshape(8, -1)[:, 1:]
    return lowest > np.median(lowest, axis=1, keepdims=True) + 1e-6  # a blank image: no bit, whatever the rounding


def _small(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _features(classifier: Classifier, prepared: list[np.ndarray]) -> np.ndarray:
    return classifier.features(np.stack(prepared), [classifier.last_spatial_layer])
