"""Every recipe could be trained as it stands."""

import dataclasses

import pytest

from dashboard.bundles import check_id
from dashboard.errors import TrainingError
from dashboard.training.recipes import RECIPES, recipe


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
def test_its_backbone_is_one_of_keras(one):
    import keras

    assert callable(getattr(keras.applications, one.backbone))


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
