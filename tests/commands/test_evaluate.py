"""`python -m dashboard evaluate`: tables that agree with each other, bad rows that stop nothing."""

import argparse
import json

import pandas as pd
import pytest

from dashboard.bundles import read_bundle
from dashboard.commands import evaluate
from dashboard.errors import LabelsError
from tests.tiny_bundle import CLASSES, make_bundle, make_images

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("store") / "tiny")


def run(bundle, images, out, *more):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    labels = str(images / "labels.csv")
    evaluate.run(
        parser.parse_args(
            ["--model", str(bundle), "--labels", labels, "--images", str(images), "--out", str(out), *more]
        )
    )


@pytest.fixture(scope="module")
def evaluated(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    images = make_images(folder / "images")
    with open(images / "labels.csv", "a") as file:
        file.write("missing.png,red,test,here\n00.png,mauve,test,here\nbroken.png,red,test,here\n")
    (images / "broken.png").write_bytes(b"not an image")
    run(bundle, images, folder / "out")
    return folder / "out"


def test_every_good_row_is_evaluated_with_its_logits(evaluated):
    rows = pd.read_csv(evaluated / "evaluation.csv", dtype=str)
    assert list(rows) == ["image_id", "label", "split", "site", "path", *(f"logit_{name}" for name in CLASSES)]
    assert len(rows) == 40
    assert rows["image_id"].str.fullmatch("[0-9a-f]{64}").all()


def test_every_bad_row_is_rejected_with_its_reason(evaluated):
    rejected = pd.read_csv(evaluated / "rejected.csv").set_index("path")["reason"]
    assert len(rejected) == 3
    assert "no file" in rejected["missing.png"]
    assert "classes" in rejected["00.png"]
    assert "JPEG" in rejected["broken.png"]


def test_the_tables_agree_with_the_labels_as_they_were_made(evaluated):
    matrix = pd.read_csv(evaluated / "confusion_matrix.csv").set_index("label")
    assert matrix.to_numpy().sum() == 40
    assert matrix.to_numpy().trace() == 32  # every fifth of forty labels is wrong
    assert pd.read_csv(evaluated / "per_class.csv")["support"].sum() == 40
    found = json.loads((evaluated / "metrics.json").read_text())
    assert found["averages"][0] == pytest.approx(
        {"measure": "accuracy", "value": 0.8, "low": 0.652, "high": 0.895}, abs=1e-3
    )
    assert {row["group"] for row in found["by_split"]} == {"val", "test"}


def test_the_summary_is_plain(bundle, tmp_path, capsys):
    run(bundle, make_images(tmp_path / "images"), tmp_path / "out", "--where", "split=test")
    printed = capsys.readouterr().out
    assert "20 images evaluated, 0 rejected." in printed
    assert "Accuracy 0.800" in printed
    assert "chance alone gives" in printed


def test_training_rows_are_named_in_the_summary(bundle, tmp_path, capsys):
    images = make_images(tmp_path / "images")
    text = (images / "labels.csv").read_text().replace(",val,", ",train,")
    (images / "labels.csv").write_text(text)
    run(bundle, images, tmp_path / "out")
    assert "20 of these images are marked as training data" in capsys.readouterr().out


def test_the_bundle_keeps_the_evaluation_when_asked(tmp_path):
    own = make_bundle(tmp_path / "store" / "tiny")
    run(own, make_images(tmp_path / "images"), tmp_path / "out", "--keep")
    bundle = read_bundle(own)
    assert bundle.evaluation_file.read_bytes() == (tmp_path / "out" / "evaluation.csv").read_bytes()
    assert bundle.evaluation_file.name in bundle.card.sha256
    assert bundle.card.evaluation["images"] == 20


def test_no_readable_image_at_all_is_refused_and_still_leaves_the_reasons(bundle, tmp_path):
    images = make_images(tmp_path / "images", count=3)
    for number in range(3):
        (images / f"{number:02d}.png").write_bytes(b"")
    with pytest.raises(LabelsError, match="None of the 3 images"):
        run(bundle, images, tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "rejected.csv")) == 3
    assert not (tmp_path / "out" / "evaluation.csv").exists()
