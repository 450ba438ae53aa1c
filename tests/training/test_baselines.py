"""Baselines: they learn what is there, balance inside the fold alone, and the leak is a number."""

import numpy as np
import pandas as pd
import pytest

from dashboard.errors import TrainingError
from dashboard.morphology.features import COLUMNS
from dashboard.training.baselines import BALANCES, MODELS, pipeline, predictions


def cells(many=60, few=20, apart=3.0, seed=0):
    """Cells of two classes that differ in their area alone, of seven subjects and three sites."""
    random = np.random.default_rng(seed)
    count = many + few
    table = pd.DataFrame(random.normal(0, 1, (count, len(COLUMNS))), columns=list(COLUMNS))
    table["label"] = ["many"] * many + ["few"] * few
    table["cell_area"] += np.where(table["label"] == "few", apart, 0)
    table["path"] = [f"{number}.png" for number in range(count)]
    table["split"] = np.array(["train", "train", "train", "val", "test"])[np.arange(count) % 5]
    table["site"] = np.array(["a", "b", "c"])[np.arange(count) % 3]
    table["subject"] = [f"s{number % 7}" for number in range(count)]
    return table


def accuracy(judged):
    return (judged[["logit_few", "logit_many"]].to_numpy().argmax(axis=1) == (judged["label"] == "many")).mean()


@pytest.mark.parametrize("balance", BALANCES)
@pytest.mark.parametrize("model", MODELS)
def test_every_baseline_learns_a_plain_difference(model, balance):
    judged, fitted_on = predictions(cells(120, 60, apart=6), model, "kfold", balance, k=3)
    assert len(judged) == 180
    assert accuracy(judged) > 0.9
    assert list(fitted_on) == ["1", "2", "3"]


@pytest.mark.parametrize("protocol", ["split", "holdout", "kfold", "site"])
def test_every_protocol_judges_cells_that_it_did_not_learn(protocol):
    table = cells().assign(subject="")
    judged, fitted_on = predictions(table, "decision-tree", protocol, k=4)
    assert set(judged["fold"]) == set(fitted_on)
    assert len(judged) == {"split": 16, "holdout": 16, "kfold": 80, "site": 80}[protocol]


def test_smote_makes_cells_inside_the_training_fold_alone():
    fitted = pipeline("decision-tree", "smote").fit(cells()[list(COLUMNS)].to_numpy(), cells()["label"].to_numpy())
    assert fitted["model"].tree_.n_node_samples[0] == 120
    judged, fitted_on = predictions(cells(), "decision-tree", "kfold", "smote", k=4)
    assert len(judged) == 80
    assert max(fitted_on.values()) < 60


def test_undersampling_leaves_as_many_of_each_class_as_the_rarest_has():
    fitted = pipeline("decision-tree", "undersample").fit(
        cells()[list(COLUMNS)].to_numpy(), cells()["label"].to_numpy()
    )
    assert fitted["model"].tree_.n_node_samples[0] == 40


def test_smote_before_the_split_flatters_where_nothing_can_be_learned():
    table = cells(300, 60, apart=0)
    honest, _ = predictions(table, "svm", "kfold", "smote")
    leaky, _ = predictions(table, "svm", "leaky", "smote")
    few = {name: accuracy(judged[judged["label"] == "few"]) for name, judged in (("honest", honest), ("leaky", leaky))}
    assert few["leaky"] > few["honest"] + 0.5
    assert len(leaky) == 120  # a fifth of 600: the cells that SMOTE made are judged too


def test_a_class_that_no_training_cell_has_is_never_predicted():
    table = cells()
    table.loc[table["label"] == "few", "split"] = "test"
    table.loc[:9, "label"] = "third"
    judged, _ = predictions(table.assign(subject=""), "svm", "split")
    assert (judged["logit_few"] == -50).all()


def test_the_same_seed_gives_the_same_logits():
    first, again = (predictions(cells(), "random-forest", "holdout", "smote", seed=3)[0] for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_cells_without_cytoplasm_are_judged_too():
    table = cells()
    table.loc[::3, "cytoplasm_red_mean"] = np.nan
    table["nucleus_to_cytoplasm"] = np.nan
    judged, _ = predictions(table, "svm", "holdout")
    assert np.isfinite(judged[["logit_few", "logit_many"]].to_numpy()).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "oracle"}, "no baseline 'oracle'"),
        ({"balance": "more"}, "no balance 'more'"),
        ({"protocol": "wish"}, "no protocol 'wish'"),
        ({"protocol": "leaky"}, "SMOTE before the split"),
        ({"protocol": "split"}, "s0"),  # a subject on both sides
        ({"table": cells(30, 4), "protocol": "leaky", "balance": "smote"}, "at least 6 cells"),
        ({"table": cells(60, 5), "balance": "smote", "protocol": "kfold"}, "cannot be fitted"),
        ({"table": cells().assign(label="one")}, "two classes"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(change, message):
    with pytest.raises(TrainingError, match=message):
        predictions(**{"table": cells(), "model": "decision-tree", "protocol": "holdout"} | change)
