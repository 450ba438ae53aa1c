"""Several pictures on the Classify page: read each, list them, choose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.bundles import Card
from dashboard.errors import ImageError
from dashboard.images import SmearImage
from dashboard.ui import cached, components
from dashboard.ui.image_input import Picture

CURRENT = "classify_current"


@dataclass(frozen=True)
class Reading:
    """A picture that could be read, with the model's row for it."""

    name: str
    image: SmearImage
    row: dict[str, Any]
    remark: str = ""


def read_pictures(model_id: str, pictures: Sequence[Picture]) -> tuple[list[Reading], list[tuple[str, str]]]:
    """Decode and classify.

    Returns
    -------
    readings : list of Reading
        One for each different picture, in the order given.
    refused : list of tuple of str
        (name, reason) of each file that is no usable image.

    Raises
    ------
    BundleError
        The model cannot be used.
    """
    readings: dict[str, Reading] = {}
    refused = []
    for picture in pictures:
        try:
            image = cached.decoded(picture.data)
        except ImageError as error:
            refused.append((picture.name, str(error)))
            continue
        if image.image_id not in readings:
            row = cached.classified(model_id, image)
            readings[image.image_id] = Reading(picture.name, image, row, picture.remark)
    return list(readings.values()), refused


def select_reading(readings: Sequence[Reading], card: Card, labels: dict[str, str]) -> Reading | None:
    """Draw the list of readings and return the chosen one; None without readings, no list for a single one.

    Parameters
    ----------
    labels : dict of str to str
        image_id → what this reviewer has decided, as on screen.
    """
    if len(readings) < 2:
        return readings[0] if readings else None
    ids = [reading.image.image_id for reading in readings]
    if st.session_state.get(CURRENT) not in ids:
        st.session_state[CURRENT] = ids[0]
    st.selectbox(
        f"Image ({sum(image_id in labels for image_id in ids)} of {len(ids)} decided)",
        ids,
        format_func={reading.image.image_id: _line(reading, card, labels) for reading in readings}.__getitem__,
        key=CURRENT,
    )
    return readings[ids.index(st.session_state[CURRENT])]


def next_reading(readings: Sequence[Reading], decided: Sequence[str], current: str) -> str:
    """Return the image_id that follows `current`: the next undecided one, round to the start; else `current`."""
    ids = [reading.image.image_id for reading in readings]
    start = ids.index(current) + 1
    return next((image_id for image_id in ids[start:] + ids[:start] if image_id not in decided), current)


def _line(reading: Reading, card: Card, labels: dict[str, str]) -> str:
    suggestion = components.pre_classification(reading.row, card)
    decided = labels.get(reading.image.image_id)
    return f"{reading.name} — {suggestion}" + (f" — decided: {decided}" if decided else "")
