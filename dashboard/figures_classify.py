"""One cell → plotly: its picture with zoom, its probabilities."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

ACCENT = "#5b3a8c"
QUIET = "#c9c2d6"
INK = "#1f1b2d"  # the theme's own axis text is too pale to read at the end of a shift
_HEIGHTS = {1: 370, 2: 300, 3: 240}  # by the number of pictures side by side
_GAP = 0.02
_HIDDEN = {"visible": False, "constrain": "domain"}
_PICTURE = {"type": "image", "hoverinfo": "skip"}
_TITLE = {
    "xref": "paper",
    "yref": "paper",
    "xanchor": "center",
    "yanchor": "bottom",
    "showarrow": False,
    "font": {"size": 14, "color": INK},
}

# No wheel zoom: it would catch a reader who only scrolls the page.
IMAGE_CONFIG = {
    "displaylogo": False,
    "modeBarButtons": [["zoomIn2d", "zoomOut2d", "pan2d", "zoom2d", "resetScale2d"]],
}
STATIC_CONFIG = {"displayModeBar": False}


def draw_images(images: Mapping[str, np.ndarray], identity: str) -> go.Figure:
    """Draw pictures of one cell side by side, zoomed and moved as one.

    Parameters
    ----------
    images : mapping of str to numpy.ndarray
        Title → uint8, shape (H, W, 3); all of the same shape.
    identity : str
        While it stays the same, the zoom survives redrawing.

    Returns
    -------
    plotly.graph_objects.Figure
        A dragged box zooms, a double click resets.
    """
    # One dictionary, checked once: building the figure step by step takes ten times as long, at every rerun.
    count = len(images)
    width = (1 - _GAP * (count - 1)) / count
    layout: dict[str, Any] = {
        "height": _HEIGHTS[min(count, 3)],
        "margin": {"l": 0, "r": 0, "t": 28 if any(images) else 0, "b": 0},
        "uirevision": identity,
        "dragmode": "zoom",
        "annotations": [],
    }
    data: list[dict[str, Any]] = []
    for place, (title, pixels) in enumerate(images.items()):
        number, left = "" if place == 0 else str(place + 1), place * (width + _GAP)
        together = {} if place == 0 else {"matches": "x"}
        layout[f"xaxis{number}"] = {"domain": [left, left + width], "anchor": f"y{number}"} | _HIDDEN | together
        together = {} if place == 0 else {"matches": "y"}
        layout[f"yaxis{number}"] = (
            {"scaleanchor": f"x{number}", "anchor": f"x{number}", "constraintoward": "top", "autorange": "reversed"}
            | _HIDDEN
            | together
        )
        layout["annotations"].append({"text": title, "x": left + width / 2, "y": 1} | _TITLE)
        data.append({"source": _data_uri(pixels), "xaxis": f"x{number}", "yaxis": f"y{number}"} | _PICTURE)
    return go.Figure({"data": data, "layout": layout})


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
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": [names[k] for k in order],
        "marker": {"color": [ACCENT if in_set[k] else QUIET for k in order]},
        "text": ["< 0.1 %" if value < 0.1 else f"{value:.1f} %" for value in values],
        "textposition": "outside",
        "textfont": {"size": 13, "color": INK},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
    layout = {
        "height": 23 * len(names) + 12,
        "margin": {"l": 0, "r": 64, "t": 4, "b": 4},
        "bargap": 0.25,
        "xaxis": {"visible": False, "range": [0, 100], "fixedrange": True},
        "yaxis": {"fixedrange": True, "automargin": True, "tickfont": {"size": 13, "color": INK}},
    }
    return go.Figure({"data": [bars], "layout": layout})


def _data_uri(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)  # for the way to the browser; exact all the same
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
