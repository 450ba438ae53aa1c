"""Tables of `evaluation`, `metrics` and `calibration` → plotly.

Colours are Okabe and Ito's, told apart by every kind of colour vision; curves that share one differ in their dashes.
An unknown value (NaN) is not drawn. Source of the colours: Okabe & Ito 2008, Color universal design.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("solid", "dash", "dot")
QUIET = "#8a8a8a"
UNKNOWN = "–"
PLAIN_CONFIG = {"displayModeBar": False}
_PALE_TO_BLUE = [[0.0, "#f3f5f8"], [1.0, COLOURS[0]]]
_MARGIN = {"l": 0, "r": 24, "t": 8, "b": 0}


def draw_metric(table: pd.DataFrame, measure: str, names: Mapping[str, str]) -> go.Figure:
    """Draw one measure of each class as a dot with its 95 % interval.

    Parameters
    ----------
    table : pandas.DataFrame
        From `metrics.per_class_metrics`.
    measure : str
        One of `metrics.MEASURES`.
    names : mapping of str to str
        Class name → name on screen.
    """
    labels = [f"{names[name]} (n = {count})" for name, count in zip(table["class"], table["support"], strict=True)]
    return _dots(labels, table[measure], table[f"{measure}_low"], table[f"{measure}_high"])


def draw_coverage(table: pd.DataFrame, level: float, names: Mapping[str, str]) -> go.Figure:
    """Draw how often the prediction sets hold the truth, by class, beside the promised level.

    Parameters
    ----------
    table : pandas.DataFrame
        From `evaluation.set_coverage`.
    level : float
        Promised share in (0, 1): the dashed line.
    names : mapping of str to str
        Class name → name on screen.
    """
    labels = [
        f"{names.get(name, 'All classes')} (n = {count})"
        for name, count in zip(table["class"], table["count"], strict=True)
    ]
    figure = _dots(labels, table["coverage"], table["coverage_low"], table["coverage_high"], also=level)
    return figure.add_vline(level, line={"color": QUIET, "dash": "dash", "width": 1})


def draw_groups(table: pd.DataFrame) -> go.Figure:
    """Draw the accuracy of each group with its 95 % interval; the table is that of `evaluation.by_group`."""
    labels = [f"{name} (n = {count})" for name, count in zip(table["group"], table["count"], strict=True)]
    return _dots(labels, table["accuracy"], table["accuracy_low"], table["accuracy_high"])


def draw_confusion_matrix(
    counts: pd.DataFrame, shares: pd.DataFrame | None, names: Mapping[str, str], chosen: tuple[str, str] | None = None
) -> go.Figure:
    """Draw a confusion matrix whose cells can be clicked.

    Parameters
    ----------
    counts : pandas.DataFrame
        From `metrics.confusion_matrix`: rows the labels, columns the predictions.
    shares : pandas.DataFrame or None
        The same, `metrics.normalised`: printed instead of the counts where given.
    names : mapping of str to str
        Class name → name on screen.
    chosen : tuple of str, optional
        (label, predicted) of the cell to outline.

    Returns
    -------
    plotly.graph_objects.Figure
        The colour is the share of the row in either case, so that a rare class is seen as well as a common one.
        `customdata` of a clicked point is (label, predicted). The first class stands on top.
    """
    classes = list(counts.index)
    total = counts.sum(axis=1)
    colour = counts.div(total.where(total > 0), axis=0)
    text = [[str(value) if value else "" for value in row] for row in counts.to_numpy()]
    if shares is not None:
        text = [[_share(value) for value in row] for row in shares.to_numpy()]
    figure = go.Figure(
        go.Heatmap(
            z=colour.to_numpy(),
            zmin=0,
            zmax=1,
            colorscale=_PALE_TO_BLUE,
            showscale=False,
            hoverinfo="skip",
            text=text,
            texttemplate="%{text}",
            textfont_size=13,
            xgap=2,
            ygap=2,
        )
    )
    cells = [(row, column) for row in range(len(classes)) for column in range(len(classes))]
    # Plotly reports no selection of a heatmap's cells, hence an unseen mark over each.
    figure.add_scatter(
        x=[column for _, column in cells],
        y=[row for row, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": 24, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=[(classes[row], classes[column]) for row, column in cells],
        hovertext=[_cell_text(counts, names, classes[row], classes[column]) for row, column in cells],
        hoverinfo="text",
    )
    if chosen is not None:
        row, column = classes.index(chosen[0]), classes.index(chosen[1])
        edges = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(type="rect", **edges, line={"color": COLOURS[1], "width": 3})
    ticks = {
        "tickvals": list(range(len(classes))),
        "ticktext": [names[name] for name in classes],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
    }
    figure.update_xaxes(
        **ticks, title="Pre-classification", side="top", tickangle=-45, range=[-0.5, len(classes) - 0.5]
    )
    figure.update_yaxes(**ticks, title="Label", range=[len(classes) - 0.5, -0.5])
    return figure.update_layout(
        height=46 * len(classes) + 130, margin=_MARGIN, showlegend=False, dragmode=False, clickmode="event+select"
    )


def draw_roc(curves: pd.DataFrame, areas: pd.DataFrame, names: Mapping[str, str]) -> go.Figure:
    """Draw the ROC curve of each class against the rest, its area in the legend.

    Parameters
    ----------
    curves, areas : pandas.DataFrame
        From `evaluation.roc_curves` and `evaluation.curve_areas`.
    names : mapping of str to str
        Class name → name on screen.
    """
    figure = _curves(curves, "false_positive_rate", "true_positive_rate", areas.set_index("class")["roc_auc"], names)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": QUIET, "dash": "dash", "width": 1}, name="chance"
    )
    figure.update_xaxes(title="False positive rate (1 − specificity)")
    return figure.update_yaxes(title="True positive rate (recall)")


def draw_precision_recall(curves: pd.DataFrame, areas: pd.DataFrame, names: Mapping[str, str]) -> go.Figure:
    """Draw precision over recall of each class against the rest, the average precision in the legend.

    Parameters
    ----------
    curves, areas : pandas.DataFrame
        From `evaluation.precision_recall_curves` and `evaluation.curve_areas`.
    names : mapping of str to str
        Class name → name on screen.
    """
    figure = _curves(curves, "recall", "precision", areas.set_index("class")["average_precision"], names)
    figure.update_xaxes(title="Recall")
    return figure.update_yaxes(title="Precision")


def draw_reliability(table: pd.DataFrame) -> go.Figure:
    """Draw accuracy over confidence with 95 % intervals and, below, how many images each bin holds.

    Parameters
    ----------
    table : pandas.DataFrame
        From `calibration.reliability_table`; on the diagonal a model is as often right as it is sure.
    """
    filled = table[table["count"] > 0]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": QUIET, "dash": "dash", "width": 1}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=filled["confidence"],
        y=filled["accuracy"],
        mode="markers",
        marker={"color": COLOURS[0], "size": 9},
        error_y=_error(filled["accuracy"], filled["accuracy_low"], filled["accuracy_high"]),
        customdata=filled["count"],
        hovertemplate="confidence %{x:.3f}<br>accuracy %{y:.3f}<br>%{customdata} images<extra></extra>",
    )
    figure.add_bar(
        x=(table["low"] + table["high"]) / 2,
        y=table["count"],
        marker_color=COLOURS[5],
        yaxis="y2",
        hovertemplate="%{y} images<extra></extra>",
    )
    figure.update_xaxes(title="Confidence", range=[0, 1.02])
    return figure.update_layout(
        height=460,
        margin=_MARGIN,
        showlegend=False,
        bargap=0.1,
        yaxis={"title": "Accuracy", "range": [0, 1.04], "domain": [0.3, 1]},
        yaxis2={"title": "Images", "domain": [0, 0.2]},
    )


def percent(share: float) -> str:
    """Print a share in [0, 1], such as '98.5 %'; '–' for NaN."""
    return UNKNOWN if np.isnan(share) else f"{100 * share:.1f} %"


def _dots(
    labels: Sequence[str], values: pd.Series, low: pd.Series, high: pd.Series, also: float | None = None
) -> go.Figure:
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=list(range(len(labels))),
            mode="markers",
            marker={"color": COLOURS[0], "size": 10},
            error_x=_error(values, low, high),
            hovertext=[_interval(*row) for row in zip(values, low, high, strict=True)],
            hoverinfo="text",
        )
    )
    ends = [value for value in [*low, *values, also] if value is not None and np.isfinite(value)]
    start = max(0.0, np.floor(20 * min(ends, default=0.0) - 0.5) / 20)
    figure.update_xaxes(range=[start, 1.005], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=list(labels),
        range=[len(labels) - 0.5, -0.5],
        zeroline=False,
        fixedrange=True,
        automargin=True,
    )
    return figure.update_layout(height=34 * len(labels) + 60, margin=_MARGIN, showlegend=False)


def _error(values: pd.Series, low: pd.Series, high: pd.Series) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": high - values,
        "arrayminus": values - low,
        "width": 4,
        "thickness": 1.5,
    }


def _curves(curves: pd.DataFrame, x: str, y: str, areas: pd.Series, names: Mapping[str, str]) -> go.Figure:
    figure = go.Figure()
    for number, name in enumerate(areas.index):
        curve = curves[curves["class"] == name]
        if len(curve):
            figure.add_scatter(
                x=curve[x],
                y=curve[y],
                mode="lines",
                name=f"{names[name]} {areas[name]:.3f}",
                line={"color": COLOURS[number % 7], "dash": DASHES[number // 7 % 3], "width": 2},
            )
    figure.update_xaxes(range=[-0.01, 1.01])
    figure.update_yaxes(range=[-0.01, 1.03])
    legend = {"orientation": "h", "y": -0.2, "yanchor": "top"}
    return figure.update_layout(height=470, margin=_MARGIN, legend=legend)


def _interval(value: float, low: float, high: float) -> str:
    return UNKNOWN if np.isnan(value) else f"{percent(value)} ({percent(low)} to {percent(high)})"


def _share(value: float) -> str:
    if np.isnan(value):
        return UNKNOWN
    return "" if value == 0 else f"{100 * value:.0f} %" if value >= 0.01 else "< 1 %"


def _cell_text(counts: pd.DataFrame, names: Mapping[str, str], label: str, predicted: str) -> str:
    count, total = counts.at[label, predicted], counts.loc[label].sum()
    return f"{count} of {total} {names[label]}<br>called {names[predicted]}"
