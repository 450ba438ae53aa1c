"""The labels CSV: which image carries which label."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dashboard.errors import LabelsError

OPTIONAL = ("split", "site", "subject")


@dataclass(frozen=True)
class Labels:
    """Rows that can be used, and those that cannot.

    Attributes
    ----------
    rows : pandas.DataFrame
        Columns path (as in the CSV), file (absolute), label, split, site, subject, and whatever else the CSV has;
        all text, empty where unknown.
    rejected : pandas.DataFrame
        Columns path, label, reason.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame


def read_labels(
    csv: Path | str,
    images: Path | str,
    classes: Collection[str] | None = None,
    where: dict[str, str] | None = None,
) -> Labels:
    """Read a labels CSV and find its images.

    Parameters
    ----------
    csv : path
        Needs columns path and label; split, site and subject are used where present. Read as text.
    images : path
        The folder that the paths are relative to.
    classes : collection of str, optional
        Labels that are allowed; a row with another is rejected.
    where : dict of str to str, optional
        Keep only the rows whose column has this value; the others do not count as rejected.

    Returns
    -------
    Labels

    Raises
    ------
    LabelsError
        No such file, not a CSV, a column missing, no row left, or no row usable.
    """
    csv, images = Path(csv), Path(images)
    rows = _read_table(csv)
    for column, value in (where or {}).items():
        if column not in rows:
            raise LabelsError(f"{csv.name} has no column {column!r} to filter by; it has {', '.join(rows.columns)}.")
        rows = rows[rows[column] == value]
    if rows.empty:
        raise LabelsError(f"{csv.name} holds no rows to use; it needs at least one image with its label.")
    rows = rows.reset_index(drop=True)
    for column in OPTIONAL:
        if column not in rows:
            rows[column] = ""
    root = images.resolve()
    rows["file"] = [str(root / path) for path in rows["path"]]
    reasons = pd.Series([_reason(root, *row, classes) for row in zip(rows["path"], rows["label"], strict=True)])
    rejected = rows.loc[reasons != "", ["path", "label"]].assign(reason=reasons[reasons != ""])
    usable = rows[reasons == ""].reset_index(drop=True)
    if usable.empty:
        raise LabelsError(
            f"None of the {len(rows)} rows of {csv.name} can be used. The first: {rejected['reason'].iloc[0]}"
        )
    return Labels(usable, rejected.reset_index(drop=True))


def _read_table(csv: Path) -> pd.DataFrame:
    try:
        # header=None: pandas would rename a repeated column and shift rows that are longer than the header
        rows = pd.read_csv(csv, dtype=str, keep_default_na=False, encoding="utf-8-sig", header=None)
    except FileNotFoundError as error:
        raise LabelsError(f"There is no labels CSV at {csv}.") from error
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise LabelsError(
            f"{csv.name} cannot be read as a UTF-8 CSV with a header row: {str(error).strip()}"
        ) from error
    rows = rows.fillna("")  # rows that are shorter than the header
    rows.columns = rows.iloc[0].str.strip()
    rows = rows.iloc[1:].reset_index(drop=True).rename_axis(columns=None)
    twice = sorted(set(rows.columns[rows.columns.duplicated()]))
    if twice:
        raise LabelsError(f"{csv.name} must name each column once; {', '.join(map(repr, twice))} stands there twice.")
    missing = [column for column in ("path", "label") if column not in rows]
    if missing:
        got = _short(", ".join(rows.columns))
        raise LabelsError(
            f"{csv.name} must have the columns path and label; {' and '.join(missing)} missing, got {got}."
        )
    return rows


def _reason(root: Path, path: str, label: str, classes: Collection[str] | None) -> str:
    if not label:
        return "The label is empty."
    if classes is not None and label not in classes:
        return f"The label {_short(label)} is not one of the model's classes."
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root):
            return f"The path {_short(path)} leads out of the images folder."
        found = file.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        found = False
    return "" if found else f"There is no file {_short(path)} in the images folder."


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")
