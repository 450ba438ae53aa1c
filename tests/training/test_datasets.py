"""The rows of one data set, out of a CSV of several."""

import numpy as np
import pandas as pd
import pytest

from dashboard.errors import TrainingError
from dashboard.training.datasets import DATASETS, blast_or_not, kaggle_five, kaggle_five_across_sites
from dashboard.training.recipes import RECIPES


def several(train: int = 10, val: int = 4) -> pd.DataFrame:
    """Two classes of the Kaggle set, and images of another whose own split is test."""
    parts = [
        pd.DataFrame({"label": label, "fine_label": "", "kaggle_split": ["train"] * train + ["val"] * val, "split": ""})
        for label in ("basophil", "seg_neutrophil")
    ]
    fine = ["neutrophil_segmented", "neutrophil_band", "monocyte"]
    parts.append(pd.DataFrame({"label": "neutrophil", "fine_label": fine, "kaggle_split": "", "split": "test"}))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(path=[f"{index}.png" for index in range(len(rows))])


def test_the_val_of_kaggle_judges_and_a_fifth_of_its_train_chooses():
    rows = kaggle_five(several())
    assert set(rows.loc[rows["kaggle_split"] == "val", "split"]) == {"test"}
    assert rows.groupby(["label", "split"]).size().to_dict() == {
        (label, split): count
        for label in ("basophil", "seg_neutrophil")
        for split, count in (("test", 4), ("train", 8), ("val", 2))
    }
    assert len(rows) == 28


def test_it_is_divided_alike_each_time():
    pd.testing.assert_frame_equal(kaggle_five(several()), kaggle_five(several()))


def test_across_sites_the_other_hospitals_segmented_neutrophils_keep_their_split():
    rows = kaggle_five_across_sites(several())
    (also,) = rows[rows["kaggle_split"] == ""].to_dict("records")
    assert (also["label"], also["split"], also["fine_label"]) == ("seg_neutrophil", "test", "neutrophil_segmented")
    assert len(rows) == 29
    assert not rows["path"].duplicated().any()


def test_blast_or_not_takes_at_most_so_many_of_each_a_site():
    labels = ["myeloblast", "seg_neutrophil", "ALL", "HEM", "lymphocyte", "eosinophil"]
    sites = ["Munich", "Munich", "SBILab", "SBILab", "Barcelona", "Barcelona"]
    rows = pd.concat([pd.DataFrame({"label": labels, "site": sites})] * 6, ignore_index=True)
    rows = rows.assign(path=[f"{index}.png" for index in range(len(rows))])
    found = blast_or_not(rows, most=4)
    assert found.groupby(["site", "label"]).size().to_dict() == {
        ("Barcelona", "normal"): 4,
        **{(site, label): 4 for site in ("Munich", "SBILab") for label in ("blast", "normal")},
    }
    theirs = dict(zip(rows["path"], rows["label"], strict=True))
    blasts = {theirs[path] for path in found.loc[found["label"] == "blast", "path"]}
    assert blasts == {"myeloblast", "ALL"}
    pd.testing.assert_frame_equal(found, blast_or_not(rows, most=4))


@pytest.mark.parametrize("name", ["", "kaggle_five", "kaggle_five_across_sites"])
def test_a_csv_of_one_data_set_stays_as_it_is(name):
    rows = pd.DataFrame({"label": ["a", "b"], "split": ["train", "test"]})
    pd.testing.assert_frame_equal(DATASETS[name](rows), rows)


@pytest.mark.parametrize("rows", [several(train=4), several().assign(kaggle_split=""), several()[:0]])
def test_too_few_images_are_refused(rows):
    with pytest.raises(TrainingError, match="five images or more of each class"):
        kaggle_five(rows)


def test_the_data_set_of_each_recipe_is_one_of_these():
    assert {recipe.dataset for recipe in RECIPES.values()} <= set(DATASETS)


@pytest.mark.slow
def test_the_real_labels_give_five_classes_that_are_each_on_every_side(shared_data):
    rows = kaggle_five(pd.read_csv(shared_data / "labels.csv", dtype=str, keep_default_na=False))
    if "kaggle_split" not in rows:
        pytest.skip("these labels do not say which images are of the Kaggle set")
    classes = {info.name for info in RECIPES["p1-mobilenetv2"].classes}
    for split in ("train", "val", "test"):
        assert set(rows.loc[rows["split"] == split, "label"]) == classes
    assert not np.any(rows["path"].duplicated())
