"""A fit ends in a model, goes on after a kill, and refuses what it cannot fit."""

import signal
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pandas as pd
import pytest

from dashboard.errors import TrainingError
from dashboard.preprocessing import scale
from dashboard.training import fitting
from dashboard.training.batches import inputs_of
from dashboard.training.recipes import Optimiser
from tests.conftest import PROJECT
from tests.training import tiny_recipe

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def backbone(monkeypatch):
    monkeypatch.setattr(keras.applications, "Tiny", tiny_recipe.tiny_backbone, raising=False)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return tiny_recipe.make_rows(tmp_path_factory.mktemp("images"))


def killed_after_one_epoch(rows: pd.DataFrame, out) -> None:
    rows.to_csv(out.parent / "rows.csv", index=False)
    script = f"""
        import os, signal, keras, pandas, pathlib
        from dashboard.training import fitting
        from tests.training import tiny_recipe
        tiny_recipe.install()
        class Killing(keras.callbacks.CSVLogger):
            def on_epoch_end(self, epoch, logs=None):
                super().on_epoch_end(epoch, logs)
                os.kill(os.getpid(), signal.SIGKILL)
        keras.callbacks.CSVLogger = Killing
        rows = pandas.read_csv({str(out.parent / "rows.csv")!r}, dtype=str, keep_default_na=False)
        fitting.fit(tiny_recipe.recipe(), rows, pathlib.Path({str(out)!r}))
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=PROJECT, check=False)
    assert ended.returncode == -signal.SIGKILL


def test_a_fit_learns_and_keeps_its_curves(rows, tmp_path):
    final = fitting.fit(tiny_recipe.recipe(epochs=6), rows, tmp_path / "run", tell=lambda _: None)
    curves = pd.read_csv(tmp_path / "run" / fitting.CURVES)
    assert list(curves["epoch"]) == list(range(6))
    assert curves["loss"].iloc[-1] < curves["loss"].iloc[0]
    model = keras.models.load_model(final, compile=False)
    assert model.output_shape == (None, 2)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def fitted(recipe, rows, out, **how):
    """The network at the end of a fit."""
    return keras.models.load_model(fitting.fit(recipe, rows, out, tell=lambda _: None, **how), compile=False)


def assert_same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    for left, right in zip(one, other, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(rows, tmp_path):
    how = tiny_recipe.recipe(epochs=1)
    one, same, other = (
        fitted(how, rows, tmp_path / name, seed=seed).get_weights() for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert_same(one, same)
    assert np.abs(one[0] - other[0]).max() > 1e-2


def test_the_curves_are_drawn_too(rows, tmp_path):
    fitted(tiny_recipe.recipe(epochs=1), rows, tmp_path)
    assert "validation" in (tmp_path / fitting.CURVES_PLOT).read_text("utf-8")


def test_the_start_keeps_its_share_of_the_weights_where_there_is_one(rows, tmp_path):
    first = fitting.fit(tiny_recipe.recipe(epochs=1), rows, tmp_path / "first", tell=lambda _: None)
    start = keras.models.load_model(first, compile=False).get_weights()
    alone = tiny_recipe.recipe(epochs=1)
    shared = tiny_recipe.recipe(epochs=1, start_share=0.25)
    end = fitted(alone, rows, tmp_path / "alone", initial_weights=first).get_weights()
    both = fitted(shared, rows, tmp_path / "both", initial_weights=first).get_weights()
    assert_same(both, [0.25 * one + 0.75 * other for one, other in zip(start, end, strict=True)])
    # random weights are no earlier fit
    assert_same(fitted(shared, rows, tmp_path / "none").get_weights(), start)


def test_a_frozen_backbone_learns_from_features_computed_once(rows, tmp_path):
    steady = Optimiser(name="adam", learning_rate=0.02, schedule="constant")
    how = tiny_recipe.recipe(trainable="head", views=2, epochs=4, optimiser=steady)
    model = fitted(how, rows, tmp_path)
    keras.utils.set_random_seed(0)
    start = fitting.build(how, None)
    for name in ("conv", "norm"):
        assert_same(model.get_layer(name).get_weights(), start.get_layer(name).get_weights())
    assert np.abs(model.get_layer("logits").get_weights()[0] - start.get_layer("logits").get_weights()[0]).max() > 0.01
    curves = pd.read_csv(tmp_path / fitting.CURVES)
    assert curves["loss"].iloc[-1] < curves["loss"].iloc[0]
    # what the head learned on features is what the whole network says of the images
    val = rows[rows["split"] == "val"]
    logits = model(scale(inputs_of(how, val).astype(np.float32), how.input.scaling), training=False).numpy()
    right = logits[np.arange(len(val)), (val["label"] == "pale").astype(int)]
    losses = np.log(np.exp(logits).sum(axis=1)) - right
    assert losses.mean() == pytest.approx(curves["val_loss"].iloc[-1], abs=1e-4)


@pytest.mark.parametrize(("monitor", "schedule"), [("val_macro_f1", "plateau"), ("val_loss", "constant")])
def test_without_progress_the_fit_stops_and_the_best_epoch_stays(rows, tmp_path, monitor, schedule):
    still = Optimiser(name="adam", learning_rate=1e-12, schedule=schedule, monitor=monitor, patience=2)
    how = tiny_recipe.recipe(trainable="head", views=1, epochs=9, optimiser=still)
    fitted(how, rows, tmp_path)
    curves = pd.read_csv(tmp_path / fitting.CURVES)
    assert list(curves["epoch"]) == [0, 1, 2]
    assert monitor in curves


def test_the_best_epoch_is_kept_although_later_ones_are_worse(rows, tmp_path):
    wild = Optimiser(name="adam", learning_rate=0.5, schedule="constant", patience=3)
    how = tiny_recipe.recipe(trainable="head", views=1, epochs=8, optimiser=wild)
    model = fitted(how, rows, tmp_path)
    val = rows[rows["split"] == "val"]
    logits = model(scale(inputs_of(how, val).astype(np.float32), how.input.scaling), training=False).numpy()
    right = logits[np.arange(len(val)), (val["label"] == "pale").astype(int)]
    loss = (np.logaddexp(logits[:, 0], logits[:, 1]) - right).mean()
    assert loss == pytest.approx(pd.read_csv(tmp_path / fitting.CURVES)["val_loss"].min(), abs=1e-4)


def test_a_folder_with_a_run_of_other_images_is_refused(rows, tmp_path):
    fitted(tiny_recipe.recipe(epochs=1), rows, tmp_path, epochs=1)
    with pytest.raises(TrainingError, match="holds a run with other settings"):
        fitting.fit(tiny_recipe.recipe(epochs=1), rows[2:], tmp_path)
    assert fitting.fit(tiny_recipe.recipe(epochs=1), rows[::-1], tmp_path, tell=lambda _: None).is_file()


def test_an_image_in_two_splits_is_refused(rows, tmp_path):
    changed = rows.copy()
    learned, judged = (changed.index[changed["split"] == split][0] for split in ("train", "test"))
    changed.loc[judged, "file"] = changed.loc[learned, "file"]
    with pytest.raises(TrainingError, match="may be in one split only"):
        fitting.fit(tiny_recipe.recipe(), changed, tmp_path)


def test_killed_after_an_epoch_it_goes_on_with_the_next(rows, tmp_path):
    out = tmp_path / "run"
    killed_after_one_epoch(rows, out)
    assert not (out / fitting.FINAL).exists()
    final = fitting.fit(tiny_recipe.recipe(), rows, out, tell=lambda _: None)
    assert list(pd.read_csv(out / fitting.CURVES)["epoch"]) == [0, 1, 2]
    assert final.is_file()
    told: list[str] = []
    before = final.read_bytes()
    assert fitting.fit(tiny_recipe.recipe(), rows, out, tell=told.append) == final
    assert final.read_bytes() == before
    assert "nothing to fit" in told[0]


def test_killed_while_the_model_is_saved_it_saves_it_again(rows, tmp_path):
    out = tmp_path / "run"
    final = fitting.fit(tiny_recipe.recipe(), rows, out, tell=lambda _: None)
    weights = keras.models.load_model(final, compile=False).get_weights()
    final.rename(out / f"unfinished-{fitting.FINAL}")
    (out / f"unfinished-{fitting.FINAL}").write_bytes(b"half")
    again = fitting.fit(tiny_recipe.recipe(), rows, out, tell=lambda _: None)
    assert list(pd.read_csv(out / fitting.CURVES)["epoch"]) == [0, 1, 2]
    for one, other in zip(weights, keras.models.load_model(again, compile=False).get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("changes", [{"seed": 1}, {"epochs": 2}, {"initial_weights": "other.weights.h5"}])
def test_a_folder_with_another_run_is_refused(rows, tmp_path, changes):
    (tmp_path / "run.json").write_text('{"recipe": "tiny-recipe", "seed": 0, "epochs": 3, "initial_weights": ""}')
    with pytest.raises(TrainingError, match="holds a run with other settings"):
        fitting.fit(tiny_recipe.recipe(), rows, tmp_path, **changes)


@pytest.mark.parametrize(("settings", "got"), [({"epochs": 0}, "0 and 0"), ({"seed": -1}, "3 and -1")])
def test_impossible_settings_are_refused(rows, tmp_path, settings, got):
    with pytest.raises(TrainingError, match=f"got {got}"):
        fitting.fit(tiny_recipe.recipe(), rows, tmp_path, **settings)


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (lambda rows: rows[rows["label"] == "dark"], "no training image of pale"),
        (lambda rows: rows[(rows["label"] == "dark") | (rows["split"] != "train")], "no training image of pale"),
        (lambda rows: rows[rows["split"] == "train"], "no row of split val"),
        (lambda rows: rows[:0], "no training image of dark, pale"),
    ],
    ids=["class", "class in train", "val", "none"],
)
def test_missing_classes_and_splits_are_refused(rows, tmp_path, keep, message):
    with pytest.raises(TrainingError, match=message):
        fitting.fit(tiny_recipe.recipe(), keep(rows), tmp_path)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_damaged_image_is_named(rows, tmp_path, split):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    changed = rows.copy()
    changed.loc[changed[changed["split"] == split].index[0], "file"] = str(tmp_path / "broken.png")
    with pytest.raises(TrainingError, match=r"broken\.png cannot be used for training\. The"):
        fitting.fit(tiny_recipe.recipe(), changed, tmp_path / "run", tell=lambda _: None)


def test_a_loss_that_is_no_number_stops_the_fit_with_a_sentence(rows, tmp_path):
    with pytest.raises(TrainingError, match="no longer a number; lower the learning rate"):
        fitting.fit(tiny_recipe.recipe(optimiser=Optimiser(learning_rate=1e38)), rows, tmp_path, tell=lambda _: None)
    assert not (tmp_path / fitting.FINAL).exists()


def test_fine_labels_are_learnt_beside_the_labels_and_left_out_of_the_model(rows, tmp_path):
    fine = rows.assign(fine_label=np.where(rows["label"] == "dark", "", np.where(rows.index % 4 == 1, "a", "b")))
    how = tiny_recipe.recipe(fine_label_weight=0.5, mixup=0.2, epochs=1)
    final = fitting.fit(how, fine, tmp_path, tell=lambda _: None)
    assert "fine_loss" in pd.read_csv(tmp_path / fitting.CURVES)
    assert keras.models.load_model(final, compile=False).output_shape == (None, 2)


def test_the_real_backbone_of_the_shipped_recipe_fits_at_a_small_size(rows, tmp_path):
    small = tiny_recipe.recipe(backbone="MobileNetV2", epochs=1, frozen_batch_norm=True)
    final = fitting.fit(small, rows, tmp_path, tell=lambda _: None)
    assert keras.models.load_model(final, compile=False).get_layer("features").output.shape == (None, 1280)
