"""The picture and the bars of one cell."""

import base64

import numpy as np

from dashboard import figures_classify as figures
from dashboard.images import decode


def test_pictures_are_drawn_exactly_and_zoom_together():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    figure = figures.draw_images({"Original": pixels, "Evidence": 255 - pixels}, "id")
    shown = [decode(base64.b64decode(trace.source.split(",")[1])).pixels for trace in figure.data]
    np.testing.assert_array_equal(shown[0], pixels)
    np.testing.assert_array_equal(shown[1], 255 - pixels)
    assert (figure.layout.xaxis2.matches, figure.layout.yaxis2.matches) == ("x", "y")


def test_the_zoom_lasts_while_the_image_is_the_same():
    pixels = np.zeros((20, 20, 3), np.uint8)
    assert figures.draw_images({"": pixels}, "id").layout.uirevision == "id"


def test_the_likeliest_class_is_on_top_and_members_of_the_set_are_dark():
    figure = figures.draw_probabilities(["A", "B", "C"], [0.2, 0.7996, 0.0004], [False, True, False])
    (bars,) = figure.data
    assert list(bars.y) == ["C", "A", "B"]
    assert list(bars.text) == ["< 0.1 %", "20.0 %", "80.0 %"]
    assert bars.marker.color == (figures.QUIET, figures.QUIET, figures.ACCENT)
