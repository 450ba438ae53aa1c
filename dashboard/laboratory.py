"""Has a model learned the laboratory instead of the cell? Three questions, and one sentence.

1. How well can the site be read from the model's features? Sites that show other classes also differ by them, so it is
   asked again within each class, and beside what the class alone, and the mere colours, tell.
2. Is the same class recognised at one site as at another?
3. What is left of the model's answers when the cell is taken out of the picture, and when all but the cell is?

Source of the questions: Zech et al. 2018, doi 10.1371/journal.pmed.1002683; Geirhos et al. 2020, Shortcut learning in
deep neural networks, doi 10.1038/s42256-020-00257-z.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dashboard import images
from dashboard.calibration import binomial_interval
from dashboard.cell_masking import background_alone, cell_alone
from dashboard.errors import BundleError, ImageError, LabelsError
from dashboard.laboratory_report import (
    FEWEST,
    Estimate,
    Gap,
    LaboratoryCheck,
    Masking,
    SiteReading,
    SiteRecall,
    conclude,
)

FOLDS = 5
BATCH = 32


def measure(
    classifier: Any,
    rows: pd.DataFrame,
    *,
    trained_on: Collection[str] = (),
    limit: int | None = None,
    segment: Callable[[np.ndarray], Any] | None = None,
    set_name: str = "",
    seed: int = 0,
) -> LaboratoryCheck:
    """Ask a model the three questions.

    Parameters
    ----------
    classifier : Classifier
        From `dashboard.classifier`.
    rows : pandas.DataFrame
        `Labels.rows`: columns path, file, label (a class of the model) and site. With a limit they are taken in turn
        from every class at every site.
    trained_on : collection of str
        Image ids that the model was made with; they are left out and counted.
    limit : int, optional
        At most so many images.
    segment : callable, optional
        uint8 (H, W, 3) → an object with `cell` (bool, (H, W)) and `found`; `morphology.segmentation.segment` if None.
    set_name : str
        What these images are, for people.
    seed : int
        Of the order of the rows and of the folds.

    Returns
    -------
    LaboratoryCheck
        Strict JSON through its `as_json`.

    Raises
    ------
    LabelsError
        Fewer than 20 images can be used.
    BundleError
        The network has no vector of features before its logits.
    """
    left_out: Counter[str] = Counter()
    accepted = _accepted(_in_turn(rows, seed), set(trained_on), left_out)
    seen = _look(classifier, itertools.islice(accepted, limit), segment or _segmentation())
    if len(seen.table) < FEWEST:
        reasons = "; ".join(f"{count} {reason}" for reason, count in left_out.items()) or "no more rows"
        raise LabelsError(
            f"The check needs at least {FEWEST} labelled images; got {len(seen.table)} ({reasons}). Give more."
        )
    table = seen.table
    recall = site_recall(table)
    return conclude(
        LaboratoryCheck(
            model_id=classifier.card.id,
            set=set_name,
            images=len(table),
            sites={str(site): int(n) for site, n in table["site"].value_counts().sort_index().items()},
            site_reading=site_readings(table, seen.features, seen.colours, seed),
            recall=recall,
            gaps=recall_gaps(recall),
            masking=masking(table),
            not_segmented=int((table["background"] == "").sum()),
            left_out=dict(left_out),
        ),
        classifier.card.display_name,
    )


def site_readings(
    table: pd.DataFrame, features: np.ndarray, colours: np.ndarray, seed: int = 0
) -> tuple[SiteReading, ...]:
    """Read the site from features by cross-validated logistic regression: over all images, then within each class.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns label and site, N rows.
    features, colours : numpy.ndarray
        Shapes (N, D) and (N, C): the model's features, and the mere colours to compare them with.

    Returns
    -------
    tuple of SiteReading
        Only sites with 20 images or more take part, and two are needed: else there is no reading.

    Notes
    -----
    Balanced accuracy over the sites, from the left-out fold of 5; features standardised, sites weighted equally.
    """
    names = table["label"].to_numpy()
    classes = pd.get_dummies(table["label"]).to_numpy(float)
    found = []
    for name in ["", *sorted(set(names))]:
        chosen = np.ones(len(table), bool) if not name else names == name
        counts = table.loc[chosen, "site"].value_counts()
        sites = sorted(str(site) for site in counts.index[counts >= FEWEST])
        if len(sites) < 2:
            continue
        chosen &= table["site"].isin(sites).to_numpy()
        truth = table.loc[chosen, "site"].to_numpy(str)
        found.append(
            SiteReading(
                name,
                {site: int(counts[site]) for site in sites},
                1 / len(sites),
                _read(features[chosen], truth, seed),
                _read(colours[chosen], truth, seed),
                _read(classes[chosen], truth, seed) if not name else None,
            )
        )
    return tuple(found)


def site_recall(table: pd.DataFrame) -> tuple[SiteRecall, ...]:
    """Count how often each class is recognised at each site.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns label, site and whole (the model's answer to the whole picture).
    """
    right = table["whole"] == table["label"]
    groups = right.groupby([table["label"], table["site"]]).agg(["size", "sum"])
    return tuple(
        SiteRecall(str(name), str(site), int(n), int(hits), hits / n, *map(float, binomial_interval(hits, n)))
        for (name, site), (n, hits) in zip(groups.index, groups.to_numpy(), strict=True)
    )


def recall_gaps(recall: Collection[SiteRecall]) -> tuple[Gap, ...]:
    """Compare the best with the worst site of each class that has 20 images or more at two, the widest gap first."""
    gaps = []
    for name in sorted({row.class_name for row in recall}):
        rows = sorted((row for row in recall if row.class_name == name and row.n >= FEWEST), key=lambda row: row.recall)
        if len(rows) > 1:
            pair = (rows[-1], rows[0])
            gap = weighted_proportion([row.correct for row in pair], [row.n for row in pair], [1, -1])
            gaps.append(Gap(name, pair[0].site, pair[1].site, gap.n, gap.value, gap.low, gap.high))
    return tuple(sorted(gaps, key=lambda gap: -gap.gap))


def masking(table: pd.DataFrame) -> Masking | None:
    """Compare the answers to whole pictures, to backgrounds alone and to cells alone.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns label, site, whole, background and cell: answers, empty where the cell was not found.

    Returns
    -------
    Masking or None
        Balanced accuracies over the classes, all on the pictures whose cell was found; None for fewer than 20 of
        these, or one class. Chance is what one answer to all gets; `site_alone` is the most that an answer
        chosen by the site could get.
    """
    found = table[table["background"] != ""]
    counts = pd.crosstab(found["label"], found["site"]).to_numpy()
    if len(found) < FEWEST or len(counts) < 2:
        return None
    whole, background, cell = (_balanced(found["label"], found[name]) for name in ("whole", "background", "cell"))
    shares = counts / counts.sum(axis=1, keepdims=True)
    return Masking(len(found), 1 / len(counts), float(shares.max(axis=0).sum() / len(counts)), whole, background, cell)


def weighted_proportion(successes: list[int], trials: list[int], weights: list[float]) -> Estimate:
    """Add independent proportions by weight, with a 95 % interval from Wilson's interval of each.

    Parameters
    ----------
    successes, trials : list of int
        Of each proportion; every number of trials above 0.
    weights : list of float
        1/K each for the mean of K, (1, -1) for a difference.

    Notes
    -----
    Source: Zou & Donner 2008, Construction of confidence limits about effect measures, doi 10.1002/sim.3095; for a
    difference it is method 10 of Newcombe 1998. Cross-validated outcomes are not quite independent: their interval is
    a little too narrow.

    Examples
    --------
    >>> found = weighted_proportion([56, 48], [70, 80], [1, -1])
    >>> [round(value, 4) for value in (found.value, found.low, found.high)]
    [0.2, 0.0524, 0.3339]
    """
    parts, weight = np.asarray(successes) / np.asarray(trials), np.asarray(weights)
    low, high = binomial_interval(successes, trials)
    down = np.where(weight > 0, parts - low, high - parts)
    up = np.where(weight > 0, high - parts, parts - low)
    value = float(weight @ parts)
    return Estimate(
        int(np.sum(trials)),
        value,
        value - float(np.sqrt(np.sum((weight * down) ** 2))),
        value + float(np.sqrt(np.sum((weight * up) ** 2))),
    )


@dataclass(frozen=True)
class _Seen:
    """What the model made of the images: a row, a vector of features and one of colours each."""

    table: pd.DataFrame
    features: np.ndarray
    colours: np.ndarray


def _segmentation() -> Callable[[np.ndarray], Any]:
    from dashboard.morphology.segmentation import segment

    return segment


def _in_turn(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    shuffled = rows.sample(frac=1, random_state=seed)
    turn = shuffled.groupby(["label", "site"]).cumcount()
    return shuffled.loc[turn.sort_values(kind="stable").index]


def _accepted(
    rows: pd.DataFrame, trained_on: set[str], left_out: Counter[str]
) -> Iterator[tuple[str, str, images.SmearImage]]:
    seen: set[str] = set()
    for row in rows.itertuples():
        if not row.site:
            left_out["of no stated site"] += 1
            continue
        try:
            image = images.read(row.file)
        except ImageError:
            left_out["not readable"] += 1
            continue
        if image.image_id in trained_on:
            left_out["that the model was made with"] += 1
        elif image.image_id in seen:
            left_out["shown twice"] += 1
        else:
            seen.add(image.image_id)
            yield row.label, row.site, image


def _look(classifier: Any, accepted: Iterator[Any], segment: Callable[[np.ndarray], Any]) -> _Seen:
    from dashboard.model_graph import features_layer

    layer = features_layer(classifier.model)
    if layer is None:
        raise BundleError("The network must give a vector of features before its logits; this one gives none.")
    tables, features, colours = [], [np.zeros((0, 1))], [np.zeros((0, 6))]
    while batch := list(itertools.islice(accepted, BATCH)):
        pictures = [image.pixels for _, _, image in batch]
        prepared = np.stack([classifier.prepare(pixels) for pixels in pictures])
        masked = [_masked(pixels, segment) for pixels in pictures]
        tables.append(
            pd.DataFrame(
                {
                    "label": [label for label, _, _ in batch],
                    "site": [site for _, site, _ in batch],
                    "whole": _answers(classifier, list(prepared)),
                    "background": _answers(classifier, [pair and classifier.prepare(pair[0]) for pair in masked]),
                    "cell": _answers(classifier, [pair and classifier.prepare(pair[1]) for pair in masked]),
                }
            )
        )
        features.append(classifier.features(prepared, (layer,)))
        colours.append(np.concatenate([prepared.mean(axis=(1, 2)), prepared.std(axis=(1, 2))], axis=1))
    columns = ["label", "site", "whole", "background", "cell"]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return _Seen(table, np.concatenate(features[1:] or features), np.concatenate(colours))


def _masked(pixels: np.ndarray, segment: Callable[[np.ndarray], Any]) -> tuple[np.ndarray, np.ndarray] | None:
    found = segment(pixels)
    background = background_alone(pixels, found.cell) if found.found else None
    return None if background is None else (background, cell_alone(pixels, found.cell))


def _answers(classifier: Any, prepared: list[np.ndarray | None]) -> list[str]:
    """Name the likeliest class of each; empty where there is no picture."""
    there = [picture for picture in prepared if picture is not None]
    best = iter(classifier.logits(np.stack(there)).argmax(axis=1) if there else [])
    return ["" if picture is None else classifier.card.class_names[next(best)] for picture in prepared]


def _balanced(truth: Any, answers: Any) -> Estimate:
    truth, right = np.asarray(truth), np.asarray(truth) == np.asarray(answers)
    groups = [right[truth == name] for name in sorted(set(truth))]
    hits, trials = [int(group.sum()) for group in groups], [len(group) for group in groups]
    return weighted_proportion(hits, trials, [1 / len(groups)] * len(groups))


def _read(values: np.ndarray, sites: np.ndarray, seed: int) -> Estimate:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    reader = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return _balanced(sites, cross_val_predict(reader, values, sites, cv=folds))
