"""Train a recipe: on the CSV's own split, and write its bundle; or under a protocol, and write what it measured."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.commands.arguments import add_labels, read_labels_for
from dashboard.errors import LabelsError, TrainingError

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.training.recipes import Recipe

RESULT = "result.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--recipe", required=True, help="a name that `recipes` lists")
    add_labels(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the run, resumed if it is there; the bundle is OUT/<recipe>"
    )
    parser.add_argument(
        "--init",
        help="initial weights: the backbone's .weights.h5, the .keras of an earlier fit, a bundle's id, or 'imagenet' "
        "(downloads)",
    )
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--protocol", default="split", help="split (makes a bundle), holdout, kfold, subject, site, or leaky"
    )
    parser.add_argument("--folds", type=int, default=5, metavar="K", help="number of folds of kfold and subject")
    parser.add_argument("--repeats", type=int, default=1, metavar="N", help="divisions into folds, each with its seed")
    parser.add_argument("--fold", default="", metavar="NAME", help="run this fold alone, and make its bundle")
    parser.add_argument(
        "--noise", default="", metavar="SIGMA,…", help="judge the test images again under Gaussian noise (8-bit units)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Fit, then calibrate and pack; or fit every fold and measure."""
    from dashboard.training import experiments, protocols, release
    from dashboard.training.recipes import recipe

    chosen = recipe(arguments.recipe)
    rows = _rows(arguments, chosen)
    epochs = chosen.epochs if arguments.epochs is None else arguments.epochs
    common = {"initial_weights": arguments.init, "epochs": epochs, "seed": arguments.seed}
    if arguments.protocol == "split":
        protocols.check_separate(rows)
    _measure(arguments, chosen, rows, common)
    if arguments.protocol == "split":
        bundle = release.release(chosen, rows, arguments.out, **common)
    elif arguments.fold and arguments.protocol != experiments.LEAKY:
        divided = protocols.folds(
            rows, arguments.protocol, k=arguments.folds, repeats=arguments.repeats, seed=arguments.seed
        )
        (fold,) = (fold for fold in divided if fold.name == arguments.fold)
        halves = release.held_out_in_halves(rows, fold, arguments.seed)
        bundle = release.release(chosen, halves, arguments.out / f"fold-{fold.name}", **common)
    else:
        return
    print(f"Bundle written: {bundle.folder}")


def _rows(arguments: argparse.Namespace, recipe: Recipe) -> pd.DataFrame:
    from dashboard.training.datasets import DATASETS

    classes = [info.name for info in recipe.classes]
    if not recipe.dataset:
        return read_labels_for(arguments, classes).rows
    rows = DATASETS[recipe.dataset](read_labels_for(arguments, None).rows)
    known = rows["label"].isin(classes)
    if not known.all():
        print(f"{(~known).sum()} rows left out: not one of the recipe's classes.", file=sys.stderr)
    if not known.any():
        raise LabelsError(f"No row has one of the recipe's classes: {', '.join(classes)}.")
    return rows[known].reset_index(drop=True)


def _measure(arguments: argparse.Namespace, recipe: Recipe, rows: pd.DataFrame, common: dict) -> None:
    from dashboard.records import write_atomically
    from dashboard.training import experiments, results
    from dashboard.training.networks import origin

    predictions = experiments.run(
        recipe,
        rows,
        arguments.out,
        arguments.protocol,
        k=arguments.folds,
        repeats=arguments.repeats,
        only=arguments.fold,
        noise=_noise(arguments.noise),
        **common,
    )
    about = {
        "recipe": recipe.name,
        "paper": recipe.paper,
        "protocol": arguments.protocol,
        "protocol_note": experiments.description(arguments.protocol),
        "leaky": arguments.protocol == experiments.LEAKY,
        "data": recipe.data,
        "initial_weights": origin(arguments.init),
        "seed": arguments.seed,
        "epochs": common["epochs"],
        "command": _command(arguments),
    }
    measured = results.result(predictions, [info.name for info in recipe.classes], about)
    write_atomically(arguments.out / RESULT, (json.dumps(measured, indent=1) + "\n").encode())
    pooled = measured["pooled"]
    print(
        f"{recipe.name}, {arguments.protocol}: accuracy {pooled['accuracy']:.4f} "
        f"({pooled['accuracy_low']:.4f} to {pooled['accuracy_high']:.4f}), macro-F1 {pooled['macro_f1']:.4f}, "
        f"n = {pooled['n']}. Written: {arguments.out / RESULT}"
    )


def _noise(text: str) -> tuple[float, ...]:
    try:
        levels = tuple(float(sigma) for sigma in text.split(",") if sigma)
    except ValueError:
        levels = (0.0,)
    if not all(0 < sigma < 256 for sigma in levels):
        raise TrainingError(f"--noise takes numbers between 0 and 256, with commas between; got {text!r}.")
    return levels


def _command(arguments: argparse.Namespace) -> str:
    """Write the command without the places of one machine."""
    words = ["python -m dashboard train", f"--recipe {arguments.recipe}", f"--protocol {arguments.protocol}"]
    if arguments.protocol in ("kfold", "subject"):
        words.append(f"--folds {arguments.folds}")
    words += [f"--repeats {arguments.repeats}"] if arguments.repeats > 1 else []
    words += [f"--fold {arguments.fold}"] if arguments.fold else []
    words += [f"--where {pair}" for pair in arguments.where]
    words += [f"--epochs {arguments.epochs}"] if arguments.epochs else []
    words += [f"--noise {arguments.noise}"] if arguments.noise else []
    words += [f"--init {Path(arguments.init).name}"] if arguments.init else []
    return " ".join([*words, f"--seed {arguments.seed}", "--labels CSV --images DIR --out DIR"])
