"""Counts of the audit log, worked by hand."""

import pandas as pd

from dashboard import figures_audit as figures

DECISIONS = pd.DataFrame(
    [
        ("A", "confirm", "lymphocyte", "lymphocyte"),
        ("A", "override", "lymphocyte", "monocyte"),
        ("B", "not_classed", "monocyte", ""),
        ("B", "undo", "monocyte", ""),
    ],
    columns=["reviewer", "action", "predicted", "label"],
)


def test_actions_are_counted_for_each_reviewer_in_a_fixed_order():
    counts = figures.decisions_by_action(DECISIONS)
    assert list(counts) == ["confirm", "override", "not_classed", "undo"]
    assert counts.loc["A"].tolist() == [1, 1, 0, 0]
    assert counts.loc["B"].tolist() == [0, 0, 1, 1]


def test_the_matrix_crosses_pre_classification_with_label():
    matrix = figures.override_matrix(DECISIONS[DECISIONS["action"] != "undo"])
    assert list(matrix.index) == ["lymphocyte", "monocyte"]
    assert list(matrix.columns) == ["lymphocyte", "monocyte", "Not classed"]
    assert matrix.to_numpy().tolist() == [[1, 1, 0], [0, 0, 1]]


def test_an_empty_log_gives_an_empty_table():
    assert figures.decisions_by_action(DECISIONS.iloc[:0]).empty
    assert figures.override_matrix(DECISIONS.iloc[:0]).empty


def test_the_bars_show_the_counts():
    figure = figures.draw_decisions_by_action(figures.decisions_by_action(DECISIONS))
    assert [bar.name for bar in figure.data] == ["Confirmed", "Overridden", "Not classed", "Undone"]
    assert list(figure.data[0].x) == [1, 0]


def test_zeros_of_the_matrix_stay_blank():
    figure = figures.draw_override_matrix(figures.override_matrix(DECISIONS.iloc[:2]))
    assert figure.data[0].text.tolist() == [["1", "1"], ["", ""]]
