"""Is a drawn cell a copy of a real one? The nearest real image, in every orientation, and how near real ones lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.fft import dctn
from skimage.metrics import structural_similarity

SIDE = 32
_COMPARED_SIDE = 128


@dataclass(frozen=True)
class Nearest:
    """The real image nearest to a drawn one.

    Attributes
    ----------
    rms : float
        Root mean square difference of the RGB pixels at 32x32, 0 (the same) to 255, least over all real images and
        the eight orientations.
    hash_bits : int
        Least number of the 63 bits of the perceptual hash that differ, over the same.
    ssim : float
        Structural similarity, -1 to 1 (the same), with the image that `rms` found, upright at 128x128.
    """

    rms: float
    hash_bits: int
    ssim: float


class RealImages:
    """Small descriptions of many real images, to search for the nearest.

    Parameters
    ----------
    files : iterable of str
        Image files.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self.files = list(files)
        small = np.stack([_shrunk(file) for file in self.files])
        self.pixels = small.reshape(len(small), -1).astype(np.float32)
        self.hashes = np.stack([perceptual_hash(one) for one in small])

    def nearest(self, pixels: np.ndarray) -> Nearest:
        """Find the nearest real image to uint8 (H, W, 3) pixels."""
        small = _small(Image.fromarray(pixels))
        rms, hash_bits, best = np.inf, 64, 0
        for turned in orientations(small):
            distances = self._distances(turned)
            if distances.min() < rms:
                rms, best = float(distances.min()), int(distances.argmin())
            hash_bits = min(hash_bits, int((self.hashes != perceptual_hash(turned)).sum(axis=1).min()))
        return Nearest(rms, hash_bits, _similarity(pixels, self.files[best]))

    def own_distances(self, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Distances (RMS, hash bits) from `count` of the images to the nearest other one, upright."""
        rows = np.random.default_rng(seed).choice(len(self.files), min(count, len(self.files)), replace=False)
        rms, bits = [], []
        for row in rows:
            distances = self._distances(self.pixels[row])
            differing = (self.hashes != self.hashes[row]).sum(axis=1)
            distances[row], differing[row] = np.inf, 64
            rms.append(distances.min())
            bits.append(differing.min())
        return np.array(rms), np.array(bits)

    def _distances(self, small: np.ndarray) -> np.ndarray:
        flat = small.reshape(-1).astype(np.float32)
        squares = (self.pixels**2).sum(axis=1) - 2 * self.pixels @ flat + flat @ flat
        return np.sqrt(np.clip(squares, 0, None) / flat.size)


def orientations(pixels: np.ndarray) -> list[np.ndarray]:
    """The eight quarter turns and mirror images of (N, N, 3) pixels."""
    turned = [np.rot90(pixels, quarter) for quarter in range(4)]
    return turned + [one[:, ::-1] for one in turned]


def perceptual_hash(pixels: np.ndarray) -> np.ndarray:
    """Signs of the lowest frequencies of the grey image about their median; bool (63,).

    Source: the DCT hash of C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010.
    """
    frequencies = dctn(pixels.astype(float).mean(axis=-1), norm="ortho")[:8, :8].ravel()[1:]
    return frequencies > np.median(frequencies)


def _small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))


def _shrunk(file: str) -> np.ndarray:
    with Image.open(file) as image:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is decoded at a quarter of its size
        return _small(image)


def _similarity(pixels: np.ndarray, file: str) -> float:
    with Image.open(file) as image:
        real = np.asarray(image.convert("L").resize((_COMPARED_SIDE, _COMPARED_SIDE), Image.Resampling.BOX))
    grey = Image.fromarray(pixels).convert("L").resize((_COMPARED_SIDE, _COMPARED_SIDE), Image.Resampling.BOX)
    return float(structural_similarity(np.asarray(grey), real, data_range=255))
