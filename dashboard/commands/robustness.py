"""Measure what noise, blur, compression, light, stain, rotation and zoom leave of a model's accuracy."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.bundles import Bundle, find_bundle, read_bundle, write_card
from dashboard.commands.arguments import add_labels, read_labels_for
from dashboard.corruptions import CORRUPTIONS
from dashboard.errors import BundleError, LabelsError
from dashboard.records import write_atomically

if TYPE_CHECKING:
    import pandas as pd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--model", required=True, help="a bundle's id in model_store, or its folder")
    add_labels(parser)
    parser.add_argument(
        "--corruption",
        nargs="+",
        choices=list(CORRUPTIONS),
        default=list(CORRUPTIONS),
        help="only these; all if left out",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only N images, drawn by class in proportion")
    parser.add_argument("--seed", type=int, default=0, help="of the noise and of --limit (0)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for robustness.csv")
    parser.add_argument(
        "--store", action="store_true", help="also keep robustness.csv in the bundle, for the Performance page"
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure, write the table and print a sentence for each corruption."""
    from dashboard.robustness import FILE, reading, sample

    bundle = find_bundle(arguments.model)
    rows = _not_train(read_labels_for(arguments, bundle.card.class_names).rows)
    if arguments.limit is not None:
        rows = sample(rows, arguments.limit, arguments.seed)
    table = _measured(bundle, rows, arguments)
    table = table.assign(set=", ".join([arguments.labels.name, *arguments.where]), temperature=bundle.card.temperature)
    data = table.to_csv(index=False, lineterminator="\n").encode("utf-8")
    write_atomically(arguments.out / FILE, data)
    if arguments.store:
        _keep(bundle, FILE, data)
    first = table.iloc[0]
    print(f"{first['n']} images; clean accuracy {first['accuracy']:.3f}.")
    for name, curve in table.groupby("corruption", sort=False):
        print(f"  {CORRUPTIONS[str(name)].display_name}: {reading(curve)}.")
    print(f"Written to {arguments.out}")


def _measured(bundle: Bundle, rows: pd.DataFrame, arguments: argparse.Namespace) -> pd.DataFrame:
    from tqdm import tqdm

    from dashboard.classifier import load_classifier
    from dashboard.robustness import measure

    listed = bundle.folder / "training_images.txt"
    trained_on = frozenset(listed.read_text("utf-8").split()) if listed.is_file() else frozenset()
    classifier = load_classifier(bundle)
    with tqdm(total=len(rows), unit="image", file=sys.stderr) as bar:
        return measure(
            classifier,
            rows,
            corruptions=list(dict.fromkeys(arguments.corruption)),
            seed=arguments.seed,
            exclude=trained_on,
            progress=bar.update,
            reject=lambda path, reason: bar.write(f"{path} left out: {reason}", file=sys.stderr),
        )


def _not_train(rows: pd.DataFrame) -> pd.DataFrame:
    train = rows["split"] == "train"
    if train.all():
        raise LabelsError(
            f"Robustness needs images that the model was not trained on; all {len(rows)} are marked train."
        )
    if train.any():
        print(f"{int(train.sum())} rows left out: they are marked train.", file=sys.stderr)
    return rows[~train].reset_index(drop=True)


def _keep(bundle: Bundle, name: str, data: bytes) -> None:
    now = read_bundle(bundle.folder)  # measuring takes minutes
    if now.model_sha256 != bundle.model_sha256:
        raise BundleError(f"The model {now.card.id} was replaced while it was measured; measure the new one.")
    write_atomically(bundle.folder / name, data)
    write_card(bundle.folder, now.card)
