"""A network starts from the weights it is told to, and trains what its recipe says."""

import keras
import numpy as np
import pytest

from dashboard.errors import TrainingError
from dashboard.training import networks
from dashboard.training.recipes import RECIPES, Head
from tests.training import tiny_recipe

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def backbone(monkeypatch):
    monkeypatch.setattr(keras.applications, "Tiny", tiny_recipe.tiny_backbone, raising=False)


def test_initial_weights_are_those_of_the_file(tmp_path):
    backbone = tiny_recipe.tiny_backbone(input_shape=(32, 32, 3))
    backbone.save_weights(tmp_path / "start.weights.h5")
    model = networks.build(tiny_recipe.recipe(), tmp_path / "start.weights.h5")
    np.testing.assert_array_equal(model.get_layer("conv").get_weights()[0], backbone.get_layer("conv").get_weights()[0])


@pytest.mark.parametrize(("name", "data"), [("none.weights.h5", None), ("x.weights.h5", b"no weights"), ("x.txt", b"")])
def test_initial_weights_that_do_not_fit_are_refused(tmp_path, name, data):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(TrainingError, match="do not fit Tiny"):
        networks.build(tiny_recipe.recipe(), tmp_path / name)


def test_weights_of_another_backbone_are_refused(tmp_path):
    image = keras.Input((32, 32, 3))
    keras.Model(image, keras.layers.Conv2D(5, 7)(image)).save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(TrainingError, match="do not fit Tiny"):
        networks.build(tiny_recipe.recipe(), tmp_path / "other.weights.h5")


def test_the_end_of_an_earlier_fit_is_a_start(tmp_path):
    earlier = networks.build(tiny_recipe.recipe(), None)
    earlier.save(tmp_path / "fitted.keras")
    model = networks.build(tiny_recipe.recipe(), tmp_path / "fitted.keras")
    for one, other in zip(model.get_weights(), earlier.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_batch_normalisation_stays_as_it_is_where_the_recipe_says_so():
    assert not networks.build(tiny_recipe.recipe(frozen_batch_norm=True), None).get_layer("norm").trainable
    assert networks.build(tiny_recipe.recipe(), None).get_layer("norm").trainable


def test_a_part_of_the_trunk_is_a_start_for_that_part(tmp_path):
    backbone = tiny_recipe.tiny_backbone(input_shape=(32, 32, 3))
    part = keras.Model(backbone.input, backbone.get_layer("conv").output)
    part.save_weights(tmp_path / "x_trunk_to_conv.weights.h5")
    model = networks.build(tiny_recipe.recipe(), tmp_path / "x_trunk_to_conv.weights.h5")
    np.testing.assert_array_equal(model.get_layer("conv").get_weights()[0], backbone.get_layer("conv").get_weights()[0])


def test_a_fit_of_other_classes_gives_its_backbone_only(tmp_path):
    earlier = networks.build(tiny_recipe.recipe(head=Head(dense=7)), None)
    earlier.save(tmp_path / "fitted.keras")
    model = networks.build(tiny_recipe.recipe(), tmp_path / "fitted.keras")
    np.testing.assert_array_equal(model.get_layer("conv").get_weights()[0], earlier.get_layer("conv").get_weights()[0])
    assert model.get_layer("logits").get_weights()[0].shape == (8, 2)


def test_a_bundle_gives_its_backbone(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "MODEL_STORE", tmp_path)
    (tmp_path / "other").mkdir()
    with pytest.raises(TrainingError, match="The initial weights other do not fit Tiny"):
        networks.build(tiny_recipe.recipe(), "other")


def test_the_head_is_the_papers():
    model = networks.build(RECIPES["p1-mobilenetv2"], None)
    assert [layer.name for layer in model.layers[-4:]] == ["dropout", "hidden", "hidden_dropout", "logits"]
    # the paper's head: 1,280 features to 128 units to 5 classes
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == 1280 * 128 + 128 + 128 * 5 + 5


def test_mobilenet_m_has_the_papers_size():
    model = networks.build(RECIPES["p3-mobilenet-m"], None)
    # the paper gives 3,235,010 parameters with a batch normalisation of 1,024 features and two classes
    assert model.count_params() == 3_235_010


@pytest.mark.parametrize("name", ["p2-vgg16", "p2-resnet50"])
def test_only_the_last_block_learns_where_the_recipe_says_so(name):
    recipe = RECIPES[name]
    model = networks.build(recipe, None)
    learning = [layer.name for layer in model.layers if layer.trainable_weights]
    assert learning[0].startswith(recipe.trainable.split("_")[0])
