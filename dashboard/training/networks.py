"""A recipe's network and the weights that it starts from."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import keras

from dashboard.bundles import MODEL_STORE, read_bundle
from dashboard.errors import SecondReadError, TrainingError
from dashboard.model_graph import open_keras
from dashboard.training.recipes import Recipe

LOGITS, FINE, FEATURES = "logits", "fine", "features"  # names of layers; fine labels are for training alone
_PART_OF_TRUNK = re.compile(r"_trunk_to_(\w+)\.weights\.h5$")


def build(recipe: Recipe, initial_weights: Path | str | None, fine_labels: Sequence[str] = ()) -> keras.Model:
    """Build a recipe's network: backbone, global average pooling, the recipe's head, one dense layer of logits.

    Parameters
    ----------
    initial_weights : path, str or None
        A `.weights.h5` of the backbone without its top, or of its first part (`…_trunk_to_<layer>.weights.h5`); the
        `.keras` of an earlier fit; the id of a bundle, whose backbone is taken; "imagenet", which downloads them;
        None starts at random. The head is taken over too where an earlier fit has the same one.
    fine_labels : sequence of str
        With any, the network has a second output, `fine`: their logits, for training alone.

    Raises
    ------
    TrainingError
        The file is missing or does not fit the backbone.
    """
    backbone = make_backbone(recipe, imagenet=initial_weights == "imagenet")
    features = keras.layers.GlobalAveragePooling2D(name=FEATURES)(backbone.output)
    last = features
    for layer in head_layers(recipe):
        last = layer(last)
    model = keras.Model(backbone.input, last, name=recipe.name.replace("-", "_"))
    if initial_weights not in (None, "imagenet"):
        _start_from(str(initial_weights), backbone, model, recipe)
    _freeze(backbone, recipe)
    if not fine_labels:
        return model
    before = model.get_layer(LOGITS).input
    fine = keras.layers.Dense(len(fine_labels), name=FINE)(before)
    return keras.Model(backbone.input, {LOGITS: last, FINE: fine}, name=model.name)


def make_backbone(recipe: Recipe, imagenet: bool = False) -> keras.Model:
    """Build the convolutional part alone: one of `keras.applications`, or the papers' small CNN from scratch."""
    shape = (recipe.input.height, recipe.input.width, 3)
    if recipe.backbone == "ScratchCNN":
        return _scratch_cnn(shape)
    make = getattr(keras.applications, recipe.backbone)
    return make(weights="imagenet" if imagenet else None, include_top=False, input_shape=shape)


def head_layers(recipe: Recipe) -> list[keras.layers.Layer]:
    """List the layers that turn pooled features into logits, in order."""
    head = recipe.head
    layers: list[keras.layers.Layer] = [keras.layers.Dropout(head.dropout, name="dropout")]
    if head.dense:
        layers.append(keras.layers.Dense(head.dense, activation="relu", name="hidden"))
    if head.batch_norm:
        layers.append(keras.layers.BatchNormalization(name="head_norm"))
    if head.dense_dropout:
        layers.append(keras.layers.Dropout(head.dense_dropout, name="hidden_dropout"))
    penalty = keras.regularizers.L1(head.l1) if head.l1 else None
    return [*layers, keras.layers.Dense(len(recipe.classes), kernel_regularizer=penalty, name=LOGITS)]


def origin(initial_weights: Path | str | None, run: dict[str, object] | None = None) -> str:
    """Say in words what a fit starts from; `run` are the settings of the earlier fit, if that is what it is."""
    if not initial_weights:
        return "none (random)"
    if initial_weights == "imagenet":
        return "ImageNet (keras.applications)"
    if run:
        return f"fit of {run['recipe']} ({run['epochs']} epochs), from {run['initial_weights'] or 'random weights'}"
    return f"backbone of {initial_weights}" if _is_bundle(str(initial_weights)) else Path(initial_weights).name


def _scratch_cnn(shape: tuple[int, int, int]) -> keras.Model:
    image = keras.Input(shape)
    x = image
    for number, filters in enumerate((32, 64, 128, 256), start=1):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv_{number}")(x)
        x = keras.layers.BatchNormalization(name=f"norm_{number}")(x)
        x = keras.layers.ReLU(name=f"relu_{number}")(x)
        x = keras.layers.MaxPooling2D(name=f"pool_{number}")(x)
    return keras.Model(image, x, name="scratch_cnn")


def _is_bundle(name: str) -> bool:
    return "." not in name and "/" not in name and (MODEL_STORE / name).is_dir()


def _start_from(name: str, backbone: keras.Model, model: keras.Model, recipe: Recipe) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras only warns of layers that keep their random weights
            if _is_bundle(name):
                _copy(open_keras(read_bundle(MODEL_STORE / name).model_file), backbone)
            elif name.endswith(".keras"):
                earlier = open_keras(Path(name))
                _copy(earlier, model if _same_head(earlier, model) else backbone)
            else:
                part = _PART_OF_TRUNK.search(name)
                trunk = keras.Model(backbone.input, backbone.get_layer(part[1]).output) if part else backbone
                trunk.load_weights(name)
    except (OSError, ValueError, UserWarning, SecondReadError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise TrainingError(f"The initial weights {name} do not fit {recipe.backbone}: {reason}") from error


def _same_head(earlier: keras.Model, model: keras.Model) -> bool:
    return [weight.shape for weight in earlier.weights] == [weight.shape for weight in model.weights]


def _copy(earlier: keras.Model, into: keras.Model) -> None:
    """Copy the weights layer by layer, by name; ValueError names a layer that is not there or of another shape."""
    for layer in into.layers:
        if layer.weights:
            layer.set_weights(earlier.get_layer(layer.name).get_weights())


def _freeze(backbone: keras.Model, recipe: Recipe) -> None:
    if recipe.trainable == "head":
        backbone.trainable = False
    elif recipe.trainable != "all":
        names = [layer.name for layer in backbone.layers]
        for layer in backbone.layers[: names.index(recipe.trainable)]:
            layer.trainable = False
    if recipe.frozen_batch_norm:
        for layer in backbone.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
