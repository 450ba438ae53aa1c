"""The audit log on screen: filters, table, check, downloads, summary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard.audit_log import AuditLog, current_decisions, spreadsheet_safe
from dashboard.errors import StorageError
from dashboard.ui import components

_COLUMNS = [
    *("time_utc", "reviewer", "action", "file_name", "predicted", "confidence", "label", "previous_label", "note"),
    *("reason", "case_id", "phase", "explanations_shown", "seconds", "model_id", "image_id", "sequence"),
]
_TEXT_COLUMNS = ["file_name", "note", "reason", "image_id", "event_id"]


def read(log: AuditLog) -> pd.DataFrame:
    """Read the log, again only when it has changed; do not change the table.

    Raises
    ------
    AuditLogError, StorageError
        As `AuditLog.read`.
    """
    try:
        status = log.path.stat()
    except OSError:
        return log.read()
    return _read(str(log.path), status.st_size, status.st_mtime_ns, status.st_ino)


@st.cache_resource(max_entries=2, show_spinner="Reading the log …")
def _read(path: str, size: int, changed: int, inode: int) -> pd.DataFrame:  # noqa: ARG001
    return AuditLog(Path(path)).read()


def show_verification(log: AuditLog) -> None:
    """Draw the button that checks the chain, and what it found."""
    if not st.button(
        "Verify the log", icon=":material/verified:", help="Checks the hash of every row and their order."
    ):
        return
    result = log.verify()
    if result.problems:
        components.refuse(f"The log is not whole: {len(result.problems)} problem(s); {result.rows} rows are sound.")
        for problem in result.problems[:20]:
            st.text(f"• {problem}")
        if len(result.problems) > 20:
            st.text(f"… and {len(result.problems) - 20} more: python -m dashboard audit verify {log.path}")
    else:
        st.success(f"All {result.rows} rows are whole, in order and unchanged.", icon=":material/verified:")
    for note in result.notes:
        st.caption(note)


def filtered(rows: pd.DataFrame) -> pd.DataFrame:
    """Draw the filters and return the rows that pass all of them; an empty filter lets everything pass."""
    first = st.columns(4)
    labels = rows["label"].where(rows["label"] != "", rows["predicted"])
    for place, title, values in (
        (first[0], "Reviewer", rows["reviewer"]),
        (first[1], "Action", rows["action"]),
        (first[2], "Class", labels),
        (first[3], "Case", rows["case_id"]),
    ):
        chosen = place.multiselect(
            title,
            sorted(values.unique()),
            format_func=lambda value: value or "none",
            placeholder="All",
            key=f"audit_{title}",
            persist_state="session",
        )
        if chosen:
            rows = rows[values.loc[rows.index].isin(chosen)]
    days, text = st.columns(2)
    span = days.date_input("Days (UTC)", value=[], key="audit_days", format="YYYY-MM-DD")
    wanted = text.text_input("Text", key="audit_text", placeholder="In file name, note, reason, image or event id")
    return _with_text(_within(rows, span), wanted)


def show_table(rows: pd.DataFrame, total: int) -> None:
    """Draw the rows, latest first."""
    st.caption(f"{len(rows):,} of {total:,} rows, latest first. Times are UTC.")
    table = rows[_COLUMNS].iloc[::-1]
    table = table.assign(
        **{name: pd.to_numeric(table[name], errors="coerce") for name in ("confidence", "seconds", "sequence")}
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "confidence": st.column_config.NumberColumn("confidence", format="%.3f"),
            "time_utc": st.column_config.TextColumn("time (UTC)"),
        },
        alt="The rows of the audit log that pass the filters",
    )


def show_downloads(log: AuditLog, rows: pd.DataFrame) -> None:
    """Offer the rows shown as a table that spreadsheets open safely, and the log itself byte for byte."""
    with st.container(horizontal=True):
        st.download_button(
            "Rows shown, for a spreadsheet",
            lambda: spreadsheet_safe(rows).to_csv(index=False).encode("utf-8-sig"),
            "second_read_audit.csv",
            "text/csv",
            icon=":material/table:",
            help="Text that a spreadsheet could take for a formula has a leading apostrophe.",
            on_click="ignore",
        )
        st.download_button(
            "The exact log",
            lambda: _bytes_of(log),
            "audit_log.csv",
            "text/csv",
            icon=":material/download:",
            help="Byte for byte, for `python -m dashboard audit verify`.",
            on_click="ignore",
        )


def show_summary(rows: pd.DataFrame) -> None:
    """Draw what each reviewer did, and where readers left the pre-classification."""
    from dashboard import figures_audit as figures

    decisions = current_decisions(rows)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Decisions by action", anchor=False)
        counts = figures.decisions_by_action(rows)
        st.plotly_chart(
            figures.draw_decisions_by_action(counts),
            config={"displayModeBar": False},
            key="audit_actions",
            alt="Rows of the log by reviewer and action",
        )
    with right:
        st.subheader("From pre-classification to label", anchor=False)
        if decisions.empty:
            components.empty("No decision stands among these rows.")
        else:
            agreed = int((decisions["predicted"] == decisions["label"]).sum())
            st.caption(f"{len(decisions):,} standing decisions; {agreed:,} with the model's likeliest class.")
            st.plotly_chart(
                figures.draw_override_matrix(figures.override_matrix(decisions)),
                config={"displayModeBar": False},
                key="audit_matrix",
                alt="Standing decisions by pre-classification and label",
            )


def _within(rows: pd.DataFrame, span: Sequence[date]) -> pd.DataFrame:
    if not span:
        return rows
    first, last = span[0].isoformat(), span[-1].isoformat()
    days = rows["time_utc"].str[:10]
    return rows[(days >= first) & (days <= last)]


def _with_text(rows: pd.DataFrame, wanted: str | None) -> pd.DataFrame:
    wanted = (wanted or "").strip().lower()
    if not wanted:
        return rows
    found = pd.Series(False, index=rows.index)
    for name in _TEXT_COLUMNS:
        found |= rows[name].str.lower().str.contains(wanted, regex=False)
    return rows[found]


def _bytes_of(log: AuditLog) -> bytes:
    try:
        return log.path.read_bytes()
    except OSError as error:
        raise StorageError(f"{log.path.name} cannot be read: {error.strerror or error}.") from error
