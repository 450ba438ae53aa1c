"""Fit a recipe to labelled images; every epoch is kept, so that a killed run goes on where it stopped."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from dashboard import images as image_files
from dashboard.errors import ImageError, TrainingError
from dashboard.images import SmearImage
from dashboard.model_graph import open_keras
from dashboard.preprocessing import InputSpec, prepare, scale
from dashboard.records import write_atomically
from dashboard.training.augmentation import augment, mix
from dashboard.training.recipes import Recipe

CURVES = "curves.csv"
FINAL = "fitted.keras"
RUN = "run.json"
LOGITS, FINE = "logits", "fine"  # names of the two outputs; the second is for training alone
Targets = Any  # one-hot float32 (N, K), or a dict of them by output


def load_canvases(files: list[str], spec: InputSpec) -> np.ndarray:
    """Decode images to training canvases: the whole image at the scale at which the model sees its centre.

    Returns
    -------
    numpy.ndarray
        uint8, shape (N, round(height / crop), round(width / crop), 3).

    Raises
    ------
    TrainingError
        A file cannot be decoded; it is named.
    """
    canvas = InputSpec(
        round(spec.height / spec.crop), round(spec.width / spec.crop), spec.resize, 1.0, spec.scaling, spec.contrast
    )

    with ThreadPoolExecutor() as pool:
        return np.stack(list(pool.map(lambda file: prepare(read_image(file).pixels, canvas), files)))


def read_image(file: str) -> SmearImage:
    """Read an image of the labels CSV; TrainingError that names it if it cannot be decoded."""
    try:
        return image_files.read(file)
    except ImageError as error:
        raise TrainingError(f"{file} cannot be used for training. {error}") from error


def build(recipe: Recipe, initial_weights: Path | str | None, fine_labels: Sequence[str] = ()) -> keras.Model:
    """Build a recipe's network: backbone, global average pooling, dropout, one dense layer of logits.

    Parameters
    ----------
    initial_weights : path, "imagenet" or None
        A `.weights.h5` of the backbone without its top, or the `.keras` of an earlier fit of the same classes;
        "imagenet" downloads them; None starts at random.
    fine_labels : sequence of str
        With any, the network has a second output, `fine`: their logits, for training alone.

    Raises
    ------
    TrainingError
        The file is missing or does not fit the backbone.
    """
    spec = recipe.input
    make = getattr(keras.applications, recipe.backbone)
    backbone = make(
        weights="imagenet" if initial_weights == "imagenet" else None,
        include_top=False,
        input_shape=(spec.height, spec.width, 3),
    )
    features = keras.layers.GlobalAveragePooling2D(name="features")(backbone.output)
    features = keras.layers.Dropout(recipe.dropout, name="dropout")(features)
    logits = keras.layers.Dense(len(recipe.classes), name=LOGITS)(features)
    model = keras.Model(backbone.input, logits, name=recipe.name.replace("-", "_"))
    if initial_weights not in (None, "imagenet"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Keras only warns of layers that keep their random weights
                _start_from(Path(str(initial_weights)), backbone, model)
        except (OSError, ValueError, UserWarning) as error:
            reason = str(error).strip().partition("\n")[0]
            raise TrainingError(
                f"The initial weights {initial_weights} do not fit {recipe.backbone}: {reason}"
            ) from error
    if recipe.frozen_batch_norm:
        for layer in backbone.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
    if not fine_labels:
        return model
    fine = keras.layers.Dense(len(fine_labels), name=FINE)(features)
    return keras.Model(backbone.input, {LOGITS: logits, FINE: fine}, name=model.name)


def _start_from(file: Path, backbone: keras.Model, model: keras.Model) -> None:
    if file.suffix == ".keras":
        model.set_weights(open_keras(file).get_weights())
    else:
        backbone.load_weights(str(file))


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
        Columns file, label, split.
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
        A split is empty, a class has no training image, the folder holds another run, a setting is impossible, or
        the loss is no longer a number.
    """
    final = out / FINAL
    epochs = recipe.epochs if epochs is None else epochs
    if epochs < 1 or not 0 <= seed < 2**32:
        raise TrainingError(f"Training needs at least 1 epoch and a seed from 0 to 2^32 - 1; got {epochs} and {seed}.")
    _check_same_run(
        out, {"recipe": recipe.name, "seed": seed, "epochs": epochs, "initial_weights": _name(initial_weights)}
    )
    if final.exists():
        tell(f"{final} is already there; nothing to fit.")
        return final
    names = [info.name for info in recipe.classes]
    train, val = rows[rows["split"] == "train"], rows[rows["split"] == "val"]
    _check_rows(names, train, val)
    keras.utils.set_random_seed(seed)
    tell(f"Reading {len(train)} training and {len(val)} validation images …")
    steps = len(train) // recipe.batch or 1
    fine_labels = _fine_labels(recipe, train)
    model = build(recipe, initial_weights, fine_labels)
    _compile(model, recipe, steps, epochs, fine=bool(fine_labels))
    training = _training_batches(recipe, train, _targets(train, names, fine_labels), seed)
    validation = _validation_batches(recipe, val, _targets(val, names, fine_labels))
    _go_on(model, (training, validation), out, epochs, steps)
    unfinished = out / f"unfinished-{FINAL}"
    keras.Model(model.input, model.get_layer(LOGITS).output, name=model.name).save(unfinished)
    unfinished.replace(final)
    return final


