"""Metrics from names: cases worked by hand, scikit-learn as the independent reference, edges, refusals."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.metrics import confusion_matrix as reference_matrix

from dashboard import metrics
from dashboard.errors import LabelsError

CLASSES = ("blast", "lymphocyte", "monocyte")
LABELS = ["blast", "blast", "blast", "lymphocyte", "lymphocyte", "monocyte"]
PREDICTED = ["blast", "blast", "monocyte", "lymphocyte", "blast", "monocyte"]


@pytest.fixture(scope="module")
def many():
    random = np.random.default_rng(5)
    labels = random.choice(CLASSES, 400, p=[0.6, 0.3, 0.1])
    return labels, np.where(random.random(400) < 0.8, labels, random.choice(CLASSES, 400))


def row(table, name):
    return table.set_index("class").loc[name]


def test_confusion_matrix_worked_by_hand():
    matrix = metrics.confusion_matrix(LABELS, PREDICTED, CLASSES)
    assert matrix.to_numpy().tolist() == [[2, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert list(matrix.index) == list(matrix.columns) == list(CLASSES)


def test_confusion_matrix_agrees_with_sklearn(many):
    assert (metrics.confusion_matrix(*many, CLASSES).to_numpy() == reference_matrix(*many, labels=CLASSES)).all()


def test_confusion_matrix_of_nothing_is_all_zero():
    assert metrics.confusion_matrix([], [], CLASSES).to_numpy().sum() == 0


def test_normalised_rows_add_up_to_one_and_a_row_without_images_is_unknown():
    shares = metrics.normalised(metrics.confusion_matrix(LABELS[:5], PREDICTED[:5], CLASSES))
    assert shares.loc["blast"].tolist() == pytest.approx([2 / 3, 0, 1 / 3])
    assert shares.loc["monocyte"].isna().all()


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [(["mast cell"], ["blast"], "among the classes"), (["blast"], ["mast cell"], "among"), (["blast"], [], "1 and 0")],
)
def test_confusion_matrix_refuses(labels, predicted, message):
    with pytest.raises(LabelsError, match=message):
        metrics.confusion_matrix(labels, predicted, CLASSES)


def test_per_class_metrics_worked_by_hand():
    blast = row(metrics.per_class_metrics(LABELS, PREDICTED, CLASSES), "blast")
    assert blast["support"] == 3
    assert blast[["precision", "recall", "specificity", "f1"]].tolist() == pytest.approx([2 / 3] * 4)


def test_per_class_metrics_agree_with_sklearn(many):
    table = metrics.per_class_metrics(*many, CLASSES)
    precision, recall, f1, support = precision_recall_fscore_support(*many, labels=CLASSES)
    for name, reference in (("precision", precision), ("recall", recall), ("f1", f1), ("support", support)):
        assert table[name].to_numpy() == pytest.approx(reference)
    labels, predicted = many
    for name in CLASSES:
        specificity = precision_recall_fscore_support(labels != name, predicted != name, pos_label=True, labels=[True])
        assert row(table, name)["specificity"] == pytest.approx(specificity[1][0])


def test_the_interval_of_a_proportion_is_wilsons(many):
    table = metrics.per_class_metrics(*many, CLASSES)
    labels, predicted = many
    hits, support = int(((labels == "blast") & (predicted == "blast")).sum()), int((labels == "blast").sum())
    reference = stats.binomtest(hits, support).proportion_ci(method="wilson")
    assert row(table, "blast")[["recall_low", "recall_high"]].tolist() == pytest.approx([reference.low, reference.high])


def test_the_interval_of_f1_is_that_of_images_drawn_one_by_one(many):
    table = metrics.per_class_metrics(*many, CLASSES)
    labels, predicted = many
    random = np.random.default_rng(1)
    draws = []
    for _ in range(400):
        chosen = random.integers(0, 400, 400)
        draws.append(
            precision_recall_fscore_support(labels[chosen], predicted[chosen], labels=CLASSES, zero_division=0)[2]
        )
    for end, share in (("f1_low", 0.025), ("f1_high", 0.975)):
        assert table[end].to_numpy() == pytest.approx(np.quantile(draws, share, axis=0), abs=0.03)


def test_the_interval_of_f1_repeats_with_its_seed(many):
    first, again = (metrics.per_class_metrics(*many, CLASSES, seed=3) for _ in range(2))
    assert first.equals(again)


def test_every_interval_holds_its_value(many):
    table = metrics.per_class_metrics(*many, CLASSES)
    for name in metrics.MEASURES:
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()


def test_a_class_without_images_is_unknown_but_for_its_specificity():
    monocyte = row(metrics.per_class_metrics(LABELS[:5], PREDICTED[:5], CLASSES), "monocyte")
    assert monocyte["support"] == 0
    doubtful = [f"{name}{end}" for name in ("precision", "recall", "f1") for end in ("", "_low", "_high")]
    assert monocyte[doubtful].isna().all()
    assert monocyte["specificity"] == pytest.approx(4 / 5)


def test_a_class_never_predicted_has_no_precision_and_an_f1_of_zero():
    table = metrics.per_class_metrics(["blast", "monocyte"], ["blast", "blast"], CLASSES)
    monocyte = row(table, "monocyte")
    assert np.isnan(monocyte["precision"])
    assert monocyte["recall"] == monocyte["f1"] == 0


def test_metrics_of_nothing_are_unknown():
    table = metrics.per_class_metrics([], [], CLASSES)
    assert table.drop(columns=["class", "support"]).isna().all(axis=None)
    assert metrics.averages([], [], CLASSES)[["value", "low", "high"]].isna().all(axis=None)


def test_averages_agree_with_sklearn(many):
    table = metrics.averages(*many, CLASSES).set_index("measure")
    assert table.loc["accuracy", "value"] == pytest.approx(accuracy_score(*many))
    for kind in ("macro", "weighted"):
        reference = precision_recall_fscore_support(*many, average=kind)
        for name, value in zip(("precision", "recall", "f1"), reference, strict=False):
            assert table.loc[f"{kind}_{name}", "value"] == pytest.approx(value)


def test_averages_hold_their_values(many):
    table = metrics.averages(*many, CLASSES)
    assert ((table["low"] < table["value"]) & (table["value"] < table["high"])).all()


def test_an_average_leaves_out_classes_without_images_and_counts_a_precision_never_earned_as_zero():
    table = metrics.averages(["blast", "monocyte"], ["blast", "blast"], CLASSES).set_index("measure")
    assert table.loc["macro_recall", "value"] == pytest.approx(0.5)
    assert table.loc["macro_precision", "value"] == pytest.approx(0.25)  # (1/2 + 0) / 2
