"""Evaluation: curves, coverage and summary worked by hand and against scikit-learn; files that are refused."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

from dashboard import evaluation, images
from dashboard.bundles import Calibration, Card, ClassInfo, PredictionSetRule
from dashboard.errors import BundleError, ImageError
from dashboard.preprocessing import InputSpec

CLASSES = ("blast", "lymphocyte", "monocyte")
CARD = Card(
    id="tiny",
    title="Tiny",
    backbone="none",
    classes=tuple(ClassInfo(name, name.title()) for name in CLASSES),
    input=InputSpec(16, 16),
)


def table(count=300, seed=0):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, count)
    logits = random.normal(0, 1, (count, 3))
    logits[np.arange(count), truth] += 2
    return pd.DataFrame(
        {
            "image_id": [f"{k:064x}" for k in range(count)],
            "label": [CLASSES[k] for k in truth],
            "split": random.choice(["val", "test"], count),
            "site": random.choice(["munich", "barcelona", ""], count),
            "path": [f"{k}.png" for k in range(count)],
            **{f"logit_{name}": logits[:, k] for k, name in enumerate(CLASSES)},
        }
    )


@pytest.fixture
def csv(tmp_path):
    table().to_csv(tmp_path / "evaluation.csv", index=False)
    return tmp_path / "evaluation.csv"


@pytest.fixture
def rows(csv):
    return evaluation.read_evaluation(csv, CARD)


def test_reading_adds_what_the_card_makes_of_the_logits(rows):
    first = rows.iloc[0]
    logits = first[[f"logit_{name}" for name in CLASSES]].to_numpy(float)
    expected = np.exp(logits) / np.exp(logits).sum()
    assert first[[f"p_{name}" for name in CLASSES]].to_numpy(float) == pytest.approx(expected)
    assert first["predicted"] == CLASSES[logits.argmax()]
    assert first["correct"] == (first["predicted"] == first["label"])


def test_reading_applies_the_cards_temperature(csv):
    hot = dataclasses.replace(CARD, calibration=Calibration(10.0, "val", 300, "2024-01-01"))
    assert (
        evaluation.read_evaluation(csv, hot)["confidence"] < evaluation.read_evaluation(csv, CARD)["confidence"]
    ).all()


def test_text_stays_text_and_optional_columns_may_be_missing(tmp_path):
    frame = table(4).drop(columns=["split", "site", "path"])
    frame["image_id"] = ["007", "NA", "1e3", "x"]
    frame.to_csv(tmp_path / "e.csv", index=False)
    rows = evaluation.read_evaluation(tmp_path / "e.csv", CARD)
    assert rows["image_id"].tolist() == ["007", "NA", "1e3", "x"]
    assert (rows[["split", "site", "path"]] == "").all(axis=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="logit_blast"), "logit_blast missing"),
        (lambda frame: frame.drop(columns="label"), "label missing"),
        (lambda frame: frame.assign(label="mast cell"), "'mast cell'"),
        (lambda frame: frame.assign(logit_blast="high"), "finite"),
        (lambda frame: frame.assign(logit_blast=math.inf), "finite"),
        (lambda frame: frame.iloc[:0], "no rows"),
    ],
)
def test_an_evaluation_is_refused(tmp_path, change, message):
    change(table(5)).to_csv(tmp_path / "e.csv", index=False)
    with pytest.raises(BundleError, match=message):
        evaluation.read_evaluation(tmp_path / "e.csv", CARD)


def test_a_missing_or_unreadable_evaluation_is_refused(tmp_path):
    with pytest.raises(BundleError, match="There is no evaluation"):
        evaluation.read_evaluation(tmp_path / "none.csv", CARD)
    (tmp_path / "e.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BundleError, match="cannot be read"):
        evaluation.read_evaluation(tmp_path / "e.csv", CARD)


class Reader:
    """Reads the mean brightness as its first logit."""

    card = CARD

    def prepare(self, pixels):
        return pixels[:16, :16]

    def logits(self, prepared):
        bright = prepared.mean(axis=(1, 2, 3)) / 255
        return np.column_stack([bright, np.zeros(len(bright)), np.zeros(len(bright))])


def test_evaluating_keeps_the_order_and_names_what_it_could_not_read(tmp_path):
    for k in range(5):
        Image.new("RGB", (20, 20), (51 * k,) * 3).save(tmp_path / f"{k}.png")
    (tmp_path / "2.png").write_bytes(b"")
    labelled = pd.DataFrame(
        [(f"{k}.png", str(tmp_path / f"{k}.png"), "blast", "test", "munich") for k in range(5)],
        columns=["path", "file", "label", "split", "site"],
    )
    batches = list(evaluation.evaluate(Reader(), labelled, batch=2))
    assert [len(evaluated) for evaluated, _ in batches] == [2, 1, 1]
    evaluated = pd.concat([batch[0] for batch in batches], ignore_index=True)
    assert evaluated["logit_blast"].tolist() == pytest.approx([0, 0.2, 0.6, 0.8])
    assert evaluated["image_id"][1] == images.read(tmp_path / "1.png").image_id
    rejected = batches[1][1]
    assert rejected["path"].tolist() == ["2.png"]
    assert "empty" in rejected["reason"][0]


def test_evaluating_a_batch_of_bad_images_only_gives_no_rows_but_the_columns(tmp_path):
    labelled = pd.DataFrame(
        [("a.png", str(tmp_path / "a.png"), "blast", "", "")], columns=["path", "file", "label", "split", "site"]
    )
    [(evaluated, rejected)] = evaluation.evaluate(Reader(), labelled)
    assert len(evaluated) == 0
    assert len(rejected) == 1
    assert list(evaluated) == ["image_id", "label", "split", "site", "path", *(f"logit_{name}" for name in CLASSES)]


def test_areas_agree_with_sklearn_and_with_counting_pairs(rows):
    areas = evaluation.curve_areas(rows, CLASSES).set_index("class")
    truth, score = rows["label"] == "blast", rows["p_blast"]
    assert areas.loc["blast", "roc_auc"] == pytest.approx(roc_auc_score(truth, score))
    assert areas.loc["blast", "average_precision"] == pytest.approx(average_precision_score(truth, score))
    pairs = np.subtract.outer(score[truth].to_numpy(), score[~truth].to_numpy())
    assert areas.loc["blast", "roc_auc"] == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2)


def test_the_area_under_the_drawn_curve_is_the_area_stated(rows):
    curves = evaluation.roc_curves(rows, CLASSES)
    areas = evaluation.curve_areas(rows, CLASSES).set_index("class")["roc_auc"]
    for name, curve in curves.groupby("class"):
        area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
        assert area == pytest.approx(areas[name])


def test_precision_recall_curves_start_at_all_found_and_end_at_none(rows):
    curve = evaluation.precision_recall_curves(rows, CLASSES).groupby("class").get_group("blast")
    assert curve["recall"].iloc[0] == 1
    assert curve["recall"].iloc[-1] == 0
    assert curve["precision"].between(0, 1).all()


def test_a_class_without_images_or_without_others_has_no_curve(rows):
    only = rows[rows["label"] == "blast"]
    for curves in (evaluation.roc_curves(only, CLASSES), evaluation.precision_recall_curves(only, CLASSES)):
        assert curves.empty
    assert evaluation.curve_areas(only, CLASSES)[["roc_auc", "average_precision"]].isna().all(axis=None)


def test_set_coverage_worked_by_hand():
    rows = pd.DataFrame(
        {
            "label": ["blast", "blast", "lymphocyte", "lymphocyte"],
            "p_blast": [0.7, 0.3, 0.5, 0.35],
            "p_lymphocyte": [0.2, 0.6, 0.4, 0.35],
            "p_monocyte": [0.1, 0.1, 0.1, 0.3],
        }
    )
    coverage = evaluation.set_coverage(rows, CLASSES, threshold=0.4).set_index("class")
    assert coverage["count"].to_dict() == {"blast": 2, "lymphocyte": 2, "monocyte": 0, "all": 4}
    assert coverage.loc[["blast", "lymphocyte", "all"], "coverage"].tolist() == [0.5, 0.5, 0.5]
    assert coverage.loc["all", "mean_size"] == pytest.approx(1.0)  # 1, 1, 2 and 0 classes
    assert coverage.loc["all", "empty"] == pytest.approx(0.25)
    assert coverage.loc["monocyte", ["coverage", "coverage_low", "mean_size"]].isna().all()


def test_groups_worked_by_hand(rows):
    groups = evaluation.by_group(rows, "site").set_index("group")
    assert set(groups.index) == {"munich", "barcelona", "not stated"}
    assert groups["count"].sum() == len(rows)
    munich = rows[rows["site"] == "munich"]
    assert groups.loc["munich", "accuracy"] == pytest.approx(munich["correct"].mean())
    assert groups.loc["munich", "confidence"] == pytest.approx(munich["confidence"].mean())
    assert (groups["accuracy_low"] < groups["accuracy"]).all()


def test_summary_is_strict_json_that_says_none_where_unknown(rows):
    card = dataclasses.replace(CARD, prediction_set=PredictionSetRule(0.9, 0.2))
    found = evaluation.summary(rows[rows["label"] != "monocyte"], card)
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again["images"] == int((rows["label"] != "monocyte").sum())
    assert again["per_class"][2]["recall"] is None
    assert again["curve_areas"][2]["roc_auc"] is None
    assert sum(map(sum, again["confusion_matrix"])) == again["images"]
    assert again["prediction_sets"]["coverage"][-1]["class"] == "all"
    assert again["calibration"]["noise_floor"] > 0


def test_summary_without_a_rule_says_so(rows):
    assert evaluation.summary(rows, CARD)["prediction_sets"] is None


def test_the_card_carries_the_test_rows_only(rows):
    card = dataclasses.replace(CARD, prediction_set=PredictionSetRule(0.9, 0.2))
    short = evaluation.card_summary(rows, card)
    test = rows[rows["split"] == "test"]
    assert short["images"] == len(test)
    assert short["accuracy"] == pytest.approx(test["correct"].mean())
    assert short["set_coverage_interval"][0] < short["set_coverage"] < short["set_coverage_interval"][1]
    assert evaluation.card_summary(rows[rows["split"] == "val"], CARD) == {}


def test_summary_takes_bare_rows_of_the_file(csv, rows):
    bare = table()
    assert evaluation.summary(bare, CARD) == evaluation.summary(rows, CARD)


def test_a_case_opens_its_image_and_no_other(tmp_path):
    for name, grey in (("a.png", 10), ("b.png", 20)):
        Image.new("RGB", (20, 20), (grey,) * 3).save(tmp_path / name)
    identifier = images.read(tmp_path / "a.png").image_id
    assert evaluation.open_case(tmp_path, "a.png", identifier).image_id == identifier
    for path, message in (
        ("b.png", "not the image"),
        ("c.png", "cannot be read"),
        ("../a.png", "must lie in"),
        ("", "must lie"),
    ):
        with pytest.raises(ImageError, match=message):
            evaluation.open_case(tmp_path, path, identifier)
