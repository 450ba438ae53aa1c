"""The numbers of a result file, against others worked out by hand or by scikit-learn."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from dashboard.calibration import softmax
from dashboard.training import results

CLASSES = ("dark", "pale")


def predictions(fold: str, labels: str, found: str, noise: float = 0.0) -> pd.DataFrame:
    """A row a letter: d or p, and what was said."""
    names = {"d": "dark", "p": "pale"}
    sure = np.linspace(1, 2, len(labels))
    said_dark = np.array([letter == "d" for letter in found])
    return pd.DataFrame(
        {
            "path": [f"{fold}-{index}.png" for index in range(len(labels))],
            "label": [names[letter] for letter in labels],
            "fold": fold,
            "noise": noise,
            "logit_dark": np.where(said_dark, sure, -sure),
            "logit_pale": np.where(said_dark, -sure, sure),
        }
    )


TWO = pd.concat([predictions("1", "dddppp", "dddppd"), predictions("2", "ddpp", "dpdp")], ignore_index=True)


def test_folds_and_all_together_worked_by_hand():
    found = results.result(TWO, CLASSES, {"recipe": "tiny"})
    assert [(fold["fold"], fold["n_test"], fold["accuracy"]) for fold in found["folds"]] == [
        ("1", 6, 0.8333),
        ("2", 4, 0.5),
    ]
    pooled = found["pooled"]
    assert (pooled["n"], pooled["correct"], pooled["accuracy"]) == (10, 7, 0.7)
    # Wilson 1927, 7 of 10 at z = 1.96
    assert (pooled["accuracy_low"], pooled["accuracy_high"]) == (0.3968, 0.8922)
    assert pooled["per_class"]["dark"] == {"n": 5, "recall": 0.8, "precision": 0.6667, "f1": 0.7273}
    assert found["mean"]["accuracy"] == pytest.approx((5 / 6 + 1 / 2) / 2, abs=1e-4)
    assert found["sd"]["accuracy"] == pytest.approx((5 / 6 - 1 / 2) / np.sqrt(2), abs=1e-4)
    assert (found["recipe"], found["classes"], found["extra"]) == ("tiny", ["dark", "pale"], {})


def test_f1_and_auc_are_those_of_scikit_learn():
    pooled = results.result(TWO, CLASSES, {})["pooled"]
    said = np.where(TWO["logit_dark"] > 0, "dark", "pale")
    assert pooled["macro_f1"] == pytest.approx(f1_score(TWO["label"], said, average="macro"), abs=1e-4)
    assert pooled["weighted_f1"] == pytest.approx(f1_score(TWO["label"], said, average="weighted"), abs=1e-4)
    assert pooled["macro_f1_low"] <= pooled["macro_f1"] <= pooled["macro_f1_high"]
    assert pooled["auc"] == pytest.approx(roc_auc_score(TWO["label"] == "dark", TWO["logit_dark"]), abs=1e-4)


def test_the_auc_of_three_classes_is_the_mean_of_each_against_the_rest():
    random = np.random.default_rng(0)
    names = ("a", "b", "c")
    rows = pd.DataFrame(random.normal(size=(60, 3)), columns=[f"logit_{name}" for name in names])
    rows = rows.assign(label=np.resize(names, 60), fold="1", noise=0.0)
    rows["logit_a"] += rows["label"] == "a"
    expected = roc_auc_score(
        rows["label"], softmax(rows[[f"logit_{name}" for name in names]].to_numpy()), multi_class="ovr", labels=names
    )
    assert results.result(rows, names, {})["pooled"]["auc"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")])
def test_a_fold_that_lacks_a_class_has_no_auc_and_the_mean_has_none_either(order):
    folds = {"1": predictions("1", "dddppp", "dddppd"), "2": predictions("2", "ppp", "ppd")}
    found = results.result(pd.concat([folds[name] for name in order]), CLASSES, {})
    assert {fold["fold"]: "auc" in fold for fold in found["folds"]} == {"1": True, "2": False}
    assert "auc" not in found["mean"]
    assert "auc" in found["pooled"]


def test_one_fold_has_no_spread():
    assert set(results.result(TWO[:6], CLASSES, {})["sd"].values()) == {0.0}


def test_noise_is_counted_apart_by_its_level():
    noisy = [predictions("1", "dddppp", "dddddd", noise=10.0), predictions("1", "dddppp", "dddppd", noise=2.5)]
    found = results.result(pd.concat([TWO, *noisy]), CLASSES, {})
    assert found["pooled"]["n"] == 10
    assert {name: extra["correct"] for name, extra in found["extra"].items()} == {"gaussian_2.5": 5, "gaussian_10": 3}


def test_a_result_is_json_without_nan():
    json.dumps(results.result(TWO, CLASSES, {}), allow_nan=False)


def test_accuracy_of_nothing_is_unknown():
    found = results.accuracy([], [])
    assert (found["n"], found["correct"]) == (0, 0)
    assert np.isnan(found["accuracy"])
