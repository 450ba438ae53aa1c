"""The curves of a fit → a page."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures import COLOURS, DASHES


def draw_curves(curves: pd.DataFrame, title: str) -> go.Figure:
    """Draw loss and every other measure by epoch, training beside validation.

    Parameters
    ----------
    curves : pandas.DataFrame
        curves.csv of a run: epoch, then <measure> and val_<measure>; learning_rate is left out.
    """
    measures = [name.removeprefix("val_") for name in curves if name.startswith("val_")]
    figure = make_subplots(rows=1, cols=max(len(measures), 1), subplot_titles=measures)
    for column, measure in enumerate(measures, start=1):
        for style, name in enumerate((measure, f"val_{measure}")):
            if name not in curves:
                continue
            figure.add_scatter(
                x=curves["epoch"] + 1,
                y=curves[name],
                name="validation" if style else "training",
                line={"color": COLOURS[style], "dash": DASHES[style]},
                showlegend=column == 1,
                row=1,
                col=column,
            )
    figure.update_xaxes(title="Epoch")
    return figure.update_layout(title=title, template="simple_white")


def curves_page(curves: pd.DataFrame, title: str) -> str:
    """Make a page of `draw_curves` that opens without internet."""
    return draw_curves(curves, title).to_html(include_plotlyjs=True)
