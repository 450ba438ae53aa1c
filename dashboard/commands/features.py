"""Segment the cell of every labelled image and measure it: areas, shape, texture, colour, outline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboard.commands.arguments import add_labels, read_labels_for
from dashboard.errors import LabelsError
from dashboard.records import write_atomically


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_labels(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.csv", help="one row an image; beside it FILE_rejected.csv"
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure every image, then write both tables."""
    import pandas as pd
    from tqdm import tqdm

    from dashboard.morphology.table import feature_table

    labels = read_labels_for(arguments, None)
    table, failed = feature_table(labels.rows, lambda rows: tqdm(rows, unit="image"))
    rejected = pd.concat([labels.rejected, failed], ignore_index=True) if len(failed) else labels.rejected
    beside = arguments.out.with_name(f"{arguments.out.stem}_rejected.csv")
    write_atomically(beside, rejected.to_csv(index=False, lineterminator="\n").encode("utf-8"))
    if table.empty:
        raise LabelsError(f"None of the {len(rejected)} images could be measured; {beside.name} says why for each.")
    write_atomically(arguments.out, table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode("utf-8"))
    print(f"{len(table)} cells measured, {len(rejected)} rejected: {arguments.out}", file=sys.stderr)
