"""Give a model its temperature and prediction-set threshold from labelled images that it was not trained on."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import sys
from typing import TYPE_CHECKING

from dashboard.bundles import Bundle, Calibration, PredictionSetRule, find_bundle
from dashboard.commands.arguments import add_labels, read_labels_for
from dashboard.commands.evaluate import keep_card, labelled_logits
from dashboard.errors import CalibrationError

if TYPE_CHECKING:
    import pandas as pd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--model", required=True, help="a bundle's id in model_store, or its folder")
    add_labels(parser)
    parser.add_argument("--level", type=float, default=0.9, help="share of images whose set shall hold the truth (0.9)")
    parser.add_argument(
        "--set", metavar="NAME", help="name of these images on the card; by default the CSV's and --where"
    )


def run(arguments: argparse.Namespace) -> None:
    """Fit both and write them into the bundle's card."""
    bundle = find_bundle(arguments.model)
    labels = read_labels_for(arguments, bundle.card.class_names)
    rows = _without(labels.rows, labels.rows["split"] == "train", f"marked as train in {arguments.labels.name}")
    evaluated, unread = labelled_logits(bundle, rows)
    for row in unread.itertuples():
        print(f"{row.path} left out: {row.reason}", file=sys.stderr)
    evaluated = _without(evaluated, _in_training(bundle, evaluated), "images that the model was made with")
    tested = int(_in_split(bundle, evaluated, "test").sum())
    if tested:
        print(f"{tested} of these images are the model's test images: its test figures no longer stand alone.")
    calibration, rule = fitted(evaluated, bundle.card.class_names, arguments.level, arguments.set or _name(arguments))
    keep_card(bundle, dataclasses.replace(bundle.card, calibration=calibration, prediction_set=rule))
    print(f"Temperature {calibration.temperature:.3f} from {calibration.n} images ({calibration.set}).")
    print(f"A class is in the {rule.level:.0%} prediction set from a probability of {rule.threshold:.4f}.")


def fitted(
    evaluated: pd.DataFrame, classes: tuple[str, ...], level: float, name: str
) -> tuple[Calibration, PredictionSetRule]:
    """Fit temperature, then threshold, on rows of evaluation.csv; CalibrationError where they do not allow it."""
    from dashboard.calibration import conformal_threshold, fit_temperature, softmax
    from dashboard.evaluation import logit_columns

    logits = evaluated[logit_columns(classes)].to_numpy()
    labels = evaluated["label"].map(list(classes).index).to_numpy(int)
    temperature = fit_temperature(logits, labels)
    threshold = conformal_threshold(softmax(logits, temperature), labels, level)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Calibration(temperature, name, len(labels), today), PredictionSetRule(level, threshold)


def _in_training(bundle: Bundle, evaluated: pd.DataFrame) -> pd.Series:
    known = bundle.folder / "training_images.txt"
    listed = known.read_text("utf-8").split() if known.is_file() else []
    return evaluated["image_id"].isin(listed) | _in_split(bundle, evaluated, "train")


def _in_split(bundle: Bundle, evaluated: pd.DataFrame, split: str) -> pd.Series:
    from dashboard.evaluation import read_evaluation

    if not bundle.evaluation_file.is_file():
        return evaluated["image_id"].isna()
    known = read_evaluation(bundle.evaluation_file, bundle.card)
    return evaluated["image_id"].isin(known.loc[known["split"] == split, "image_id"])


def _without(rows: pd.DataFrame, refused: pd.Series, why: str) -> pd.DataFrame:
    if refused.any():
        print(f"{int(refused.sum())} images left out: {why}; confidence must come from others.", file=sys.stderr)
    if len(rows) and refused.all():
        raise CalibrationError(
            f"A calibration needs images that the model was not trained on; all {len(rows)} are {why}."
        )
    return rows[~refused].reset_index(drop=True)


def _name(arguments: argparse.Namespace) -> str:
    return ", ".join([arguments.labels.name, *arguments.where])
