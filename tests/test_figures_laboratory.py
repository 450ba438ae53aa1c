"""The figures show the numbers of the check, and nothing that was not measured."""

import pytest

from dashboard import figures_laboratory as figures
from tests.test_laboratory_report import CHECK, RECALL

NAMES = {"neutrophil": "Neutrophil", "monocyte": "Monocyte"}


def test_the_site_reading_shows_features_colours_and_where_known_the_class():
    figure = figures.draw_site_reading(CHECK, NAMES)
    features, colours, label = figure.data
    assert list(features.x) == [0.99, 0.97]
    assert list(colours.x) == [0.95, 0.9]
    assert list(label.x) == [0.8]  # within a class the class tells nothing
    assert list(figure.layout.yaxis.ticktext) == ["All images (n = 50)", "Neutrophil (n = 50)"]
    assert [line.x0 for line in figure.layout.shapes] == [0.5, 0.5]


def test_the_intervals_are_those_of_the_check():
    features = figures.draw_site_reading(CHECK, NAMES).data[0]
    assert list(features.error_x.array) == pytest.approx([0.01, 0.03])
    assert list(features.error_x.arrayminus) == pytest.approx([0.05, 0.05])


def test_each_site_has_its_colour_and_its_shape_and_a_line_joins_them():
    figure = figures.draw_site_recall(RECALL, NAMES)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    dots = {trace.name: trace for trace in figure.data if trace.mode == "markers"}
    assert [list(line.x) for line in lines] == [[1.0, 1.0], [0.04, 0.98]]
    assert list(dots["barcelona"].x) == [0.04, 1.0]
    assert list(dots["munich"].x) == [0.98]
    assert list(dots["barcelona"].y) == [1 - 0.11, 0]  # a class of one site lies on its line
    assert list(dots["munich"].y) == [1 + 0.11]
    assert dots["barcelona"].marker.symbol != dots["munich"].marker.symbol
    assert list(figure.layout.yaxis.ticktext) == ["Monocyte (n = 50)", "Neutrophil (n = 50, 50)"]


def test_the_masking_shows_three_bars_with_chance_and_what_the_site_gives():
    figure = figures.draw_masking(CHECK.masking)
    assert list(figure.data[0].x) == [0.9, 0.52, 0.9]
    assert [line.x0 for line in figure.layout.shapes] == [0.5, 0.75]
