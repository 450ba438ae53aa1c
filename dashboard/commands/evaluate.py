"""Measure a model on labelled images."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.bundles import Bundle, Card, find_bundle, write_card
from dashboard.commands.arguments import add_labels, read_labels_for
from dashboard.errors import LabelsError
from dashboard.model_card import model_card
from dashboard.records import write_atomically

if TYPE_CHECKING:
    import pandas as pd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--model", required=True, help="a bundle's id in model_store, or its folder")
    add_labels(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="for metrics.json, evaluation.csv, per_class.csv, confusion_matrix.csv and rejected.csv",
    )
    parser.add_argument(
        "--keep", action="store_true", help="also keep evaluation.csv in the bundle, for the Performance page"
    )


def run(arguments: argparse.Namespace) -> None:
    """Classify every image, then write the tables and print a summary."""
    bundle = find_bundle(arguments.model)
    labels = read_labels_for(arguments, bundle.card.class_names)
    evaluated, rejected = labelled_logits(bundle, labels.rows)
    rejected = _stacked([labels.rejected, rejected])
    _write(arguments.out / "rejected.csv", rejected)
    if evaluated.empty:
        raise LabelsError(f"None of the {len(rejected)} images could be read; rejected.csv says why for each.")
    _write(arguments.out / "evaluation.csv", evaluated)
    _write_metrics(arguments.out, bundle.card, len(rejected))
    if arguments.keep:
        write_atomically(bundle.evaluation_file, (arguments.out / "evaluation.csv").read_bytes())
        keep_card(bundle, bundle.card)


def labelled_logits(bundle: Bundle, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Show labelled images to a bundle's model; both tables of `evaluation.evaluate`, all batches together."""
    from dashboard.classifier import load_classifier
    from dashboard.evaluation import evaluate

    batches = list(evaluate(load_classifier(bundle), rows))
    return _stacked([evaluated for evaluated, _ in batches]), _stacked([rejected for _, rejected in batches])


def keep_card(bundle: Bundle, card: Card) -> None:
    """Write a card whose evaluation, and whose words in MODEL_CARD.md, follow its calibration."""
    from dashboard.evaluation import card_summary, read_evaluation

    if bundle.evaluation_file.is_file():  # what other confidences measured would no longer be true
        checks = {name: found for name, found in card.evaluation.items() if isinstance(found, dict)}  # of other verbs
        found = card_summary(read_evaluation(bundle.evaluation_file, card), card)
        card = dataclasses.replace(card, evaluation={**found, **checks})
    write_atomically(bundle.folder / "MODEL_CARD.md", model_card(card).encode("utf-8"))
    write_card(bundle.folder, card)


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def _write_metrics(out: Path, card: Card, rejected: int) -> None:
    from dashboard import evaluation

    rows = evaluation.read_evaluation(out / "evaluation.csv", card)
    found = evaluation.summary(rows, card)
    names = card.class_names
    _write(out / "per_class.csv", evaluation.per_class_metrics(rows["label"], rows["predicted"], names))
    matrix = evaluation.confusion_matrix(rows["label"], rows["predicted"], names)
    _write(out / "confusion_matrix.csv", matrix.reset_index())
    write_atomically(out / "metrics.json", (json.dumps(found, indent=2, allow_nan=False) + "\n").encode())
    print("\n".join(_sentences(found, rejected)))
    print(f"Written to {out}")


def _write(file: Path, table: pd.DataFrame) -> None:
    write_atomically(file, table.to_csv(index=False, lineterminator="\n").encode("utf-8"))


def _sentences(found: dict[str, Any], rejected: int) -> list[str]:
    accuracy, calibration, sets = found["averages"][0], found["calibration"], found["prediction_sets"]
    lines = [
        f"{found['images']} images evaluated, {rejected} rejected.",
        f"Accuracy {_interval(accuracy['value'], accuracy['low'], accuracy['high'])}.",
        f"ECE {calibration['ece']:.3f}; chance alone gives up to {calibration['noise_floor']:.3f}.",
    ]
    if sets:
        coverage = sets["coverage"][-1]
        held = _interval(coverage["coverage"], coverage["coverage_low"], coverage["coverage_high"])
        lines.append(
            f"The {sets['level']:.0%} prediction sets hold the label {held}, mean size {coverage['mean_size']:.2f}."
        )
    for row in found["per_class"]:
        if row["support"]:
            recall = _interval(row["recall"], row["recall_low"], row["recall_high"])
            lines.append(f"  {row['class']}: recall {recall} of {row['support']}")
    for row in found["by_split"]:
        if row["group"] == "train":
            lines.append(f"{row['count']} of these images are marked as training data: what they show flatters.")
    return lines


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
