"""The model warms up while the first page is already on screen."""

from __future__ import annotations

import streamlit as st

from dashboard.errors import BundleError
from dashboard.ui import cached

# Importing TensorFlow holds the interpreter for seconds: the browser gets the first page before it begins.
_DELAY_SECONDS = 0.5


def begin(model_id: str | None) -> None:
    """Begin to load a model in the background, just after the page was drawn."""
    if model_id is not None:
        cached.model_loader().start(cached.bundle(model_id), _DELAY_SECONDS)


def notice(model_id: str | None) -> None:
    """Say that the model is still loading, and rerun the page once it is there; nothing when it is ready."""
    if model_id is not None and not cached.classifier_ready(model_id):
        _wait(model_id)


@st.fragment(run_every=1.0)
def _wait(model_id: str) -> None:
    try:
        ready = cached.classifier_ready(model_id)
    except BundleError:
        ready = True
    if ready:
        st.rerun()
    st.caption(":material/hourglass_top: The model is loading, about 15 seconds. You can choose images meanwhile.")
