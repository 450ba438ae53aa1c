"""Outline the leukocyte and its nucleus in every picture, and count the cells of a field."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.errors import ImageError, SourceError
from dashboard.records import write_atomically
from dashboard.sources import open_paths

if TYPE_CHECKING:
    import numpy as np

    from dashboard.sources import Item

COLUMNS = (
    "image_id",
    "file_name",
    "status",
    "reason",
    "cell_area",
    "nucleus_area",
    "leukocytes",
    "red_cells",
    "overlay",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="an image, a folder or a ZIP archive")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="for counts.csv and one overlay PNG an image"
    )


def run(arguments: argparse.Namespace) -> None:
    """Segment and count every picture, draw its overlay, then write the table."""
    import pandas as pd
    from tqdm import tqdm

    source = open_paths(arguments.paths)
    rows = [_row(item, arguments.out) for item in tqdm(source, total=len(source), unit="image")]
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_atomically(
        arguments.out / "counts.csv", table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode()
    )
    counts = table["status"].value_counts()
    print(", ".join(f"{number} {status}" for status, number in counts.items()) + f": {arguments.out}", file=sys.stderr)
    if set(counts.index) == {"rejected"}:
        raise SourceError(f"None of the {len(table)} files could be read. The first: {table['reason'].iloc[0]}")


def _row(item: Item, out: Path) -> dict[str, Any]:
    from dashboard.images import decode, encode_png
    from dashboard.morphology.counting import count_cells
    from dashboard.morphology.segmentation import segment

    row: dict[str, Any] = {"file_name": item.name, "status": "rejected", "reason": item.reason}
    if item.data is None:
        return row
    try:
        image = decode(item.data)
    except ImageError as error:
        return row | {"reason": str(error)}
    found, counted = segment(image.pixels), count_cells(image.pixels)
    overlay = f"{image.image_id[:16]}.png"
    write_atomically(out / overlay, encode_png(_outlined(image.pixels, found.cell, found.nucleus)))
    return row | {
        "image_id": image.image_id,
        "status": "found" if found.found else "not found",
        "reason": found.reason,
        "cell_area": float(found.cell.mean()),
        "nucleus_area": float(found.nucleus.mean()),
        "leukocytes": counted.leukocytes,
        "red_cells": counted.red_cells,
        "overlay": overlay,
    }


def _outlined(pixels: np.ndarray, cell: np.ndarray, nucleus: np.ndarray) -> np.ndarray:
    """Draw the outline of the cell in green and that of its nucleus in yellow."""
    from dashboard.morphology.contour import outline

    drawn = pixels.copy()
    drawn[outline(cell)] = (0, 170, 0)
    drawn[outline(nucleus)] = (255, 225, 0)
    return drawn
