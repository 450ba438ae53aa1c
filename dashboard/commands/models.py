"""List every bundle of the model store, verified or with the reason why not."""

from __future__ import annotations

import argparse
from pathlib import Path

from dashboard.bundles import MODEL_STORE, BundleStatus, list_bundles
from dashboard.errors import BundleError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--store", type=Path, default=MODEL_STORE, help="folder of the bundles")
    parser.add_argument("--quick", action="store_true", help="check hashes only; do not load the networks")


def run(arguments: argparse.Namespace) -> None:
    """Print a line a bundle; BundleError if one of them fails."""
    statuses = list_bundles(arguments.store)
    if not statuses:
        print(f"No bundles in {arguments.store}. `import` makes one of a Keras model.")
    problems = {status.id: _problem(status, arguments.quick) for status in statuses}
    for status in statuses:
        print(f"{status.id}\t{problems[status.id] or _line(status, arguments.quick)}")
    bad = [name for name, problem in problems.items() if problem]
    if bad:
        raise BundleError(f"{len(bad)} of {len(statuses)} bundles cannot be used: {', '.join(bad)}.")


def _problem(status: BundleStatus, quick: bool) -> str:
    if status.bundle is None or quick:
        return status.problem
    from dashboard.classifier import load_classifier

    try:
        load_classifier(status.bundle)
    except BundleError as error:
        return str(error)
    return ""


def _line(status: BundleStatus, quick: bool) -> str:
    assert status.bundle is not None
    card = status.bundle.card
    checked = "hashes verified" if quick else "verified: hashes, classes, golden image"
    calibrated = f"temperature {card.temperature:.3f}" if card.calibration else "uncalibrated"
    return f"{checked}\t{card.backbone}\t{len(card.classes)} classes\t{calibrated}\t{card.title}"
