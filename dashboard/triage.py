"""Named reasons to look again, from a batch's results alone → an ordered queue.

Each reason is a small function of the table: (results, card) → one text a row, "" where the reason does not hold.
A text is the reason's kind, and after ": " its detail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from dashboard.bundles import Card

SMALL_MARGIN = 0.10  # difference of the two highest probabilities, in [0, 1]


def critical_class(results: pd.DataFrame, card: Card) -> pd.Series:
    """Pre-classified as a critical class, or one is in the prediction set."""
    return pd.Series(
        [_critical(*row, card) for row in zip(results["predicted"], results["prediction_set"], strict=True)],
        index=results.index,
        dtype="str",
    )


def unidentified(results: pd.DataFrame, card: Card) -> pd.Series:  # noqa: ARG001
    """The calibrated confidence is below the card's limit."""
    return _where(results["unidentified"], [f"Unidentified: {value:.2f}" for value in results["confidence"]])


def out_of_distribution(results: pd.DataFrame, card: Card) -> pd.Series:  # noqa: ARG001
    """The image is unlike the training images."""
    return _where(results["out_of_distribution"], "Outside the training data")


def prediction_set(results: pd.DataFrame, card: Card) -> pd.Series:
    """No class, or more than one, reaches the level of the prediction set."""
    if card.prediction_set is None:
        return _where(pd.Series(False, index=results.index), "")
    level = f"{100 * card.prediction_set.level:g} %"
    sizes = [len(names.split("|")) if names else 0 for names in results["prediction_set"]]
    texts = [f"No class reaches the {level} level" if size == 0 else f"Several classes: {size}" for size in sizes]
    return _where(pd.Series([size != 1 for size in sizes], index=results.index, dtype=bool), texts)


def small_margin(results: pd.DataFrame, card: Card) -> pd.Series:  # noqa: ARG001
    """The runner-up is within `SMALL_MARGIN`."""
    return _where(results["margin"] < SMALL_MARGIN, [f"Margin: {value:.2f}" for value in results["margin"]])


def picture_quality(results: pd.DataFrame, card: Card) -> pd.Series:  # noqa: ARG001
    """Something was found about the picture itself."""
    texts = results["quality"] if "quality" in results else pd.Series("", index=results.index, dtype="str")
    return _where(texts != "", [f"Picture: {text.split(':')[0].rstrip('.').lower()}" for text in texts])


Reason = Callable[[pd.DataFrame, "Card"], pd.Series]
REASONS: tuple[Reason, ...] = (
    critical_class,
    unidentified,
    out_of_distribution,
    prediction_set,
    small_margin,
    picture_quality,
)


def queue(results: pd.DataFrame, card: Card, decisions: pd.DataFrame | None = None) -> pd.DataFrame:
    """Order a batch's cells for a second read.

    Parameters
    ----------
    results : pandas.DataFrame
        As `Case.results` gives them; rejected files are left out, and of the same picture all but the first.
    card : Card
        Of the model that gave them.
    decisions : pandas.DataFrame, optional
        Standing decisions of this case (`audit_log.current_decisions`), with column image_id.

    Returns
    -------
    pandas.DataFrame
        The rows of `results` in order, indexed from 0, with further columns

        reasons : str, named reasons joined by "; ", "" if there is none
        critical : bool, a critical class is predicted or in the prediction set
        doubtful : bool, any other reason holds
        decided : bool, a decision stands

        Undecided cells first; of these the critical and doubtful, the critical, the doubtful, the rest; within each,
        the more reasons and then the smaller margin first. Every cell is in the queue. No results, no rows.
    """
    if results.empty or "margin" not in results:
        return results.assign(reasons="", critical=False, doubtful=False, decided=False).iloc[:0]
    table = results[results["status"] == "ok"].drop_duplicates("image_id").reset_index(drop=True)
    reasons = pd.DataFrame({reason.__name__: reason(table, card) for reason in REASONS})
    counts = (reasons != "").sum(axis=1)
    table["reasons"] = ["; ".join(text for text in row if text) for row in reasons.itertuples(index=False)]
    table["critical"] = reasons["critical_class"] != ""
    table["doubtful"] = counts > table["critical"]
    decided = set() if decisions is None else set(decisions["image_id"])
    table["decided"] = table["image_id"].isin(decided)
    rank = 3 - 2 * table["critical"].astype(int) - table["doubtful"].astype(int)
    order = np.lexsort((table["margin"], -counts, rank, table["decided"]))
    return table.iloc[order].reset_index(drop=True)


def kinds(reasons: str) -> list[str]:
    """List the kinds of a row's reasons, for filters.

    Examples
    --------
    >>> kinds("Unidentified: 0.41; Outside the training data")
    ['Unidentified', 'Outside the training data']
    """
    return [text.split(":")[0] for text in reasons.split("; ") if text]


def _critical(predicted: str, names: str, card: Card) -> str:
    if predicted in card.critical:
        return f"Critical class: {card.display_name(predicted)}"
    possible = [card.display_name(name) for name in names.split("|") if name in card.critical]
    return f"Critical class possible: {', '.join(possible)}" if possible else ""


def _where(holds: pd.Series, texts: object) -> pd.Series:
    return pd.Series(np.where(holds, np.asarray(texts, dtype=object), ""), index=holds.index, dtype="str")
