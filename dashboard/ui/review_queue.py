"""The queue of the Review page: which case, which cells, which one now."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.bundles import Card
from dashboard.cases import Case, list_cases, open_case
from dashboard.triage import kinds, queue
from dashboard.ui import cached

CURRENT = "review_current"
_READER = "review_reader"
_CASE = "case"  # also the name in the address, so that a case can be linked to


def choose_case() -> Case | None:
    """Draw the picker of cases; the chosen one, or None if there is none.

    Raises
    ------
    CaseError
        The address names a case that cannot be opened.
    """
    wanted = st.query_params.get(_CASE)
    if wanted is not None:
        open_case(wanted)
    cases = {status.id: status.case for status in list_cases() if status.case is not None}
    if not cases:
        return None
    chosen = st.selectbox(
        "Case",
        list(cases),
        index=list(cases).index(wanted) if wanted in cases else 0,
        format_func=lambda case_id: _title(cases[case_id]),
        label_visibility="collapsed",
    )
    st.query_params[_CASE] = chosen
    return cases[chosen]


def queue_of(case: Case, card: Card) -> pd.DataFrame:
    """Return the cells of a case in the order of `triage.queue`, decided or not; do not change the table.

    The order does not move while the case is read: a cell that was undone is where it was.
    """
    return _queue(case.id, case.done, repr(card), case, card)


def filtered(place: DeltaGenerator, cells: pd.DataFrame, card: Card, decided: set[str]) -> pd.DataFrame:
    """Draw the filters and return the cells that pass all of them, in the order of the queue.

    Parameters
    ----------
    place : DeltaGenerator
        Where the menu of filters goes.
    cells : pandas.DataFrame
        As `queue_of`.
    decided : set of str
        image_id of the cells that this reviewer has decided.
    """
    menu = place.popover("Filters", icon=":material/filter_list:", width="stretch")
    classes = menu.multiselect(
        "Pre-classification",
        [name for name in card.class_names if name in set(cells["predicted"])],
        format_func=card.display_name,
        placeholder="All",
        key="review_classes",
    )
    named = sorted({kind for reasons in cells["reasons"].unique() for kind in kinds(reasons)})
    reasons = menu.multiselect("Reason to look again", named, placeholder="All", key="review_reasons")
    undecided = menu.toggle("Undecided only", value=True, key="review_undecided")
    keep = pd.Series(True, index=cells.index)
    if classes:
        keep &= cells["predicted"].isin(classes)
    if reasons:
        keep &= cells["reasons"].map(lambda text: any(kind in reasons for kind in kinds(text)))
    if undecided:
        keep &= ~cells["image_id"].isin(decided) | (cells["image_id"] == st.session_state.get(CURRENT))
    return cells[keep]


def current_cell(cells: pd.DataFrame, decided: set[str]) -> pd.Series | None:
    """Return the cell to look at: the one chosen, else the first that is undecided, else the first; None if none."""
    if cells.empty:
        return None
    ids = list(cells["image_id"])
    chosen = st.session_state.get(CURRENT)
    if chosen not in ids:
        chosen = next((image_id for image_id in ids if image_id not in decided), ids[0])
        st.session_state[CURRENT] = chosen
    return cells.iloc[ids.index(chosen)]


def start_over_for(case: Case, reviewer: str) -> None:
    """Forget the current cell when another case is opened or another reviewer sits down."""
    if st.session_state.get(_READER) != (case.id, reviewer):
        st.session_state[_READER] = (case.id, reviewer)
        st.session_state.pop(CURRENT, None)


def following(ids: Sequence[str], current: str, decided: set[str]) -> str | None:
    """Find the next undecided cell after `current`, round to the start; None if every other one is decided.

    Examples
    --------
    >>> following(["a", "b", "c"], "b", {"c"})
    'a'
    """
    start = ids.index(current) + 1 if current in ids else 0
    rest = [*ids[start:], *ids[:start]]
    return next((image_id for image_id in rest if image_id not in decided and image_id != current), None)


@st.cache_resource(max_entries=4, show_spinner=False)
def _queue(case_id: str, done: int, card: str, _case: Case, _card: Card) -> pd.DataFrame:  # noqa: ARG001
    return queue(cached.results(_case), _card)


def _title(case: Case) -> str:
    return f"{case.title} · {case.done:,} cells · {case.created[:10]}" + (
        " · unfinished" if case.state != "done" else ""
    )
