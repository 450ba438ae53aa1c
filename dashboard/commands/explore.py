"""Look at a labelled folder before training on it: a report of its classes, sites, duplicates and doubtful labels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.bundles import Bundle, find_bundle
from dashboard.commands.arguments import add_labels, read_labels_for
from dashboard.records import write_atomically

if TYPE_CHECKING:
    from dashboard.exploration.reading import Images
    from dashboard.labels import Labels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_labels(parser)
    parser.add_argument(
        "--model", help="a bundle whose features describe the images; without it, their colour and texture do"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="for report.html and the tables behind it"
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure every image, then write the tables and the report, and print its sentences."""
    from dashboard.exploration.report import report_html
    from dashboard.exploration.sections import SECTIONS, study

    bundle = find_bundle(arguments.model) if arguments.model else None
    labels = read_labels_for(arguments, None)
    images = _read(labels, bundle)
    given = study(images, labels.rejected, bundle)
    sections = [section(given) for section in SECTIONS]
    for section in sections:
        for name, table in section.tables.items():
            write_atomically(arguments.out / name, table.to_csv(index=False, lineterminator="\n").encode("utf-8"))
        print("\n  ".join([section.title, *section.sentences]))
    source = ", ".join([arguments.labels.name, *arguments.where])
    seen = f"features of {bundle.card.id}" if bundle else "features of colour and texture"
    subtitle = f"{source}: {len(images.rows)} images, {seen}."
    files = dict(zip(images.rows["path"], images.rows["file"], strict=True))
    page = report_html("Exploratory report", subtitle, sections, files)
    write_atomically(arguments.out / "report.html", page.encode("utf-8"))
    print(f"Written to {arguments.out / 'report.html'}")


def _read(labels: Labels, bundle: Bundle | None) -> Images:
    from tqdm import tqdm

    from dashboard.exploration.reading import read_images

    classifier = None
    if bundle:
        from dashboard.classifier import load_classifier

        classifier = load_classifier(bundle)
    rows = tqdm(labels.rows.itertuples(), total=len(labels.rows), unit=" images", desc="Reading", disable=None)
    return read_images(rows, classifier)
