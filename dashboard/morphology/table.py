"""Labelled images → one table of features, and one of those that could not be measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard import images
from dashboard.errors import ImageError, LabelsError, MorphologyError
from dashboard.morphology.features import COLUMNS, features
from dashboard.morphology.segmentation import segment

DESCRIBING = ("path", "label", "split", "site", "subject")  # first in the table, as in the labels CSV


def feature_table(
    rows: pd.DataFrame, progress: Callable[[Iterable[Any]], Iterable[Any]] = iter
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure the cell of every labelled image.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns file, path, label, split, site, subject, as `labels.read_labels` gives them.
    progress : callable
        Passes the rows on and may show how far it is, like tqdm.

    Returns
    -------
    tuple of pandas.DataFrame
        One row an image with `DESCRIBING`, image_id and the columns of `features.COLUMNS`; and path, label, reason of
        those that could not be read or segmented.
    """
    measured, rejected = [], []
    for row in progress(rows.to_dict("records")):
        try:
            image = images.read(row["file"])
            values = features(image.pixels, segment(image.pixels))
        except (ImageError, MorphologyError) as error:
            rejected.append({"path": row["path"], "label": row["label"], "reason": str(error)})
        else:
            measured.append({name: row[name] for name in DESCRIBING} | {"image_id": image.image_id} | values)
    return (
        pd.DataFrame(measured, columns=[*DESCRIBING, "image_id", *COLUMNS]),
        pd.DataFrame(rejected, columns=["path", "label", "reason"]),
    )


def read_features(file: Path) -> pd.DataFrame:
    """Read a table that the verb `features` wrote: names as text, measurements as float64, empty ones NaN.

    Raises
    ------
    LabelsError
        No such file, no such columns, or no rows.
    """
    try:
        text = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise LabelsError(f"{file} must be a table that the verb features wrote; it cannot be read.") from error
    missing = [name for name in (*DESCRIBING, *COLUMNS) if name not in text]
    if missing:
        raise LabelsError(f"{file} must have the column {missing[0]}; make it with the verb features.")
    if text.empty:
        raise LabelsError(f"{file} must have one row or more; it has none.")
    try:
        numbers = text[list(COLUMNS)].replace("", "nan").astype(float)
    except ValueError as error:
        raise LabelsError(f"{file} must hold numbers in its feature columns: {error}.") from error
    return pd.concat([text[list(DESCRIBING)], numbers], axis=1)
