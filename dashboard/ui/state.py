"""What one browser session knows: who reads, with which model, into which log."""

from __future__ import annotations

import uuid

import streamlit as st

from dashboard import records
from dashboard.audit_log import AuditLog
from dashboard.ui import cached

REVIEWER = "reviewer"
MODEL = "model_id"


def reviewer() -> str:
    """Return the reviewer's id as typed in the sidebar, without outer blanks; empty before it is typed."""
    return str(st.session_state.get(REVIEWER) or "").strip()


def model_id() -> str | None:
    """Return the id of the chosen model: the sidebar's, else the first that can be used, else None."""
    usable = [status.id for status in cached.bundles() if status.bundle is not None]
    chosen = st.session_state.get(MODEL)
    return chosen if chosen in usable else next(iter(usable), None)


def session_id() -> str:
    """Return the random id of this browser session, 32 hexadecimal digits."""
    if "session_id" not in st.session_state:
        st.session_state["session_id"] = uuid.uuid4().hex
    return str(st.session_state["session_id"])


def audit_log() -> AuditLog:
    """Return the audit log of the records folder."""
    return cached.audit_log(str(records.audit_log_file()))
