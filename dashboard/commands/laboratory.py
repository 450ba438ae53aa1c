"""Ask whether a model has learned the laboratory: site from features, recall across sites, background alone."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.bundles import Bundle, find_bundle
from dashboard.commands.arguments import add_labels, read_labels_for
from dashboard.commands.evaluate import keep_card
from dashboard.errors import LabelsError
from dashboard.laboratory_report import FILE, LaboratoryCheck
from dashboard.records import write_atomically

if TYPE_CHECKING:
    import pandas as pd

RECALL_FILE = "laboratory_recall.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--model", required=True, help="a bundle's id in model_store, or its folder")
    add_labels(parser)
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="take label (or fine_label) FROM of another data set for the model's class TO; may be repeated",
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="at most N images, in turn from every class at every site"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help=f"for {FILE} and {RECALL_FILE}")
    parser.add_argument("--store", action="store_true", help=f"also put {FILE} into the bundle and on its card")


def run(arguments: argparse.Namespace) -> None:
    """Measure, write the tables and print the sentence."""
    bundle = find_bundle(arguments.model)
    if arguments.limit is not None and arguments.limit < 1:
        raise LabelsError(f"--limit must be a number of images above 0; it is {arguments.limit}.")
    rows = of_classes(renamed(read_labels_for(arguments, None).rows, arguments.map), bundle.card.class_names)
    trained_on = listed_training(bundle)
    if not trained_on and (rows["split"] == "train").any():
        print("The bundle lists no training images; rows of split train are left out.", file=sys.stderr)
        rows = rows[rows["split"] != "train"]
    from dashboard.classifier import load_classifier
    from dashboard.laboratory import measure

    name = ", ".join([arguments.labels.name, *arguments.where])
    check = measure(load_classifier(bundle), rows, trained_on=trained_on, limit=arguments.limit, set_name=name)
    write_check(check, arguments.out)
    if arguments.store:
        store(bundle, check)
    for reason, count in check.left_out.items():
        print(f"{count} images left out: {reason}.", file=sys.stderr)
    print("\n".join([check.sentence, *check.notes, f"Written to {arguments.out}"]))


def renamed(rows: pd.DataFrame, pairs: list[str]) -> pd.DataFrame:
    """Give rows whose label or fine_label is FROM the label TO, for each FROM=TO; LabelsError if none is."""
    labels = rows["label"].copy()
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not (old and equals and new):
            raise LabelsError(f"--map takes FROM=TO; got {pair!r}.")
        chosen = rows["label"] == old
        if "fine_label" in rows:
            chosen |= rows["fine_label"] == old
        if not chosen.any():
            raise LabelsError(f"--map renames {old!r}, but no row that can be used has this label.")
        labels[chosen] = new
    return rows.assign(label=labels)


def of_classes(rows: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Keep the rows of the model's classes and say how many others there are; LabelsError if none is left."""
    known = rows["label"].isin(classes)
    for label, count in rows.loc[~known, "label"].value_counts().items():
        print(f"{count} rows left out: the label {label!r} is not one of the model's classes.", file=sys.stderr)
    if not known.any():
        raise LabelsError(
            f"None of the {len(rows)} rows has a class of the model ({', '.join(classes)}); "
            "--map FROM=TO renames labels."
        )
    return rows[known]


def listed_training(bundle: Bundle) -> frozenset[str]:
    """Return the image ids that the bundle says it was made with; empty if it lists none."""
    listed = bundle.folder / "training_images.txt"
    return frozenset(listed.read_text("utf-8").split()) if listed.is_file() else frozenset()


def write_check(check: LaboratoryCheck, out: Path) -> None:
    """Write laboratory.json and laboratory_recall.csv."""
    import pandas as pd

    recall = pd.DataFrame([dataclasses.asdict(row) for row in check.recall]).rename(columns={"class_name": "class"})
    write_atomically(out / FILE, check.as_json().encode("utf-8"))
    write_atomically(out / RECALL_FILE, recall.to_csv(index=False, lineterminator="\n").encode("utf-8"))


def store(bundle: Bundle, check: LaboratoryCheck) -> None:
    """Put the check into the bundle; its card and MODEL_CARD.md say what it found."""
    write_atomically(bundle.folder / FILE, check.as_json().encode("utf-8"))
    evaluation = {**bundle.card.evaluation, "laboratory": check.for_card()}
    keep_card(bundle, dataclasses.replace(bundle.card, evaluation=evaluation))
