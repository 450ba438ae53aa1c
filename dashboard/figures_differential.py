"""A differential → plotly."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go

from dashboard.differential import OTHER, Differential

_COLOUR = "#5b3a8c"


def draw_differential(found: Differential, display_name: Callable[[str], str] = str) -> go.Figure:
    """Draw cells per 100 WBC with their 95 % intervals; classes outside (platelets, artefacts) are not drawn.

    Parameters
    ----------
    found : Differential
    display_name : callable
        Class name → name on screen.

    Returns
    -------
    plotly.graph_objects.Figure
        A bar a class, the most frequent leukocyte on top; empty without leukocytes.
    """
    table = found.table[(found.table["group"] != OTHER) & found.table["per_100"].notna()].iloc[::-1]
    bars = go.Bar(
        x=table["per_100"],
        y=[display_name(name) for name in table["class"]],
        orientation="h",
        marker_color=_COLOUR,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": table["high"] - table["per_100"],
            "arrayminus": table["per_100"] - table["low"],
        },
        customdata=table[["count", "low", "high"]],
        hovertemplate="%{y}: %{x:.1f} per 100 WBC (%{customdata[1]:.1f}–%{customdata[2]:.1f}), "
        "%{customdata[0]} cells<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(
        xaxis={"title": "Cells per 100 WBC, with 95 % interval", "rangemode": "tozero"},
        margin={"l": 0, "r": 10, "t": 10, "b": 0},
        height=90 + 36 * len(table),
    )
    return figure
