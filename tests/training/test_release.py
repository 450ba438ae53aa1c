"""A fitted network becomes a bundle whose numbers come from images that it was not trained on."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from dashboard import images
from dashboard.classifier import load_classifier
from dashboard.errors import TrainingError
from dashboard.evaluation import read_evaluation
from dashboard.training import fitting, release
from dashboard.training.protocols import Fold, folds
from tests.training import tiny_recipe
from tests.training.labelled import labelled

pytestmark = pytest.mark.slow

HOW = {"initial_weights": None, "epochs": 3, "seed": 0}


@pytest.fixture(autouse=True)
def backbone(monkeypatch):
    monkeypatch.setattr(keras.applications, "Tiny", tiny_recipe.tiny_backbone, raising=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    rows = tiny_recipe.make_rows(folder / "images", count=48)
    keras.applications.Tiny = tiny_recipe.tiny_backbone
    fitting.fit(tiny_recipe.recipe(), rows, folder / "out", tell=lambda _: None)
    del keras.applications.Tiny
    return rows, folder / "out", release.release(tiny_recipe.recipe(), rows, folder / "out", **HOW)


def test_the_bundle_loads_and_gives_the_logits_of_its_evaluation(run):
    rows, _, bundle = run
    classifier = load_classifier(bundle)
    evaluation = read_evaluation(bundle.evaluation_file, bundle.card)
    files = dict(zip(rows["path"], rows["file"], strict=True))
    batch = np.stack([classifier.prepare(images.read(files[path]).pixels) for path in evaluation["path"]])
    stated = evaluation[["logit_dark", "logit_pale"]].to_numpy()
    np.testing.assert_allclose(classifier.logits(batch), stated, atol=1e-3)


def test_the_evaluation_holds_every_held_out_image_and_no_other(run):
    rows, _, bundle = run
    evaluation = pd.read_csv(bundle.evaluation_file, dtype=str)
    held = rows[rows["split"] != "train"]
    assert sorted(evaluation["path"]) == sorted(held["path"])
    assert set(evaluation["split"]) == {"val", "test"}
    trained = set((bundle.folder / "training_images.txt").read_text().split())
    of = {row.path: images.read(row.file).image_id for row in rows.itertuples()}
    assert trained == {of[row.path] for row in rows.itertuples() if row.split in ("train", "val")}


def test_the_card_says_what_was_measured_and_on_what(run):
    _, _, bundle = run
    card = bundle.card
    assert card.calibration.n == 12
    assert card.calibration.set == "split val"
    assert card.temperature > 0
    assert 0 <= card.prediction_set.threshold <= 1
    assert card.out_of_distribution.threshold > 0
    assert card.quality.sharpness_low > 0
    assert (card.evaluation["set"], card.training["initial_weights"]) == ("split test", "none (random)")
    assert json.loads((bundle.folder / "card.json").read_text())["training"]["epochs"] == 3
    assert (bundle.folder / "MODEL_CARD.md").is_file()


def test_a_second_release_replaces_the_first(run):
    rows, out, bundle = run
    again = release.release(tiny_recipe.recipe(title="Again"), rows, out, **HOW)
    assert (again.folder, again.card.title) == (bundle.folder, "Again")


def test_without_a_fit_a_test_split_or_a_val_split_there_is_no_bundle(run, tmp_path):
    rows, out, _ = run
    with pytest.raises(TrainingError, match="no finished fit; train first"):
        release.release(tiny_recipe.recipe(), rows, tmp_path, **HOW)
    for split in ("test", "val"):
        with pytest.raises(TrainingError, match=f"there are none of {split}"):
            release.release(tiny_recipe.recipe(), rows[rows["split"] != split], out, **HOW)


def test_a_damaged_image_is_named(run, tmp_path):
    rows, out, _ = run
    (tmp_path / "broken.png").write_bytes(b"")
    changed = rows.copy()
    changed.loc[changed[changed["split"] == "test"].index[0], "file"] = str(tmp_path / "broken.png")
    with pytest.raises(TrainingError, match=r"broken\.png cannot be used"):
        release.release(tiny_recipe.recipe(), changed, out, **HOW)


def test_a_fold_gives_half_of_what_it_left_out_to_calibrate_and_half_to_judge():
    rows = labelled(subjects=20, images=8)
    fold = folds(rows, "subject", k=4)[0]
    halves = release.held_out_in_halves(rows, fold, 0)
    left = halves.iloc[fold.test]
    of_each = left["label"].value_counts() // 2
    assert left.groupby(["split", "label"]).size().to_dict() == {
        (split, label): of_each[label] for split in ("val", "test") for label in ("dark", "pale")
    }
    assert set(halves["split"].drop(left.index)) == {"train"}
    pd.testing.assert_frame_equal(halves, release.held_out_in_halves(rows, fold, 0))


def test_a_class_with_one_image_left_out_is_in_one_half():
    rows = labelled(subjects=4, images=5)
    fold = Fold("here", np.arange(6, 18), np.arange(18, 20), np.arange(6))  # five dark ones and a pale one
    halves = release.held_out_in_halves(rows, fold, 0)
    assert halves["split"].iloc[fold.test].value_counts().to_dict() == {"val": 3, "test": 3}
