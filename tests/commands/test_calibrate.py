"""`python -m dashboard calibrate`: what it writes on the card, and the rows that it refuses."""

import argparse
import datetime

import pandas as pd
import pytest

from dashboard.bundles import read_bundle, read_card, write_card
from dashboard.calibration import conformal_threshold, fit_temperature, softmax
from dashboard.commands import calibrate, evaluate
from dashboard.errors import CalibrationError
from dashboard.evaluation import card_summary, read_evaluation
from dashboard.images import read
from tests.tiny_bundle import CLASSES, make_bundle, make_images

pytestmark = pytest.mark.slow


def call(verb, bundle, images, *more):
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    labels = str(images / "labels.csv")
    verb.run(parser.parse_args(["--model", str(bundle), "--labels", labels, "--images", str(images), *more]))


@pytest.fixture
def bundle(tmp_path):
    return make_bundle(tmp_path / "store" / "tiny")


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path / "images")


def mark(images, split):
    text = (images / "labels.csv").read_text()
    (images / "labels.csv").write_text(text.replace(",val,", f",{split},"))


def add_evaluation(bundle, images, out):
    call(evaluate, bundle, images, "--out", str(out))
    (out / "evaluation.csv").rename(bundle / "evaluation.csv")
    write_card(bundle, read_card(bundle))


def test_the_card_gets_what_the_logits_say(bundle, images, tmp_path):
    call(calibrate, bundle, images, "--where", "split=val", "--level", "0.8")
    card = read_bundle(bundle).card
    call(evaluate, bundle, images, "--where", "split=val", "--out", str(tmp_path / "out"))
    rows = pd.read_csv(tmp_path / "out" / "evaluation.csv")
    logits = rows[[f"logit_{name}" for name in CLASSES]].to_numpy()
    labels = rows["label"].map(CLASSES.index).to_numpy()
    assert card.calibration.temperature == pytest.approx(fit_temperature(logits, labels), rel=1e-4)
    expected = conformal_threshold(softmax(logits, card.temperature), labels, 0.8)
    assert card.prediction_set.threshold == pytest.approx(expected, rel=1e-4)
    assert card.prediction_set.level == 0.8
    assert (card.calibration.n, card.calibration.set) == (20, "labels.csv, split=val")
    datetime.date.fromisoformat(card.calibration.date)


def test_the_set_may_be_named(bundle, images):
    call(calibrate, bundle, images, "--set", "second ward")
    assert read_card(bundle).calibration.set == "second ward"


def test_images_that_the_labels_mark_as_train_are_left_out(bundle, images, capsys):
    mark(images, "train")
    call(calibrate, bundle, images)
    assert "20 images left out: marked as train in labels.csv" in capsys.readouterr().err
    assert read_card(bundle).calibration.n == 20


def test_images_that_the_bundle_marks_as_train_are_refused_whatever_they_are_called(bundle, images, tmp_path):
    mark(images, "train")
    add_evaluation(bundle, images, tmp_path / "out")
    lines = (images / "labels.csv").read_text().replace(",train,", ",val,").splitlines()
    for number in range(1, 40, 2):
        (images / f"{number:02d}.png").rename(images / f"renamed{number:02d}.png")
    renamed = [f"renamed{line}" for line in lines[1:] if ",val," in line]
    (images / "labels.csv").write_text("\n".join([lines[0], *renamed]) + "\n")
    before = read_card(bundle)
    with pytest.raises(CalibrationError, match="all 20 are images that the model was made with"):
        call(calibrate, bundle, images)
    assert read_card(bundle) == before


def test_images_that_the_bundle_lists_as_its_training_are_refused(bundle, images, capsys):
    ids = [read(images / f"{number:02d}.png").image_id for number in range(10)]
    (bundle / "training_images.txt").write_text("\n".join(ids) + "\n")
    write_card(bundle, read_card(bundle))
    call(calibrate, bundle, images)
    assert "10 images left out: images that the model was made with" in capsys.readouterr().err
    assert read_card(bundle).calibration.n == 30


def test_the_figures_on_the_card_follow_the_new_temperature(bundle, images, tmp_path):
    add_evaluation(bundle, images, tmp_path / "out")
    call(calibrate, bundle, images, "--where", "split=val")
    card = read_bundle(bundle).card
    assert card.evaluation == card_summary(read_evaluation(bundle / "evaluation.csv", card), card)
    assert card.evaluation["images"] == 20
    assert f"Temperature {card.temperature:.3f}" in (bundle / "MODEL_CARD.md").read_text()


def test_calibrating_on_test_images_says_what_it_costs(bundle, images, tmp_path, capsys):
    add_evaluation(bundle, images, tmp_path / "out")
    call(calibrate, bundle, images)
    assert "20 of these images are the model's test images" in capsys.readouterr().out


def test_an_unreadable_image_costs_only_itself(bundle, images, capsys):
    (images / "00.png").write_bytes(b"")
    call(calibrate, bundle, images)
    assert "00.png left out: The file is empty" in capsys.readouterr().err
    assert read_card(bundle).calibration.n == 39


def test_images_of_one_class_are_refused_and_the_card_stays(bundle, images):
    before = read_card(bundle)
    with pytest.raises(CalibrationError, match="all are of one"):
        call(calibrate, bundle, images, "--where", "label=red")
    assert read_card(bundle) == before
