"""What follows from the rows of a log: the decisions that stand, and a copy for a spreadsheet."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from dashboard.audit_log.events import DECISIONS, NUMBERS

_KEY = ["case_id", "image_id", "reviewer"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)


def current_decisions(table: pd.DataFrame) -> pd.DataFrame:
    """Find the decision that stands for every image, case and reviewer.

    The latest confirm, override or not_classed stands. An undo takes away the event that its `supersedes` names, if
    that is of the same reviewer, case and image, and so brings back the decision before it; undoing an undo redoes.

    Parameters
    ----------
    table : pandas.DataFrame
        As `AuditLog.read` gives it, in order of time.

    Returns
    -------
    pandas.DataFrame
        The standing rows, same columns, in order of time, indexed from 0; empty for an empty table.
    """
    undone: set[tuple[str, ...]] = set()
    undos = table.loc[table["action"] == "undo", ["event_id", "supersedes", *_KEY]]
    for event, target, *key in reversed(list(undos.itertuples(index=False, name=None))):
        if (event, *key) not in undone:
            undone.add((target, *key))
    decisions = table[table["action"].isin(DECISIONS)]
    keys = decisions[["event_id", *_KEY]].itertuples(index=False, name=None)
    stands = np.array([key not in undone for key in keys], dtype=bool)
    return decisions[stands].drop_duplicates(_KEY, keep="last").reset_index(drop=True)


def spreadsheet_safe(table: pd.DataFrame) -> pd.DataFrame:
    """Put `'` before every text that a spreadsheet could take for a formula: one that begins with = + - @, tab or CR.

    The log's own numbers (`NUMBERS`) stay numbers, also below 0.

    Examples
    --------
    >>> spreadsheet_safe(pd.DataFrame({"note": ["=1+1", "round"], "ood_score": ["-0.5", "2"]})).to_numpy().tolist()
    [["'=1+1", '-0.5'], ['round', '2']]
    """

    def safe(text: str, number: bool) -> str:
        return f"'{text}" if text.startswith(_FORMULA) and not (number and _NUMBER.fullmatch(text)) else text

    return table.apply(lambda column: column.map(lambda text: safe(text, column.name in NUMBERS)))
