"""Small pieces that several pages show."""

from __future__ import annotations

import re
from collections.abc import Mapping

import streamlit as st

from dashboard.bundles import Card
from dashboard.errors import SecondReadError

DISCLAIMER = "Research and education only; not a medical device."
_MARKDOWN = re.compile(r"([\\*_\[\]$<>~#|:])")

# lower bound of the calibrated confidence → word
_CONFIDENCE_WORDS = ((0.99, "very high"), (0.95, "high"), (0.80, "moderate"), (0.50, "low"), (0.0, "very low"))


def disclaimer() -> None:
    """Say what the app is not."""
    st.caption(DISCLAIMER)


def refuse(error: SecondReadError | str) -> None:
    """Show the sentence of an error in place; the rest of the page goes on."""
    st.error(plain(str(error)), icon=":material/error:")


def empty(sentence: str) -> None:
    """Say what is not there yet and how it comes to be there."""
    st.info(sentence, icon=":material/info:")


def plain(text: str) -> str:
    """Escape Markdown in text that is not ours, such as file names; code in backticks stays code.

    Examples
    --------
    >>> plain("![a](b)_1.jpg")
    '!\\\\[a\\\\](b)\\\\_1.jpg'
    """
    return _MARKDOWN.sub(r"\\\1", text)


def confidence_word(confidence: float) -> str:
    """Name a calibrated confidence in [0, 1].

    Examples
    --------
    >>> confidence_word(0.97)
    'high'
    """
    return next(word for bound, word in _CONFIDENCE_WORDS if confidence >= bound)


def percent(share: float) -> str:
    """Print a share without rounding it up to certainty.

    Examples
    --------
    >>> percent(0.9996), percent(0.634)
    ('> 99.9 %', '63.4 %')
    """
    if share > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if share < 0.001 else f"{100 * share:.1f} %"


def pre_classification(row: Mapping[str, object], card: Card) -> str:
    """Name the model's suggestion for a row of `predictions`: a class, or Unidentified."""
    return "Unidentified" if row["unidentified"] else card.display_name(str(row["predicted"]))
