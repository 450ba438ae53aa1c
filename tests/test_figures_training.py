"""The curves are those of the table, training beside validation."""

import pandas as pd
import pytest

from dashboard.figures_training import curves_page, draw_curves

CURVES = pd.DataFrame(
    {
        "epoch": [0, 1, 2],
        "accuracy": [0.5, 0.7, 0.8],
        "loss": [1.0, 0.6, 0.4],
        "learning_rate": [1e-3, 1e-3, 1e-4],
        "val_accuracy": [0.4, 0.6, 0.7],
        "val_loss": [1.1, 0.8, 0.7],
    }
)


def test_each_measure_has_its_curve_of_training_and_of_validation():
    figure = draw_curves(CURVES, "Tiny")
    drawn = {(trace.name, trace.xaxis): list(trace.y) for trace in figure.data}
    assert drawn == {
        ("training", "x"): [0.5, 0.7, 0.8],
        ("validation", "x"): [0.4, 0.6, 0.7],
        ("training", "x2"): [1.0, 0.6, 0.4],
        ("validation", "x2"): [1.1, 0.8, 0.7],
    }
    assert [text.text for text in figure.layout.annotations] == ["accuracy", "loss"]
    assert figure.layout.title.text == "Tiny"


def test_epochs_are_counted_from_one_and_each_name_is_once_in_the_legend():
    figure = draw_curves(CURVES, "Tiny")
    assert list(figure.data[0].x) == [1, 2, 3]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == 2


@pytest.mark.parametrize("curves", [CURVES[:0], CURVES[["epoch", "loss"]]], ids=["no epoch", "no validation"])
def test_an_empty_table_gives_an_empty_figure(curves):
    assert not any(len(trace.x) for trace in draw_curves(curves, "Tiny").data)


def test_the_page_holds_what_draws_it_and_opens_without_internet():
    page = curves_page(CURVES, "Tiny & small")
    assert "<script src=" not in page
    assert "val_accuracy" not in page
    assert "validation" in page
