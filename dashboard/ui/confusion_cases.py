"""The confusion matrix of a model, and the cases behind one of its cells."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import evaluation, figures, metrics
from dashboard.bundles import Card
from dashboard.errors import ImageError
from dashboard.images import thumbnail
from dashboard.ui import components

FOLDER = "evaluation_images"
_PER_PAGE = 12


def show(card: Card, rows: pd.DataFrame, names: dict[str, str]) -> None:
    """Draw the matrix of the rows of `evaluation.read_evaluation`; a click on a cell opens its cases."""
    counts = metrics.confusion_matrix(rows["label"], rows["predicted"], card.class_names)
    worst = _largest_error(counts)
    label = st.session_state.setdefault(f"label_{card.id}", worst[0])
    predicted = st.session_state.setdefault(f"predicted_{card.id}", worst[1])
    chart = f"confusion_{card.id}"
    printed = st.segmented_control(
        "Numbers", ("Counts", "Shares of the label"), default="Counts", required=True, key=f"numbers_{card.id}"
    )
    shares = metrics.normalised(counts) if printed != "Counts" else None
    st.plotly_chart(
        figures.draw_confusion_matrix(counts, shares, names, (label, predicted)),
        key=chart,
        on_select=lambda: _take(chart, card.id),
        selection_mode="points",
        config=figures.PLAIN_CONFIG,
        alt=f"Confusion matrix of {card.title}; the boxes below choose a cell without the mouse",
    )
    st.caption(
        f"{_most_confused(counts, names)} Colour is the share of the label's images; click a cell to see its cases."
    )
    left, right = st.columns(2)
    left.selectbox("Label", card.class_names, format_func=names.__getitem__, key=f"label_{card.id}")
    right.selectbox("Pre-classification", card.class_names, format_func=names.__getitem__, key=f"predicted_{card.id}")
    _show_cases(card, rows[(rows["label"] == label) & (rows["predicted"] == predicted)], names)


def count(number: int, noun: str) -> str:
    """Print a number with its noun.

    Examples
    --------
    >>> count(1, "case"), count(1200, "image")
    ('1 case', '1,200 images')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _largest_error(counts: pd.DataFrame) -> tuple[str, str]:
    errors = counts.to_numpy() * (1 - np.eye(len(counts), dtype=int))
    row, column = np.unravel_index(errors.argmax(), errors.shape)
    return counts.index[row], counts.columns[column]


def _take(chart: str, model_id: str) -> None:
    points = st.session_state[chart].selection.points
    if points:
        label, predicted = points[0]["customdata"]
        st.session_state[f"label_{model_id}"] = label
        st.session_state[f"predicted_{model_id}"] = predicted


def _most_confused(counts: pd.DataFrame, names: dict[str, str]) -> str:
    label, predicted = _largest_error(counts)
    number = counts.at[label, predicted]
    if label == predicted or not number:
        return "No image is off the diagonal."
    return f"Most often mistaken: {names[label]} called {names[predicted]}, {count(number, 'image')}."


def _show_cases(card: Card, cases: pd.DataFrame, names: dict[str, str]) -> None:
    if cases.empty:
        components.empty("No image has this label and this pre-classification.")
        return
    cases = cases.sort_values("confidence", ascending=False)
    st.markdown(f"**{count(len(cases), 'case')}**, surest first")
    listed = cases[["path", "label", "predicted", "confidence", "split", "site"]]
    listed = listed.assign(label=listed["label"].map(names), predicted=listed["predicted"].map(names))
    config = {"confidence": st.column_config.NumberColumn(format="percent")}
    st.dataframe(listed, hide_index=True, column_config=config, alt="Cases of the chosen cell")
    folder = st.text_input(
        "Images folder",
        key=f"{FOLDER}_{card.id}",
        persist_state="session",
        placeholder="Folder on this computer that the paths are relative to",
        help="Each image is checked to be the one that was evaluated before it is shown.",
    )
    if folder:
        _show_images(Path(folder).expanduser(), cases, names, card.id)


def _show_images(folder: Path, cases: pd.DataFrame, names: dict[str, str], model_id: str) -> None:
    if not folder.is_dir():
        components.refuse(f"The images folder must be a folder on this computer; there is none at {folder}.")
        return
    pages = math.ceil(len(cases) / _PER_PAGE)
    page = st.pagination(pages, key=f"cases_page_{model_id}_{pages}") if pages > 1 else 1
    refused = []
    with st.grid(min_column_width=110):
        for case in cases.iloc[(page - 1) * _PER_PAGE : page * _PER_PAGE].itertuples():
            try:
                image = evaluation.open_case(folder, case.path, case.image_id)
            except ImageError as error:
                refused.append(str(error))
                continue
            st.image(
                thumbnail(image.pixels, 192),
                caption=f"{names[case.predicted]} {figures.percent(case.confidence)}",
                alt=f"Cell image {case.path}",
                width="stretch",
            )
    if refused:
        components.refuse(f"{count(len(refused), 'image')} cannot be shown. The first: {refused[0]}")
