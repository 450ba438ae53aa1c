"""Open a Keras file safely and bring any classifier to one shape: a flat graph from scaled pixels to raw logits.

Explanations need the graph flat: tf-keras-vis cannot look into a backbone that is nested as a layer, nor replace the
softmax of a `Sequential`. The weights are copied as they are, so predictions stay identical.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf

# TensorFlow's own, though it stands in no public module.
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from dashboard.errors import BundleError

MOST_CONSTANTS = 60_000_000  # parameters, 240 MB: a graph with its constants may not pass 2 GB


def open_keras(file: Path) -> keras.Model:
    """Open a `.keras` or `.h5` file without letting it run code.

    Raises
    ------
    BundleError
        Another suffix, a damaged file, a Lambda layer or a class from outside Keras, or a file that this Keras
        version cannot read.
    """
    _refuse_code(_config_of(file), file.name)
    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly every built-in type here
        raise BundleError(f"{file.name} cannot be loaded by Keras {keras.__version__}: {_first_line(error)}") from error


def logit_graph(model: keras.Model) -> keras.Model:
    """Inline every nested model and strip the last softmax.

    Parameters
    ----------
    model : keras.Model
        Functional or `Sequential`, one image input (N, h, w, 3), one output (N, K), probabilities or logits.

    Returns
    -------
    keras.Model
        Functional and flat; float32 (N, h, w, 3) → raw logits (N, K). Its layers are copies with the same
        weights, so that each layer's `output` is its place in this graph.

    Raises
    ------
    BundleError
        More than one input or output, or a shape that is no image classifier's.
    """
    model = _functional(_checked(model))
    image = keras.Input(model.inputs[0].shape[1:], name="image", dtype="float32")
    taken: set[str] = set()
    tensor = _inline(model, image, taken, at_end=True)
    flat = keras.Model(image, tensor, name="logit_graph")
    if _gives_probabilities(flat):
        # A softmax that is not a last layer of its own: its logarithm is a valid logit (up to a constant).
        flat = keras.Model(image, keras.ops.log(keras.ops.clip(tensor, 1e-7, 1.0)), name="logit_graph")
    # A shared layer's `.output` is its place in the caller's graph; a clone's is its place in this one.
    clone = keras.models.clone_model(flat)
    clone.set_weights(flat.get_weights())
    return clone


def last_spatial_layer(flat: keras.Model) -> str | None:
    """Name the last layer whose output still has a place: (N, h, w, C) with h·w > 1; None if there is none."""
    for layer in reversed(flat.layers):
        shape = tuple(layer.output.shape)
        if len(shape) == 4 and None not in shape[1:] and shape[1] * shape[2] > 1 and not _is_input(layer):
            return layer.name
    return None


def features_layer(flat: keras.Model) -> str | None:
    """Name the last layer before the logits that gives a vector an image; None if there is none."""
    for layer in reversed(flat.layers[:-1]):
        shape = tuple(layer.output.shape)
        if len(shape) == 2 and shape[1] is not None and not isinstance(layer, keras.layers.Dropout):
            return layer.name
    return None


def with_constant_weights(function: Any, model: keras.Model) -> Callable[..., Any]:
    """Turn a compiled function's weights into constants, so that batch normalisation is folded into convolutions.

    A third faster on MobileNetV2. Later changes of the model's weights are not seen.

    Parameters
    ----------
    function : tf.function
        With an input signature.
    model : keras.Model
        Whose weights it uses; one of more than `MOST_CONSTANTS` parameters keeps its variables.

    Returns
    -------
    callable
        Takes arrays as `function` takes tensors; gives the same tensors, several as a list.
    """
    if model.count_params() > MOST_CONSTANTS:
        return function
    constant = convert_variables_to_constants_v2(function.get_concrete_function())

    def call(*arrays: np.ndarray) -> Any:
        results = constant(*[tf.constant(array) for array in arrays])
        return results[0] if len(results) == 1 else results

    return call


def _config_of(file: Path) -> Any:
    try:
        if file.suffix == ".keras":
            with zipfile.ZipFile(file) as archive:
                return json.loads(archive.read("config.json"))
        if file.suffix in (".h5", ".hdf5"):
            with h5py.File(file, "r") as handle:
                return json.loads(handle.attrs["model_config"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BundleError(
            f"{file.name} is damaged or holds weights alone; save the whole model with model.save()."
        ) from error
    raise BundleError(f"A model file must end in .keras or .h5; {file.name} does not.")


def _refuse_code(config: Any, name: str) -> None:
    if isinstance(config, dict):
        kind, module = str(config.get("class_name", "")), str(config.get("module") or "keras")
        if "lambda" in kind.lower() or kind == "TorchModuleWrapper":
            raise BundleError(f"{name} has a {kind} layer, which runs code of its own; rebuild it with plain layers.")
        if kind and module.partition(".")[0] not in ("keras", "builtins"):
            raise BundleError(
                f"{name} needs {module}.{kind}, which is not part of Keras; rebuild it with plain layers."
            )
        for value in config.values():
            _refuse_code(value, name)
    elif isinstance(config, list):
        for value in config:
            _refuse_code(value, name)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _functional(model: keras.Model) -> keras.Model:
    return keras.Model(model.inputs[0], model.outputs[0])


def _checked(model: keras.Model) -> keras.Model:
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise BundleError("The model must be Functional or a built Sequential; a subclassed one has no graph to read.")
    if len(inputs) != 1 or len(outputs) != 1:
        raise BundleError(f"The model must have one input and one output; it has {len(inputs)} and {len(outputs)}.")
    given, got = tuple(inputs[0].shape), tuple(outputs[0].shape)
    if len(given) != 4 or given[3] != 3 or None in given[1:]:
        raise BundleError(f"The model's input must be (N, height, width, 3) with a fixed size; it is {given}.")
    if len(got) != 2 or got[1] is None or got[1] < 2:
        raise BundleError(f"The model's output must be (N, classes) with at least two classes; it is {got}.")
    return model


def _inline(model: keras.Model, image: Any, taken: set[str], at_end: bool) -> Any:
    last = model.outputs[0]._keras_history.operation if at_end else None

    def call(operation: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(operation, keras.Model):
            return _inline(_functional(operation), arguments[0], taken, at_end=operation is last)
        if operation is last and _is_softmax(operation):
            return arguments[0]
        if operation is last and isinstance(operation, keras.layers.Dense):
            operation = _without_softmax(operation)
        while operation.name in taken:
            operation.name += "_inner"
        taken.add(operation.name)
        return operation(*arguments, **options)

    # The one private call of Keras here: its public clone_model cuts the graph at the nested model's input.
    return model._run_through_graph(image, call_fn=call)


def _is_softmax(operation: Any) -> bool:
    if isinstance(operation, keras.layers.Activation):
        return operation.activation is keras.activations.softmax
    return isinstance(operation, keras.layers.Softmax) or type(operation).__name__ == "Softmax"


def _without_softmax(dense: keras.layers.Dense) -> keras.layers.Dense:
    if dense.activation is not keras.activations.softmax:
        return dense
    linear = keras.layers.Dense(
        dense.units, use_bias=dense.use_bias, activation="linear", dtype=dense.dtype_policy, name=dense.name
    )
    linear.build((None, dense.kernel.shape[0]))
    linear.set_weights(dense.get_weights())
    return linear


def _gives_probabilities(flat: keras.Model) -> bool:
    shape = (4, *flat.inputs[0].shape[1:])
    out = np.asarray(flat(np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32), training=False))
    return bool((out >= 0).all() and np.allclose(out.sum(axis=1), 1, atol=1e-3))


def _is_input(layer: Any) -> bool:
    return isinstance(layer, keras.layers.InputLayer)
