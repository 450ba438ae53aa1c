"""Run a recipe under a protocol: a fit a fold, one table of out-of-fold logits, one result file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image

from dashboard.errors import TrainingError
from dashboard.evaluation import logit_columns
from dashboard.model_graph import open_keras
from dashboard.preprocessing import scale
from dashboard.training import fitting
from dashboard.training.augmentation import augment
from dashboard.training.batches import inputs_of, load_canvases
from dashboard.training.protocols import PROTOCOLS, Fold, folds
from dashboard.training.recipes import Augmentation, Recipe

LEAKY = "leaky"
PREDICTIONS = "predictions.csv"
COPIES = 4


def run(
    recipe: Recipe,
    rows: pd.DataFrame,
    out: Path,
    protocol: str,
    *,
    k: int = 5,
    repeats: int = 1,
    only: str = "",
    noise: tuple[float, ...] = (),
    initial_weights: Path | str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = print,
) -> pd.DataFrame:
    """Fit every fold of a protocol and let each model judge what it has not seen.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns path, file, label, split, site, subject.
    protocol : str
        One of `protocols.PROTOCOLS`, or "leaky": `COPIES` augmented views of every image are made first and divided
        after, so that views of one cell are on both sides; the difference to "holdout" is what that is worth.
    only : str
        Name of the one fold to run; empty for all.
    noise : tuple of float
        Standard deviations, in 8-bit units, of Gaussian noise under which the test images are judged again.

    Returns
    -------
    pandas.DataFrame
        Also `out / predictions.csv`: path, label, site, subject, fold, noise (0 for none), logit_<class>.

    Raises
    ------
    TrainingError
        There is no fold `only`; else as `protocols.folds` and `fitting.fit`.
    """
    if protocol == LEAKY:
        rows, recipe = _augmented_first(recipe, rows, out / "views", seed)
    divided = folds(rows, "holdout" if protocol == LEAKY else protocol, k=k, repeats=repeats, seed=seed)
    chosen = [fold for fold in divided if only in ("", fold.name)]
    if not chosen:
        there = ", ".join(fold.name for fold in divided)
        raise TrainingError(f"Protocol {protocol} has no fold {only!r}; there are: {there or 'none'}.")
    judged = []
    for fold in chosen:
        tell(f"Fold {fold.name}: {len(fold.train)} to train, {len(fold.val)} to choose, {len(fold.test)} to judge.")
        model_file = fitting.fit(
            recipe,
            in_fold(rows, fold),
            out if protocol == "split" else out / f"fold-{fold.name}",
            initial_weights=initial_weights,
            epochs=epochs,
            seed=seed,
            tell=tell,
        )
        judged.append(_judge(recipe, model_file, rows.iloc[fold.test], noise, seed).assign(fold=fold.name))
    table = pd.concat(judged, ignore_index=True)
    table.to_csv(out / PREDICTIONS, index=False, float_format="%.4f", lineterminator="\n")
    return table


def description(protocol: str) -> str:
    """Say in words how a protocol divides the images."""
    leaky = f"{COPIES} augmented views of every image, divided at random after: views of one cell on both sides"
    return leaky if protocol == LEAKY else PROTOCOLS[protocol]


def in_fold(rows: pd.DataFrame, fold: Fold) -> pd.DataFrame:
    """Write a fold into the split column; rows that it does not use get none."""
    split = np.full(len(rows), "", object)
    for name in ("train", "val", "test"):
        split[getattr(fold, name)] = name
    return rows.assign(split=split)


def _judge(recipe: Recipe, model_file: Path, rows: pd.DataFrame, noise: tuple[float, ...], seed: int) -> pd.DataFrame:
    model = open_keras(model_file)
    forward = tf.function(lambda batch: model(scale(tf.cast(batch, tf.float32), recipe.input.scaling), training=False))
    prepared = inputs_of(recipe, rows)
    generator = np.random.default_rng(seed)
    tables = []
    for sigma in (0.0, *noise):
        logits = []
        for at in range(0, len(prepared), 32):
            batch = prepared[at : at + 32].astype(np.float32)
            batch = np.clip(np.round(batch + generator.normal(0, sigma, batch.shape)), 0, 255) if sigma else batch
            logits.append(forward(batch.astype(np.float32)).numpy())
        table = rows[["path", "label", "site", "subject"]].reset_index(drop=True).assign(noise=sigma)
        table[logit_columns([info.name for info in recipe.classes])] = np.concatenate(logits)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _augmented_first(recipe: Recipe, rows: pd.DataFrame, folder: Path, seed: int) -> tuple[pd.DataFrame, Recipe]:
    """Write the augmented views as files, as the paper did, and leave the fit nothing to augment."""
    folder.mkdir(parents=True, exist_ok=True)
    tf.random.set_seed(seed)
    spec = recipe.input
    copies: list[dict[str, Any]] = []
    for start in range(0, len(rows), 64):
        some = rows.iloc[start : start + 64]
        canvases = load_canvases(list(some["file"]), spec)
        for copy in range(COPIES):
            views = (
                augment(tf.constant(canvases), spec.height, spec.width, recipe.augmentation).numpy().astype(np.uint8)
            )
            for offset, (row, view) in enumerate(zip(some.to_dict("records"), views, strict=True)):
                file = folder / f"{start + offset:05d}-{copy}.png"
                Image.fromarray(view).save(file, compress_level=1)
                copies.append({**row, "path": file.name, "file": str(file.resolve())})
    plain = dataclasses.replace(
        recipe,
        augmentation=Augmentation(rotation=0, flips=False),
        input=dataclasses.replace(spec, crop=1.0, contrast="none"),
        views=min(recipe.views, 1),
    )
    return pd.DataFrame(copies), plain
