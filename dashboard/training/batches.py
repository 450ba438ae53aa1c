"""Labelled images → batches: whole canvases with a fresh view an epoch, or the features of a frozen backbone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from dashboard import images as image_files
from dashboard.errors import ImageError, TrainingError
from dashboard.images import SmearImage
from dashboard.preprocessing import InputSpec, prepare, scale
from dashboard.training.augmentation import augment, mix
from dashboard.training.networks import FINE, LOGITS
from dashboard.training.recipes import Recipe

Targets = Any  # one-hot float32 (N, K), or a dict of them by output


@dataclass(frozen=True)
class Batches:
    """What a fit learns from: endless training batches, those of val, and the number of batches in an epoch."""

    training: tf.data.Dataset
    validation: tf.data.Dataset
    steps: int


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
    height, width = round(spec.height / spec.crop), round(spec.width / spec.crop)
    # not balanced: the augmentation tints the glass, so that the network bears an imperfect balance
    canvas = dataclasses.replace(spec, height=height, width=width, crop=1.0, glass=None)

    with ThreadPoolExecutor() as pool:
        return np.stack(list(pool.map(lambda file: prepare(read_image(file).pixels, canvas), files)))


def read_image(file: str) -> SmearImage:
    """Read an image of the labels CSV; TrainingError that names it if it cannot be decoded."""
    try:
        return image_files.read(file)
    except ImageError as error:
        raise TrainingError(f"{file} cannot be used for training. {error}") from error


def steps_an_epoch(recipe: Recipe, count: int) -> int:
    """Count the batches of an epoch of `count` training images."""
    balance = recipe.balance
    views = balance.per_class * len(recipe.classes) or count
    return balance.steps or views // recipe.batch or 1


def fine_labels(recipe: Recipe, rows: pd.DataFrame) -> list[str]:
    """List what the second output learns; empty if the recipe has none."""
    if not recipe.fine_label_weight or "fine_label" not in rows:
        return []
    return sorted(set(rows["fine_label"]) - {"", *recipe.unspecific_fine_labels})


def image_batches(recipe: Recipe, train: pd.DataFrame, val: pd.DataFrame, fine: list[str], seed: int) -> Batches:
    """Read the images; training batches hold a fresh random view of each, val what the finished model will see.

    Parameters
    ----------
    train, val : pandas.DataFrame
        Columns file, label; fine_label where `fine` names any.
    """
    training, steps = _training_batches(recipe, train, fine, seed)
    return Batches(training, _validation_batches(recipe, val, fine), steps)


def _training_batches(recipe: Recipe, rows: pd.DataFrame, fine: list[str], seed: int) -> tuple[tf.data.Dataset, int]:
    canvases, rows = _with_grey_copies(
        load_canvases(list(rows["file"]), recipe.input), rows, recipe.balance.grey_copies
    )
    spec = recipe.input

    def view(order: tf.Tensor, wanted: Targets) -> tuple[tf.Tensor, Targets]:
        batch = tf.numpy_function(lambda index: canvases[index], [order], tf.uint8)
        batch.set_shape([None, *canvases.shape[1:]])
        views = scale(augment(batch, spec.height, spec.width, recipe.augmentation), spec.scaling)
        return mix(views, wanted, recipe.mixup) if recipe.mixup else (views, wanted)

    order = _order(recipe, rows, _targets(recipe, rows, fine), seed).batch(recipe.batch)
    return order.map(view, num_parallel_calls=1).prefetch(2), steps_an_epoch(recipe, len(rows))


def _validation_batches(recipe: Recipe, rows: pd.DataFrame, fine: list[str]) -> tf.data.Dataset:
    batches = tf.data.Dataset.from_tensor_slices((inputs_of(recipe, rows), _targets(recipe, rows, fine))).batch(64)
    return batches.map(lambda x, y: (scale(tf.cast(x, tf.float32), recipe.input.scaling), y))


def feature_batches(recipe: Recipe, trunk: keras.Model, train: pd.DataFrame, val: pd.DataFrame, seed: int) -> Batches:
    """Compute a frozen backbone's features once: of `recipe.views` views a training image, and of the val images.

    Parameters
    ----------
    trunk : keras.Model
        Scaled images → features, float32 (N, F).
    """
    spec = recipe.input
    canvases, train = _with_grey_copies(load_canvases(list(train["file"]), spec), train, recipe.balance.grey_copies)

    @tf.function
    def features(batch: tf.Tensor) -> tf.Tensor:
        return trunk(scale(tf.cast(batch, tf.float32), spec.scaling), training=False)

    views = np.concatenate(
        [
            features(augment(tf.constant(chosen), spec.height, spec.width, recipe.augmentation)).numpy()
            for _ in range(recipe.views)
            for chosen in _slices(canvases)
        ]
    )
    train = pd.concat([train] * recipe.views, ignore_index=True)
    order = _order(recipe, train, _targets(recipe, train, []), seed).batch(recipe.batch)
    training = order.map(lambda index, wanted: (tf.gather(views, index), wanted)).prefetch(2)
    known = np.concatenate([features(chosen).numpy() for chosen in _slices(inputs_of(recipe, val))])
    validation = tf.data.Dataset.from_tensor_slices((known, _targets(recipe, val, []))).batch(256)
    return Batches(training, validation, steps_an_epoch(recipe, len(train)))


def _slices(images: np.ndarray, size: int = 64) -> Iterator[np.ndarray]:
    return (images[at : at + size] for at in range(0, len(images), size))


def _order(recipe: Recipe, rows: pd.DataFrame, targets: Targets, seed: int) -> tf.data.Dataset:
    def shuffled(positions: np.ndarray) -> tf.data.Dataset:
        chosen = (positions, tf.nest.map_structure(lambda values: values[positions], targets))
        return tf.data.Dataset.from_tensor_slices(chosen).shuffle(len(positions), seed=seed).repeat()

    if not recipe.balance.per_class:
        return shuffled(np.arange(len(rows)))
    classes = [np.flatnonzero(rows["label"] == info.name) for info in recipe.classes]
    return tf.data.Dataset.sample_from_datasets([shuffled(positions) for positions in classes], seed=seed)


def _with_grey_copies(
    canvases: np.ndarray, rows: pd.DataFrame, classes: tuple[str, ...]
) -> tuple[np.ndarray, pd.DataFrame]:
    chosen = rows["label"].isin(classes).to_numpy()
    if not chosen.any():
        return canvases, rows
    # saturation 0 in HSV leaves the value: the largest channel
    grey = np.repeat(canvases[chosen].max(axis=-1, keepdims=True), 3, axis=-1)
    return np.concatenate([canvases, grey]), pd.concat([rows, rows[chosen]], ignore_index=True)


def inputs_of(recipe: Recipe, rows: pd.DataFrame) -> np.ndarray:
    """Read images as the model sees them, before scaling: uint8, shape (N, h, w, 3)."""
    with ThreadPoolExecutor() as pool:
        return np.stack(list(pool.map(lambda file: prepare(read_image(file).pixels, recipe.input), rows["file"])))


def _targets(recipe: Recipe, rows: pd.DataFrame, fine: list[str]) -> Targets:
    names = [info.name for info in recipe.classes]
    logits = np.eye(len(names), dtype=np.float32)[[names.index(label) for label in rows["label"]]]
    if not fine:
        return logits
    second = np.array([[label == name for name in fine] for label in rows["fine_label"]], np.float32)
    return {LOGITS: logits, FINE: second}
