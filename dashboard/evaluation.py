"""One model on labelled images: from the held-out logits of evaluation.csv to curves, coverage and a summary.

Nothing is typed in. An unknown value is NaN and never 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dashboard import images
from dashboard.calibration import (
    binomial_interval,
    ece_noise_floor,
    expected_calibration_error,
    prediction_sets,
)
from dashboard.errors import BundleError, ImageError
from dashboard.metrics import averages, confusion_matrix, per_class_metrics
from dashboard.predictions import predictions, probability_columns

if TYPE_CHECKING:
    from dashboard.bundles import Card

TEXT_COLUMNS = ("image_id", "label", "split", "site", "path")
NOT_STATED = "not stated"


def logit_columns(class_names: Sequence[str]) -> list[str]:
    """Name the logit columns: `logit_<class>`, in the order of the logits."""
    return [f"logit_{name}" for name in class_names]


def evaluate(classifier: Any, rows: pd.DataFrame, batch: int = 32) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Show labelled images to a model, a batch at a time.

    Parameters
    ----------
    classifier : Classifier
        From `dashboard.classifier`.
    rows : pandas.DataFrame
        `Labels.rows`: path, file, label, split, site.
    batch : int
        Images in memory at once.

    Yields
    ------
    tuple of pandas.DataFrame
        (evaluated, rejected) of one batch. Evaluated has the columns of evaluation.csv: image_id, label, split,
        site, path, logit_<class>...; rejected has path, label, reason. Bad images are rows of the second.
    """
    for start in range(0, len(rows), batch):
        kept, prepared, rejected = [], [], []
        for row in rows.iloc[start : start + batch].itertuples():
            try:
                image = images.read(row.file)
            except ImageError as error:
                rejected.append((row.path, row.label, str(error)))
                continue
            kept.append((image.image_id, row.label, row.split, row.site, row.path))
            prepared.append(classifier.prepare(image.pixels))
        evaluated = pd.DataFrame(kept, columns=list(TEXT_COLUMNS))
        names = logit_columns(classifier.card.class_names)
        logits = classifier.logits(np.stack(prepared)) if prepared else np.zeros((0, len(names)), np.float32)
        yield (
            evaluated.join(pd.DataFrame(logits, columns=names)),
            pd.DataFrame(rejected, columns=["path", "label", "reason"]),
        )


def read_evaluation(csv: Path | str, card: Card) -> pd.DataFrame:
    """Read an evaluation.csv and add what the card makes of its logits.

    Parameters
    ----------
    csv : path
        Columns image_id, label and logit_<class> for each class of the card; split, site and path where known.
    card : Card
        Its classes must be the file's.

    Returns
    -------
    pandas.DataFrame
        image_id, label, split, site, path (text, empty where unknown), logit_<class>... (float), the columns of
        `predictions.predictions`, and correct (bool).

    Raises
    ------
    BundleError
        No such file, not a CSV, no rows, a column missing, an unknown label, or a logit that is not a finite number.
    """
    csv = Path(csv)
    names = logit_columns(card.class_names)
    rows = _read_table(csv)
    missing = [column for column in ("image_id", "label", *names) if column not in rows]
    if missing:
        raise BundleError(
            f"{csv.name} must have a column for the image_id, the label and each class; "
            f"{', '.join(missing)} missing. Run `python -m dashboard evaluate` again."
        )
    unknown = sorted(set(rows["label"]) - set(card.class_names))
    if unknown or rows.empty:
        got = f"it also has {', '.join(map(repr, unknown))}" if unknown else "it has no rows"
        raise BundleError(f"{csv.name} must hold labelled images of the model's classes only; {got}.")
    for column in ("split", "site", "path"):
        if column not in rows:
            rows[column] = ""
    rows[names] = rows[names].apply(pd.to_numeric, errors="coerce").astype(np.float64)
    if not np.isfinite(rows[names].to_numpy()).all():
        raise BundleError(f"Every logit in {csv.name} must be a finite number; some are not. Evaluate again.")
    return with_predictions(rows[[*TEXT_COLUMNS, *names]], card)


def with_predictions(rows: pd.DataFrame, card: Card) -> pd.DataFrame:
    """Add the columns of `predictions.predictions`, and correct (bool), to rows of evaluation.csv."""
    logits = rows[logit_columns(card.class_names)].to_numpy(np.float64)
    rows = rows.reset_index(drop=True).join(predictions(logits, card))
    return rows.assign(correct=rows["label"] == rows["predicted"])


