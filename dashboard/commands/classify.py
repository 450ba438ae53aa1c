"""Classify image files, folders and ZIP archives into a CSV."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from dashboard.bundles import find_bundle
from dashboard.errors import SourceError
from dashboard.records import write_atomically
from dashboard.sources import open_paths


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="an image, a folder or a ZIP archive")
    parser.add_argument("--model", required=True, metavar="ID", help="a bundle of model_store, or a bundle's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="one row a file, rejected ones too")


def run(arguments: argparse.Namespace) -> None:
    """Classify everything and write the table at once."""
    bundle = find_bundle(arguments.model)
    source = open_paths(arguments.paths)
    from dashboard.batch import classify_items
    from dashboard.classifier import load_classifier

    chunks = list(_with_progress(classify_items(source, load_classifier(bundle)), len(source)))
    table = pd.concat(chunks, ignore_index=True)
    write_atomically(arguments.out, table.to_csv(index=False, lineterminator="\n").encode("utf-8"))
    rejected = int((table["status"] == "rejected").sum())
    print(f"{len(table) - rejected} classified, {rejected} rejected: {arguments.out}", file=sys.stderr)
    if rejected == len(table):
        raise SourceError(f"None of the {len(table)} files could be classified. The first: {table['reason'].iloc[0]}")


def _with_progress(chunks: Iterator[pd.DataFrame], total: int) -> Iterator[pd.DataFrame]:
    done = 0
    for chunk in chunks:
        done += len(chunk)
        print(f"\r{done} of {total} files", end="", file=sys.stderr, flush=True)
        yield chunk
    print(file=sys.stderr)
