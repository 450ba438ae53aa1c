"""The Batch page's work: start a case, watch it, take it up again, put it away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.batch import BatchJob, Progress, check_resumable
from dashboard.cases import Case, create_case, delete_case, list_cases, rename_case, restore_case
from dashboard.images import SUFFIXES
from dashboard.sources import open_paths
from dashboard.ui import cached, components

_CASE = "case"  # in the address, so that a reload opens the same case
_DELETED = "batch_deleted"
_FILES, _FOLDER, _SERVER = "Files or ZIP", "Folder", "Folder on the server"
_STATES = {"running": "interrupted", "done": "done", "cancelled": "cancelled"}


def new_case(model_id: str) -> None:
    """Draw the form for a new case; starting it opens it."""
    origin = st.segmented_control("Images from", [_FILES, _FOLDER, _SERVER], default=_FILES, key="batch_origin")
    uploads: list[tuple[str, bytes]] = []
    folder = ""
    if origin == _SERVER:
        folder = st.text_input("Folder or ZIP", key="batch_path", placeholder="/data/smears/2026-01-31").strip()
    else:
        uploads = _uploads(whole_folder=origin == _FOLDER)
    title = st.text_input("Title of the case", key="batch_title", max_chars=100, placeholder="Optional")
    chosen = bool(folder or uploads)
    if st.button("Start", type="primary", disabled=not chosen, icon=":material/play_arrow:", key="batch_start"):
        open_page_of(start(title, model_id, uploads, [Path(folder)] if folder else []))


def start(title: str, model_id: str, uploads: Sequence[tuple[str, bytes]], paths: Sequence[Path]) -> Case:
    """Make a case of uploads or of paths on the server, and begin to classify it in the background.

    Raises
    ------
    SourceError
        Nothing to classify; no case is made.
    StorageError
        The disk refused; no case is made.
    """
    bundle = cached.bundle(model_id)
    if not uploads:
        open_paths(paths)
    case = create_case(title, model_id, bundle.model_sha256, paths)
    try:
        case = case.keep_uploads(uploads) if uploads else case
        case = case.update(total=len(open_paths(case.sources)))
    except Exception:
        case.remove()
        raise
    _begin(case)
    return case


def resume(case: Case) -> None:
    """Take a case up where it stopped.

    Raises
    ------
    CaseError
        The model has changed since.
    """
    check_resumable(case, cached.bundle(case.model_id).model_sha256)
    _begin(case)


def job_of(case: Case) -> BatchJob | None:
    """Return the job that this process last began on a case."""
    return _jobs().get(case.id)


def watch(case: Case) -> bool:
    """Show how far a case is while it is being worked on; True if it is."""
    job = job_of(case)
    if job is not None and not job.progress().finished:
        _watch(case.id)
        return True
    if case.state == "running" and not case.interrupted:
        components.empty("This case is being worked on by another process. Reload the page to see how far it is.")
        return True
    return False


def state_of(case: Case) -> None:
    """Say why a case is not complete, with the way to go on; nothing for a complete one."""
    job = job_of(case)
    if job is not None and job.progress().error:
        components.refuse(job.progress().error)
    if case.state == "done":
        return
    left = case.total - case.done
    st.warning(
        f"This case was {_STATES[case.state]}: {case.done:,} of {case.total:,} files are done. Nothing of it is lost.",
        icon=":material/pause_circle:",
    )
    if st.button(f"Go on with the other {left:,} files", key="batch_resume", icon=":material/resume:"):
        resume(case)
        st.rerun()


def case_list() -> None:
    """List the cases to open again, newest first."""
    _undo_delete()
    statuses = list_cases()
    if not statuses:
        components.empty("There is no case yet. Choose images above and start.")
        return
    st.subheader("Cases", anchor=False)
    pages = max(1, -(-len(statuses) // 20))
    page = st.pagination(pages, key="batch_cases_page") if pages > 1 else 1
    for status in statuses[20 * (page - 1) : 20 * page]:
        name, about, opening = st.columns([4, 5, 2], vertical_alignment="center")
        if status.case is None:
            name.markdown(f"`{status.id}`")
            about.caption(f":material/warning: {status.problem}")
            continue
        name.text(status.case.title)
        about.caption(_about(status.case))
        if opening.button("Open", key=f"batch_open_{status.id}", width="stretch"):
            open_page_of(status.case)


def manage(case: Case) -> None:
    """Draw the menu that renames and deletes a case."""
    with st.popover("Manage", icon=":material/more_horiz:"):
        title = st.text_input("Title", value=case.title, max_chars=100, key=f"batch_rename_{case.id}")
        if title.strip() and title != case.title:
            rename_case(case, title)
            st.rerun()
        if st.button("Delete this case", icon=":material/delete:", key="batch_delete"):
            delete_case(case)
            st.session_state[_DELETED] = case.id
            close_page()


def opened_case() -> str | None:
    """Return the id of the case that the address names."""
    return st.query_params.get(_CASE)


def open_page_of(case: Case) -> None:
    """Show a case, and keep it in the address."""
    st.query_params[_CASE] = case.id
    st.rerun()


def close_page() -> None:
    """Go back to the list of cases."""
    st.query_params.pop(_CASE, None)
    st.rerun()


def time_left(seconds: float | None) -> str:
    """Say how long a job still takes.

    Examples
    --------
    >>> time_left(None), time_left(42.4), time_left(150)
    ('starting', 'about 43 s left', 'about 3 min left')
    """
    if seconds is None:
        return "starting"
    return f"about {int(seconds) + 1} s left" if seconds < 90 else f"about {-(-int(seconds) // 60)} min left"


def _uploads(whole_folder: bool) -> list[tuple[str, bytes]]:
    if whole_folder:
        files = st.file_uploader(
            "Image folder", accept_multiple_files="directory", key="batch_folder", help="With all folders below it."
        )
    else:
        files = st.file_uploader(
            "Image files or a ZIP",
            type=[suffix.removeprefix(".") for suffix in (*SUFFIXES, ".zip")],
            accept_multiple_files=True,
            key="batch_files",
        )
    return [(file.name, file.getvalue()) for file in files or []]


def _begin(case: Case) -> None:
    bundle, loader = cached.bundle(case.model_id), cached.model_loader()
    jobs = _jobs()
    for identifier in [key for key, job in jobs.items() if job.progress().finished]:
        del jobs[identifier]
    jobs[case.id] = BatchJob(case, lambda: loader.get(bundle)).start()


@st.cache_resource(max_entries=1, show_spinner=False)
def _jobs() -> dict[str, BatchJob]:
    """Return the jobs of this process by case id: they outlive the page that began them."""
    return {}


@st.fragment(run_every=1.0)
def _watch(case_id: str) -> None:
    job = _jobs().get(case_id)
    if job is None or job.progress().finished:
        st.rerun()
    progress = job.progress()
    st.progress(progress.done / max(1, progress.total), _progress_text(progress))
    if st.button("Cancel", icon=":material/cancel:", key="batch_cancel", help="What is done is kept."):
        job.cancel()
        st.caption("Stopping after the images at hand.")


def _progress_text(progress: Progress) -> str:
    return f"{progress.done:,} of {progress.total:,} files · {time_left(progress.seconds_left)}"


def _about(case: Case) -> str:
    state = "" if case.state == "done" else f" · {_STATES[case.state] if case.interrupted else case.state}"
    rejected = f", {case.rejected:,} rejected" if case.rejected else ""
    return f"{case.created[:16].replace('T', ' ')} UTC · {case.done:,} files{rejected} · {case.model_id}{state}"


def _undo_delete() -> None:
    deleted = st.session_state.get(_DELETED)
    if deleted is None:
        return
    text, undo = st.columns([4, 1], vertical_alignment="center")
    text.info("The case was deleted.", icon=":material/delete:")
    if undo.button("Undo", key="batch_undo", width="stretch"):
        del st.session_state[_DELETED]
        open_page_of(restore_case(deleted))
