"""The Performance page: opens, is empty, filters, opens the cases behind a cell, refuses with a sentence."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard import bundles, images
from dashboard.bundles import Calibration, PredictionSetRule, write_card
from dashboard.calibration import binomial_interval
from dashboard.corruptions import CORRUPTIONS
from dashboard.laboratory_report import conclude
from dashboard.records import PROJECT
from dashboard.ui import components
from tests.test_laboratory_report import CHECK
from tests.tiny_bundle import CARD, CLASSES

PAGE = str(PROJECT / "pages" / "performance.py")


@pytest.fixture
def store(tmp_path, monkeypatch, records):
    folder = tmp_path / "store"
    folder.mkdir()
    monkeypatch.setattr(bundles, "MODEL_STORE", folder)
    return folder


@pytest.fixture
def cells(tmp_path):
    """Sixty squares on disk, with the table of what a model made of them."""
    random = np.random.default_rng(0)
    folder = tmp_path / "cells"
    folder.mkdir()
    rows = []
    for number in range(60):
        pixels = random.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
        label = number % 3
        logits = random.normal(0, 1, 3)
        logits[(label + (number % 6 == 0)) % 3] += 6
        split, site = ("test", "here") if number < 40 else ("val", "there")
        rows.append((images.image_id(pixels), CLASSES[label], split, site, f"{number:02d}.png", *logits))
    columns = ["image_id", "label", "split", "site", "path", *(f"logit_{name}" for name in CLASSES)]
    return folder, pd.DataFrame(rows, columns=columns)


def add_bundle(store, table=None, name="tiny", files=None, **changes):
    folder = store / name
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"never opened by this page")
    if table is not None:
        table.to_csv(folder / "evaluation.csv", index=False)
    for file, content in (files or {}).items():
        (folder / file).write_text(content, "utf-8")
    write_card(folder, dataclasses.replace(CARD, id=name, title=f"Model {name}", **changes))


CALIBRATED = {
    "calibration": Calibration(1.0, "split val", 20, "2024-05-01"),
    "prediction_set": PredictionSetRule(0.9, 0.2),
}


def opened(view=None):
    page = AppTest.from_file(PAGE, default_timeout=30).run()
    return page.segmented_control(key="performance_view").set_value(view).run() if view else page


def text(page):
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.warning]
    return "\n".join(part.value for part in parts)


def test_an_empty_store_says_what_to_do(store):
    page = opened()
    assert not page.exception
    assert "no model that can be used" in text(page)


def test_a_bundle_without_evaluation_says_what_to_run(store):
    add_bundle(store)
    page = opened()
    assert not page.exception
    assert "python -m dashboard evaluate --model tiny" in page.error[0].value


def test_it_opens_on_the_test_rows_with_numbers_from_the_file(store, cells):
    add_bundle(store, cells[1], **CALIBRATED)
    page = opened()
    assert not page.exception
    right = sum(number % 6 != 0 for number in range(40))
    assert f"the label in {right} of 40 images" in text(page)
    assert page.metric[0].value == f"{100 * right / 40:.1f} %"
    assert "not a medical device" in text(page)


def test_the_filters_choose_the_rows(store, cells):
    add_bundle(store, cells[1])
    page = opened()
    page.selectbox(key="performance_split").set_value("all").run()
    assert "of 60 images" in text(page)
    page.selectbox(key="performance_site").set_value("there").run()
    assert "of 20 images" in text(page)
    page.selectbox(key="performance_split").set_value("test").run()
    assert not page.exception
    assert "was not evaluated on images of this split and site" in text(page)


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        ("Classes", "Lowest recall"),
        ("Confusion matrix", "Most often mistaken"),
        ("Curves", "lowest for"),
        ("Confidence", "a perfectly calibrated model would stay under"),
        ("Sites and splits", "All images are of one site"),
        ("Model card", "It knows colours, not cells."),
    ],
)
def test_every_view_opens_with_its_reading(store, cells, view, sentence):
    add_bundle(store, cells[1], **CALIBRATED)
    page = opened(view)
    assert not page.exception
    assert not page.error
    assert sentence in text(page)


def test_a_model_without_calibration_says_so(store, cells):
    add_bundle(store, cells[1])
    page = opened("Confidence")
    assert not page.exception
    assert "uncalibrated" in text(page)
    assert "no prediction sets" in text(page)


def test_a_cell_opens_its_cases_and_their_images(store, cells):
    folder, table = cells
    add_bundle(store, table)
    page = opened("Confusion matrix")
    page.selectbox(key="label_tiny").set_value("red").run()
    page.selectbox(key="predicted_tiny").set_value("green").run()
    shown = page.dataframe[0].value
    expected = [f"{number:02d}.png" for number in range(0, 40, 6)]  # every sixth was called the next colour
    assert sorted(shown["path"]) == expected
    page.text_input(key="evaluation_images_tiny").set_value(str(folder)).run()
    assert not page.exception
    assert not page.error
    assert len(page.get("image")) == len(expected)


def test_an_image_that_was_changed_since_is_not_shown(store, cells):
    folder, table = cells
    add_bundle(store, table)
    Image.new("RGB", (20, 20)).save(folder / "00.png")
    page = opened("Confusion matrix")
    page.selectbox(key="label_tiny").set_value("red").run()
    page.selectbox(key="predicted_tiny").set_value("green").run()
    page.text_input(key="evaluation_images_tiny").set_value(str(folder)).run()
    assert "00.png in this folder is not the image that was evaluated" in page.error[0].value


def test_a_folder_that_is_none_is_refused(store, cells):
    add_bundle(store, cells[1])
    page = opened("Confusion matrix")
    page.text_input(key="evaluation_images_tiny").set_value("/nowhere/at/all").run()
    assert "must be a folder" in page.error[0].value


def test_an_empty_cell_says_so(store, cells):
    add_bundle(store, cells[1][:10])
    page = opened("Confusion matrix")
    page.selectbox(key="label_tiny").set_value("blue").run()
    page.selectbox(key="predicted_tiny").set_value("green").run()
    assert "No image has this label and this pre-classification." in text(page)


def test_two_models_stand_side_by_side_on_the_same_rows(store, cells):
    add_bundle(store, cells[1], "one")
    add_bundle(store, cells[1].assign(logit_red=0.0), "two")
    page = opened()
    page.selectbox(key="performance_second").set_value("two").run()
    assert not page.exception
    assert [part.value for part in page.subheader] == ["Model one", "Model two"]
    assert text(page).count("of 40 images") == 2


def test_a_damaged_evaluation_is_refused_and_the_other_model_still_shown(store, cells):
    add_bundle(store, cells[1], "one")
    add_bundle(store, cells[1].drop(columns="logit_red"), "two")
    page = opened()
    page.selectbox(key="performance_second").set_value("two").run()
    assert not page.exception
    assert "missing" in page.error[0].value
    assert page.subheader[0].value == "Model one"


def test_a_model_that_nobody_asked_about_its_laboratory_says_what_to_run(store, cells):
    add_bundle(store, cells[1])
    page = opened("Laboratory")
    assert not page.exception
    assert "python -m dashboard laboratory --model tiny" in text(page)


def test_the_laboratory_view_says_the_sentence_first_and_answers_the_three_questions(store, cells):
    check = conclude(CHECK)
    add_bundle(store, cells[1], files={"laboratory.json": check.as_json()})
    page = opened("Laboratory")
    assert not page.exception
    assert not page.error
    shown = text(page)
    assert components.plain(check.sentence) in shown
    assert len(page.get("plotly_chart")) == 3
    questions = ("Can the site be read", "Is the same class recognised", "What is left without the cell")
    places = [shown.index(words) for words in (components.plain(check.sentence), *questions)]
    assert places == sorted(places)
    assert components.plain("2 images were left out: shown twice.") in shown


def test_a_check_of_one_site_says_what_it_could_not_ask(store, cells):
    bare = dataclasses.replace(CHECK, site_reading=(), gaps=(), masking=None, sites={"barcelona": 150})
    add_bundle(store, cells[1], files={"laboratory.json": conclude(bare).as_json()})
    page = opened("Laboratory")
    assert not page.exception
    assert "It takes 20 images at each of two sites" in text(page)
    assert "The cell was found in too few of the images" in text(page)


def test_a_damaged_laboratory_check_is_refused_with_a_sentence(store, cells):
    add_bundle(store, cells[1], files={"laboratory.json": "{}"})
    page = opened("Laboratory")
    assert not page.exception
    assert "does not hold a laboratory check" in page.error[0].value


def robustness_table(temperature=1.0):
    """Accuracy 96 % clean, then two points less a step; the model stays 97 % sure and flags nothing."""
    conditions = [(name, severity) for name, one in CORRUPTIONS.items() for severity in (0, *one.severities)]
    table = pd.DataFrame(conditions, columns=["corruption", "severity"])
    correct = 48 - table.groupby("corruption").cumcount()
    low, high = binomial_interval(correct, np.full(len(table), 50))
    measured = {"n": 50, "correct": correct, "accuracy": correct / 50, "accuracy_low": low, "accuracy_high": high}
    doubts = {"macro_f1": 0.9, "mean_confidence": 0.97, "ece": 0.05, "flagged": 0.0, "unidentified": 0.1}
    return table.assign(**measured, **doubts, set="labels.csv, split=test", temperature=temperature)


def add_robustness(store, table, name="tiny"):
    table.to_csv(store / name / "robustness.csv", index=False)
    write_card(store / name, bundles.read_card(store / name))


def test_without_a_measurement_the_robustness_view_says_what_to_run(store, cells):
    add_bundle(store, cells[1])
    page = opened("Robustness")
    assert not page.exception
    assert "python -m dashboard robustness --model tiny" in text(page)


def test_the_robustness_view_says_how_far_it_holds_and_where_confidence_misleads(store, cells):
    add_bundle(store, cells[1])
    add_robustness(store, robustness_table())
    page = opened("Robustness")
    assert not page.exception
    assert not page.error
    assert not page.warning
    said = text(page)
    assert "**Gaussian noise** loses more than 1 point at the weakest tried; lowest 86.0 %, at σ 20." in said
    assert "On clean images 96.0 % are right." in said
    assert "The fewest are under Brightness +40 %: 80.0 % right at 97.0 % mean confidence, 0.0 % flagged." in said
    assert "Confidence misleads" not in said  # the same condition
    assert "50 images (labels.csv, split=test)" in said
    assert len(page.get("plotly_chart")) == 1
    assert "download_robustness_tiny" in {button.key for button in page.get("download_button")}


def test_where_confidence_misleads_most_is_named_when_it_is_not_where_fewest_are_right(store, cells):
    table = robustness_table()
    table.loc[(table["corruption"] == "zoom") & (table["severity"] == 1.6), "mean_confidence"] = 0.999
    table.loc[table["corruption"] == "brightness", "mean_confidence"] = table["accuracy"]
    add_bundle(store, cells[1])
    add_robustness(store, table)
    assert "Confidence misleads most under Zoom ×1.6: 86.0 % right at 99.9 %" in text(opened("Robustness"))


def test_confidence_of_another_calibration_is_named(store, cells):
    add_bundle(store, cells[1], **CALIBRATED)
    add_robustness(store, robustness_table(temperature=2.0))
    assert "measured at temperature 2.000; the model now has 1.000" in opened("Robustness").warning[0].value


def test_a_damaged_robustness_table_is_refused_and_one_beside_it_still_shown(store, cells):
    for name in ("one", "two"):
        add_bundle(store, cells[1], name)
        add_robustness(store, robustness_table(), name)
    add_robustness(store, robustness_table().drop(columns="accuracy"), "two")
    page = opened()
    page.selectbox(key="performance_second").set_value("two").run()
    page.segmented_control(key="performance_view").set_value("Robustness").run()
    assert not page.exception
    assert "Measure again" in page.error[0].value
    assert len(page.get("plotly_chart")) == 1
