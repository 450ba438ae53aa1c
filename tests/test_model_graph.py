"""Any Keras 3 classifier becomes a flat graph of raw logits, and a file that runs code is refused."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from dashboard import model_graph
from dashboard.errors import BundleError

PAPERS = [
    "MobileNet",
    "MobileNetV2",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB3",
    "ResNet50",
    "ResNet101",
    "VGG16",
    "VGG19",
    "InceptionV3",
    "DenseNet121",
    "Xception",
]


def trunk(side: int = 16) -> keras.Model:
    image = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(image)
    return keras.Model(image, keras.layers.MaxPooling2D(name="pool")(x), name="trunk")


def flat(head: str = "softmax") -> keras.Model:
    base = trunk()
    x = keras.layers.GlobalAveragePooling2D()(base.output)
    return keras.Model(base.input, keras.layers.Dense(3, activation=head)(x))


def nested(head: str = "softmax") -> keras.Model:
    image = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(0.5)(image)
    x = trunk()(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(3, activation=head)(x))


def sequential(head: str = "softmax") -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            trunk(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(3),
            *([keras.layers.Softmax()] if head == "softmax" else []),
        ]
    )


def nested_whole() -> keras.Model:
    image = keras.Input((16, 16, 3))
    return keras.Model(image, nested()(sequential_trunk()(image)))


def sequential_trunk() -> keras.Model:
    return keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Conv2D(3, 1, name="conv")])


def log_softmax(x: np.ndarray) -> np.ndarray:
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("make", [flat, nested, sequential, nested_whole], ids=lambda make: make.__name__)
def test_probabilities_of_the_logit_graph_equal_the_models(make):
    model = make()
    x = np.random.default_rng(1).normal(size=(5, 16, 16, 3)).astype("float32")
    logits = model_graph.logit_graph(model)(x, training=False).numpy()
    np.testing.assert_allclose(log_softmax(logits), np.log(model(x, training=False).numpy()), atol=1e-5)


@pytest.mark.parametrize("make", [flat, nested, sequential], ids=lambda make: make.__name__)
def test_logits_pass_unchanged(make):
    model = make(head="linear")
    x = np.random.default_rng(1).normal(size=(5, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(model_graph.logit_graph(model)(x).numpy(), model(x, training=False).numpy(), atol=1e-6)


@pytest.mark.parametrize("make", [flat, nested, sequential, nested_whole], ids=lambda make: make.__name__)
def test_no_model_stays_nested_and_the_last_spatial_layer_is_found(make):
    graph = model_graph.logit_graph(make())
    assert not any(isinstance(layer, keras.Model) for layer in graph.layers)
    assert model_graph.last_spatial_layer(graph) == "pool"


def test_the_callers_model_keeps_its_softmax():
    model = flat()
    model_graph.logit_graph(model)
    np.testing.assert_allclose(model(np.zeros((1, 16, 16, 3))).numpy().sum(), 1, atol=1e-6)


def test_a_softmax_inside_another_operation_becomes_its_logarithm():
    base = flat()
    model = keras.Model(base.input, keras.ops.multiply(base.output, 1.0))
    x = np.random.default_rng(1).normal(size=(2, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(model_graph.logit_graph(model)(x).numpy(), np.log(model(x).numpy()), atol=1e-5)


def test_a_network_of_dense_layers_has_no_spatial_layer():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    assert model_graph.last_spatial_layer(model_graph.logit_graph(model)) is None


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([keras.layers.Conv2D(2, 3)], "output must be"),
        ([keras.layers.Flatten(), keras.layers.Dense(1)], "at least two classes"),
    ],
)
def test_what_is_no_image_classifier_is_refused(layers, message):
    with pytest.raises(BundleError, match=message):
        model_graph.logit_graph(keras.Sequential([keras.Input((8, 8, 3)), *layers]))


def test_an_input_of_open_size_is_refused():
    image = keras.Input((None, None, 3))
    x = keras.layers.GlobalAveragePooling2D()(image)
    with pytest.raises(BundleError, match="fixed size"):
        model_graph.logit_graph(keras.Model(image, keras.layers.Dense(2)(x)))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
def test_a_saved_model_opens_and_predicts_the_same(tmp_path: Path, suffix: str):
    model = nested()
    model.save(tmp_path / f"model{suffix}")
    opened = model_graph.open_keras(tmp_path / f"model{suffix}")
    x = np.random.default_rng(1).normal(size=(2, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(opened(x).numpy(), model(x).numpy(), atol=1e-6)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
def test_a_lambda_layer_is_refused_before_keras_sees_it(tmp_path: Path, suffix: str):
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model.save(tmp_path / f"model{suffix}")
    with pytest.raises(BundleError, match="Lambda layer, which runs code"):
        model_graph.open_keras(tmp_path / f"model{suffix}")


def test_a_class_from_outside_keras_is_refused(tmp_path: Path):
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "system", "module": "os", "config": {}}))
    with pytest.raises(BundleError, match=r"os\.system, which is not part of Keras"):
        model_graph.open_keras(file)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("model.keras", b"PK\x03\x04 cut", "damaged"),
        ("model.h5", b"not hdf5", "damaged"),
        ("model.pkl", b"x", r"must end in \.keras or \.h5"),
    ],
)
def test_a_file_that_is_no_model_is_refused_with_a_sentence(tmp_path: Path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BundleError, match=message):
        model_graph.open_keras(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPERS)
def test_every_backbone_of_the_papers_is_flattened_without_changing_a_prediction(name: str):
    make = getattr(keras.applications, name)
    base = make(weights=None, include_top=False, input_shape=(75, 75, 3))
    model = keras.Sequential([base, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4, activation="softmax")])
    x = np.random.default_rng(0).uniform(0, 1, (2, 75, 75, 3)).astype("float32")
    expected = np.log(model(x, training=False).numpy())
    graph = model_graph.logit_graph(model)
    np.testing.assert_allclose(log_softmax(graph(x, training=False).numpy()), expected, atol=1e-4)
    assert model_graph.last_spatial_layer(graph) is not None
    keras.backend.clear_session()
