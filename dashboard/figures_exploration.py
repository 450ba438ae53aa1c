"""Tables of `exploration` → plotly, and plotly → a page that opens without the internet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.offline
from plotly.subplots import make_subplots

from dashboard.figures import COLOURS, DASHES, PLAIN_CONFIG

INK = "#1f1b2d"
DRAWN = 3000  # points at most; more would only hide each other
_CHANNEL_TITLES = {"red": "Red", "green": "Green", "blue": "Blue"}
_SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up")
_SPLITS = {"train": 0, "val": 1, "test": 2}
_GRID = "#e8e5ee"
_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}


def draw_class_balance(table: pd.DataFrame, by: str) -> go.Figure:
    """Draw the number of images of each class, one stacked bar a class.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns label, count and the one named by `by`; several rows of one class and value are added.
    by : str
        The column whose values are stacked: "split" or "site".
    """
    counts = table.pivot_table(index="label", columns=by, values="count", aggfunc="sum", fill_value=0)
    figure = go.Figure()
    for number, value in enumerate(sorted(counts, key=lambda value: (_SPLITS.get(value, len(_SPLITS)), value))):
        figure.add_bar(
            y=list(counts.index),
            x=counts[value].tolist(),
            name=str(value),
            orientation="h",
            marker_color=COLOURS[number % len(COLOURS)],
            hovertemplate="%{y}, %{fullData.name}: %{x} images<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.35, showlegend=True)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_xaxes(title="images", rangemode="tozero")
    return _plain(figure, 110 + 30 * len(counts))


def draw_colours(table: pd.DataFrame) -> go.Figure:
    """Draw the mean colour histogram of each site, a panel a channel.

    Parameters
    ----------
    table : pandas.DataFrame
        site, channel (red, green, blue), value (0 to 255), share (in [0, 1]).
    """
    figure = make_subplots(
        cols=3, shared_yaxes=True, horizontal_spacing=0.03, subplot_titles=list(_CHANNEL_TITLES.values())
    )
    for number, (site, of_site) in enumerate(table.groupby("site")):
        for column, channel in enumerate(_CHANNEL_TITLES, start=1):
            curve = of_site[of_site["channel"] == channel]
            figure.add_scatter(
                x=curve["value"].tolist(),
                y=curve["share"].tolist(),
                mode="lines",
                line={"color": COLOURS[number % 7], "dash": DASHES[number // 7 % 3], "width": 2},
                name=str(site),
                legendgroup=str(site),
                showlegend=column == 1,
                hovertemplate="value %{x:.0f}: %{y:.1%} of the pixels<extra>%{fullData.name}</extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(range=[0, 255], tickvals=[0, 64, 128, 192, 255])
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(title="share of pixels", col=1)
    figure = _plain(figure, 340)
    return figure.update_layout(showlegend=True, legend=_LEGEND | {"y": 1.12})


def draw_components(table: pd.DataFrame, shares: Sequence[float], by: str) -> go.Figure:
    """Draw the images on the first two principal components.

    Parameters
    ----------
    table : pandas.DataFrame
        path, pc1, pc2 where there is a second, and the column named by `by`. Above `DRAWN` rows a random sample of
        them is drawn.
    shares : sequence of float
        Share of the variance along each component, in [0, 1].
    by : str
        The column that colours the points: "label" or "site".
    """
    shown = table.sample(min(len(table), DRAWN), random_state=0).sort_index()
    second = "pc2" if "pc2" in shown else None
    figure = go.Figure()
    for number, (value, points) in enumerate(shown.groupby(by)):
        figure.add_scatter(
            x=points["pc1"].tolist(),
            y=points[second].tolist() if second else [0] * len(points),
            mode="markers",
            marker={"color": COLOURS[number % 7], "symbol": _SYMBOLS[number // 7 % 5], "size": 6, "opacity": 0.7},
            name=str(value),
            text=points["path"].tolist(),
            hovertemplate="%{text}<extra>%{fullData.name}</extra>",
        )
    figure.update_xaxes(title=_axis(1, shares), zeroline=False)
    figure.update_yaxes(title=_axis(2, shares) if second else "", zeroline=False)
    return _plain(figure, 460).update_layout(showlegend=True)


def as_html(figure: go.Figure) -> str:
    """Turn a figure into a piece of HTML for a page that holds `javascript` once."""
    config: dict[str, Any] = PLAIN_CONFIG | {"responsive": True}
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config=config))


def javascript() -> str:
    """Return plotly's own JavaScript, about 5 MB."""
    return str(plotly.offline.get_plotlyjs())


def _axis(number: int, shares: Sequence[float]) -> str:
    return f"component {number} ({100 * shares[number - 1]:.0f} % of the variance)"


def _plain(figure: go.Figure, height: int) -> go.Figure:
    figure.update_xaxes(fixedrange=True, automargin=True, gridcolor=_GRID, zerolinecolor=_GRID, title_font_size=13)
    figure.update_yaxes(fixedrange=True, automargin=True, gridcolor=_GRID, zerolinecolor=_GRID, title_font_size=13)
    return figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 40, "b": 0},
        legend=_LEGEND,
        plot_bgcolor="white",
        paper_bgcolor="white",
        font={"family": "system-ui, sans-serif", "size": 13, "color": INK},
        dragmode=False,
    )
