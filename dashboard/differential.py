"""Cells by class → the differential per 100 white blood cells, with intervals.

Only leukocytes are the denominator. Nucleated red cells are given per 100 WBC beside it, platelets as a bare count
(ICSH, Palmer 2015, doi 10.1111/ijlh.12327).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

LEUKOCYTE, NUCLEATED_RED_CELL, OTHER = "leukocyte", "nucleated red cell", "other"
ENOUGH = 100  # leukocytes
UNIDENTIFIED, NOT_CLASSED = "Unidentified", "Not classed"

# Class names of the public smear sets and ICSH's own, lower case with "_".
_LEUKOCYTES = frozenset(
    (
        "neutrophil",
        "seg_neutrophil",
        "segmented_neutrophil",
        "neutrophil_segmented",
        "band_neutrophil",
        "neutrophil_band",
        "eosinophil",
        "basophil",
        "lymphocyte",
        "reactive_lymphocyte",
        "atypical_lymphocyte",
        "abnormal_lymphocyte",
        "plasma_cell",
        "monocyte",
        "immature_granulocyte",
        "metamyelocyte",
        "myelocyte",
        "promyelocyte",
        "blast",
        "myeloblast",
        "lymphoblast",
        "monoblast",
        "promonocyte",
        "all",
        "early_pre_b",
        "pre_b",
        "pro_b",
    )
)
_NUCLEATED_RED_CELLS = frozenset({"erythroblast", "nucleated_red_cell", "normoblast", "nrbc"})


@dataclass(frozen=True)
class Differential:
    """A differential.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a class, leukocytes first and then by count. Columns class, group ("leukocyte", "nucleated red cell" or
        "other"), count (int), per_100 (cells per 100 WBC; NaN outside leukocytes and nucleated red cells, and without
        leukocytes), low, high (95 % interval of per_100).
    leukocytes : int
        The denominator.
    notes : tuple of str
        What limits it, a sentence each.
    """

    table: pd.DataFrame
    leukocytes: int
    notes: tuple[str, ...]


def group(name: str) -> str:
    """Sort a class into leukocyte, nucleated red cell or other (platelets, smudge cells, artefacts, unknown names).

    Examples
    --------
    >>> group("Band neutrophil"), group("erythroblast"), group("platelet")
    ('leukocyte', 'nucleated red cell', 'other')
    """
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    if plain in _LEUKOCYTES:
        return LEUKOCYTE
    return NUCLEATED_RED_CELL if plain in _NUCLEATED_RED_CELLS else OTHER


def final_labels(results: pd.DataFrame, decisions: pd.DataFrame | None = None) -> pd.Series:
    """Find what each cell of a case counts as.

    Parameters
    ----------
    results : pandas.DataFrame
        As `Case.results`; rejected files and repeats of a picture are left out.
    decisions : pandas.DataFrame, optional
        Standing decisions of this case, in order of time, with columns image_id, action and label. The latest of a
        cell counts, whoever made it.

    Returns
    -------
    pandas.Series
        object, indexed by image_id: the label of a decided cell, else its pre-classification; "Unidentified" (no
        decision, and too uncertain to be counted as anything) or "Not classed". Empty without results.
    """
    if results.empty or "predicted" not in results:
        return pd.Series(dtype=object)
    cells = results[results["status"] == "ok"].drop_duplicates("image_id")
    labels = pd.Series(
        np.where(cells["unidentified"], UNIDENTIFIED, cells["predicted"].astype(object)),
        index=cells["image_id"].to_numpy(),
        dtype=object,
    )
    if decisions is not None and len(decisions):
        latest = decisions.drop_duplicates("image_id", keep="last").set_index("image_id")
        latest = latest[latest.index.isin(labels.index)]
        labels.loc[latest.index] = np.where(latest["action"] == "not_classed", NOT_CLASSED, latest["label"])
    return labels


def count_cells(results: pd.DataFrame, decisions: pd.DataFrame | None = None) -> pd.Series:
    """Count a case's cells by what they count as; see `final_labels`. int, the most frequent first."""
    return final_labels(results, decisions).value_counts()


def differential(counts: Mapping[str, int] | pd.Series, level: float = 0.95) -> Differential:
    """Compute the differential.

    Parameters
    ----------
    counts : mapping of str to int
        Cells by class, as `count_cells`.
    level : float
        Of the intervals, in (0, 1).

    Returns
    -------
    Differential
        Intervals are exact: binomial for a leukocyte's share (Clopper & Pearson 1934, doi 10.1093/biomet/26.4.404);
        for nucleated red cells per 100 WBC, the same for their share of both, turned into a ratio.
    """
    rows = [(name, group(str(name)), int(count)) for name, count in counts.items()]
    table = pd.DataFrame(rows, columns=["class", "group", "count"])
    leukocytes = int(table.loc[table["group"] == LEUKOCYTE, "count"].sum())
    rates = [_rate(kind, count, leukocytes, level) for _, kind, count in rows]
    table[["per_100", "low", "high"]] = np.array(rates, np.float64).reshape(len(rows), 3)
    place = table["group"].map({LEUKOCYTE: 0, NUCLEATED_RED_CELL: 1, OTHER: 2})
    order = np.lexsort((table["class"], -table["count"], place))
    return Differential(table.iloc[order].reset_index(drop=True), leukocytes, tuple(_notes(table, leukocytes)))


def exact_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Compute Clopper and Pearson's interval for a proportion; (0, 1) without trials.

    Examples
    --------
    >>> [round(end, 4) for end in exact_interval(0, 10)]
    [0.0, 0.3085]
    """
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, successes, trials - successes + 1) if successes > 0 else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def _rate(kind: str, count: int, leukocytes: int, level: float) -> tuple[float, float, float]:
    if leukocytes == 0 or kind == OTHER:
        return np.nan, np.nan, np.nan
    if kind == LEUKOCYTE:
        low, high = exact_interval(count, leukocytes, level)
        return 100 * count / leukocytes, 100 * low, 100 * high
    low, high = exact_interval(count, count + leukocytes, level)
    return 100 * count / leukocytes, 100 * low / (1 - low), 100 * high / (1 - high)


def _notes(table: pd.DataFrame, leukocytes: int) -> list[str]:
    notes = []
    if leukocytes < ENOUGH:
        notes.append(f"Fewer than {ENOUGH} leukocytes ({leukocytes}): not a differential.")
    count = table.set_index("class")["count"]
    if count.get(UNIDENTIFIED, 0):
        notes.append(f"{count[UNIDENTIFIED]} cells are Unidentified and not counted; read them first.")
    others = [name for name, kind in zip(table["class"], table["group"], strict=True) if kind == OTHER]
    others = [name for name in others if name not in (UNIDENTIFIED, NOT_CLASSED)]
    if others:
        notes.append(f"Outside the denominator: {', '.join(sorted(others))}.")
    return notes
