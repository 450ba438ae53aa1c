"""`python -m dashboard train`: a bundle or a measurement, and what it refuses."""

import argparse
import json
import shutil

import keras
import pandas as pd
import pytest

from dashboard.bundles import read_bundle
from dashboard.commands import train
from dashboard.errors import LabelsError, TrainingError
from dashboard.training import recipes
from tests.training import tiny_recipe

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(keras.applications, "Tiny", tiny_recipe.tiny_backbone, raising=False)
    whole = {"data": "drawn", "data_licence": "Apache-2.0", "intended_use": "Testing.", "known_limits": ("All.",)}
    monkeypatch.setitem(recipes.RECIPES, "tiny-recipe", tiny_recipe.recipe(**whole, epochs=1))


@pytest.fixture
def images(tmp_path):
    """32 pictures of eight subjects, each on one side of the split."""
    rows = tiny_recipe.make_rows(tmp_path / "images", count=32)
    write(tmp_path / "images", rows.assign(subject=[f"s{index % 8}" for index in rows.index]))
    return tmp_path / "images"


def write(images, rows: pd.DataFrame) -> None:
    rows.drop(columns="file", errors="ignore").to_csv(images / "labels.csv", index=False)


def changed(images, **columns) -> None:
    table = pd.read_csv(images / "labels.csv", dtype=str, keep_default_na=False)
    write(images, table.assign(**columns))


def call(images, out, *more: str) -> None:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    labels = ["--labels", str(images / "labels.csv"), "--images", str(images)]
    train.run(parser.parse_args(["--recipe", "tiny-recipe", *labels, "--out", str(out), *more]))


def test_the_split_of_the_csv_makes_a_bundle_and_a_result(images, tmp_path, capsys):
    out = tmp_path / "out"
    call(images, out, "--noise", "10")
    bundle = read_bundle(out / "tiny-recipe")
    assert bundle.card.training["epochs"] == 1
    assert f"Bundle written: {bundle.folder}" in capsys.readouterr().out
    measured = json.loads((out / "result.json").read_text())
    assert (measured["protocol"], measured["leaky"], measured["data"]) == ("split", False, "drawn")
    assert set(measured["extra"]) == {"gaussian_10"}
    judged = pd.read_csv(out / "predictions.csv")
    evaluated = pd.read_csv(bundle.evaluation_file)
    assert sorted(judged.loc[judged["noise"] == 0, "path"]) == sorted(
        evaluated.loc[evaluated["split"] == "test", "path"]
    )


def test_folds_give_a_result_and_no_bundle(images, tmp_path, capsys):
    out = tmp_path / "out"
    call(images, out, "--protocol", "kfold", "--folds", "2", "--seed", "3")
    measured = json.loads((out / "result.json").read_text())
    assert [fold["fold"] for fold in measured["folds"]] == ["1", "2"]
    assert measured["pooled"]["n"] == 32
    assert measured["command"] == (
        "python -m dashboard train --recipe tiny-recipe --protocol kfold --folds 2 --seed 3 "
        "--labels CSV --images DIR --out DIR"
    )
    assert str(tmp_path) not in (out / "result.json").read_text()
    assert len(pd.read_csv(out / "predictions.csv")) == 32
    assert "tiny-recipe, kfold: accuracy" in capsys.readouterr().out
    assert not list(out.rglob("card.json"))


def test_one_fold_of_a_repeat_makes_its_bundle_from_subjects_that_it_left_out(images, tmp_path):
    out = tmp_path / "out"
    call(images, out, "--protocol", "subject", "--folds", "2", "--repeats", "2", "--fold", "2.1")
    bundle = read_bundle(out / "fold-2.1" / "tiny-recipe")
    evaluated = pd.read_csv(bundle.evaluation_file)
    judged = pd.read_csv(out / "predictions.csv")
    assert sorted(evaluated["path"]) == sorted(judged["path"])
    assert evaluated["split"].value_counts().to_dict() == {"val": len(judged) // 2, "test": len(judged) // 2}
    assert "--fold 2.1" in json.loads((out / "result.json").read_text())["command"]


def test_a_subject_on_both_sides_is_refused_by_name(images, tmp_path):
    changed(images, subject="s0")
    with pytest.raises(TrainingError, match=r"on both sides: s0\. Use --protocol subject"):
        call(images, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_file_in_two_splits_under_two_names_is_refused_with_both(images, tmp_path):
    changed(images, subject="")
    table = pd.read_csv(images / "labels.csv", dtype=str, keep_default_na=False)
    learned, judged = (table[table["split"] == split].iloc[0]["path"] for split in ("train", "test"))
    shutil.copy(images / learned, images / judged)
    with pytest.raises(TrainingError, match=rf"{learned} \(train\) and .*{judged} \(test\) are the same"):
        call(images, tmp_path / "out")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--where", "label=dark"), "two classes or more; the labels name only dark"),
        (("--noise", "much"), "--noise takes numbers between 0 and 256, with commas between; got 'much'"),
        (("--noise", "5,-1"), "got '5,-1'"),
        (("--noise", "nan"), "got 'nan'"),
        (("--protocol", "random"), "no protocol 'random'"),
        (("--protocol", "kfold", "--folds", "1"), "2 folds or more; got 1"),
        (("--protocol", "kfold", "--fold", "9"), "no fold '9'; there are: 1, 2, 3, 4, 5"),
        (("--protocol", "site"), "two sites or more"),
        (("--epochs", "0"), "at least 1 epoch"),
        (("--init", "none.weights.h5"), "do not fit Tiny"),
        (("--recipe", "none"), "no recipe 'none'"),
    ],
    ids=range(11),
)
def test_what_cannot_be_trained_is_refused_with_a_sentence(images, tmp_path, more, message):
    with pytest.raises(TrainingError, match=message):
        call(images, tmp_path / "out", *more)
    assert not list(tmp_path.glob("out/**/fitted.keras"))


def test_a_file_that_is_missing_is_left_out_and_counted(images, tmp_path, capsys):
    (images / "00.png").unlink()
    with pytest.raises(TrainingError, match="two classes or more"):
        call(images, tmp_path / "out", "--where", "label=dark")
    assert "1 rows left out: There is no file '00.png'" in capsys.readouterr().err


def test_labels_that_are_missing_are_refused(tmp_path):
    with pytest.raises(LabelsError, match="no labels CSV"):
        call(tmp_path, tmp_path / "out")


def test_a_recipe_of_one_data_set_leaves_out_what_is_not_of_its_classes(images, tmp_path, monkeypatch, capsys):
    other = tiny_recipe.recipe(dataset="kaggle_five", epochs=1)
    monkeypatch.setitem(recipes.RECIPES, "tiny-recipe", other)
    changed(images, label="monocyte")
    with pytest.raises(LabelsError, match="No row has one of the recipe's classes: dark, pale"):
        call(images, tmp_path / "out")
    assert "32 rows left out: not one of the recipe's classes." in capsys.readouterr().err
