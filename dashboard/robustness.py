"""What is left of a model's accuracy, and of its confidence, when images are noisy, blurred, restained or turned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dashboard import images
from dashboard.calibration import binomial_interval, expected_calibration_error
from dashboard.corruptions import CORRUPTIONS, Corruption, corrupted
from dashboard.errors import BundleError, ImageError, LabelsError
from dashboard.metrics import averages
from dashboard.predictions import predictions

FILE = "robustness.csv"
CLEAN = 0.0  # the severity of an image as it is
TOLERANCE = 0.01  # accuracy that may be lost while a model still "holds"
TRAINED_ON = "The model was made with this image; robustness must be measured on others."
MEASURED = (
    *("accuracy", "accuracy_low", "accuracy_high", "macro_f1"),
    *("mean_confidence", "ece", "flagged", "unidentified"),
)
COLUMNS = ("corruption", "severity", "n", "correct", *MEASURED)
STATED = ("set", "temperature")  # in the file besides: which images, and what made the confidence

_Condition = tuple[Corruption, float]


def measure(
    classifier: Any,
    rows: pd.DataFrame,
    *,
    corruptions: Sequence[str] = tuple(CORRUPTIONS),
    seed: int = 0,
    exclude: Collection[str] = (),
    progress: Callable[[], object] | None = None,
    reject: Callable[[str, str], object] | None = None,
) -> pd.DataFrame:
    """Show every image to a model clean and under every corruption.

    One image is in memory at a time; its versions are the batch.

    Parameters
    ----------
    classifier : Classifier
        From `dashboard.classifier`.
    rows : pandas.DataFrame
        `Labels.rows`: path, file, label; labels among the model's classes.
    corruptions : sequence of str
        Keys of `CORRUPTIONS`.
    seed : int
        Of the noise; each image, corruption and severity has its own draw.
    exclude : collection of str
        Image ids that are rejected: those that the model was trained on.
    progress : callable, optional
        Called after every row.
    reject : callable, optional
        Called with (path, reason) for a file that cannot be used; the others go on.

    Returns
    -------
    pandas.DataFrame
        One row a condition: corruption, severity (0 is clean and stands first in each corruption, with the same
        numbers), n, correct, accuracy with accuracy_low and accuracy_high (95 % Wilson), macro_f1, mean_confidence,
        ece, flagged (share flagged as out of distribution; NaN if the model cannot flag) and unidentified (share),
        all in [0, 1].

    Raises
    ------
    LabelsError
        No image could be used.
    """
    chosen = [CORRUPTIONS[name] for name in corruptions]
    conditions = [(one, severity) for one in chosen for severity in one.severities]
    seen = []
    for row in rows.itertuples():
        try:
            found = _versions_seen(classifier, images.read(row.file), conditions, seed, exclude)
            seen.append(found.assign(label=row.label, condition=range(-1, len(conditions))))
        except ImageError as error:
            if reject:
                reject(str(row.path), str(error))
        if progress:
            progress()
    if not seen:
        raise LabelsError(f"Robustness needs images with a label; none of the {len(rows)} could be used.")
    return _table(pd.concat(seen), chosen, conditions, classifier.card)


def sample(rows: pd.DataFrame, limit: int, seed: int = 0) -> pd.DataFrame:
    """Draw rows at random, each class by its share.

    Parameters
    ----------
    rows : pandas.DataFrame
        With a column label.
    limit : int
        Rows to draw; all where there are no more.

    Returns
    -------
    pandas.DataFrame
        `limit` rows in their old order; every class is among them if there are no more classes than `limit`.

    Raises
    ------
    LabelsError
        The limit is below 1.
    """
    if limit < 1:
        raise LabelsError(f"A sample needs at least one image; the limit is {limit}.")
    shuffled = rows.sample(frac=1, random_state=seed)
    by_class = shuffled.groupby("label")["label"]
    place = by_class.cumcount() / by_class.transform("size")  # 0 for the first of its class, near 1 for the last
    return rows.loc[place.sort_values(kind="stable").index[:limit].sort_values()]


def read_robustness(csv: Path) -> pd.DataFrame:
    """Read a robustness.csv.

    Returns
    -------
    pandas.DataFrame
        As `measure`, and set and temperature: which images, and the temperature behind the confidence.

    Raises
    ------
    BundleError
        It cannot be read, a column is missing, a value is not a number, a corruption is unknown or lacks its clean row.
    """
    try:
        table = pd.read_csv(csv, encoding="utf-8", dtype={"corruption": str, "set": str}, keep_default_na=False)
        table = table[[*COLUMNS, *STATED]]
        numbers = [*COLUMNS[1:], "temperature"]
        table[numbers] = table[numbers].replace("", np.nan).astype(float)
        known = table["corruption"].isin(CORRUPTIONS).all() and table["severity"].notna().all()
        clean = table[table["severity"] == CLEAN].groupby("corruption").size()
        if not (known and len(table) and set(clean.index) == set(table["corruption"]) and (clean == 1).all()):
            raise ValueError("a corruption is unknown, or has no clean row of its own")
    except (OSError, ValueError, KeyError, pd.errors.ParserError) as error:
        raise BundleError(
            f"{csv.name} must hold the table that `python -m dashboard robustness` writes: {error}. Measure again."
        ) from error
    return table.astype({"n": int, "correct": int})


def reading(curve: pd.DataFrame) -> str:
    """Say how far one corruption can go.

    Parameters
    ----------
    curve : pandas.DataFrame
        The rows of one corruption.

    Returns
    -------
    str
        Such as "holds within 1 point up to σ 5; lowest 87.0 %, at σ 20", without a full stop.
    """
    corruption = CORRUPTIONS[curve["corruption"].iloc[0]]
    spoilt = curve[curve["severity"] != CLEAN].sort_values("severity")
    held = _holds(curve)
    worst = spoilt.loc[spoilt["accuracy"].idxmin()]
    lowest = f"lowest {100 * worst['accuracy']:.1f} %, at {corruption.form.format(worst['severity'])}"
    if len(held) == len(spoilt):
        return f"holds within 1 point at every severity; {lowest}"
    ends = _ends(held, corruption)
    if not ends:
        return f"loses more than 1 point at the weakest tried; {lowest}"
    return f"holds within 1 point {ends}; {lowest}"


def least_warned(table: pd.DataFrame) -> pd.Series:
    """Find the condition under which confidence exceeds accuracy most: a row of the table."""
    return table.loc[(table["mean_confidence"] - table["accuracy"]).idxmax()]


def _holds(curve: pd.DataFrame) -> list[float]:
    """Severities from clean outwards, on either side, before accuracy first falls by more than the tolerance."""
    corruption = CORRUPTIONS[curve["corruption"].iloc[0]]
    accuracy = curve.set_index("severity")["accuracy"]
    enough = accuracy[CLEAN] - TOLERANCE - 1e-9
    held = []
    spoilt = sorted(set(accuracy.index) - {CLEAN}, key=lambda severity: abs(severity - corruption.clean))
    for above in (False, True):
        for severity in (one for one in spoilt if (one > corruption.clean) is above):
            if accuracy[severity] < enough:
                break
            held.append(severity)
    return sorted(held)


def _ends(held: list[float], corruption: Corruption) -> str:
    if not held:
        return ""
    low, high = (corruption.form.format(end) for end in (held[0], held[-1]))
    if held[0] < corruption.clean < held[-1]:
        return f"from {low} to {high}"
    return f"up to {high}" if held[-1] > corruption.clean else f"down to {low}"


def _versions_seen(
    classifier: Any, image: images.SmearImage, conditions: list[_Condition], seed: int, exclude: Collection[str]
) -> pd.DataFrame:
    if image.image_id in exclude:
        raise ImageError(TRAINED_ON)
    spoilt = (corrupted(image, corruption, severity, seed) for corruption, severity in conditions)
    prepared = [classifier.prepare(image.pixels), *map(classifier.prepare, spoilt)]
    logits, ood_scores = classifier.outputs(np.stack(prepared))
    found = predictions(logits, classifier.card, ood_scores)
    return found[["predicted", "confidence", "unidentified", "out_of_distribution"]]


def _table(seen: pd.DataFrame, chosen: list[Corruption], conditions: list[_Condition], card: Any) -> pd.DataFrame:
    measured = {number: _numbers(rows, card) for number, rows in seen.groupby("condition")}
    table = [(corruption.name, CLEAN, *measured[-1]) for corruption in chosen]
    table += [(one.name, float(severity), *measured[number]) for number, (one, severity) in enumerate(conditions)]
    order = {corruption.name: number for number, corruption in enumerate(chosen)}
    frame = pd.DataFrame(table, columns=list(COLUMNS))
    return frame.sort_values("corruption", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _numbers(rows: pd.DataFrame, card: Any) -> tuple[float, ...]:
    correct = rows["label"] == rows["predicted"]
    measures = averages(rows["label"], rows["predicted"], card.class_names).set_index("measure")["value"]
    return (
        len(rows),
        int(correct.sum()),
        float(correct.mean()),
        *binomial_interval(correct.sum(), len(rows)),
        measures["macro_f1"],
        rows["confidence"].mean(),
        expected_calibration_error(rows["confidence"], correct),
        rows["out_of_distribution"].mean() if card.out_of_distribution else np.nan,
        rows["unidentified"].mean(),
    )
