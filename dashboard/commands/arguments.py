"""Arguments that several verbs share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

from dashboard.errors import LabelsError
from dashboard.labels import Labels, read_labels


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Add --labels, --images and --where."""
    parser.add_argument(
        "--labels",
        type=Path,
        required=True,
        metavar="CSV",
        help="columns path and label; split, site, subject are used",
    )
    parser.add_argument(
        "--images", type=Path, required=True, metavar="DIR", help="the folder that the paths are relative to"
    )
    parser.add_argument(
        "--where", action="append", default=[], metavar="COLUMN=VALUE", help="use only these rows; may be repeated"
    )


def read_labels_for(arguments: argparse.Namespace, classes: Collection[str] | None) -> Labels:
    """Read the labels that the arguments name; say on stderr how many rows were left out and why."""
    where = {}
    for pair in arguments.where:
        column, equals, value = pair.partition("=")
        if not equals:
            raise LabelsError(f"--where takes COLUMN=VALUE; got {pair!r}.")
        where[column] = value
    labels = read_labels(arguments.labels, arguments.images, classes, where)
    for reason, rows in labels.rejected.groupby("reason"):
        print(f"{len(rows)} rows left out: {reason}", file=sys.stderr)
    return labels
