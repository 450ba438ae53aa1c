"""Write docs/REPRODUCTION.md: what the five papers reported beside what was measured here."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dashboard.records import write_atomically


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "--results", type=Path, default=Path("docs/results"), metavar="DIR", help="holds papers.csv and reproduction/"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("docs/REPRODUCTION.md"),
        metavar="MD",
        help="the page to write (docs/REPRODUCTION.md)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Read the rows and the results, write the document."""
    from dashboard.training import reported, reproduction

    rows = reported.read_rows(arguments.results / reported.PAPERS)
    results = reported.read_results(arguments.results / reported.RESULTS)
    link = Path(os.path.relpath(arguments.results / reported.RESULTS, arguments.out.parent)).as_posix()
    write_atomically(arguments.out, reproduction.document(rows, results, link).encode())
    print(f"{len(rows)} reported rows, {len(results)} result files. Written: {arguments.out}")
