"""`python -m dashboard laboratory`: its files, what it puts into the bundle, and what it refuses."""

import argparse
import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from dashboard.bundles import Bundle, read_bundle, read_card, write_card
from dashboard.commands import evaluate, laboratory
from dashboard.errors import LabelsError
from dashboard.images import read
from dashboard.laboratory_report import read_check
from tests.planted_laboratory import CARD, CLASSES, classifier, make_images


def arguments(bundle, images, out, *more):
    parser = argparse.ArgumentParser()
    laboratory.add_arguments(parser)
    given = ["--model", str(bundle), "--labels", str(images / "labels.csv"), "--images", str(images), "--out", str(out)]
    return parser.parse_args([*given, *more])


ROWS = pd.DataFrame({"label": ["seg", "other", "band"], "fine_label": ["", "seg", ""], "split": ["", "", ""]})


def test_labels_are_renamed_by_the_coarse_or_the_fine_label():
    assert laboratory.renamed(ROWS, ["seg=neutrophil", "band=stab"])["label"].tolist() == [
        "neutrophil",
        "neutrophil",
        "stab",
    ]
    assert laboratory.renamed(ROWS.drop(columns="fine_label"), ["seg=n"])["label"].tolist() == ["n", "other", "band"]
    # each name means what stands in the file, not what an earlier pair made of it
    assert laboratory.renamed(ROWS, ["seg=band", "band=seg"])["label"].tolist() == ["band", "band", "seg"]


@pytest.mark.parametrize(
    ("pair", "message"),
    [("seg", "takes FROM=TO"), ("=seg", "takes FROM=TO"), ("blast=seg", "no row .* has this label")],
)
def test_a_renaming_that_means_nothing_is_refused(pair, message):
    with pytest.raises(LabelsError, match=message):
        laboratory.renamed(ROWS, [pair])


def test_labels_that_the_model_does_not_know_are_counted_and_left_out(capsys):
    assert laboratory.of_classes(ROWS, ("seg",))["label"].tolist() == ["seg"]
    assert "1 rows left out: the label 'band' is not one of the model's classes." in capsys.readouterr().err


def test_no_known_label_at_all_is_refused():
    with pytest.raises(LabelsError, match=r"None of the 3 rows has a class of the model \(blast\)"):
        laboratory.of_classes(ROWS, ("blast",))


def test_a_bundle_that_lists_its_training_images_gives_their_ids(tmp_path):
    assert laboratory.listed_training(Bundle(tmp_path, CARD)) == frozenset()
    (tmp_path / "training_images.txt").write_text("aa\nbb\n")
    assert laboratory.listed_training(Bundle(tmp_path, CARD)) == {"aa", "bb"}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    make_images(folder)
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    from dashboard.packing import create_bundle

    store = tmp_path_factory.mktemp("store")
    return create_bundle(store, classifier(True).model, CARD, np.zeros((32, 32, 3), np.uint8), training_images=["none"])


@pytest.mark.slow
def test_the_files_the_card_and_the_words_agree(packed, images, tmp_path, capsys):
    given = arguments(packed.folder, images, tmp_path, "--limit", "150", "--store", "--where", "split=val")
    laboratory.run(given)
    check = read_check(tmp_path / "laboratory.json")
    assert (check.model_id, check.set, check.images) == ("planted", "labels.csv, split=val", 150)
    assert check.learned is True
    recall = pd.read_csv(tmp_path / "laboratory_recall.csv")
    assert list(recall) == ["class", "site", "n", "correct", "recall", "low", "high"]
    assert recall["n"].sum() == 150
    bundle = read_bundle(packed.folder)  # every hash is right
    assert read_check(bundle.folder / "laboratory.json") == check
    assert bundle.card.evaluation["laboratory"] == json.loads(json.dumps(check.for_card()))
    assert f"- laboratory: {check.sentence}\n  - set: " in (bundle.folder / "MODEL_CARD.md").read_text("utf-8")
    assert check.sentence in capsys.readouterr().out
    # a later change of the card keeps it
    evaluate.keep_card(bundle, dataclasses.replace(bundle.card, title="Renamed"))
    assert read_card(bundle.folder).evaluation["laboratory"]["sentence"] == check.sentence


@pytest.mark.slow
def test_images_that_the_bundle_was_made_with_are_left_out(packed, images, tmp_path, capsys):
    seen = [read(images / f"monocyte_here_{number:02d}.png").image_id for number in range(10)]
    (packed.folder / "training_images.txt").write_text("\n".join(seen) + "\n")
    write_card(packed.folder, read_card(packed.folder))
    laboratory.run(arguments(packed.folder, images, tmp_path))
    assert "10 images left out: that the model was made with." in capsys.readouterr().err
    assert read_check(tmp_path / "laboratory.json").images == 140


@pytest.mark.slow
def test_without_a_list_the_rows_of_split_train_are_left_out(packed, images, tmp_path, capsys):
    (packed.folder / "training_images.txt").unlink(missing_ok=True)
    write_card(packed.folder, read_card(packed.folder))
    table = pd.read_csv(images / "labels.csv")
    table.loc[table["label"] == "monocyte", "split"] = "train"
    table.to_csv(tmp_path / "labels.csv", index=False)
    given = arguments(packed.folder, images, tmp_path)
    given.labels = tmp_path / "labels.csv"
    laboratory.run(given)
    assert "rows of split train are left out" in capsys.readouterr().err
    assert "monocyte" in CLASSES
    assert "monocyte" not in {row.class_name for row in read_check(tmp_path / "laboratory.json").recall}


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["0", "-3"])
def test_a_limit_that_leaves_nothing_is_refused(packed, images, tmp_path, limit):
    with pytest.raises(LabelsError, match="--limit must be a number of images above 0"):
        laboratory.run(arguments(packed.folder, images, tmp_path, "--limit", limit))
