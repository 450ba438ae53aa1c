"""What the papers report (papers.csv) and what was measured here (the result files), read and checked."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dashboard.errors import TrainingError
from dashboard.training import baselines
from dashboard.training.recipes import RECIPES

PAPERS, RESULTS = "papers.csv", "reproduction"  # within the folder of results
BASELINES = {f"p2-{model}" for model in baselines.MODELS}
COMPARED = (  # the protocol that flatters, the one that does so less
    *(("leaky", other) for other in ("split", "holdout", "kfold", "subject")),
    *((images, apart) for images in ("holdout", "kfold") for apart in ("subject", "site")),
)
ALIKE = ("epochs", "initial_weights", "seed")
_NEEDED = ("recipe", "protocol", "protocol_note", "data", "command", "folds", "pooled", "mean", "sd", *ALIKE)

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """One row that a paper reports.

    Attributes
    ----------
    paper : str
        "P1" to "P5".
    system, data, protocol : str
        Theirs, in words; the protocol with what leaks.
    measure, value : str
        What was measured and the numbers as printed, in the same order, with semicolons between; no value if the
        paper gives none.
    recipe : str
        Ours, of `recipes.RECIPES` or `BASELINES`; empty if there is none.
    their_protocol_result, honest_result : str
        Names of result files without `.json`, with spaces between.
    part : str
        Part of the result that the row is about: empty for all, "per_class", or a name in its `extra`.
    not_run : str
        Why a result is empty.
    """

    paper: str
    system: str
    data: str
    protocol: str
    measure: str
    value: str
    recipe: str
    their_protocol_result: str
    honest_result: str
    part: str
    not_run: str

    @property
    def stems(self) -> list[str]:
        """Names of all its result files."""
        return [*self.their_protocol_result.split(), *self.honest_result.split()]

    @property
    def reported(self) -> str:
        """Measures and values in one line."""
        if not self.value:
            return f"{self.measure}: no number known"
        pairs = zip(self.measure.split("; "), self.value.split("; "), strict=True)
        return ", ".join(f"{measure} {value}" for measure, value in pairs)


COLUMNS = tuple(field.name for field in fields(Row))


def read_rows(file: Path) -> list[Row]:
    """Read papers.csv.

    Returns
    -------
    list of Row
        In the order of the file.

    Raises
    ------
    TrainingError
        The file is missing; another column; a row whose measures and values do not pair up, that names a recipe that
        is not there, or that has neither a result nor a reason.
    """
    try:
        with open(file, encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise TrainingError(
                    f"{file} must have the columns {', '.join(COLUMNS)}; got {', '.join(reader.fieldnames or ())}."
                )
            table = list(reader)
    except OSError as error:
        raise TrainingError(f"{file} cannot be read: {error.strerror or error}.") from error
    rows = []
    for number, cells in enumerate(table, start=2):
        if None in cells or None in cells.values():
            raise TrainingError(
                f"{file}, line {number}: a row has {len(COLUMNS)} fields; put texts with commas in quotes."
            )
        rows.append(Row(**cells))
        _check(rows[-1], f"{file}, line {number}")
    return rows


def _check(row: Row, where: str) -> None:
    known = {*RECIPES, *BASELINES}
    unknown = {row.recipe or "", *(stem.partition("--")[0] for stem in row.stems)} - known - {""}
    if unknown:
        raise TrainingError(
            f"{where}: there is no recipe {', '.join(sorted(unknown))}; `recipes` lists those there are."
        )
    if row.value and len(row.value.split("; ")) != len(row.measure.split("; ")):
        raise TrainingError(f"{where}: each measure needs a value; got {row.measure!r} and {row.value!r}.")
    if not (row.their_protocol_result and row.honest_result) and not row.not_run:
        raise TrainingError(f"{where}: a row without a result needs its reason in not_run.")


def read_results(folder: Path) -> dict[str, dict[str, Any]]:
    """Read every result file of a folder.

    Returns
    -------
    dict
        Name without `.json` → what `results.result` made; empty if the folder is.

    Raises
    ------
    TrainingError
        A file is not JSON, lacks a field, or is named after another recipe or protocol than its own.
    """
    found = {}
    for file in sorted(folder.glob("*.json")):
        try:
            result = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"{file} cannot be read as a result: {error}.") from error
        missing = [key for key in _NEEDED if key not in result] if isinstance(result, dict) else list(_NEEDED)
        if missing:
            raise TrainingError(f"{file} is not a result file; it lacks {', '.join(missing)}.")
        if file.stem.split("--")[:2] != [result["recipe"], result["protocol"]]:
            raise TrainingError(
                f"{file} must be named after its recipe and protocol: {result['recipe']}--{result['protocol']}.json."
            )
        found[file.stem] = result
    return found


def difference(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[float, float, float]:
    """Subtract one accuracy from another, with a 95 % interval from the two Wilson intervals.

    Parameters
    ----------
    first, second : mapping
        As `results.accuracy` gives them.

    Returns
    -------
    tuple of float
        Difference, low, high, in [-1, 1].

    Notes
    -----
    Source: Newcombe 1998, Interval estimation for the difference between independent proportions, method 10,
    Stat. Med. 17:873-890.

    >>> tuple(round(value, 4) for value in difference(
    ...     {"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.94},
    ...     {"accuracy": 0.7, "accuracy_low": 0.67, "accuracy_high": 0.73}))
    (0.2, 0.0956, 0.25)
    """
    a, b = first["accuracy"], second["accuracy"]
    below = math.hypot(a - first["accuracy_low"], second["accuracy_high"] - b)
    above = math.hypot(first["accuracy_high"] - a, b - second["accuracy_low"])
    return a - b, a - b - below, a - b + above


def pairs(results: Results) -> list[tuple[str, str]]:
    """Find the results of one recipe on the same data under two protocols of `COMPARED`."""
    return [
        (first, second)
        for first, a in results.items()
        for second, b in results.items()
        if (a["protocol"], b["protocol"]) in COMPARED
        and (a["recipe"], a["data"], variant(first)) == (b["recipe"], b["data"], variant(second))
    ]


def variant(stem: str) -> str:
    """Read from a result's name what it says beside recipe and protocol, each part after a comma."""
    return "".join(f", {part}" for part in stem.split("--")[2:])
