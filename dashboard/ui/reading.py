"""What the model says about one cell, with every reason to doubt it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from dashboard.bundles import Card
from dashboard.ui import components


def show_picture(images: Mapping[str, np.ndarray], identity: str, name: str) -> None:
    """Show pictures of one cell side by side; zoom is shared and survives reruns.

    Parameters
    ----------
    images : mapping of str to numpy.ndarray
        Title → uint8 (H, W, 3), all of one shape.
    identity : str
        The image's id: another one starts unzoomed.
    name : str
        The file's name, for screen readers.
    """
    from dashboard import figures_classify as figures

    st.plotly_chart(
        figures.draw_images(images, identity),
        config=figures.IMAGE_CONFIG,
        key=f"picture_{identity}_{len(images)}",
        alt=f"Cell image {name}: {', '.join(title for title in images if title) or 'original'}",
    )
    st.caption(f"{components.plain(name)} · drag a box to zoom, double-click to reset")


def show_reading(row: Mapping[str, Any], card: Card) -> None:
    """Show pre-classification, confidence, doubts, probabilities and prediction set.

    Parameters
    ----------
    row : mapping
        One row of `predictions.predictions`.
    """
    title = components.pre_classification(row, card)
    confidence = float(row["confidence"])
    with st.container(gap=None):
        st.caption("Pre-classification")
        st.subheader(title, anchor=False)
    if row["unidentified"]:
        st.markdown(
            f"The likeliest class, {card.display_name(str(row['predicted']))}, reaches only "
            f"{components.percent(confidence)}; below {100 * card.unidentified_below:g} % none is suggested."
        )
    else:
        critical = " · :orange-badge[critical class]" if row["predicted"] in card.critical else ""
        word = components.confidence_word(confidence)
        st.markdown(f"Confidence **{word}**, {components.percent(confidence)}{critical}")
    for warning in doubts(row, card):
        st.warning(warning, icon=":material/warning:")
    show_probabilities(row, card)
    st.caption(prediction_set_sentence(row, card))


def doubts(row: Mapping[str, Any], card: Card) -> list[str]:
    """Say in sentences why this pre-classification should not be believed; empty if nothing speaks against it."""
    found = []
    if row["out_of_distribution"]:
        found.append(
            "Unlike the images this model was trained on. It may be another stain, another camera or no cell at all: "
            "the pre-classification and its confidence may mean nothing."
        )
    if card.calibration is None:
        found.append("This model is uncalibrated: its confidence is not a measured chance of being right.")
    return found


def show_probabilities(row: Mapping[str, Any], card: Card) -> None:
    """Draw the bars of the calibrated probabilities."""
    from dashboard import figures_classify as figures

    names = [info.display_name for info in card.classes]
    probabilities = [float(row[f"p_{name}"]) for name in card.class_names]
    members = _members(row)
    figure = figures.draw_probabilities(names, probabilities, [name in members for name in card.class_names])
    st.plotly_chart(
        figure,
        config=figures.STATIC_CONFIG,
        key="probabilities",
        alt="Calibrated probabilities: "
        + ", ".join(f"{name} {components.percent(p)}" for name, p in zip(names, probabilities, strict=True)),
    )


def prediction_set_sentence(row: Mapping[str, Any], card: Card) -> str:
    """Put the prediction set into words."""
    rule = card.prediction_set
    if rule is None:
        return "No prediction set: nobody has calibrated this model for one."
    level = f"{100 * rule.level:.0f} %"
    members = [card.display_name(name) for name in _members(row)]
    if not members:
        return f"The {level} prediction set is empty: less sure than for {level} of cells, no class reaches the level."
    return f"{level} prediction set (dark bars): {', '.join(members)}."


def show_reasons(reasons: str) -> None:
    """Show a cell's reasons to look again, as `triage.queue` names them, one badge each."""
    if reasons:
        with st.container(horizontal=True, gap="xsmall"):
            for reason in reasons.split("; "):
                st.badge(reason, color="orange")


def show_notes(remarks: Sequence[str]) -> None:
    """Show remarks about the picture itself: quality warnings and what decoding changed."""
    for remark in filter(None, remarks):
        st.caption(components.plain(remark))


def _members(row: Mapping[str, Any]) -> list[str]:
    return [name for name in str(row["prediction_set"]).split("|") if name]
