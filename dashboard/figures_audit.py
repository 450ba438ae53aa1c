"""The audit log → plotly: who did what, and where readers left the model."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

ACTIONS = {
    "confirm": ("Confirmed", "#5b3a8c"),
    "override": ("Overridden", "#c2571a"),
    "not_classed": ("Not classed", "#8a8594"),
    "undo": ("Undone", "#cfcad6"),
    "sign": ("Signed", "#2f6f73"),
    "return": ("Returned", "#93b5b7"),
}


def decisions_by_action(log: pd.DataFrame) -> pd.DataFrame:
    """Count the log's rows.

    Parameters
    ----------
    log : pandas.DataFrame
        As `AuditLog.read` gives it.

    Returns
    -------
    pandas.DataFrame
        Index reviewer, one column for each action that occurs, in the order of `ACTIONS`; int. Empty log, empty table.
    """
    counts = pd.crosstab(log["reviewer"], log["action"])
    return counts[[action for action in ACTIONS if action in counts]]


def draw_decisions_by_action(counts: pd.DataFrame) -> go.Figure:
    """Draw `decisions_by_action`, one stacked bar a reviewer."""
    figure = go.Figure()
    for action in counts:
        title, colour = ACTIONS[str(action)]
        figure.add_bar(y=counts.index, x=counts[action], name=title, marker_color=colour, orientation="h")
    figure.update_layout(
        barmode="stack",
        height=110 + 34 * len(counts),
        margin={"l": 0, "r": 8, "t": 30, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )
    figure.update_yaxes(automargin=True, type="category", autorange="reversed", fixedrange=True)
    figure.update_xaxes(title="rows of the log", fixedrange=True, rangemode="tozero")
    return figure


def override_matrix(decisions: pd.DataFrame) -> pd.DataFrame:
    """Cross the pre-classification with the reader's label.

    Parameters
    ----------
    decisions : pandas.DataFrame
        Standing decisions with the columns predicted, label and action; those that are not classed count as such.

    Returns
    -------
    pandas.DataFrame
        int, rows predicted, columns label, both in the same sorted order, Not classed last among the columns.
    """
    labels = decisions["label"].where(decisions["action"] != "not_classed", "Not classed")
    table = pd.crosstab(decisions["predicted"], labels)
    classes = sorted({*table.index, *table.columns} - {"Not classed"})
    columns = [*classes, "Not classed"] if "Not classed" in table else classes
    return table.reindex(index=classes, columns=columns, fill_value=0)


def draw_override_matrix(matrix: pd.DataFrame) -> go.Figure:
    """Draw `override_matrix`; agreement on the diagonal, zero left blank."""
    shown = matrix.astype(str).where(matrix > 0, "")
    figure = go.Figure(
        go.Heatmap(
            z=matrix.to_numpy(),
            x=list(matrix.columns),
            y=list(matrix.index),
            text=shown.to_numpy(),
            texttemplate="%{text}",
            colorscale=[[0, "#ffffff"], [1, "#5b3a8c"]],
            showscale=False,
            hovertemplate="pre-classification %{y}, label %{x}: %{z}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.update_layout(height=120 + 34 * len(matrix), margin={"l": 0, "r": 8, "t": 8, "b": 0})
    figure.update_xaxes(title="label by the reader", type="category", automargin=True, fixedrange=True)
    figure.update_yaxes(
        title="pre-classification", type="category", autorange="reversed", automargin=True, fixedrange=True
    )
    return figure
