"""Images become canvases, grey copies and balanced batches."""

import numpy as np
import pytest

from dashboard.preprocessing import InputSpec
from dashboard.training import batches
from dashboard.training.recipes import Balance
from tests.training import tiny_recipe


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return tiny_recipe.make_rows(tmp_path_factory.mktemp("images"))


def test_canvases_are_larger_than_the_input_by_the_crop(rows):
    canvases = batches.load_canvases(list(rows["file"][:2]), InputSpec(32, 48, crop=0.8))
    assert (canvases.shape, canvases.dtype) == ((2, 40, 60, 3), np.uint8)


def test_grey_copies_have_the_brightness_and_no_colour(rows):
    canvases = np.zeros((2, 1, 1, 3), np.uint8) + np.array([10, 200, 30], np.uint8)
    labels = rows.iloc[:2].assign(label=["dark", "pale"])
    both, twice = batches._with_grey_copies(canvases, labels, ("pale",))
    assert list(twice["label"]) == ["dark", "pale", "pale"]
    # saturation 0 in HSV keeps the value, the largest channel
    assert both[2].ravel().tolist() == [200, 200, 200]


def test_balanced_batches_hold_each_class_about_equally_often(rows):
    uneven = rows[(rows["label"] == "dark") | (rows.index % 8 == 1)]
    how = tiny_recipe.recipe(balance=Balance(per_class=100))
    training, steps = batches._training_batches(how, uneven, [], 0)
    assert steps == 2 * 100 // how.batch
    counts = sum(wanted.numpy().sum(axis=0) for _, wanted in training.take(steps))
    assert counts.sum() == 200
    assert abs(counts[0] - counts[1]) < 60


@pytest.mark.parametrize(("balance", "steps"), [(Balance(), 5), (Balance(steps=250), 250), (Balance(per_class=40), 20)])
def test_an_epoch_has_as_many_batches_as_the_recipe_says(balance, steps):
    assert batches.steps_an_epoch(tiny_recipe.recipe(balance=balance), 23) == steps
