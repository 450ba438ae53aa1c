"""A laboratory check → plotly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import COLOURS, QUIET, percent
from dashboard.laboratory_report import Estimate, LaboratoryCheck, Masking, SiteRecall

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")
_MARGIN = {"l": 0, "r": 24, "t": 8, "b": 0}


def draw_site_reading(check: LaboratoryCheck, names: Mapping[str, str]) -> go.Figure:
    """Draw how well the site is told from features, colours and the class, over all images and within each class.

    Parameters
    ----------
    check : LaboratoryCheck
        With at least one site reading.
    names : mapping of str to str
        Class name → name on screen.

    Returns
    -------
    plotly.graph_objects.Figure
        A dot with its 95 % interval a reading and source; the dashed line is chance.
    """
    rows = [
        (names.get(reading.class_name, reading.class_name) or "All images", reading) for reading in check.site_reading
    ]
    sources: list[tuple[str, list[Estimate | None]]] = [
        ("The model's features", [reading.features for _, reading in rows]),
        ("Mean and spread of the colours", [reading.colours for _, reading in rows]),
        ("The class alone", [reading.label for _, reading in rows]),
    ]
    figure = go.Figure()
    for number, (source, found) in enumerate(sources):
        places = [row + 0.18 * (number - 1) for row in range(len(rows))]
        there = [(place, estimate) for place, estimate in zip(places, found, strict=True) if estimate is not None]
        _add_dots(figure, source, number, [place for place, _ in there], [estimate for _, estimate in there])
    for row, (_, reading) in enumerate(rows):
        line = {"color": QUIET, "dash": "dash", "width": 2}
        figure.add_shape(type="line", x0=reading.chance, x1=reading.chance, y0=row - 0.4, y1=row + 0.4, line=line)
    labels = [f"{name} (n = {reading.features.n})" for name, reading in rows]
    return _laid_out(figure, labels, "Balanced accuracy of the site; dashed: chance")


def draw_site_recall(recall: Sequence[SiteRecall], names: Mapping[str, str]) -> go.Figure:
    """Draw the recall of each class, a dot with its 95 % interval a site, joined by a line.

    Parameters
    ----------
    recall : sequence of SiteRecall
    names : mapping of str to str
        Class name → name on screen.
    """
    classes, sites = sorted({row.class_name for row in recall}), sorted({row.site for row in recall})
    figure = go.Figure()
    for place, name in enumerate(classes):
        values = [row.recall for row in recall if row.class_name == name]
        figure.add_scatter(
            x=[min(values), max(values)],
            y=[place, place],
            mode="lines",
            line={"color": QUIET, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    for number, site in enumerate(sites):
        here = [row for row in recall if row.site == site]
        places = [classes.index(row.class_name) + _shift(row, recall) for row in here]
        _add_dots(figure, site, number, places, [Estimate(row.n, row.recall, row.low, row.high) for row in here])
    counts = [", ".join(str(row.n) for row in recall if row.class_name == name) for name in classes]
    labels = [f"{names.get(name, name)} (n = {count})" for name, count in zip(classes, counts, strict=True)]
    start = max(0.0, np.floor(10 * min((row.low for row in recall), default=0.0) - 0.5) / 10)
    return _laid_out(figure, labels, "Recall", start)


def draw_masking(masking: Masking) -> go.Figure:
    """Draw the accuracy on whole pictures, backgrounds alone and cells alone, with chance and what the site gives."""
    labels = ["Whole picture", "Background alone", "Cell alone"]
    found = [masking.whole, masking.background, masking.cell]
    figure = go.Figure(
        go.Bar(
            x=[estimate.value for estimate in found],
            y=list(range(3)),
            orientation="h",
            width=0.6,
            marker_color=[COLOURS[0], COLOURS[1], COLOURS[2]],
            error_x=_error(found),
            hovertext=[_interval(estimate) for estimate in found],
            hoverinfo="text",
            showlegend=False,
        )
    )
    figure.add_vline(masking.chance, line={"color": QUIET, "dash": "dash", "width": 2})
    if masking.site_alone > masking.chance:
        figure.add_vline(masking.site_alone, line={"color": QUIET, "dash": "dot", "width": 2})
    return _laid_out(figure, labels, f"Balanced accuracy of the class, {masking.n} images; dashed: chance")


def _shift(row: SiteRecall, recall: Sequence[SiteRecall]) -> float:
    """Keep the dots of one class apart, about its line."""
    sites = sorted(other.site for other in recall if other.class_name == row.class_name)
    return 0.22 * (sites.index(row.site) - (len(sites) - 1) / 2)


def _add_dots(
    figure: go.Figure, name: str, number: int, places: Sequence[float], found: Sequence[Estimate]
) -> go.Figure:
    return figure.add_scatter(
        x=[estimate.value for estimate in found],
        y=list(places),
        mode="markers",
        name=name,
        marker={"color": COLOURS[number % 7], "symbol": SYMBOLS[number % 6], "size": 10},
        error_x=_error(found),
        hovertext=[f"{name}: {_interval(estimate)}" for estimate in found],
        hoverinfo="text",
    )


def _error(found: Sequence[Estimate]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [estimate.high - estimate.value for estimate in found],
        "arrayminus": [estimate.value - estimate.low for estimate in found],
        "width": 4,
        "thickness": 1.5,
    }


def _interval(estimate: Estimate) -> str:
    ends = f"{percent(estimate.low)} to {percent(estimate.high)}"
    return f"{percent(estimate.value)} ({ends}), {estimate.n} images"


def _laid_out(figure: go.Figure, labels: Sequence[str], title: str, start: float = 0.0) -> go.Figure:
    figure.update_xaxes(title=title, range=[start - 0.01, 1.02], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=list(labels),
        range=[len(labels) - 0.4, -0.6],
        zeroline=False,
        showgrid=False,
        fixedrange=True,
        automargin=True,
    )
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
    return figure.update_layout(height=40 * len(labels) + 110, margin=_MARGIN, legend=legend)
