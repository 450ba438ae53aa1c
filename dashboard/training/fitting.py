"""Fit a recipe to labelled images; every epoch is kept, so that a killed run goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import pandas as pd
import tensorflow as tf

from dashboard.errors import TrainingError
from dashboard.figures_training import curves_page
from dashboard.records import write_atomically
from dashboard.training.batches import Batches, feature_batches, fine_labels, image_batches
from dashboard.training.networks import FEATURES, FINE, LOGITS, build
from dashboard.training.protocols import check_files_separate
from dashboard.training.recipes import Recipe

CURVES = "curves.csv"
FINAL = "fitted.keras"
CURVES_PLOT = "curves.html"
RUN = "run.json"


def fit(
    recipe: Recipe,
    rows: pd.DataFrame,
    out: Path,
    *,
    initial_weights: Path | str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = print,
) -> Path:
    """Fit a recipe to the rows whose split is train; judge each epoch on val.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns path, file, label, split.
    out : path
        Working folder: curves.csv, the backup of the last epoch, and at the end `fitted.keras`. A second call with
        the same folder resumes, or returns at once if the fit is done.

    Returns
    -------
    path
        `out / fitted.keras`.

    Raises
    ------
    TrainingError
        A split is empty, a class has no training image, the folder holds another run or one of other images, a
        setting is impossible, or the loss is no longer a number.
    """
    final = out / FINAL
    epochs = recipe.epochs if epochs is None else epochs
    if epochs < 1 or not 0 <= seed < 2**32:
        raise TrainingError(f"Training needs at least 1 epoch and a seed from 0 to 2^32 - 1; got {epochs} and {seed}.")
    settings = {"recipe": recipe.name, "seed": seed, "epochs": epochs, "initial_weights": _name(initial_weights)}
    _check_same_run(out, {**settings, "images": _images(rows)})
    if final.exists():
        tell(f"{final} is already there; nothing to fit.")
        return final
    train, val = rows[rows["split"] == "train"], rows[rows["split"] == "val"]
    _check_rows([info.name for info in recipe.classes], train, val)
    check_files_separate(rows)
    tell(f"Reading {len(train)} training and {len(val)} validation images …")
    keras.utils.set_random_seed(seed)
    with _precision(recipe):
        fine = fine_labels(recipe, train)
        model = build(recipe, initial_weights, fine)
        start = model.get_weights()
        if recipe.trainable == "head" and recipe.views:
            _fit_head(recipe, model, feature_batches(recipe, _up_to_features(model), train, val, seed), out, epochs)
        else:
            batches = image_batches(recipe, train, val, fine, seed)
            _compile(model, recipe, batches.steps, epochs)
            _go_on(model, batches, recipe, out, epochs)
    if recipe.start_share and initial_weights:
        ends = zip(start, model.get_weights(), strict=True)
        model.set_weights([recipe.start_share * first + (1 - recipe.start_share) * last for first, last in ends])
    unfinished = out / f"unfinished-{FINAL}"
    keras.Model(model.input, model.get_layer(LOGITS).output, name=model.name).save(unfinished)
    unfinished.replace(final)
    write_atomically(out / CURVES_PLOT, curves_page(pd.read_csv(out / CURVES), recipe.title).encode())
    return final


def _up_to_features(model: keras.Model) -> keras.Model:
    return keras.Model(model.input, model.get_layer(FEATURES).output)


def _fit_head(recipe: Recipe, model: keras.Model, batches: Batches, out: Path, epochs: int) -> None:
    """Fit the layers after the features; the model shares them."""
    names = [layer.name for layer in model.layers]
    last = model.layers[names.index(FEATURES) + 1 :]
    head = keras.Sequential([keras.Input(model.get_layer(FEATURES).output.shape[1:]), *last])
    _compile(head, recipe, batches.steps, epochs)
    _go_on(head, batches, recipe, out, epochs)


@contextlib.contextmanager
def _precision(recipe: Recipe) -> Iterator[None]:
    before = keras.mixed_precision.dtype_policy()
    if recipe.mixed_precision and tf.config.list_physical_devices("GPU"):
        keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def _go_on(model: keras.Model, batches: Batches, recipe: Recipe, out: Path, epochs: int) -> None:
    curves = keras.callbacks.CSVLogger(str(out / CURVES), append=True)
    try:
        model.fit(
            batches.training,
            validation_data=batches.validation,
            epochs=epochs,
            steps_per_epoch=batches.steps,
            verbose=1 if sys.stdout.isatty() else 2,
            shuffle=False,  # the batches are shuffled already
            callbacks=[
                keras.callbacks.TerminateOnNaN(raise_error=True),  # before the backup: that one stays sound
                keras.callbacks.BackupAndRestore(str(out / "backup"), double_checkpoint=True, delete_checkpoint=False),
                curves,
                *([keras.callbacks.SwapEMAWeights()] if model.optimizer.use_ema else []),
                *_watching(recipe),
            ],
        )
    except RuntimeError as error:
        curves.on_train_end()  # closes its file
        raise TrainingError(
            f"The loss is no longer a number; lower the learning rate. {out / 'backup'} holds the last whole epoch."
        ) from error


def _check_rows(names: list[str], train: pd.DataFrame, val: pd.DataFrame) -> None:
    missing = sorted(set(names) - set(train["label"]))
    if missing or val.empty:
        what = f"no training image of {', '.join(missing)}" if missing else "no row of split val"
        raise TrainingError(f"Training needs every class in split train, and a split val; there is {what}.")


def _check_same_run(out: Path, settings: dict[str, object]) -> None:
    file = out / RUN
    recorded = json.loads(file.read_text()) if file.exists() else {}
    if {**settings, **recorded} != settings:
        raise TrainingError(f"{out} holds a run with other settings ({recorded}); choose another folder.")
    write_atomically(file, json.dumps(settings).encode())


def _images(rows: pd.DataFrame) -> str:
    """Tell one choice of training and validation images from another: a hash that the order does not change."""
    learned = rows.loc[rows["split"].isin(["train", "val"]), ["path", "label", "split"]].sort_values("path")
    return hashlib.sha256(learned.to_csv(index=False).encode()).hexdigest()[:16]


def _name(initial_weights: Path | str | None) -> str:
    return Path(initial_weights).name if initial_weights else ""


def _watching(recipe: Recipe) -> list[keras.callbacks.Callback]:
    optimiser = recipe.optimiser
    callbacks: list[keras.callbacks.Callback] = []
    if optimiser.schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau("val_loss", 0.1, optimiser.plateau_patience, min_lr=1e-6, mode="min")
        )
    if optimiser.patience:
        mode = "min" if optimiser.monitor == "val_loss" else "max"
        callbacks.append(
            keras.callbacks.EarlyStopping(
                optimiser.monitor, patience=optimiser.patience, mode=mode, restore_best_weights=True
            )
        )
    return callbacks


def _optimiser(recipe: Recipe, steps: int, epochs: int) -> keras.optimizers.Optimizer:
    how = recipe.optimiser
    schedule = how.learning_rate
    if how.schedule == "cosine":
        schedule = keras.optimizers.schedules.CosineDecay(
            how.learning_rate / 20,
            decay_steps=int(steps * (epochs - min(how.warmup_epochs, epochs / 2))) or 1,
            alpha=0.01,
            warmup_target=how.learning_rate,
            warmup_steps=int(steps * how.warmup_epochs) or 1,
        )
    if how.name == "adam":
        return keras.optimizers.Adam(schedule)
    return keras.optimizers.AdamW(
        schedule,
        weight_decay=how.weight_decay,
        clipnorm=1.0,
        use_ema=bool(how.average_decay),
        ema_momentum=how.average_decay or 0.99,
    )


def _compile(model: keras.Model, recipe: Recipe, steps: int, epochs: int) -> None:
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing)
    if len(model.outputs) > 1:
        # no smoothing: a row of zeros, an image without a fine label, must add nothing
        losses = {LOGITS: loss, FINE: keras.losses.CategoricalCrossentropy(from_logits=True)}
        weights = {LOGITS: 1.0, FINE: recipe.fine_label_weight}
        model.compile(_optimiser(recipe, steps, epochs), losses, weights, metrics={LOGITS: "accuracy"})
    else:
        metrics = ["accuracy"]
        if recipe.optimiser.monitor == "val_macro_f1":
            metrics.append(keras.metrics.F1Score(average="macro", name="macro_f1"))
        model.compile(_optimiser(recipe, steps, epochs), loss, metrics=metrics)
