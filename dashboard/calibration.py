"""How sure: temperature, reliability, calibration error and its noise floor, prediction sets, binomial intervals.

Everything here is fitted on, or measured with, images that the model was not trained on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special

from dashboard.errors import CalibrationError

_LOG_TEMPERATURES = (-7.0, 7.0)  # e^-7 to e^7: far beyond any network that was trained


def softmax(logits: ArrayLike, temperature: float = 1.0) -> np.ndarray:
    """Turn logits into probabilities.

    Parameters
    ----------
    logits : array
        Shape (..., K), any finite float.
    temperature : float
        Above 0; above 1 makes the probabilities less sure, below 1 surer.

    Returns
    -------
    numpy.ndarray
        float64, shape (..., K), in [0, 1], each row summing to 1. Empty input gives empty output.

    Raises
    ------
    CalibrationError
        The temperature is not a finite number above 0.

    Examples
    --------
    >>> softmax([0.0, math.log(3.0)]).round(2).tolist()
    [0.25, 0.75]
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise CalibrationError(f"A temperature must be a finite number above 0; it is {temperature}. Calibrate again.")
    return special.softmax(np.asarray(logits, np.float64) / temperature, axis=-1)


def fit_temperature(logits: ArrayLike, labels: ArrayLike, *, one_wrong: bool = False) -> float:
    """Find the one temperature under which the labels are likeliest.

    Parameters
    ----------
    logits : array
        Shape (N, K), of images that the model was not trained on.
    labels : array of int
        Shape (N,), the true class of each, 0 to K - 1.
    one_wrong : bool
        Fit as if one image more had been wrong (Platt's targets: a label counts (N + 1) / (N + 2), the rest is shared
        by the other classes). For a set on which the model makes no error.

    Returns
    -------
    float
        Above 0; 1 means that the model was calibrated already.

    Raises
    ------
    CalibrationError
        No rows, shapes that do not fit, logits that are not finite, one class only; or no best temperature
        exists, because the model was right on every row (it tends to 0) or knows nothing of them (to infinity).

    Notes
    -----
    The negative log-likelihood is convex in 1 / temperature, hence has one minimum along its logarithm.

    Source: Guo et al. 2017, On calibration of modern neural networks, ICML, arXiv:1706.04599; Platt 1999,
    Probabilistic outputs for support vector machines.
    """
    scores, truth = _checked(logits, labels)
    of_truth = np.take_along_axis(scores, truth[:, None], axis=1)[:, 0]
    if one_wrong:
        doubt = 1 / (len(truth) + 2)
        of_truth = (1 - doubt) * of_truth + doubt * (scores.sum(axis=1) - of_truth) / (scores.shape[1] - 1)
    elif np.all(scores.argmax(axis=1) == truth):
        raise CalibrationError(
            f"The calibration set must hold an image that the model gets wrong; all {len(truth)} were right, "
            "so they cannot tell how sure is too sure. Use more images."
        )
    if of_truth.mean() <= scores.mean():
        raise CalibrationError(
            "The model must favour the true class on average; on this set it does no better than chance. "
            "Check that the labels belong to the images."
        )

    def negative_log_likelihood(log_temperature: float) -> float:
        scaled = scores / math.exp(log_temperature)
        return float(np.mean(special.logsumexp(scaled, axis=1)) - of_truth.mean() / math.exp(log_temperature))

    found = optimize.minimize_scalar(
        negative_log_likelihood, bounds=_LOG_TEMPERATURES, method="bounded", options={"xatol": 1e-6}
    )
    return float(math.exp(found.x))


