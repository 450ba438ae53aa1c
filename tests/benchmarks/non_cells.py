"""Pictures of no blood cell: scikit-image's photographs in pieces, plain and noisy fields, smear background."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from scipy.ndimage import gaussian_filter

# those that come inside scikit-image's wheel; the others are downloads
PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "cat", "coffee", "coins", "colorwheel", "grass", "gravel", "horse"),
    *("hubble_deep_field", "immunohistochemistry", "moon", "page", "rocket", "text"),
)


def photographs(pieces: int = 6, seed: int = 0) -> list[np.ndarray]:
    """Return each photograph's centre and some random squares of it: uint8 (H, W, 3)."""
    random = np.random.default_rng(seed)
    found = []
    for name in PHOTOGRAPHS:
        if not (Path(skimage.data.__file__).parent / _file_of(name)).is_file():
            continue
        picture = _rgb(getattr(skimage.data, name)())
        height, width = picture.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        found.append(picture[top : top + side, left : left + side])
        for _ in range(pieces):
            size = int(side * random.uniform(0.3, 0.7))
            top, left = random.integers(0, height - size), random.integers(0, width - size)
            found.append(picture[top : top + size, left : left + size])
    return found


def fields(seed: int = 0) -> list[np.ndarray]:
    """Return plain colours, white noise and coloured clouds: uint8 (256, 256, 3), fifty in all."""
    random = np.random.default_rng(seed)
    plain = [np.full((256, 256, 3), random.integers(0, 256, 3), np.uint8) for _ in range(20)]
    noise = [random.integers(0, 256, (256, 256, 3)).astype(np.uint8) for _ in range(10)]
    clouds = []
    for _ in range(20):
        cloud = gaussian_filter(random.normal(size=(256, 256, 3)), (*[random.uniform(1, 20)] * 2, 0))
        clouds.append(np.uint8(255 * (cloud - cloud.min()) / np.ptp(cloud)))
    return plain + noise + clouds


def corners(pictures: list[np.ndarray], share: float = 0.28) -> list[np.ndarray]:
    """Cut one corner out of each picture of a centred cell: red cells and plasma, seldom a part of the cell."""
    found = []
    for number, picture in enumerate(pictures):
        height, width = (int(side * share) for side in picture.shape[:2])
        top = slice(0, height) if number % 2 else slice(-height, None)
        left = slice(0, width) if number // 2 % 2 else slice(-width, None)
        found.append(picture[top, left])
    return found


def _file_of(name: str) -> str:
    special = {
        "colorwheel": "color.png",
        "camera": "camera.png",
        "cat": "chelsea.png",
        "immunohistochemistry": "ihc.png",
    }
    endings = {"hubble_deep_field": ".jpg", "rocket": ".jpg"}
    return special.get(name, name + endings.get(name, ".png"))


def _rgb(picture: np.ndarray) -> np.ndarray:
    if picture.dtype == bool:
        picture = np.uint8(255 * picture)
    if picture.ndim == 2:
        picture = np.stack([picture] * 3, axis=-1)
    return np.ascontiguousarray(picture[..., :3].astype(np.uint8))