def _go_on(
    model: keras.Model, batches: tuple[tf.data.Dataset, tf.data.Dataset], out: Path, epochs: int, steps: int
) -> None:
    curves = keras.callbacks.CSVLogger(str(out / CURVES), append=True)
    try:
        model.fit(
            batches[0],
            validation_data=batches[1],
            epochs=epochs,
            steps_per_epoch=steps,
            verbose=2,
            shuffle=False,  # the batches are shuffled already
            callbacks=[
                keras.callbacks.TerminateOnNaN(raise_error=True),  # before the backup: that one stays sound
                keras.callbacks.BackupAndRestore(str(out / "backup"), double_checkpoint=True, delete_checkpoint=False),
                curves,
                *([keras.callbacks.SwapEMAWeights()] if model.optimizer.use_ema else []),
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


def _name(initial_weights: Path | str | None) -> str:
    return Path(initial_weights).name if initial_weights else ""


def _optimiser(recipe: Recipe, steps: int, epochs: int) -> keras.optimizers.Optimizer:
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 20,
        decay_steps=int(steps * (epochs - min(recipe.warmup_epochs, epochs / 2))) or 1,
        alpha=0.01,
        warmup_target=recipe.learning_rate,
        warmup_steps=int(steps * recipe.warmup_epochs) or 1,
    )
    return keras.optimizers.AdamW(
        schedule,
        weight_decay=recipe.weight_decay,
        clipnorm=1.0,
        use_ema=bool(recipe.average_decay),
        ema_momentum=recipe.average_decay or 0.99,
    )


def _compile(model: keras.Model, recipe: Recipe, steps: int, epochs: int, fine: bool) -> None:
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing)
    if fine:
        # no smoothing: a row of zeros, an image without a fine label, must add nothing
        losses = {LOGITS: loss, FINE: keras.losses.CategoricalCrossentropy(from_logits=True)}
        weights = {LOGITS: 1.0, FINE: recipe.fine_label_weight}
        model.compile(_optimiser(recipe, steps, epochs), losses, weights, metrics={LOGITS: "accuracy"})
    else:
        model.compile(_optimiser(recipe, steps, epochs), loss, metrics=["accuracy"])


def _fine_labels(recipe: Recipe, rows: pd.DataFrame) -> list[str]:
    if not recipe.fine_label_weight or "fine_label" not in rows:
        return []
    return sorted(set(rows["fine_label"]) - {"", *recipe.unspecific_fine_labels})


def _targets(rows: pd.DataFrame, names: list[str], fine_labels: list[str]) -> Targets:
    logits = np.eye(len(names), dtype=np.float32)[[names.index(label) for label in rows["label"]]]
    if not fine_labels:
        return logits
    fine = np.array([[label == name for name in fine_labels] for label in rows["fine_label"]], np.float32)
    return {LOGITS: logits, FINE: fine}


def _training_batches(recipe: Recipe, rows: pd.DataFrame, targets: Targets, seed: int) -> tf.data.Dataset:
    spec = recipe.input
    canvases = load_canvases(list(rows["file"]), spec)

    def view(order: tf.Tensor, wanted: Targets) -> tuple[tf.Tensor, Targets]:
        batch = tf.numpy_function(lambda index: canvases[index], [order], tf.uint8)
        batch.set_shape([None, *canvases.shape[1:]])
        views = scale(augment(batch, spec.height, spec.width, recipe.augmentation), spec.scaling)
        return mix(views, wanted, recipe.mixup) if recipe.mixup else (views, wanted)

    order = tf.data.Dataset.from_tensor_slices((np.arange(len(rows)), targets))
    order = order.shuffle(len(rows), seed=seed).repeat().batch(recipe.batch)
    return order.map(view, num_parallel_calls=1).prefetch(2)


def _validation_batches(recipe: Recipe, rows: pd.DataFrame, targets: Targets) -> tf.data.Dataset:
    spec = recipe.input
    inputs = np.stack([prepare(read_image(file).pixels, spec) for file in rows["file"]])
    batches = tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(64)
    return batches.map(lambda x, y: (scale(tf.cast(x, tf.float32), spec.scaling), y))
