"""Each fold is judged by a model that has not seen it, and a run goes on where it stopped."""

import dataclasses

import keras
import numpy as np
import pandas as pd
import pytest

from dashboard.errors import TrainingError
from dashboard.model_graph import open_keras
from dashboard.preprocessing import scale
from dashboard.training import experiments
from dashboard.training.batches import inputs_of
from dashboard.training.protocols import Fold, folds
from tests.training import tiny_recipe
from tests.training.labelled import labelled

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def backbone(monkeypatch):
    monkeypatch.setattr(keras.applications, "Tiny", tiny_recipe.tiny_backbone, raising=False)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """24 pictures of six subjects at two sites."""
    rows = tiny_recipe.make_rows(tmp_path_factory.mktemp("images"))
    return rows.assign(subject=[f"s{index % 6}" for index in rows.index], site=np.where(rows.index < 12, "a", "b"))


@pytest.fixture(scope="module")
def run(rows, tmp_path_factory):
    """Two folds of one epoch, judged as they are and under noise."""
    keras.applications.Tiny = tiny_recipe.tiny_backbone
    out = tmp_path_factory.mktemp("run")
    told: list[str] = []
    how = {"k": 2, "noise": (20.0,), "epochs": 1, "tell": told.append}
    table = experiments.run(tiny_recipe.recipe(), rows, out, "kfold", **how)
    del keras.applications.Tiny
    return out, table, told


def test_every_image_is_judged_once_by_the_fold_that_left_it_out(rows, run):
    _, table, told = run
    plain = table[table["noise"] == 0]
    assert sorted(plain["path"]) == sorted(rows["path"])
    for fold in folds(rows, "kfold", k=2):
        assert set(plain.loc[plain["fold"] == fold.name, "path"]) == set(rows["path"].iloc[fold.test])
    assert told[0].startswith("Fold 1: ")
    assert (len(table), set(table["noise"])) == (2 * len(rows), {0.0, 20.0})


def test_the_logits_are_those_of_the_folds_model(rows, run):
    out, table, _ = run
    recipe = tiny_recipe.recipe()
    first = table[(table["fold"] == "1") & (table["noise"] == 0)]
    chosen = rows.set_index("path").loc[first["path"]]
    model = open_keras(out / "fold-1" / "fitted.keras")
    expected = model(scale(inputs_of(recipe, chosen).astype(np.float32), recipe.input.scaling)).numpy()
    np.testing.assert_allclose(first[["logit_dark", "logit_pale"]], expected, atol=1e-3)


def test_noise_changes_the_logits(run):
    _, table, _ = run
    columns = ["logit_dark", "logit_pale"]
    plain, noisy = (table[table["noise"] == sigma].set_index("path")[columns] for sigma in (0.0, 20.0))
    assert np.abs(plain - noisy.loc[plain.index]).to_numpy().max() > 1e-3


def test_the_file_holds_what_is_returned(run):
    out, table, _ = run
    written = pd.read_csv(out / experiments.PREDICTIONS, dtype={"fold": str}, keep_default_na=False)
    pd.testing.assert_frame_equal(written, table, check_dtype=False, atol=1e-4)


def test_a_finished_fold_is_not_fitted_again_but_one_of_other_images_is_refused(rows, run):
    out, table, _ = run
    told: list[str] = []
    again = experiments.run(tiny_recipe.recipe(), rows, out, "kfold", k=2, only="1", epochs=1, tell=told.append)
    assert "nothing to fit" in told[-1]
    first = table[(table["fold"] == "1") & (table["noise"] == 0)].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, first, atol=1e-4)
    with pytest.raises(TrainingError, match="holds a run with other settings"):
        experiments.run(tiny_recipe.recipe(), rows, out, "subject", k=3, only="1", epochs=1, tell=told.append)


def test_a_fold_that_is_not_there_is_refused_with_those_that_are(rows, tmp_path):
    with pytest.raises(TrainingError, match=r"Protocol kfold has no fold '3'; there are: 1, 2\."):
        experiments.run(tiny_recipe.recipe(), rows, tmp_path, "kfold", k=2, only="3")
    with pytest.raises(TrainingError, match="there are: none"):
        experiments.run(tiny_recipe.recipe(), rows, tmp_path, "kfold", repeats=0)


def test_leaky_puts_views_of_one_cell_on_both_sides(rows, tmp_path):
    few = rows[:12]
    told: list[str] = []
    how = tiny_recipe.recipe()
    table = experiments.run(how, few, tmp_path, experiments.LEAKY, epochs=1, tell=told.append)
    views = sorted((tmp_path / "views").glob("*.png"))
    assert len(views) == len(few) * experiments.COPIES
    assert len({view.read_bytes() for view in views}) == len(views)
    judged = {path.partition("-")[0] for path in table["path"]}
    assert len(table) == 10
    left = {view.stem.partition("-")[0] for view in views if view.name not in set(table["path"])}
    assert judged & left
    assert how.augmentation.rotation == 10  # the recipe itself is not changed


def test_a_fold_in_the_split_column_leaves_out_what_it_does_not_use():
    rows = labelled(subjects=2, images=3)
    fold = Fold("1", np.array([0, 5]), np.array([2]), np.array([4]))
    assert list(experiments.in_fold(rows, fold)["split"]) == ["train", "", "val", "", "test", "train"]


def test_every_protocol_is_told_in_words():
    assert "views of one cell on both sides" in experiments.description(experiments.LEAKY)
    assert "nobody is on both sides" in experiments.description("subject")


def test_the_leaky_fit_has_nothing_left_to_augment(rows, tmp_path):
    recipe = tiny_recipe.recipe(input=dataclasses.replace(tiny_recipe.recipe().input, contrast="autocontrast"))
    copies, plain = experiments._augmented_first(recipe, rows[:2], tmp_path, 0)
    assert len(copies) == 2 * experiments.COPIES
    assert set(copies["label"]) == {"dark", "pale"}
    assert (plain.input.crop, plain.input.contrast, plain.augmentation.rotation) == (1.0, "none", 0)
