"""One cell → plotly: its picture with zoom, its probabilities."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.images import encode_png

ACCENT = "#5b3a8c"
QUIET = "#c9c2d6"

# No wheel zoom: it would catch a reader who only scrolls the page.
IMAGE_CONFIG = {
    "displaylogo": False,
    "modeBarButtons": [["zoomIn2d", "zoomOut2d", "pan2d", "zoom2d", "resetScale2d"]],
}
STATIC_CONFIG = {"displayModeBar": False}


def draw_images(images: Mapping[str, np.ndarray], identity: str, height: int = 370) -> go.Figure:
    """Draw pictures of one cell side by side, zoomed and moved as one.

    Parameters
    ----------
    images : mapping of str to numpy.ndarray
        Title → uint8, shape (H, W, 3); all of the same shape.
    identity : str
        While it stays the same, the zoom survives redrawing.
    height : int
        Of the figure, in pixels of the screen.

    Returns
    -------
    plotly.graph_objects.Figure
        A dragged box zooms, a double click resets.
    """
    figure = make_subplots(
        rows=1, cols=len(images), subplot_titles=list(images), horizontal_spacing=0.02, shared_xaxes="all"
    )
    for column, pixels in enumerate(images.values(), start=1):
        source = "data:image/png;base64," + base64.b64encode(encode_png(pixels)).decode()
        figure.add_trace(go.Image(source=source, hoverinfo="skip"), row=1, col=column)
        x_axis, y_axis = f"x{column if column > 1 else ''}", f"y{column if column > 1 else ''}"
        figure.layout[f"yaxis{y_axis[1:]}"].update(
            scaleanchor=x_axis, constrain="domain", autorange="reversed", matches=None if column == 1 else "y"
        )
        figure.layout[f"xaxis{x_axis[1:]}"].update(constrain="domain", matches=None if column == 1 else "x")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    top = 28 if any(images) else 0
    figure.update_layout(
        height=height, margin={"l": 0, "r": 0, "t": top, "b": 0}, uirevision=identity, dragmode="zoom", showlegend=False
    )
    return figure


def draw_probabilities(names: Sequence[str], probabilities: Sequence[float], in_set: Sequence[bool]) -> go.Figure:
    """Draw calibrated probabilities as bars, likeliest on top.

    Parameters
    ----------
    names : sequence of str
        As on screen.
    probabilities : sequence of float
        In [0, 1], same length.
    in_set : sequence of bool
        Members of the prediction set stand out.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    order = sorted(range(len(names)), key=lambda k: probabilities[k])
    values = [100 * probabilities[k] for k in order]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=[names[k] for k in order],
            orientation="h",
            marker_color=[ACCENT if in_set[k] else QUIET for k in order],
            text=["< 0.1 %" if value < 0.1 else f"{value:.1f} %" for value in values],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_layout(height=21 * len(names) + 12, margin={"l": 0, "r": 56, "t": 4, "b": 4}, bargap=0.25)
    figure.update_xaxes(visible=False, range=[0, 100], fixedrange=True)
    figure.update_yaxes(fixedrange=True, automargin=True, title=None)
    return figure
