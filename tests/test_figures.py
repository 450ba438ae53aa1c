"""Figures: what is drawn is what the table says; unknown values are not drawn."""

import numpy as np
import pandas as pd
import pytest

from dashboard import evaluation, figures, metrics
from dashboard.calibration import reliability_table

CLASSES = ("blast", "lymphocyte", "monocyte")
NAMES = {"blast": "Blast", "lymphocyte": "Lymphocyte", "monocyte": "Monocyte"}
LABELS = ["blast", "blast", "blast", "lymphocyte", "lymphocyte"]
PREDICTED = ["blast", "blast", "monocyte", "lymphocyte", "blast"]


@pytest.fixture
def rows():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([1, 1, 1], 60)
    frame = pd.DataFrame(probabilities, columns=[f"p_{name}" for name in CLASSES])
    return frame.assign(label=[CLASSES[k % 2] for k in range(60)])


def relative_luminance(colour):
    channels = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_every_colour_stands_out_from_white():
    assert all(1.05 / (relative_luminance(colour) + 0.05) >= 2 for colour in figures.COLOURS)


def test_dots_stand_at_the_values_with_their_intervals():
    table = metrics.per_class_metrics(LABELS, PREDICTED, CLASSES)
    [trace] = figures.draw_metric(table, "recall", NAMES).data
    assert list(trace.x[:2]) == pytest.approx([2 / 3, 1 / 2])
    assert np.isnan(trace.x[2])
    assert np.add(trace.x, trace.error_x.array)[0] == pytest.approx(table["recall_high"][0])
    assert np.subtract(trace.x, trace.error_x.arrayminus)[0] == pytest.approx(table["recall_low"][0])
    assert trace.hovertext[2] == "–"


def test_every_class_is_named_with_its_number_of_images():
    table = metrics.per_class_metrics(LABELS, PREDICTED, CLASSES)
    ticks = figures.draw_metric(table, "recall", NAMES).layout.yaxis.ticktext
    assert ticks == ("Blast (n = 3)", "Lymphocyte (n = 2)", "Monocyte (n = 0)")


def test_a_table_without_one_known_value_still_draws():
    figures.draw_metric(metrics.per_class_metrics([], [], CLASSES), "f1", NAMES)


def test_every_cell_of_the_matrix_can_be_clicked_and_says_whose_it_is():
    counts = metrics.confusion_matrix(LABELS, PREDICTED, CLASSES)
    matrix, cells = figures.draw_confusion_matrix(counts, None, NAMES).data
    assert matrix.text[0][2] == "1"
    assert len(cells.customdata) == 9
    place = next(k for k, (x, y) in enumerate(zip(cells.x, cells.y, strict=True)) if (x, y) == (2, 0))
    assert tuple(cells.customdata[place]) == ("blast", "monocyte")
    assert cells.hovertext[place] == "1 of 3 Blast<br>called Monocyte"


def test_shares_are_printed_of_the_label_and_unknown_rows_as_a_dash():
    counts = metrics.confusion_matrix(LABELS, PREDICTED, CLASSES)
    figure = figures.draw_confusion_matrix(counts, metrics.normalised(counts), NAMES, ("blast", "monocyte"))
    assert list(figure.data[0].text[0]) == ["67 %", "", "33 %"]
    assert list(figure.data[0].text[2]) == ["–", "–", "–"]
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].y0) == (1.5, -0.5)


def test_a_tiny_share_is_not_rounded_to_none():
    counts = metrics.confusion_matrix(["blast"] * 300, ["blast"] * 299 + ["monocyte"], CLASSES)
    assert figures.draw_confusion_matrix(counts, metrics.normalised(counts), NAMES).data[0].text[0][2] == "< 1 %"


@pytest.mark.parametrize("draw", ["roc", "precision_recall"])
def test_each_class_with_images_has_a_curve_with_its_area(rows, draw):
    areas = evaluation.curve_areas(rows, CLASSES)
    curves = {"roc": evaluation.roc_curves, "precision_recall": evaluation.precision_recall_curves}[draw]
    figure = getattr(figures, f"draw_{draw}")(curves(rows, CLASSES), areas, NAMES)
    drawn = [trace.name for trace in figure.data if trace.name != "chance"]
    column = {"roc": "roc_auc", "precision_recall": "average_precision"}[draw]
    assert drawn == [f"{NAMES[name]} {areas[column][k]:.3f}" for k, name in enumerate(CLASSES[:2])]


def test_nine_classes_share_no_colour_and_dash():
    names = {f"c{k}": f"C{k}" for k in range(9)}
    curves = pd.DataFrame([(name, 0.0, 1.0) for name in names], columns=["class", "recall", "precision"])
    areas = pd.DataFrame({"class": list(names), "average_precision": 1.0})
    lines = [trace.line for trace in figures.draw_precision_recall(curves, areas, names).data]
    assert len({(line.color, line.dash) for line in lines}) == 9


def test_reliability_draws_only_bins_with_images():
    table = reliability_table([0.55, 0.58, 0.95], [True, False, True], bins=10)
    _, dots, bars = figures.draw_reliability(table).data
    assert list(dots.x) == pytest.approx([0.565, 0.95])
    assert list(dots.y) == pytest.approx([0.5, 1.0])
    assert sum(bars.y) == 3


def test_coverage_shows_the_promised_level_even_below_every_dot(rows):
    table = evaluation.set_coverage(rows, CLASSES, 0.0)
    figure = figures.draw_coverage(table, 0.9, NAMES)
    assert figure.layout.shapes[0].x0 == 0.9
    assert figure.layout.xaxis.range[0] < 0.9
    assert figure.layout.yaxis.ticktext[-1] == "All classes (n = 60)"


def test_groups_are_drawn_in_the_order_of_their_table():
    table = pd.DataFrame(
        [("munich", 10, 0.5, 0.2, 0.8), ("not stated", 2, 1.0, 0.3, 1.0)],
        columns=["group", "count", "accuracy", "accuracy_low", "accuracy_high"],
    )
    figure = figures.draw_groups(table)
    assert figure.layout.yaxis.ticktext == ("munich (n = 10)", "not stated (n = 2)")
    assert list(figure.data[0].x) == [0.5, 1.0]
