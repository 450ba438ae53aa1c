"""Figures of the exploratory report: what is drawn is what the tables say."""

import pandas as pd
import pytest

from dashboard import figures_exploration as figures

CLASSES = pd.DataFrame(
    [("blast", "test", "a", 1), ("blast", "train", "a", 2), ("blast", "train", "b", 3), ("monocyte", "train", "b", 4)],
    columns=["label", "split", "site", "count"],
)
POINTS = pd.DataFrame(
    {"path": ["1.png", "2.png", "3.png"], "site": ["a", "b", "a"], "pc1": [1.0, 2.0, 3.0], "pc2": [0.0, 5.0, 1.0]}
)


def test_bars_stack_the_images_of_each_class_in_the_order_of_use():
    train, test = figures.draw_class_balance(CLASSES, "split").data
    assert (train.name, test.name) == ("train", "test")
    assert dict(zip(train.y, train.x, strict=True)) == {"blast": 5, "monocyte": 4}
    assert dict(zip(test.y, test.x, strict=True)) == {"blast": 1, "monocyte": 0}
    assert [bar.name for bar in figures.draw_class_balance(CLASSES, "site").data] == ["a", "b"]


def test_each_site_has_a_curve_in_each_panel_and_one_name_in_the_legend():
    table = pd.DataFrame(
        [(site, channel, 3.5, 1.0) for site in "ab" for channel in ("red", "green", "blue")],
        columns=["site", "channel", "value", "share"],
    )
    drawn = figures.draw_colours(table)
    assert [(curve.name, curve.xaxis) for curve in drawn.data] == [(s, x) for s in "ab" for x in ("x", "x2", "x3")]
    assert [curve.name for curve in drawn.data if curve.showlegend] == ["a", "b"]


def test_points_stand_at_their_components():
    drawn = figures.draw_components(POINTS, [0.6, 0.4], "site")
    first, second = drawn.data
    assert (list(first.x), list(first.y), list(first.text)) == ([1, 3], [0, 1], ["1.png", "3.png"])
    assert (list(second.x), list(second.y)) == ([2], [5])
    assert drawn.layout.xaxis.title.text == "component 1 (60 % of the variance)"


def test_points_with_one_component_stand_on_a_line():
    [trace] = figures.draw_components(POINTS.drop(columns="pc2").assign(site="a"), [1.0], "site").data
    assert list(trace.y) == [0, 0, 0]


def test_many_points_are_thinned():
    table = pd.DataFrame({"path": "x", "label": "a", "pc1": range(figures.DRAWN + 1), "pc2": 0})
    [trace] = figures.draw_components(table, [1.0, 0.0], "label").data
    assert len(trace.x) == figures.DRAWN


def test_ten_classes_are_told_apart_by_colour_and_symbol():
    table = pd.DataFrame({"path": "x", "label": list("abcdefghij"), "pc1": 1.0, "pc2": 1.0})
    drawn = figures.draw_components(table, [0.5, 0.5], "label")
    assert len({(trace.marker.color, trace.marker.symbol) for trace in drawn.data}) == 10


@pytest.mark.parametrize("by", ["split", "site"])
def test_a_figure_as_html_brings_no_javascript_library_and_loads_none(by):
    piece = figures.as_html(figures.draw_class_balance(CLASSES, by))
    assert len(piece) < 20_000
    assert "src=" not in piece
    assert len(figures.javascript()) > 1_000_000
