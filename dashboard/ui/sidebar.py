"""The sidebar that stands beside every page: reviewer, model, disclaimer."""

from __future__ import annotations

import streamlit as st

from dashboard.ui import cached, components, state, warm_up


def show() -> None:
    """Draw the sidebar; the page reads what was chosen through `state`."""
    with st.sidebar:
        st.text_input(
            "Reviewer",
            key=state.REVIEWER,
            placeholder="Your name or id",
            help="Written beside each of your decisions. It is typed, not checked.",
            persist_state="session",
        )
        _model_picker()
        components.disclaimer()
        warm_up.notice(state.model_id())  # last, so that nothing moves when it goes


def _model_picker() -> None:
    statuses = cached.bundles()
    usable = {status.id: status.bundle for status in statuses if status.bundle is not None}
    if usable:
        titles = {key: bundle.card.title for key, bundle in usable.items()}
        st.selectbox("Model", list(usable), format_func=titles.__getitem__, key=state.MODEL, persist_state="session")
    else:
        st.warning("model_store holds no model that can be used.", icon=":material/warning:")
    for status in statuses:
        if status.bundle is None:
            name, problem = components.plain(status.id), components.plain(status.problem)
            st.caption(f":material/warning: **{name}** cannot be used. {problem}")
