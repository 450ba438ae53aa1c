"""Every recipe could be trained as it stands."""

import dataclasses

import pytest

from dashboard.bundles import check_id
from dashboard.errors import TrainingError
from dashboard.training.recipes import RECIPES, recipe
from dashboard.training.recipes.papers import PAPERS


@pytest.mark.parametrize("one", RECIPES.values(), ids=RECIPES)
def test_a_recipe_is_whole(one):
    assert check_id(one.name) == one.name
    assert recipe(one.name) is one
    names = [info.name for info in one.classes]
    assert len(set(names)) == len(names) >= 2
    for text in (one.title, one.source, one.data, one.data_licence, one.intended_use, one.known_limits):
        assert text
    assert one.epochs >= 1
    assert 0 < one.augmentation.zoom[0] <= one.augmentation.zoom[1]
    assert "not a medical device" in one.intended_use


@pytest.mark.parametrize("one", RECIPES.values(), ids=RECIPES)
def test_its_backbone_is_one_of_keras_or_the_papers_from_scratch(one):
    import keras

    assert one.backbone == "ScratchCNN" or callable(getattr(keras.applications, one.backbone))


@pytest.mark.parametrize("one", RECIPES.values(), ids=RECIPES)
def test_its_settings_go_together(one):
    optimiser = one.optimiser
    assert optimiser.name in ("adamw", "adam")
    assert optimiser.schedule in ("cosine", "constant", "plateau")
    assert optimiser.monitor in ("val_loss", "val_macro_f1")
    # the best epoch would be of the raw weights, chosen by the averaged ones
    assert not (optimiser.patience and optimiser.average_decay)
    assert not (one.views and one.trainable != "head")
    assert set(one.balance.grey_copies) <= {info.name for info in one.classes}
    assert 0 <= one.start_share < 1
    assert 0 < one.unidentified_below <= 1


def test_the_systems_of_the_papers_are_all_there():
    assert {one.name for one in PAPERS} == {
        *("p1-mobilenetv2", "p1-efficientnetb0", "p1-scratch-cnn", "p2-vgg16", "p2-resnet50", "p3-mobilenet-m"),
        *("p4-resnet50", "p4-resnet101", "p4-efficientnetb0", "p4-efficientnetb1", "p4-efficientnetb3"),
        *("p5-inceptionv3", "p5-resnet50", "p5-vgg16", "p5-vgg19"),
    }


@pytest.mark.parametrize("one", PAPERS, ids=lambda one: one.name)
def test_a_recipe_of_a_paper_names_it_and_what_differs(one):
    assert one.paper == one.name[:2].upper()
    assert one.title.startswith(one.paper)
    assert one.protocol_note
    assert one.backbone in one.title or one.backbone == "ScratchCNN" or one.name == "p3-mobilenet-m"


@pytest.mark.parametrize(("backbone", "scaling"), [("EfficientNet", "none"), ("VGG", "caffe"), ("ResNet", "caffe")])
def test_a_backbone_gets_the_scaling_that_its_weights_expect(backbone, scaling):
    assert {one.input.scaling for one in RECIPES.values() if one.backbone.startswith(backbone)} == {scaling}


def test_the_shipped_recipe_has_the_classes_of_its_data_in_alphabetical_order():
    names = [info.name for info in recipe("pbc8-mobilenetv2").classes]
    assert names == sorted(names)
    assert len(names) == 8


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(TrainingError, match=r"There is no recipe 'x'; there are: .*pbc8-mobilenetv2"):
        recipe("x")


def test_a_recipe_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe("pbc8-mobilenetv2").epochs = 1