def _read_table(csv: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(csv, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BundleError(f"There is no evaluation at {csv}; run `python -m dashboard evaluate`.") from error
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise BundleError(f"{csv.name} cannot be read as a UTF-8 CSV with a header row: {error}") from error


def open_case(folder: Path, path: str, image_id: str) -> images.SmearImage:
    """Open the image behind a row of evaluation.csv.

    Parameters
    ----------
    folder : Path
        Of the images; `path` is relative to it.
    path, image_id : str
        As in the row.

    Raises
    ------
    ImageError
        The path is empty or leads out of the folder, the file cannot be read, or it shows another image than the
        one that was evaluated.
    """
    root = folder.resolve()
    file = (root / path).resolve()
    if not path or not file.is_relative_to(root):
        raise ImageError(f"The path of a case must lie in the images folder; it is {path!r}.")
    image = images.read(file)
    if image.image_id != image_id:
        raise ImageError(f"{path} in this folder is not the image that was evaluated; choose the folder it came from.")
    return image


def roc_curves(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Trace each class against the rest: class, false_positive_rate, true_positive_rate, all in [0, 1].

    A class without images, or without others beside it, has no curve.
    """
    from sklearn import metrics

    def curve(truth: np.ndarray, score: np.ndarray) -> dict[str, np.ndarray]:
        false_positive, true_positive, _ = metrics.roc_curve(truth, score)
        return {"false_positive_rate": false_positive, "true_positive_rate": true_positive}

    return _curves(rows, classes, curve, ["false_positive_rate", "true_positive_rate"])


def precision_recall_curves(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Trace each class against the rest: class, recall, precision, all in [0, 1]; as `roc_curves`."""
    from sklearn import metrics

    def curve(truth: np.ndarray, score: np.ndarray) -> dict[str, np.ndarray]:
        precision, recall, _ = metrics.precision_recall_curve(truth, score, drop_intermediate=True)
        return {"recall": recall, "precision": precision}

    return _curves(rows, classes, curve, ["recall", "precision"])


def curve_areas(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Compute the areas: class, roc_auc and average_precision in [0, 1]; NaN for a class without a curve."""
    from sklearn import metrics

    table = []
    for name in classes:
        truth, score = _one_against_rest(rows, name)
        defined = 0 < truth.sum() < len(truth)
        table.append(
            (
                name,
                metrics.roc_auc_score(truth, score) if defined else np.nan,
                metrics.average_precision_score(truth, score) if defined else np.nan,
            )
        )
    return pd.DataFrame(table, columns=["class", "roc_auc", "average_precision"])


def set_coverage(rows: pd.DataFrame, classes: Sequence[str], threshold: float) -> pd.DataFrame:
    """Count how often the prediction set holds the truth, and how large it is.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `read_evaluation`.
    classes : sequence of str
        All K classes.
    threshold : float
        Probability from which a class is in the set.

    Returns
    -------
    pandas.DataFrame
        One row a class and a last one, "all": class, count, coverage with coverage_low and coverage_high (95 %
        Wilson) in [0, 1], mean_size (classes in a set), empty (share of empty sets). NaN where the count is 0.
    """
    sets = prediction_sets(rows[probability_columns(tuple(classes))].to_numpy(), threshold)
    truth = pd.Index(classes).get_indexer(rows["label"])
    held, size = sets[np.arange(len(truth)), truth], sets.sum(axis=1)
    table = []
    for name, chosen in [*((name, truth == k) for k, name in enumerate(classes)), ("all", truth >= 0)]:
        count = int(chosen.sum())
        share = count or np.nan
        low, high = binomial_interval(held[chosen].sum(), count)
        table.append(
            (
                name,
                count,
                held[chosen].sum() / share,
                low,
                high,
                size[chosen].sum() / share,
                (size[chosen] == 0).sum() / share,
            )
        )
    names = ["class", "count", "coverage", "coverage_low", "coverage_high", "mean_size", "empty"]
    return pd.DataFrame(table, columns=names)


def by_group(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Compare the values of a column, such as site or split.

    Returns
    -------
    pandas.DataFrame
        One row a value, "not stated" for the empty one: group, count, accuracy with accuracy_low and accuracy_high
        (95 % Wilson), confidence (mean) and unidentified (share), all in [0, 1].
    """
    groups = rows.groupby(rows[column].replace("", NOT_STATED))
    table = groups.agg(
        count=("correct", "size"),
        right=("correct", "sum"),
        confidence=("confidence", "mean"),
        unidentified=("unidentified", "mean"),
    )
    table.insert(1, "accuracy", table["right"] / table["count"])
    low, high = binomial_interval(table.pop("right"), table["count"])
    table.insert(2, "accuracy_low", low)
    table.insert(3, "accuracy_high", high)
    return table.rename_axis("group").reset_index()


def summary(rows: pd.DataFrame, card: Card) -> dict[str, Any]:
    """Collect every number of one model on one set of images, for metrics.json.

    Parameters
    ----------
    rows : pandas.DataFrame
        The columns of evaluation.csv; whatever predictions it has are made anew with the card.
    card : Card
        Of the model.

    Returns
    -------
    dict
        model_id, images, averages, per_class, confusion_matrix (rows the labels), curve_areas, calibration
        (temperature, ece and its noise_floor), prediction_sets (level, threshold, coverage; None without a rule),
        unidentified (share), by_site and by_split. Shares in [0, 1]; None where unknown, so that it is strict JSON.
    """
    classes = card.class_names
    rule = card.prediction_set
    rows = with_predictions(rows[[*TEXT_COLUMNS, *logit_columns(classes)]], card)
    found = {
        "model_id": card.id,
        "images": len(rows),
        "averages": averages(rows["label"], rows["predicted"], classes).to_dict("records"),
        "per_class": per_class_metrics(rows["label"], rows["predicted"], classes).to_dict("records"),
        "confusion_matrix": confusion_matrix(rows["label"], rows["predicted"], classes).to_numpy().tolist(),
        "curve_areas": curve_areas(rows, classes).to_dict("records"),
        "calibration": {
            "temperature": card.temperature,
            "ece": expected_calibration_error(rows["confidence"], rows["correct"]),
            "noise_floor": ece_noise_floor(rows["confidence"]),
        },
        "prediction_sets": rule
        and {
            "level": rule.level,
            "threshold": rule.threshold,
            "coverage": set_coverage(rows, classes, rule.threshold).to_dict("records"),
        },
        "unidentified": float(rows["unidentified"].mean()),
        "by_site": by_group(rows, "site").to_dict("records"),
        "by_split": by_group(rows, "split").to_dict("records"),
    }
    return _strict(found)


def card_summary(rows: pd.DataFrame, card: Card) -> dict[str, Any]:
    """Condense `summary` of the test rows to what stands on a card.

    Returns
    -------
    dict
        set, images, accuracy, macro_f1, ece, ece_noise_floor and, where the card has a rule, set_coverage and
        mean_set_size; <name>_interval is [low, high], 95 %. Empty where no row is of split test.
    """
    test = rows[rows["split"] == "test"]
    if test.empty:
        return {}
    found = summary(test, card)
    measured = {row["measure"]: row for row in found["averages"]}
    short: dict[str, Any] = {"set": "split test", "images": found["images"]}
    for name in ("accuracy", "macro_f1"):
        row = measured[name]
        short |= {name: row["value"], f"{name}_interval": [row["low"], row["high"]]}
    short |= {"ece": found["calibration"]["ece"], "ece_noise_floor": found["calibration"]["noise_floor"]}
    if found["prediction_sets"]:
        row = found["prediction_sets"]["coverage"][-1]
        short |= {"set_coverage": row["coverage"], "set_coverage_interval": [row["coverage_low"], row["coverage_high"]]}
        short |= {"mean_set_size": row["mean_size"]}
    return short


def _one_against_rest(rows: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    return (rows["label"] == name).to_numpy(), rows[f"p_{name}"].to_numpy()


def _curves(rows: pd.DataFrame, classes: Sequence[str], curve: Any, columns: list[str]) -> pd.DataFrame:
    parts = [pd.DataFrame(columns=["class", *columns])]
    for name in classes:
        truth, score = _one_against_rest(rows, name)
        if 0 < truth.sum() < len(truth):
            parts.append(pd.DataFrame({"class": name, **curve(truth, score)}))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
