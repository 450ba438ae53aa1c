"""Logits → what the screen says: probabilities, the class, the set, and every reason to doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard.calibration import prediction_sets, softmax
from dashboard.errors import BundleError

if TYPE_CHECKING:
    from dashboard.bundles import Card

COLUMNS = (
    "predicted",
    "confidence",
    "prediction_set",
    "margin",
    "ood_score",
    "unidentified",
    "out_of_distribution",
)


def probability_columns(class_names: tuple[str, ...]) -> list[str]:
    """Name the probability columns: `p_<class>`, in the order of the logits."""
    return [f"p_{name}" for name in class_names]


def predictions(logits: np.ndarray, card: Card, ood_scores: np.ndarray | None = None) -> pd.DataFrame:
    """Turn logits into pre-classifications.

    Parameters
    ----------
    logits : numpy.ndarray
        float, shape (N, K), one column for each of the card's classes in order; before any temperature.
    card : Card
        Its temperature, prediction-set threshold and limits are applied.
    ood_scores : numpy.ndarray, optional
        float, shape (N,), the higher the less like the training images; NaN or None where there is no score.

    Returns
    -------
    pandas.DataFrame
        N rows, index 0...N-1; no images give no rows but every column. Columns:

        predicted : str, the arg-max class, always given, also where the rest says not to believe it
        confidence : float in [1/K, 1], its calibrated probability
        prediction_set : str, the classes in the set joined by "|", likeliest first; "" if none reaches the level or
            the card has no rule
        margin : float in [0, 1], the two highest probabilities' difference (1 for a one-class model)
        ood_score : float or NaN
        unidentified : bool, the confidence is below the card's limit
        out_of_distribution : bool, the score is above the card's threshold
        p_<class> : float in [0, 1], calibrated; a row adds up to 1

    Raises
    ------
    BundleError
        The logits do not fit the card, or are not finite.
    """
    names = card.class_names
    logits = np.asarray(logits)
    if logits.ndim != 2 or logits.shape[1] != len(names):
        raise BundleError(f"The model must give one logit for each of its {len(names)} classes; got {logits.shape}.")
    if not np.isfinite(logits).all():
        raise BundleError(
            "The model must give finite logits; got NaN or infinity. Its weights are damaged: train again."
        )
    count = len(logits)
    probabilities = np.asarray(softmax(logits, card.temperature), np.float64).reshape(count, len(names))
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    scores = np.full(count, np.nan) if ood_scores is None else np.asarray(ood_scores, np.float64)
    rule = card.out_of_distribution
    table = pd.DataFrame(
        {
            "predicted": pd.Series([names[first] for first in order[:, 0]], dtype="str"),
            "confidence": ranked[:, 0],
            "prediction_set": pd.Series(_sets(probabilities, order, card), dtype="str"),
            "margin": ranked[:, 0] - ranked[:, 1] if len(names) > 1 else np.ones(count),
            "ood_score": scores,
            "unidentified": ranked[:, 0] < card.unidentified_below,
            "out_of_distribution": scores > rule.threshold if rule else np.zeros(count, bool),
        }
    )
    return table.join(pd.DataFrame(probabilities, columns=probability_columns(names)))


def _sets(probabilities: np.ndarray, order: np.ndarray, card: Card) -> list[str]:
    if card.prediction_set is None:
        return [""] * len(probabilities)
    member = prediction_sets(probabilities, card.prediction_set.threshold)
    return ["|".join(card.class_names[k] for k in row if member[i, k]) for i, row in enumerate(order)]
