"""The measured appearance of cells and field, read from `statistics.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

STATISTICS = Path(__file__).with_name("statistics.json")


@dataclass(frozen=True)
class Region:
    """Colour and texture of a nucleus or a cytoplasm.

    Attributes
    ----------
    ramp : numpy.ndarray
        float, shape (Q, 3): RGB from the darkest to the lightest pixels, at `Appearance.quantiles`.
    between_images : numpy.ndarray
        float, shape (3, 3): covariance of the mean RGB from image to image.
    correlation : numpy.ndarray
        float, shape (L,): autocorrelation of luma at lags of 0, 1, ... pixels of a 256-pixel image.
    """

    ramp: np.ndarray
    between_images: np.ndarray
    correlation: np.ndarray


@dataclass(frozen=True)
class CellAppearance:
    """One kind of cell; each size is its 10 %, 50 % and 90 % quantile.

    Attributes
    ----------
    diameter : numpy.ndarray
        Of the circle of the same area, in pixels of a 360-pixel image.
    elongation : numpy.ndarray
        Minor by major axis, 1 for a circle.
    nucleus_share : numpy.ndarray
        Area of the nucleus by that of the cell.
    nucleus, cytoplasm : Region
    """

    diameter: np.ndarray
    elongation: np.ndarray
    nucleus_share: np.ndarray
    nucleus: Region
    cytoplasm: Region


@dataclass(frozen=True)
class FieldAppearance:
    """Glass and red cells around the cell.

    Attributes
    ----------
    glass : numpy.ndarray
        float, shape (3,), RGB; `glass_between_images` is its covariance and `grain` the camera's noise (SD).
    covered : numpy.ndarray
        Share of the field that red cells cover (10 %, 50 %, 90 %); likewise `diameter` and `elongation`.
    profile : numpy.ndarray
        float, shape (B, 3): RGB of a red cell from its edge to its centre; `profile_axes` (3, B, 3) its variation.
    """

    glass: np.ndarray
    glass_between_images: np.ndarray
    grain: np.ndarray
    covered: np.ndarray
    diameter: np.ndarray
    elongation: np.ndarray
    profile: np.ndarray
    profile_axes: np.ndarray


@dataclass(frozen=True)
class Appearance:
    """Everything that was measured: `cells` by kind (for example "neutrophil_band"), and the field."""

    quantiles: np.ndarray
    cells: dict[str, CellAppearance]
    field: FieldAppearance


@cache
def appearance() -> Appearance:
    """Read the measured numbers (once)."""
    data = json.loads(STATISTICS.read_text(encoding="utf-8"))
    field = {name.removeprefix("red_cell_"): np.array(value) for name, value in data["field"].items()}
    known = {name: field[name] for name in FieldAppearance.__dataclass_fields__}
    cells = {kind: _cell(numbers) for kind, numbers in data["cells"].items()}
    return Appearance(np.array(data["quantiles"]), cells, FieldAppearance(**known))


def mixed(first: CellAppearance, second: CellAppearance, share: float) -> CellAppearance:
    """Go from one kind (share 0) to another (share 1), number by number."""

    def between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (1 - share) * one + share * other

    def region(one: Region, other: Region) -> Region:
        return Region(*(between(getattr(one, name), getattr(other, name)) for name in Region.__dataclass_fields__))

    return CellAppearance(
        between(first.diameter, second.diameter),
        between(first.elongation, second.elongation),
        between(first.nucleus_share, second.nucleus_share),
        region(first.nucleus, second.nucleus),
        region(first.cytoplasm, second.cytoplasm),
    )


def _cell(numbers: dict) -> CellAppearance:
    sizes = [np.array(numbers[name]) for name in ("diameter", "elongation", "nucleus_share")]
    regions = [
        Region(*(np.array(numbers[region][name]) for name in Region.__dataclass_fields__))
        for region in ("nucleus", "cytoplasm")
    ]
    return CellAppearance(sizes[0], sizes[1], sizes[2], regions[0], regions[1])
