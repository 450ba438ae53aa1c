"""What one browser session knows: who reads, with which model, into which log."""

from __future__ import annotations

import uuid

import streamlit as st

from dashboard import records
from dashboard.audit_log import AuditLog
from dashboard.ui import cached

REVIEWER = "reviewer"
MODEL = "model_id"
_EXPLAINED = "explanations_shown"
_MOST_EXPLAINED = 512


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


def remember_explanation(image_id: str, method: str, class_name: str) -> None:
    """Remember that this session saw an explanation of an image, for the log's `explanations_shown`."""
    seen: dict[str, list[str]] = st.session_state.setdefault(_EXPLAINED, {})
    names = seen.setdefault(image_id, [])
    if (name := f"{method}:{class_name}") not in names:
        names.append(name)
    while len(seen) > _MOST_EXPLAINED:
        del seen[next(iter(seen))]


def explanations_shown(image_id: str) -> str:
    """Return what this session saw of an image: `method:class`, joined by `|`; empty for nothing."""
    return "|".join(st.session_state.get(_EXPLAINED, {}).get(image_id, ()))
