"""Judge SVM, random forest and decision tree on measured cells, under a protocol."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.records import write_atomically

if TYPE_CHECKING:
    import pandas as pd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--features", type=Path, required=True, metavar="CSV", help="what the verb features wrote")
    parser.add_argument("--protocol", default="split", help="split, holdout, kfold, subject, site, or leaky")
    parser.add_argument("--model", action="append", help="svm, random-forest or decision-tree; all without it")
    parser.add_argument("--balance", default="none", help="none, smote or undersample, in each training fold alone")
    parser.add_argument("--folds", type=int, default=5, metavar="K", help="number of folds of kfold and subject")
    parser.add_argument("--repeats", type=int, default=1, metavar="N", help="divisions into folds, each with its seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="", help="what the cells are called in the result; else the table's name")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="one result JSON a model")


def run(arguments: argparse.Namespace) -> None:
    """Fit and judge each model, then write its result and print one line."""
    from dashboard.morphology.table import read_features
    from dashboard.training.baselines import MODELS

    table = read_features(arguments.features)
    for model in arguments.model or MODELS:
        measured = _measured(table, model, arguments)
        file = arguments.out / f"p2-{model}--{arguments.protocol}--{measured['data']}-{arguments.balance}.json"
        known = json.loads(json.dumps(measured), parse_constant=lambda _: None)  # JSON has no NaN
        write_atomically(file, (json.dumps(known, indent=1, allow_nan=False) + "\n").encode())
        pooled = measured["pooled"]
        print(
            f"{model}, {arguments.protocol}, {arguments.balance}: accuracy {pooled['accuracy']:.4f} "
            f"({pooled['accuracy_low']:.4f} to {pooled['accuracy_high']:.4f}), macro-F1 {pooled['macro_f1']:.4f}, "
            f"n = {pooled['n']}. Written: {file}"
        )


def _measured(table: pd.DataFrame, model: str, arguments: argparse.Namespace) -> dict[str, Any]:
    from dashboard.training import baselines, results

    judged, fitted_on = baselines.predictions(
        table,
        model,
        arguments.protocol,
        arguments.balance,
        k=arguments.folds,
        repeats=arguments.repeats,
        seed=arguments.seed,
    )
    about = {
        "recipe": f"p2-{model}",
        "paper": "P2",
        "protocol": arguments.protocol,
        "protocol_note": baselines.description(arguments.protocol),
        "variant": arguments.balance,
        "leaky": arguments.protocol == baselines.LEAKY,
        "data": arguments.data or arguments.features.stem,
        "initial_weights": "none",
        "seed": arguments.seed,
        "epochs": 0,
        "command": _command(model, arguments),
    }
    measured = results.result(judged, sorted(set(table["label"])), about)
    for fold in measured["folds"]:
        fold["n_train"] = fitted_on[fold["fold"]]
    return measured


def _command(model: str, arguments: argparse.Namespace) -> str:
    """Write the command without the places of one machine."""
    words = ["python -m dashboard baselines --features CSV", f"--model {model}", f"--protocol {arguments.protocol}"]
    words += [f"--balance {arguments.balance}"]
    words += [f"--folds {arguments.folds}"] if arguments.protocol in ("kfold", "subject") else []
    words += [f"--repeats {arguments.repeats}"] if arguments.repeats > 1 else []
    return " ".join([*words, f"--seed {arguments.seed}", "--out DIR"])
