"""The table of `robustness.measure` → plotly: a small panel for each corruption."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.corruptions import CORRUPTIONS, Corruption
from dashboard.figures import COLOURS, percent
from dashboard.robustness import CLEAN

COLUMNS = 2
_PANEL = 235  # pixels
_BAND = "rgba(0, 114, 178, 0.18)"  # COLOURS[0]
_LINES = (  # column, name, line, whether its points are marked
    ("accuracy", "Accuracy", {"color": COLOURS[0], "width": 2.5}, True),
    ("mean_confidence", "Confidence", {"color": COLOURS[1], "width": 2, "dash": "dash"}, False),
    ("flagged", "Flagged", {"color": COLOURS[2], "width": 2, "dash": "dot"}, False),
)


def draw_robustness(table: pd.DataFrame) -> go.Figure:
    """Draw accuracy, mean confidence and share flagged over the severity of each corruption.

    Parameters
    ----------
    table : pandas.DataFrame
        From `robustness.measure`; not empty.

    Returns
    -------
    plotly.graph_objects.Figure
        A panel a corruption in the order of the table, all from 0 to 100 %, so that panels and models compare. The
        untouched image stands where `Corruption.clean` says, the strongest severities at the outside.
    """
    curves = {str(name): curve for name, curve in table.groupby("corruption", sort=False)}
    rows = -(-len(curves) // COLUMNS)
    figure = make_subplots(
        rows,
        COLUMNS,
        subplot_titles=[CORRUPTIONS[name].display_name for name in curves],
        shared_yaxes=True,
        horizontal_spacing=0.05,
        vertical_spacing=0.32 / rows,
    )
    for number, (name, curve) in enumerate(curves.items()):
        here = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
        _draw_panel(figure, CORRUPTIONS[name], curve, here, in_legend=number == 0)
    figure.update_yaxes(range=[-0.02, 1.03], tickformat=".0%", fixedrange=True, zeroline=False)
    figure.update_xaxes(fixedrange=True, showgrid=False, zeroline=False, title_standoff=4, tickangle=0)
    return figure.update_layout(
        height=_PANEL * rows + 60,
        margin={"l": 0, "r": 8, "t": 64, "b": 0},
        legend={"orientation": "h", "y": 1, "yref": "container", "yanchor": "top"},
        hovermode="closest",
    )


def _draw_panel(
    figure: go.Figure, corruption: Corruption, curve: pd.DataFrame, here: dict[str, int], *, in_legend: bool
) -> None:
    place = np.where(curve["severity"] == CLEAN, corruption.clean, curve["severity"])
    curve = curve.assign(place=place).sort_values("place")
    quiet = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=curve["place"], y=curve["accuracy_low"], **quiet, **here)
    figure.add_scatter(x=curve["place"], y=curve["accuracy_high"], fill="tonexty", fillcolor=_BAND, **quiet, **here)
    for name, title, line, marked in _LINES:
        if curve[name].notna().any():
            figure.add_scatter(
                x=curve["place"],
                y=curve[name],
                mode="lines+markers" if marked else "lines",
                line=line,
                name=title,
                legendgroup=name,
                showlegend=in_legend,
                hovertext=[_hover(corruption, one) for _, one in curve.iterrows()],
                hoverinfo="text",
                **here,
            )
    ticks = [corruption.clean_tick if value == corruption.clean else f"{value:g}" for value in curve["place"]]
    figure.update_xaxes(
        title=corruption.unit,
        tickvals=curve["place"],
        ticktext=ticks,
        autorange="reversed" if corruption.clean > curve["place"].iloc[-2] else True,
        **here,
    )


def _hover(corruption: Corruption, one: pd.Series) -> str:
    title = "clean" if one["severity"] == CLEAN else corruption.form.format(one["severity"])
    return (
        f"{corruption.display_name}, {title}: {one['correct']} of {one['n']} right<br>"
        f"accuracy {percent(one['accuracy'])} ({percent(one['accuracy_low'])} to {percent(one['accuracy_high'])})<br>"
        f"mean confidence {percent(one['mean_confidence'])}<br>"
        f"flagged {percent(one['flagged'])}, Unidentified {percent(one['unidentified'])}"
    )
