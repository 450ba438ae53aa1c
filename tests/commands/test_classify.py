"""`python -m dashboard classify`: the contract of its CSV."""

import argparse

import numpy as np
import pandas as pd
import pytest

from dashboard.commands import classify
from dashboard.errors import BundleError, SourceError
from tests.tiny_bundle import CLASSES, make_bundle, make_images

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("store") / "tiny")


def run(bundle, out, *paths):
    parser = argparse.ArgumentParser()
    classify.add_arguments(parser)
    classify.run(parser.parse_args([*map(str, paths), "--model", str(bundle), "--out", str(out)]))
    return pd.read_csv(out, dtype=str, keep_default_na=False)


def test_the_columns_are_those_of_the_contract(bundle, tmp_path, capsys):
    table = run(bundle, tmp_path / "new" / "out.csv", make_images(tmp_path / "images", 7))
    assert list(table.columns) == [
        *("image_id", "file_name", "status", "reason", "predicted", "confidence", "prediction_set", "ood_score"),
        *(f"p_{name}" for name in CLASSES),
        *("margin", "unidentified", "out_of_distribution", "quality"),
    ]
    assert len(table) == 8  # labels.csv is a row too
    ok = table[table["status"] == "ok"]
    assert ok["image_id"].str.fullmatch("[0-9a-f]{64}").all()
    assert np.allclose(ok[[f"p_{name}" for name in CLASSES]].astype(float).sum(axis=1), 1)
    assert set(ok["unidentified"]) <= {"True", "False"}
    output = capsys.readouterr()
    assert output.out == ""
    assert "7 classified, 1 rejected" in output.err


def test_file_names_are_written_exactly(bundle, tmp_path):
    images = make_images(tmp_path / "images", 3)
    (images / "00.png").rename(images / "=1+1.png")
    (images / "01.png").rename(images / "007.png")
    assert {"=1+1.png", "007.png"} <= set(run(bundle, tmp_path / "out.csv", images)["file_name"])


def test_files_folders_and_missing_paths_go_together(bundle, tmp_path):
    images = make_images(tmp_path / "images", 3)
    table = run(bundle, tmp_path / "out.csv", images / "00.png", images / "01.png", tmp_path / "nowhere.png")
    assert list(table["status"]) == ["ok", "ok", "rejected"]
    assert list(table["predicted"]) == ["red", "green", ""]


def test_if_nothing_can_be_classified_it_refuses_and_the_table_says_why(bundle, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(SourceError, match="None of the 1 files could be classified"):
        run(bundle, tmp_path / "out.csv", tmp_path / "a.png")
    assert (tmp_path / "out.csv").is_file()


def test_an_unknown_model_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(BundleError, match="There is no model"):
        run("unknown", tmp_path / "out.csv", tmp_path)
