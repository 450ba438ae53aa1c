"""The sample images: what each shows, how it is drawn, and the table beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from dashboard.errors import StorageError
from dashboard.images import encode_png
from dashboard.synthesis.appearance import Appearance, appearance, mixed
from dashboard.synthesis.optics import photograph
from dashboard.synthesis.red_cells import draw_debris, draw_field, draw_precipitate, draw_red_cell
from dashboard.synthesis.shapes import Grid, drawing_grid
from dashboard.synthesis.white_cells import RECIPES, draw_cell, radius_of

NO_CELL = "no_cell"
COLUMNS = ("path", "label", "kind", "note", "synthetic", "seed")


@dataclass(frozen=True)
class Sample:
    """One sample image.

    Attributes
    ----------
    name : str
        File name without suffix.
    label : str
        Class that it is meant to show, or "no_cell".
    kind : {"typical", "doubtful", "no_cell"}
    note : str
        One phrase for the reader.
    recipe : str
        Key of `white_cells.RECIPES`; "" for no cell.
    towards : str
        Another kind, half of whose measured appearance is mixed in; "" for none.
    nucleus : str
        Instead of the recipe's shape.
    vacuoles : int
        Holes in the cytoplasm instead of the recipe's number; 0 leaves it.
    blur : float
        SD of the optics' blur, in pixels.
    covering : int
        Red cells that lie over the cell's edge.
    precipitate : bool
        Whether stain precipitate lies on the field.
    """

    name: str
    label: str
    kind: str
    note: str
    recipe: str = ""
    towards: str = ""
    nucleus: str = ""
    vacuoles: int = 0
    blur: float = 0.65
    covering: int = 0
    precipitate: bool = False


def _typical() -> list[Sample]:
    kinds = [(label, label, 3, "") for label in ("basophil", "eosinophil", "erythroblast")]
    kinds += [("immature_granulocyte", kind, 1, kind) for kind in ("promyelocyte", "myelocyte", "metamyelocyte")]
    kinds += [(label, label, 3, "") for label in ("lymphocyte", "monocyte")]
    kinds += [("neutrophil", "neutrophil_segmented", 2, "segmented"), ("neutrophil", "neutrophil_band", 2, "band")]
    kinds += [("platelet", "platelet", 3, "")]
    samples = []
    for label, recipe, count, note in kinds:
        for number in range(1, count + 1):
            name = f"{recipe}_{number}" if count > 1 else recipe
            samples.append(Sample(name, label, "typical", note, recipe))
    return samples


_DOUBTFUL = [
    Sample(
        "doubtful_metamyelocyte_band", "neutrophil", "doubtful", "between metamyelocyte and band",
        recipe="neutrophil_band", towards="metamyelocyte", nucleus="kidney",
    ),
    Sample(
        "doubtful_lymphocyte_monocyte", "lymphocyte", "doubtful", "large: reactive lymphocyte or monocyte",
        recipe="lymphocyte", towards="monocyte", nucleus="folded",
    ),
    Sample(
        "doubtful_neutrophil_eosinophil", "neutrophil", "doubtful", "colours half-way to an eosinophil",
        recipe="neutrophil_segmented", towards="eosinophil",
    ),
    Sample(
        "doubtful_monocyte_vacuoles", "monocyte", "doubtful", "many vacuoles, half-way to a metamyelocyte",
        recipe="monocyte", towards="metamyelocyte", vacuoles=14,
    ),
    Sample("doubtful_out_of_focus", "lymphocyte", "doubtful", "out of focus", recipe="lymphocyte", blur=3.2),
    Sample("doubtful_overlapped", "neutrophil", "doubtful", "overlapped by red cells",
           recipe="neutrophil_segmented", covering=3),
]  # fmt: skip
_WITHOUT_CELL = [
    Sample("no_cell_red_cells", NO_CELL, "no_cell", "red cells only"),
    Sample("no_cell_precipitate", NO_CELL, "no_cell", "stain precipitate", precipitate=True),
]
SAMPLES: tuple[Sample, ...] = (*_typical(), *_DOUBTFUL, *_WITHOUT_CELL)


def draw_sample(sample: Sample, seed: int, measured: Appearance | None = None) -> np.ndarray:
    """Draw one sample.

    Parameters
    ----------
    seed : int
        The same sample and seed give the same pixels.

    Returns
    -------
    numpy.ndarray
        uint8, shape (360, 360, 3), RGB.
    """
    measured = measured or appearance()
    rng = np.random.default_rng([seed, *sample.name.encode()])
    grid = drawing_grid()
    if sample.recipe:
        image = _field_with_cell(sample, grid, rng, measured)
    else:
        image = draw_field(grid, rng, measured, 0)
        if sample.precipitate:
            draw_precipitate(image, grid, rng)
    return photograph(image, rng, measured.field.grain, sample.blur)


def _field_with_cell(sample: Sample, grid: Grid, rng: np.random.Generator, measured: Appearance) -> np.ndarray:
    recipe = RECIPES[sample.recipe]
    recipe = replace(recipe, nucleus=sample.nucleus or recipe.nucleus, vacuoles=sample.vacuoles or recipe.vacuoles)
    cell = measured.cells[sample.recipe]
    if sample.towards:
        cell = mixed(cell, measured.cells[sample.towards], 0.5)
    radius = radius_of(rng, recipe, cell)
    image = draw_field(grid, rng, measured, radius)
    draw_debris(image, grid, rng, int(rng.integers(0, 4)), radius)
    draw_cell(image, grid, rng, recipe, radius, measured=measured, cell=cell)
    for turn in rng.uniform(0, 2 * np.pi) + np.arange(sample.covering) * 2.1:
        place = radius * np.array([np.sin(turn), np.cos(turn)])
        draw_red_cell(image, grid, rng, measured, (float(place[0]), float(place[1]), 72.0))
    return image


def write_samples(folder: Path, seed: int = 0, tell: Callable[[str], None] = print) -> pd.DataFrame:
    """Draw every sample into a folder, with labels.csv.

    Parameters
    ----------
    folder : Path
        Made if need be; files of the same names are replaced.

    Returns
    -------
    pandas.DataFrame
        The table as written: `COLUMNS`, a row a sample.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    rows = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for sample in SAMPLES:
            path = f"{sample.name}.png"
            (folder / path).write_bytes(encode_png(draw_sample(sample, seed)))
            rows.append((path, sample.label, sample.kind, sample.note, "yes", seed))
            tell(path)
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        write_table(folder, table)
    except OSError as error:
        raise StorageError(f"The samples cannot be written to {folder}: {error.strerror}.") from error
    return table


def read_table(folder: Path) -> pd.DataFrame:
    """Read labels.csv of a folder of samples, as text."""
    return pd.read_csv(folder / "labels.csv", dtype=str, keep_default_na=False)


def write_table(folder: Path, table: pd.DataFrame) -> None:
    """Write labels.csv of a folder of samples."""
    table.to_csv(folder / "labels.csv", index=False)
