"""Train a recipe and write its bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from dashboard.commands.arguments import add_labels, read_labels_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--recipe", required=True, help="a name that `recipes` lists")
    add_labels(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the run, resumed if it is there; the bundle is OUT/<recipe>"
    )
    parser.add_argument(
        "--init",
        help="initial weights: the backbone's .weights.h5, the .keras of an earlier fit, or 'imagenet' (downloads)",
    )
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> None:
    """Fit, then calibrate and pack."""
    from dashboard.training import fitting, release
    from dashboard.training.recipes import recipe

    chosen = recipe(arguments.recipe)
    labels = read_labels_for(arguments, [info.name for info in chosen.classes])
    epochs = chosen.epochs if arguments.epochs is None else arguments.epochs
    common = {"initial_weights": arguments.init, "epochs": epochs, "seed": arguments.seed}
    fitting.fit(chosen, labels.rows, arguments.out, **common)
    bundle = release.release(chosen, labels.rows, arguments.out, **common)
    print(f"Bundle written: {bundle.folder}")
