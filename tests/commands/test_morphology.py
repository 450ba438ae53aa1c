"""`segment`, `features` and `baselines`, one after the other, on drawn smears."""

import argparse
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard import images
from dashboard.commands import baselines, features, segment
from dashboard.errors import LabelsError, SourceError, TrainingError
from dashboard.morphology.features import COLUMNS
from tests.conftest import PROJECT
from tests.morphology.drawn import smear, with_cell


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """20 cells with a small nucleus, 20 with a large one, an image without a cell, a broken file, labels.csv."""
    folder = tmp_path_factory.mktemp("drawn")
    random = np.random.default_rng(0)
    rows = []
    for number in range(40):
        label = "small" if number % 2 else "large"
        nucleus = random.uniform(12, 16) if number % 2 else random.uniform(22, 26)
        pixels = with_cell(smear(), random.uniform(90, 110), random.uniform(110, 130), 32, nucleus)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append((f"{number}.png", label, ("train", "val", "test")[number // 2 % 3], f"s{number // 4}"))
    Image.fromarray(smear()).save(folder / "empty.png")
    (folder / "broken.png").write_bytes(b"not an image")
    rows += [("empty.png", "small", "test", "s9"), ("broken.png", "small", "test", "s9")]
    pd.DataFrame(rows, columns=["path", "label", "split", "subject"]).to_csv(folder / "labels.csv", index=False)
    return folder


def run(command, *words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    command.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture(scope="module")
def table(drawn, tmp_path_factory):
    file = tmp_path_factory.mktemp("measured") / "cells.csv"
    run(features, "--labels", drawn / "labels.csv", "--images", drawn, "--out", file)
    return file


def test_segment_gives_every_file_a_row_and_every_picture_an_overlay(drawn, tmp_path):
    run(segment, drawn / "0.png", drawn / "empty.png", drawn / "broken.png", "--out", tmp_path)
    rows = pd.read_csv(tmp_path / "counts.csv").set_index("file_name")
    assert rows["status"].to_dict() == {"0.png": "found", "empty.png": "not found", "broken.png": "rejected"}
    assert "purple" in rows.loc["empty.png", "reason"]
    assert 0.3 < rows.loc["0.png", "nucleus_area"] / rows.loc["0.png", "cell_area"] < 0.7
    assert rows.loc["0.png", ["leukocytes", "red_cells"]].tolist() == [1, 2]
    assert images.read(tmp_path / rows.loc["0.png", "overlay"]).pixels.shape == (200, 240, 3)
    assert pd.isna(rows.loc["broken.png", "overlay"])


def test_segment_refuses_when_no_file_can_be_read(drawn, tmp_path):
    with pytest.raises(SourceError, match="None of the 1 files"):
        run(segment, drawn / "broken.png", "--out", tmp_path)


def test_features_measures_every_cell_and_says_what_it_could_not(table):
    rows = pd.read_csv(table, dtype={"subject": str})
    assert list(rows) == ["path", "label", "split", "site", "subject", "image_id", *COLUMNS]
    assert len(rows) == 40
    ratios = rows.groupby("label")["nucleus_to_cell"]
    assert ratios.max()["small"] < ratios.min()["large"]
    rejected = pd.read_csv(table.with_name("cells_rejected.csv")).set_index("path")["reason"]
    assert "purple" in rejected["empty.png"]
    assert "JPEG" in rejected["broken.png"]


def test_features_refuses_when_nothing_can_be_measured(drawn, tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\nempty.png,small\n")
    with pytest.raises(LabelsError, match="None of the 1 images"):
        run(features, "--labels", tmp_path / "labels.csv", "--images", drawn, "--out", tmp_path / "cells.csv")


def test_baselines_write_one_result_a_model(table, tmp_path):
    run(baselines, "--features", table, "--protocol", "kfold", "--folds", 2, "--balance", "smote", "--out", tmp_path)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [f"p2-{name}--kfold--cells-smote.json" for name in ("decision-tree", "random-forest", "svm")]
    found = json.loads((tmp_path / names[2]).read_text())
    assert found["pooled"]["n"] == 40
    assert found["pooled"]["accuracy"] > 0.9
    assert (found["paper"], found["leaky"], found["classes"]) == ("P2", False, ["large", "small"])
    assert [fold["n_train"] + fold["n_test"] for fold in found["folds"]] == [38, 38]  # two for val
    assert str(tmp_path) not in found["command"]


def test_the_leak_is_named_in_the_result(table, tmp_path):
    words = ("--features", table, "--protocol", "leaky", "--model", "svm", "--out", tmp_path)
    run(baselines, *words, "--balance", "smote", "--data", "drawn")
    found = json.loads((tmp_path / "p2-svm--leaky--drawn-smote.json").read_text())
    assert found["leaky"] is True
    with pytest.raises(TrainingError, match="--balance smote"):
        run(baselines, *words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label,split,site,subject\na,b,,,\n", "must have the column cell_area"),
        (",".join(["path,label,split,site,subject", *COLUMNS]) + "\n", "one row or more"),
        (",".join(["path,label,split,site,subject", *COLUMNS]) + "\na,b,,,," + "x," * len(COLUMNS) + "\n", "numbers"),
        ("", "cannot be read"),
    ],
)
def test_a_table_that_is_no_feature_table_is_refused(tmp_path, text, message):
    file = tmp_path / "cells.csv"
    file.write_text(text)
    with pytest.raises(LabelsError, match=message):
        run(baselines, "--features", file, "--out", tmp_path)
    with pytest.raises(LabelsError, match="cannot be read"):
        run(baselines, "--features", tmp_path / "none.csv", "--out", tmp_path)


def test_every_column_of_the_tables_is_in_the_formats():
    text = (PROJECT / "docs" / "FORMATS.md").read_text("utf-8")
    for name in (*segment.COLUMNS, *COLUMNS):
        region, _, rest = name.partition("_")
        known = (name, f"<region>_{rest}", f"<region>_<channel>_{rest.rpartition('_')[2]}", "nucleus_signature_<n>")
        assert any(f"`{one}`" in text for one in known), name
