"""The figure of robustness: each panel draws its curve, the untouched image at its place, unknown shares not at all."""

import numpy as np
import pandas as pd
import pytest

from dashboard.corruptions import CORRUPTIONS
from dashboard.figures_robustness import draw_robustness


def table(*names):
    """Accuracy falls by 2 points a step from 0.98, whatever the severity."""
    rows = [(name, severity) for name in names for severity in (0.0, *CORRUPTIONS[name].severities)]
    found = pd.DataFrame(rows, columns=["corruption", "severity"])
    accuracy = 0.98 - 0.02 * found.groupby("corruption").cumcount()
    return found.assign(
        n=50,
        correct=(50 * accuracy).astype(int),
        accuracy=accuracy,
        accuracy_low=accuracy - 0.05,
        accuracy_high=accuracy + 0.01,
        mean_confidence=0.97,
        flagged=0.1,
        unidentified=0.2,
    )


def lines(figure, name):
    return [trace for trace in figure.data if trace.legendgroup == name]


def test_every_corruption_has_a_panel_with_its_name_unit_and_three_lines():
    figure = draw_robustness(table(*CORRUPTIONS))
    assert [note.text for note in figure.layout.annotations] == [one.display_name for one in CORRUPTIONS.values()]
    for column in ("accuracy", "mean_confidence", "flagged"):
        assert len(lines(figure, column)) == len(CORRUPTIONS)
    titles = [axis.title.text for axis in figure.select_xaxes()]
    assert titles[: len(CORRUPTIONS)] == [one.unit for one in CORRUPTIONS.values()]


def test_the_legend_names_each_line_once():
    named = [trace.legendgroup for trace in draw_robustness(table(*CORRUPTIONS)).data if trace.showlegend is not False]
    assert named == ["accuracy", "mean_confidence", "flagged"]


def test_the_points_stand_at_their_severities_and_clean_where_it_belongs():
    figure = draw_robustness(table("gaussian_noise", "jpeg", "brightness", "zoom"))
    noise, jpeg, brightness, zoom = lines(figure, "accuracy")
    assert list(noise.x) == [0, 2, 5, 8, 10, 20]
    assert list(noise.y) == pytest.approx([0.98, 0.96, 0.94, 0.92, 0.90, 0.88])
    assert list(jpeg.x) == [10, 20, 40, 60, 80, 100]
    assert jpeg.y[-1] == pytest.approx(0.98)
    assert list(brightness.x) == [-40, -30, -20, -10, 0, 10, 20, 30, 40]
    assert brightness.y[4] == pytest.approx(0.98)
    assert list(zoom.x) == [0.6, 0.8, 1.0, 1.2, 1.4, 1.6]
    assert zoom.y[2] == pytest.approx(0.98)


def test_only_jpeg_runs_from_right_to_left_so_that_worse_is_on_the_right():
    figure = draw_robustness(table(*CORRUPTIONS))
    reversed_ones = [
        name for name, axis in zip(CORRUPTIONS, figure.select_xaxes(), strict=False) if axis.autorange == "reversed"
    ]
    assert reversed_ones == ["jpeg"]


def test_the_band_is_the_interval():
    low, high = draw_robustness(table("blur")).data[:2]
    assert list(low.y) == pytest.approx(list(table("blur")["accuracy_low"]))
    assert list(high.y) == pytest.approx(list(table("blur")["accuracy_high"]))
    assert high.fill == "tonexty"


def test_an_unknown_share_flagged_is_not_drawn():
    figure = draw_robustness(table("blur").assign(flagged=np.nan))
    assert not lines(figure, "flagged")
    assert lines(figure, "accuracy")[0].hovertext[0].endswith("flagged –, Unidentified 20.0 %")


def test_every_panel_has_the_same_scale():
    figure = draw_robustness(table("blur", "zoom", "jpeg"))
    assert {tuple(axis.range) for axis in figure.select_yaxes()} == {(-0.02, 1.03)}


def test_the_tick_of_the_untouched_image_says_so():
    zoom, jpeg = list(draw_robustness(table("zoom", "jpeg")).select_xaxes())
    assert zoom.ticktext == ("0.6", "0.8", "1", "1.2", "1.4", "1.6")
    assert jpeg.ticktext == ("10", "20", "40", "60", "80", "none")
