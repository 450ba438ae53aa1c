"""Protocols: which images a model may learn from, and which it is judged on."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from dashboard.errors import TrainingError

PROTOCOLS = {
    "split": "the split column of the labels CSV",
    "holdout": "random images, stratified by class: 70 % to train, 10 % to choose, 20 % to judge",
    "kfold": "random images, stratified k-fold, repeated",
    "subject": "k-fold over whole subjects: nobody is on both sides",
    "site": "leave one site out (LODOCV): judged at a site that training never saw",
}


@dataclass(frozen=True)
class Fold:
    """One fit of a protocol.

    Attributes
    ----------
    name : str
        "1", "2.3" (repeat 2, fold 3), or the site that is left out.
    train, val, test : numpy.ndarray
        Positions of rows, int64; no row is in two of them. Val, which chooses epochs and temperature, is drawn like
        train: from the same subjects and sites.
    """

    name: str
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray


def folds(
    rows: pd.DataFrame, protocol: str, *, k: int = 5, repeats: int = 1, seed: int = 0, val_share: float = 0.1
) -> list[Fold]:
    """Divide labelled images by a protocol.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns path, label, split, site, subject.
    protocol : str
        One of `PROTOCOLS`.
    k, repeats : int
        Number of folds, and of divisions into them, for "kfold" and "subject". Repeat 2 divides with another seed.
    val_share : float
        Share of what is left for training that is set apart as val, in (0, 1).

    Returns
    -------
    list of Fold

    Raises
    ------
    TrainingError
        Unknown protocol; one class only; an image listed twice; a subject or a column that the protocol needs is
        missing; too few images, subjects or sites.
    """
    if protocol not in PROTOCOLS:
        raise TrainingError(f"There is no protocol {protocol!r}; there are: {', '.join(PROTOCOLS)}.")
    rows = rows.reset_index(drop=True)
    _check(rows)
    if protocol == "split":
        return [_by_split(rows)]
    if protocol == "site":
        tests = _sites(rows)
    else:
        tests = [
            (name, test)
            for repeat in range(repeats)
            for name, test in _tests(rows, protocol, k, seed + repeat, f"{repeat + 1}." if repeats > 1 else "")
        ]
    return [_with_val(rows, name, test, val_share, seed) for name, test in tests]


def check_separate(rows: pd.DataFrame) -> None:
    """Refuse a split column under which a subject is on both sides of the line between training and judging.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns split and subject; rows without a subject are not checked.

    Raises
    ------
    TrainingError
        Names the subjects.
    """
    known = rows[rows["subject"] != ""]
    learned = set(known.loc[known["split"].isin(["train", "val"]), "subject"])
    both = sorted(learned & set(known.loc[known["split"] == "test", "subject"]))
    if both:
        raise TrainingError(
            f"A subject must be on one side of the split; on both sides: {_listed(both)}. Use --protocol subject."
        )


def check_files_separate(rows: pd.DataFrame) -> None:
    """Refuse a file that is in two splits, even under two names; TrainingError names both."""
    used = rows[rows["split"].isin(["train", "val", "test"])]
    seen: dict[bytes, tuple[str, str]] = {}
    for file, split in zip(used["file"], used["split"], strict=True):
        try:
            digest = hashlib.sha256(Path(file).read_bytes()).digest()
        except OSError as error:
            raise TrainingError(f"{file} cannot be used for training: {error.strerror or error}.") from error
        first, its_split = seen.setdefault(digest, (file, split))
        if its_split != split:
            raise TrainingError(
                f"An image may be in one split only; {first} ({its_split}) and {file} ({split}) are the same."
            )


def _check(rows: pd.DataFrame) -> None:
    classes = sorted(set(rows["label"]))
    if len(classes) < 2:
        raise TrainingError(f"A classifier needs two classes or more; the labels name only {_listed(classes)}.")
    twice = sorted(set(rows.loc[rows["path"].duplicated(), "path"]))
    if twice:
        raise TrainingError(f"Each image may be listed once; twice or more: {_listed(twice)}.")


def _by_split(rows: pd.DataFrame) -> Fold:
    at = {name: np.flatnonzero(rows["split"] == name) for name in ("train", "val", "test")}
    empty = [name for name, positions in at.items() if not len(positions)]
    if empty:
        raise TrainingError(f"Protocol split needs rows of train, val and test; there are none of {_listed(empty)}.")
    return Fold("split", at["train"], at["val"], at["test"])


def _tests(rows: pd.DataFrame, protocol: str, k: int, seed: int, prefix: str) -> list[tuple[str, np.ndarray]]:
    labels, everything = rows["label"], np.arange(len(rows))
    if protocol == "holdout":
        stratify = _enough(labels, 5)
        return [
            (
                f"{prefix}holdout",
                np.sort(train_test_split(everything, test_size=0.2, random_state=seed, stratify=stratify)[1]),
            )
        ]
    if k < 2:
        raise TrainingError(f"There must be 2 folds or more; got {k}.")
    if protocol == "subject":
        if (rows["subject"] == "").any():
            raise TrainingError("Protocol subject needs the subject of every image; the labels CSV leaves some empty.")
        fewest = rows.groupby("label")["subject"].nunique()
        if fewest.min() < k:
            raise TrainingError(
                f"With {k} folds every class needs {k} subjects or more; {fewest.idxmin()} has {fewest.min()}."
            )
        divided = StratifiedGroupKFold(k, shuffle=True, random_state=seed).split(everything, labels, rows["subject"])
    else:
        divided = StratifiedKFold(k, shuffle=True, random_state=seed).split(everything, _enough(labels, k))
    return [(f"{prefix}{index}", test) for index, (_, test) in enumerate(divided, start=1)]


def _sites(rows: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    sites = sorted(set(rows["site"]))
    if len(sites) < 2 or "" in sites:
        raise TrainingError(
            f"Protocol site needs two sites or more, and the site of every image; got {_listed(sites)}."
        )
    return [(site, np.flatnonzero(rows["site"] == site)) for site in sites]


def _with_val(rows: pd.DataFrame, name: str, test: np.ndarray, val_share: float, seed: int) -> Fold:
    left = np.setdiff1d(np.arange(len(rows)), test)
    labels = rows["label"].iloc[left]
    learned = set(labels)
    if len(learned) < 2:
        raise TrainingError(f"Without fold {name} only {_listed(sorted(learned))} is left to learn from.")
    share = 0.125 if name.endswith("holdout") else val_share
    size = max(math.ceil(share * len(left)), len(learned))  # room for one of each class
    train, val = train_test_split(left, test_size=size, random_state=seed, stratify=_enough(labels, 2))
    return Fold(name, np.sort(train), np.sort(val), test)


def _enough(labels: pd.Series, least: int) -> pd.Series:
    counts = labels.value_counts()
    if counts.min() < least:
        raise TrainingError(f"Every class needs {least} images or more here; {counts.idxmin()} has {counts.min()}.")
    return labels


def _listed(names: list[str]) -> str:
    return ", ".join(name or "(empty)" for name in names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