def reliability_table(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> pd.DataFrame:
    """Compare how sure the model was with how often it was right.

    Parameters
    ----------
    confidence : array
        Shape (N,), in [0, 1]: the probability of the predicted class.
    correct : array of bool
        Shape (N,).
    bins : int
        Bins of equal width, each open below and closed above; 0 falls into the first.

    Returns
    -------
    pandas.DataFrame
        One row a bin: low, high (its edges), count, confidence and accuracy (means in [0, 1]), accuracy_low and
        accuracy_high (95 % Wilson interval). NaN where the count is 0.

    Raises
    ------
    CalibrationError
        Confidences outside [0, 1], or of another number than `correct`.
    """
    sure, right = _checked_confidence(confidence), np.asarray(correct, bool)
    if len(sure) != len(right):
        raise CalibrationError(f"Each confidence needs one outcome; got {len(sure)} and {len(right)}.")
    place = _bin(sure, bins)
    count = np.bincount(place, minlength=bins)
    hits = np.bincount(place, weights=right, minlength=bins)
    share = np.where(count > 0, count, np.nan)  # NaN, not 0, where there is nothing to say
    low, high = binomial_interval(hits, count)
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "confidence": np.bincount(place, weights=sure, minlength=bins) / share,
            "accuracy": hits / share,
            "accuracy_low": low,
            "accuracy_high": high,
        }
    )


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Average the gap between confidence and accuracy over the bins, weighted by their counts.

    Parameters
    ----------
    confidence, correct, bins
        As `reliability_table`.

    Returns
    -------
    float
        In [0, 1]; 0 is calibrated. NaN for empty input. Never judge it without `ece_noise_floor`.

    Notes
    -----
    Source: Naeini et al. 2015, AAAI, doi:10.1609/aaai.v29i1.9602.
    """
    table = reliability_table(confidence, correct, bins)
    total = table["count"].sum()
    if total == 0:
        return math.nan
    gaps = (table["accuracy"] - table["confidence"]).abs()
    return float((gaps * table["count"]).sum() / total)


def ece_noise_floor(
    confidence: ArrayLike, bins: int = 15, repeats: int = 1000, seed: int = 0, quantile: float = 0.95
) -> float:
    """Say how large an ECE chance alone gives.

    A model that is right exactly as often as its confidences say is drawn `repeats` times; an ECE under the
    quantile of these draws is no evidence of miscalibration.

    Parameters
    ----------
    confidence : array
        Shape (N,), in [0, 1].
    bins, repeats, seed : int
        As `reliability_table`; number of draws; seed of the draws.
    quantile : float
        In (0, 1).

    Returns
    -------
    float
        In [0, 1], falling as N grows; NaN for empty input.

    Notes
    -----
    Source: consistency resampling, Bröcker & Smith 2007, doi:10.1175/WAF993.1.
    """
    sure = _checked_confidence(confidence)
    if not len(sure):
        return math.nan
    place = _bin(sure, bins)
    expected = np.bincount(place, weights=sure, minlength=bins)
    random = np.random.default_rng(seed)
    draws = [
        np.abs(np.bincount(place[random.random(len(sure)) < sure], minlength=bins) - expected).sum()
        for _ in range(repeats)
    ]
    return float(np.quantile(draws, quantile) / len(sure))


def conformal_threshold(probabilities: ArrayLike, labels: ArrayLike, level: float = 0.9) -> float:
    """Find the probability from which a class belongs to the prediction set.

    Parameters
    ----------
    probabilities : array
        Shape (N, K), in [0, 1], of images that the model was not trained on.
    labels : array of int
        Shape (N,), 0 to K - 1.
    level : float
        The share of new images of the same kind whose set shall hold the truth, in (0, 1).

    Returns
    -------
    float
        In [0, 1]: the ceil((N + 1) level)-th largest probability of the truth; 0, every class, where N is too
        small for the level.

    Raises
    ------
    CalibrationError
        No rows, shapes that do not fit, values that are not finite, one class only, or a level outside (0, 1).

    Notes
    -----
    Source: the LAC score of Sadinle, Lei & Wasserman 2019, doi:10.1080/01621459.2017.1395341, with the
    finite-sample quantile of Angelopoulos & Bates 2021, arXiv:2107.07511.
    """
    if not 0 < level < 1:
        raise CalibrationError(f"The level of a prediction set must lie between 0 and 1; it is {level}.")
    values, truth = _checked(probabilities, labels)
    of_truth = np.sort(np.take_along_axis(values, truth[:, None], axis=1)[:, 0])[::-1]
    rank = math.ceil((len(truth) + 1) * level - 1e-9)  # the subtraction: 0.9 is a little more than nine tenths
    return float(of_truth[rank - 1]) if rank <= len(truth) else 0.0


def prediction_sets(probabilities: ArrayLike, threshold: float) -> np.ndarray:
    """Collect the classes that reach the threshold.

    Returns
    -------
    numpy.ndarray
        bool, shape (N, K) as `probabilities`; True for a class in the set. A row may be all False: no class is
        likely enough.
    """
    return np.asarray(probabilities) >= threshold


def binomial_interval(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> tuple[Any, Any]:
    """Compute Wilson's interval for a proportion.

    Parameters
    ----------
    successes, trials : number or array
        Counts of the same shape, 0 <= successes <= trials.
    level : float
        In (0, 1).

    Returns
    -------
    tuple
        (low, high), float64 of that shape, in [0, 1]; NaN where there were no trials.

    Notes
    -----
    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(float(end), 3) for end in binomial_interval(8, 10)]
    [0.49, 0.943]
    """
    z = special.ndtri((1 + level) / 2)
    trials = np.asarray(trials, np.float64)
    number = np.where(trials > 0, trials, np.nan)
    share = np.asarray(successes, np.float64) / number
    centre = (share + z**2 / (2 * number)) / (1 + z**2 / number)
    half = z / (1 + z**2 / number) * np.sqrt(share * (1 - share) / number + z**2 / (4 * number**2))
    return np.clip(centre - half, 0, 1)[()], np.clip(centre + half, 0, 1)[()]


def _bin(confidence: np.ndarray, bins: int) -> np.ndarray:
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def _checked_confidence(confidence: ArrayLike) -> np.ndarray:
    sure = np.asarray(confidence, np.float64)
    if not np.all((sure >= 0) & (sure <= 1)):
        raise CalibrationError("Confidences must lie between 0 and 1; give probabilities, not logits.")
    return sure


def _checked(values: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    table, truth = np.asarray(values, np.float64), np.asarray(labels)
    if not len(truth):
        raise CalibrationError("A calibration needs labelled images that the model was not trained on; got none.")
    if table.ndim != 2 or truth.ndim != 1 or len(table) != len(truth):
        raise CalibrationError(
            f"A calibration needs one row of values and one label an image; got shapes {table.shape} and {truth.shape}."
        )
    if not np.all(np.isfinite(table)):
        raise CalibrationError("Every value must be a finite number; some are not. Check the model's outputs.")
    if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0 or truth.max() >= table.shape[1]:
        raise CalibrationError(f"Labels must be class numbers from 0 to {table.shape[1] - 1}.")
    if len(np.unique(truth)) < 2:
        raise CalibrationError("A calibration needs images of two classes or more; all are of one.")
    return table, truth
