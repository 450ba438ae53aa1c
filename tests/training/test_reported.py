"""What the papers report and what was measured: read whole, or refused with a sentence."""

import csv
import json

import pytest

from dashboard.errors import TrainingError
from dashboard.training import reported, results
from dashboard.training.recipes.papers import PAPERS as PAPER_RECIPES
from dashboard.training.reported import COLUMNS, difference, pairs, read_results, read_rows
from tests.conftest import PROJECT

RESULTS = PROJECT / "docs" / "results"
ROW = {
    "paper": "P1",
    "system": "MobileNetV2",
    "data": "five classes",
    "protocol": "augmented, then divided",
    "measure": "accuracy; AUC",
    "value": "94.42 %; 0.997",
    "recipe": "p1-mobilenetv2",
    "their_protocol_result": "p1-mobilenetv2--leaky",
    "honest_result": "p1-mobilenetv2--split leukaemia5-mobilenetv2--split",
    "part": "",
    "not_run": "",
}


def papers(folder, *rows, columns=COLUMNS):
    file = folder / "papers.csv"
    with open(file, "w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file


def counted(correct, n):
    return results.accuracy(["a"] * n, ["a"] * correct + ["b"] * (n - correct))


def result(recipe="p1-mobilenetv2", protocol="split", correct=70, n=100, **changes):
    return {
        "recipe": recipe,
        "paper": "P1",
        "protocol": protocol,
        "protocol_note": f"divided by {protocol}",
        "leaky": protocol == "leaky",
        "data": "cells",
        "initial_weights": "none (random)",
        "seed": 0,
        "epochs": 10,
        "command": f"python -m dashboard train --recipe {recipe} --protocol {protocol}",
        "folds": [{"fold": "1", "n_test": n}],
        "pooled": {
            **counted(correct, n),
            "macro_f1": correct / n,
            "per_class": {"a": {"recall": 0.9}, "b": {"recall": 0.5}},
        },
        "mean": {"accuracy": correct / n, "macro_f1": correct / n},
        "sd": {"accuracy": 0.0, "macro_f1": 0.0},
        "extra": {},
        **changes,
    }


def test_a_row_pairs_each_measure_with_its_value(tmp_path):
    (row,) = read_rows(papers(tmp_path, ROW))
    assert row.reported == "accuracy 94.42 %, AUC 0.997"
    assert row.stems == ["p1-mobilenetv2--leaky", "p1-mobilenetv2--split", "leukaemia5-mobilenetv2--split"]


def test_a_row_without_a_number_says_so(tmp_path):
    (row,) = read_rows(papers(tmp_path, {**ROW, "measure": "accuracy", "value": ""}))
    assert row.reported == "accuracy: no number known"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"recipe": "p9-net"}, r"line 2: there is no recipe p9-net; `recipes` lists"),
        ({"honest_result": "p9-net--split"}, r"there is no recipe p9-net"),
        ({"value": "94.42 %"}, r"each measure needs a value; got 'accuracy; AUC' and '94.42 %'"),
        ({"honest_result": ""}, r"without a result needs its reason in not_run"),
    ],
    ids=["recipe", "recipe of a result", "value", "reason"],
)
def test_a_row_that_cannot_be_true_is_refused(tmp_path, changes, sentence):
    with pytest.raises(TrainingError, match=sentence):
        read_rows(papers(tmp_path, {**ROW, **changes}))


def test_the_baselines_count_as_recipes(tmp_path):
    read_rows(papers(tmp_path, {**ROW, "recipe": "p2-svm", "honest_result": "p2-svm--subject--cnmc-smote"}))


def test_another_column_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"must have the columns paper, .*; got paper, .*, page\."):
        read_rows(papers(tmp_path, ROW, columns=(*COLUMNS, "page")))


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "papers.csv").touch()
    with pytest.raises(TrainingError, match="must have the columns"):
        read_rows(tmp_path / "papers.csv")


@pytest.mark.parametrize("line", ["P1,short", ",".join("x" * 20)])
def test_a_row_of_another_length_is_refused(tmp_path, line):
    file = papers(tmp_path, ROW)
    file.write_text(file.read_text("utf-8") + line + "\n", "utf-8")
    with pytest.raises(TrainingError, match="line 3: a row has 11 fields"):
        read_rows(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"papers\.csv cannot be read: No such file"):
        read_rows(tmp_path / "papers.csv")


def test_results_are_read_by_name_and_a_folder_without_any_is_empty(tmp_path):
    assert read_results(tmp_path / "absent") == {}
    (tmp_path / "p1-mobilenetv2--split--variant.json").write_text(json.dumps(result()), "utf-8")
    assert read_results(tmp_path) == {"p1-mobilenetv2--split--variant": result()}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("x--split", "{", "cannot be read as a result"),
        ("x--split", "[]", "is not a result file; it lacks recipe"),
        ("x--split", json.dumps({"recipe": "x"}), "it lacks protocol, "),
        ("x--split", json.dumps(result()), r"must be named after .*: p1-mobilenetv2--split\.json"),
        ("p1-mobilenetv2--leaky", json.dumps(result()), "must be named after"),
    ],
)
def test_a_file_that_is_not_the_result_it_is_called_is_refused(tmp_path, name, text, sentence):
    (tmp_path / f"{name}.json").write_text(text, "utf-8")
    with pytest.raises(TrainingError, match=sentence):
        read_results(tmp_path)


def test_the_interval_of_a_difference_is_that_of_newcombes_own_example():
    """56/70 less 48/80, method 10 of his table II."""
    assert difference(counted(56, 70), counted(48, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=2e-4)


def test_the_other_way_round_it_is_mirrored():
    value, low, high = difference(counted(56, 70), counted(48, 80))
    assert difference(counted(48, 80), counted(56, 70)) == pytest.approx((-value, -high, -low))


def test_only_the_same_recipe_data_and_variant_make_a_pair():
    found = {
        "a--leaky": result("a", "leaky"),
        "a--split": result("a", "split"),
        "a--split--other": result("a", "split"),
        "b--split": result("b", "split"),
        "a--subject": result("a", "subject", data="others"),
    }
    assert pairs(found) == [("a--leaky", "a--split")]


def test_every_system_of_every_paper_has_a_row():
    rows = read_rows(RESULTS / reported.PAPERS)
    assert {recipe.name for recipe in PAPER_RECIPES} | reported.BASELINES <= {row.recipe for row in rows}
    assert {row.paper for row in rows} == {"P1", "P2", "P3", "P4", "P5"}
