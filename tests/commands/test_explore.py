"""`python -m dashboard explore`: one file to read, the tables behind it, and no bad row that stops it."""

import argparse
import re

import pandas as pd
import pytest

from dashboard.commands import explore
from dashboard.errors import BundleError, LabelsError
from tests.tiny_bundle import make_bundle, make_images

TABLES = [
    "classes.csv",
    "colours.csv",
    "components.csv",
    "duplicates.csv",
    "outliers.csv",
    "rejected.csv",
    "sizes.csv",
    "suspected_label_errors.csv",
]


def run(images, out, *more):
    parser = argparse.ArgumentParser()
    explore.add_arguments(parser)
    labels = str(images / "labels.csv")
    explore.run(parser.parse_args(["--labels", labels, "--images", str(images), "--out", str(out), *more]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    images = make_images(tmp_path_factory.mktemp("explored") / "images", count=60)
    with open(images / "labels.csv", "a") as file:
        file.write("missing.png,red,test,here\nbroken.png,red,test,here\n")
    (images / "broken.png").write_bytes(b"not an image")
    return images


def test_the_report_stands_beside_its_tables_and_its_sentences_are_printed(folder, tmp_path, capsys):
    run(folder, tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted([*TABLES, "report.html"])
    printed = capsys.readouterr().out
    assert "60 images of 3 classes." in printed
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "labels.csv: 60 images, features of colour and texture." in page
    for title in ("Colour by site", "Principal components", "Suspected label errors"):
        assert f"<h2>{title}</h2>" in page
    assert page.count("Plotly.newPlot(") > 4
    assert set(pd.read_csv(tmp_path / "out" / "rejected.csv")["path"]) == {"missing.png", "broken.png"}


def test_every_wrong_label_is_among_the_suspected(folder, tmp_path):
    run(folder, tmp_path / "out")
    found = set(pd.read_csv(tmp_path / "out" / "suspected_label_errors.csv", dtype=str)["path"])
    assert {f"{number:02d}.png" for number in range(0, 60, 5)} <= found  # every fifth of make_images is wrong


def test_only_the_rows_asked_for_are_explored(folder, tmp_path, capsys):
    run(folder, tmp_path / "out", "--where", "split=test", "--where", "site=there")
    assert pd.read_csv(tmp_path / "out" / "classes.csv")["count"].sum() == 10
    assert "The site of every image is the same: there." in capsys.readouterr().out


def test_what_cannot_be_explored_is_refused(folder, tmp_path):
    with pytest.raises(BundleError, match="no model 'nobody'"):
        run(folder, tmp_path, "--model", "nobody")
    with pytest.raises(LabelsError, match="no rows"):
        run(folder, tmp_path, "--where", "split=none")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_model_describes_the_images_and_judges_only_those_it_was_not_made_with(folder, tmp_path, capsys):
    bundle = make_bundle(tmp_path / "tiny")
    run(folder, tmp_path / "out", "--model", str(bundle))
    assert "may have been, made with 60 of these 60 images" in capsys.readouterr().out
    components = pd.read_csv(tmp_path / "out" / "components.csv")
    assert [name for name in components if name.startswith("pc")] == ["pc1", "pc2", "pc3"]  # of three features
    (bundle / "training_images.txt").write_text("0" * 64 + "\n")
    run(folder, tmp_path / "out", "--model", str(bundle))
    found = pd.read_csv(tmp_path / "out" / "suspected_label_errors.csv")
    assert set(found["features"]) == {"the features of tiny"}


@pytest.mark.slow
def test_the_colour_of_two_real_hospitals_gives_them_away(shared_data, tmp_path, capsys):
    rows = pd.read_csv(shared_data / "labels.csv", dtype=str, keep_default_na=False)
    chosen = [rows[rows["dataset"] == name].sample(40, random_state=0) for name in ("pbc8", "lmu")]
    pd.concat(chosen).to_csv(tmp_path / "labels.csv", index=False)
    out = str(tmp_path / "out")
    parser = argparse.ArgumentParser()
    explore.add_arguments(parser)
    labels = str(tmp_path / "labels.csv")
    explore.run(parser.parse_args(["--labels", labels, "--images", str(shared_data), "--out", out]))
    share = re.search(r"Colour alone tells the site of ([\d.]+) % of 80 images", capsys.readouterr().out)
    assert share
    assert float(share[1]) > 90
