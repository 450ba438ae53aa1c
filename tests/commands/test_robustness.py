"""`python -m dashboard robustness`: the table it writes, what it leaves out, and the bundle it leaves whole."""

import argparse

import pandas as pd
import pytest

from dashboard.bundles import read_bundle, read_card, write_card
from dashboard.commands import evaluate, robustness
from dashboard.errors import LabelsError
from dashboard.images import read
from dashboard.robustness import COLUMNS, STATED, read_robustness
from tests.tiny_bundle import make_bundle, make_images

pytestmark = pytest.mark.slow


def call(verb, bundle, images, out, *more):
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    labels = str(images / "labels.csv")
    given = ["--model", str(bundle), "--labels", labels, "--images", str(images), "--out", str(out), *more]
    verb.run(parser.parse_args(given))


@pytest.fixture
def bundle(tmp_path):
    return make_bundle(tmp_path / "store" / "tiny")


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path / "images")


def test_the_clean_row_is_what_evaluate_finds_and_the_bundle_stays(bundle, images, tmp_path, capsys):
    before = read_card(bundle)
    (images / "00.png").write_bytes(b"")
    out = tmp_path / "out"
    call(robustness, bundle, images, out, "--where", "split=test")
    printed = capsys.readouterr()
    call(evaluate, bundle, images, out, "--where", "split=test")
    right = pd.read_csv(out / "confusion_matrix.csv").set_index("label").to_numpy().trace()
    table = read_robustness(out / "robustness.csv")
    clean = table[table["severity"] == 0]
    assert set(clean["correct"]) == {right}
    assert set(clean["n"]) == {19}
    assert set(table["set"]) == {"labels.csv, split=test"}
    assert "00.png left out: The file is empty" in printed.err
    assert "Gaussian noise: holds" in printed.out
    assert list(pd.read_csv(out / "robustness.csv")) == [*COLUMNS, *STATED]
    assert read_bundle(bundle).card == before


def test_the_bundle_keeps_the_table_when_asked_and_is_whole(bundle, images, tmp_path):
    before = read_card(bundle)
    call(robustness, bundle, images, tmp_path / "out", "--store", "--limit", "6", "--corruption", "jpeg", "blur")
    after = read_bundle(bundle).card
    assert set(after.sha256) - set(before.sha256) == {"robustness.csv"}
    assert (bundle / "robustness.csv").read_bytes() == (tmp_path / "out" / "robustness.csv").read_bytes()
    table = read_robustness(bundle / "robustness.csv")
    assert list(table["corruption"].unique()) == ["jpeg", "blur"]
    assert set(table["n"]) == {6}


def test_images_that_the_model_was_made_with_are_left_out_by_name(bundle, images, tmp_path, capsys):
    text = (images / "labels.csv").read_text().replace(",val,", ",train,")
    (images / "labels.csv").write_text(text)
    known = [read(images / f"{number:02d}.png").image_id for number in (0, 2)]
    (bundle / "training_images.txt").write_text("\n".join(known) + "\n")
    write_card(bundle, read_card(bundle))
    call(robustness, bundle, images, tmp_path / "out", "--corruption", "jpeg")
    said = capsys.readouterr().err
    assert "20 rows left out: they are marked train." in said
    assert "02.png left out: The model was made with this image" in said
    assert set(read_robustness(tmp_path / "out" / "robustness.csv")["n"]) == {18}
    with pytest.raises(LabelsError, match="all 20 are marked train"):
        call(robustness, bundle, images, tmp_path / "none", "--where", "split=train")
    assert not (tmp_path / "none").exists()
