"""Out-of-fold logits → the result file that docs/REPRODUCTION.md is made of."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from dashboard import calibration, metrics
from dashboard.evaluation import logit_columns


def result(predictions: pd.DataFrame, classes: Sequence[str], about: dict[str, Any]) -> dict[str, Any]:
    """Measure every fold, all folds together, and each level of noise.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `experiments.run`.
    about : dict
        What stands at the head of the file: recipe, paper, protocol, protocol_note, leaky, data, initial_weights,
        seed, epochs, command.

    Returns
    -------
    dict
        `about`, date and classes; folds (fold, n_test, accuracy, macro_f1, auc); pooled (n, correct, accuracy with
        its 95 % Wilson interval, macro_f1 with its bootstrap interval, weighted_f1, auc, per_class); mean and sd
        over folds (sample standard deviation; 0 for one fold); extra: accuracy by noise, as "gaussian_<sigma>".
        Accuracy and F1 are in [0, 1].
    """
    plain = predictions[predictions["noise"] == 0]
    by_fold = [
        {"fold": str(name), "n_test": len(rows), **_short(rows, classes)}
        for name, rows in plain.groupby("fold", sort=False)
    ]
    measured = [
        key for key in by_fold[0] if key not in ("fold", "n_test") and all(key in fold for fold in by_fold)
    ]  # no auc where a fold lacks a class
    values = {key: np.array([fold[key] for fold in by_fold], float) for key in measured}
    return {
        **about,
        "classes": list(classes),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "folds": by_fold,
        "pooled": pooled(plain["label"].tolist(), _predicted(plain, classes), classes) | _auc(plain, classes),
        "mean": {key: round(float(column.mean()), 4) for key, column in values.items()},
        "sd": {key: round(float(column.std(ddof=1)) if len(column) > 1 else 0.0, 4) for key, column in values.items()},
        "extra": {
            f"gaussian_{sigma:g}": accuracy(rows["label"].tolist(), _predicted(rows, classes))
            for sigma, rows in predictions[predictions["noise"] > 0].groupby("noise")
        },
    }


def accuracy(labels: Sequence[str], predicted: Sequence[str]) -> dict[str, Any]:
    """Count the right ones: n, correct, accuracy, accuracy_low, accuracy_high (95 %, Wilson)."""
    n, correct = len(labels), int(sum(a == b for a, b in zip(labels, predicted, strict=True)))
    low, high = calibration.binomial_interval(correct, n)
    share = correct / n if n else float("nan")
    return {
        "n": n,
        "correct": correct,
        "accuracy": round(share, 4),
        "accuracy_low": round(float(low), 4),
        "accuracy_high": round(float(high), 4),
    }


def pooled(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    """Measure all folds together: `accuracy`, macro_f1 with its interval, weighted_f1, per_class of those judged."""
    averages = metrics.averages(labels, predicted, classes).set_index("measure")
    table = metrics.per_class_metrics(labels, predicted, classes)
    return accuracy(labels, predicted) | {
        "macro_f1": round(float(averages.loc["macro_f1", "value"]), 4),
        "macro_f1_low": round(float(averages.loc["macro_f1", "low"]), 4),
        "macro_f1_high": round(float(averages.loc["macro_f1", "high"]), 4),
        "weighted_f1": round(float(averages.loc["weighted_f1", "value"]), 4),
        "per_class": {
            str(row["class"]): {
                "n": int(row["support"]),
                **{key: round(float(np.nan_to_num(row[key])), 4) for key in ("recall", "precision", "f1")},
            }
            for row in table.to_dict("records")
            if row["support"]
        },
    }


def _short(rows: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    everything = pooled(rows["label"].tolist(), _predicted(rows, classes), classes)
    return {key: everything[key] for key in ("accuracy", "macro_f1")} | _auc(rows, classes)


def _predicted(rows: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    return [classes[at] for at in rows[logit_columns(classes)].to_numpy().argmax(axis=1)]


def _auc(rows: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """Area under the ROC curve: of two classes that of the first, else the mean of each against the rest."""
    if set(rows["label"]) != set(classes):
        return {}  # a fold without some class
    probabilities = calibration.softmax(rows[logit_columns(classes)].to_numpy())
    areas = [roc_auc_score(rows["label"] == name, probabilities[:, at]) for at, name in enumerate(classes)]
    return {"auc": round(float(areas[0] if len(classes) == 2 else np.mean(areas)), 4)}
