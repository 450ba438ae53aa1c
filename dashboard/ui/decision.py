"""Confirm, override, not classed, undo, skip: the panel that Classify and Review share.

A decision is on the disk before the page says so. It counts once however often the key repeats, and never for a cell
that has only just appeared: a key held down must not confirm a row of cells that nobody looked at.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.audit_log import Event
from dashboard.bundles import Bundle, Card
from dashboard.errors import SecondReadError
from dashboard.ui import components, state

SHORTEST_LOOK_SECONDS = 0.3
_DIGITS = 9
_SHOWN = "decision_shown"  # (cell, when): since when the current cell is on screen
_COUNT = "decision_count"  # decisions of this session: a key pressed twice carries the same number and counts once
_MESSAGE = "decision_message"
_ERROR = "decision_error"

# image_id of the cell that was decided, or whose decision was undone
After = Callable[[str], None]


@dataclass(frozen=True)
class Cell:
    """The cell under decision, as the log will describe it; fields as in `audit_log.Event`."""

    image_id: str
    file_name: str
    case_id: str
    model_id: str
    model_sha256: str
    temperature: float
    predicted: str
    confidence: float
    prediction_set: str
    ood_score: float | None
    unidentified: bool

    @classmethod
    def of(cls, image_id: str, file_name: str, case_id: str, bundle: Bundle, row: Mapping[str, Any]) -> Cell:
        """Make it of a row of `predictions.predictions`."""
        score = float(row["ood_score"])
        return cls(
            image_id=image_id,
            file_name=file_name,
            case_id=case_id,
            model_id=bundle.card.id,
            model_sha256=bundle.model_sha256,
            temperature=bundle.card.temperature,
            predicted=str(row["predicted"]),
            confidence=min(1.0, float(row["confidence"])),
            prediction_set=str(row["prediction_set"]),
            ood_score=None if math.isnan(score) else score,
            unidentified=bool(row["unidentified"]),
        )

    def fields(self) -> dict[str, Any]:
        """Fields of the event; whether it was Unidentified follows from the confidence and the model."""
        return {name: value for name, value in vars(self).items() if name != "unidentified"}


def panel(
    cell: Cell,
    card: Card,
    standing: pd.DataFrame,
    *,
    after: After,
    after_undo: After,
    skip: Callable[[], None] | None,
) -> None:
    """Draw the panel.

    Parameters
    ----------
    cell : Cell
    card : Card
        Its classes are the buttons, in logit order, keys 1 to 9.
    standing : pandas.DataFrame
        The standing decisions of the cell's case, as `CaseDecisions.standing`.
    after, after_undo : callable
        Called with the image_id once a decision, or an undo, is saved: where to go next.
    skip : callable or None
        Called by Skip; None hides the button.
    """
    reviewer = state.reviewer()
    mine = standing[standing["reviewer"] == reviewer]
    before = mine[mine["image_id"] == cell.image_id]
    generation = _generation(cell)
    with st.container(border=True):
        if not reviewer:
            st.warning(
                "Type your reviewer id in the sidebar first; without it nothing is put on record.",
                icon=":material/badge:",
            )
        _say_what_stands(before, card)
        decide = _Decide(cell, reviewer, generation, before, card, after)
        _action_buttons(decide, _last_of_session(mine), after_undo, skip)
        _class_buttons(decide)
        outcome()


@dataclass(frozen=True)
class _Decide:
    """What every button of one drawing of the panel needs; calling it decides."""

    cell: Cell
    reviewer: str
    generation: int
    before: pd.DataFrame
    card: Card
    after: After

    @property
    def note_key(self) -> str:
        return f"note_{self.cell.case_id}_{self.cell.image_id}_{self.generation}"

    def key(self, name: str) -> str:
        return f"{name}_{self.cell.image_id}_{self.generation}"

    def __call__(self, action: str, label: str) -> None:
        seconds = time.monotonic() - st.session_state[_SHOWN][1]
        if self.generation != st.session_state[_COUNT]:
            return
        if seconds < SHORTEST_LOOK_SECONDS:
            st.session_state[_ERROR] = "Not saved: this cell had only just appeared. Look, then decide again."
            return
        previous = self.before.iloc[-1] if len(self.before) else {"label": "", "event_id": ""}
        event = {
            **self.cell.fields(),
            "reviewer": self.reviewer,
            "session_id": state.session_id(),
            "explanations_shown": state.explanations_shown(self.cell.image_id),
            "action": action,
            "label": label,
            "previous_label": previous["label"],
            "supersedes": previous["event_id"],
            "note": str(st.session_state.get(self.note_key) or "").strip(),
            "seconds": round(seconds, 1),
        }
        if _save(event, self.card):
            self.after(self.cell.image_id)


def _action_buttons(
    decide: _Decide,
    last: Mapping[str, str] | None,
    after_undo: After,
    skip: Callable[[], None] | None,
) -> None:
    card, predicted, locked = decide.card, decide.cell.predicted, not decide.reviewer
    with st.container(horizontal=True, gap="xsmall"):
        if decide.cell.unidentified:
            st.button(
                "No class to confirm",
                disabled=True,
                key=decide.key("confirm"),
                help="Unidentified: give a class below.",
            )
        else:
            st.button(
                f"Confirm {card.display_name(predicted)}",
                type="primary",
                shortcut="Enter",
                disabled=locked,
                key=decide.key("confirm"),
                on_click=decide,
                args=("confirm", predicted),
            )
        st.button(
            "Not classed",
            shortcut="N",
            disabled=locked,
            key=decide.key("not_classed"),
            help="Leave this cell out: no cell, smudge, artefact, two cells.",
            on_click=decide,
            args=("not_classed", ""),
        )
        st.button(
            "Undo",
            shortcut="U",
            disabled=locked or last is None,
            key=decide.key("undo"),
            help=_undo_help(last, card),
            on_click=_undo,
            args=(last, decide.generation, card, after_undo),
        )
        if skip is not None:
            st.button("Skip", shortcut="S", key=decide.key("skip"), on_click=_skip, args=(skip,))
        st.text_input(
            "Note",
            key=decide.note_key,
            placeholder="Note, optional; no key acts while you type here",
            label_visibility="collapsed",
            width="stretch",
        )


def _class_buttons(decide: _Decide) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        for position, info in enumerate(decide.card.classes, start=1):
            suggested = info.name == decide.cell.predicted and not decide.cell.unidentified
            st.button(
                info.display_name,
                shortcut=str(position) if position <= _DIGITS else None,
                disabled=not decide.reviewer,
                key=decide.key(f"class_{position}"),
                on_click=decide,
                args=("confirm" if suggested else "override", info.name),
            )


def _undo(last: Mapping[str, str], generation: int, card: Card, after_undo: After) -> None:
    if generation != st.session_state[_COUNT]:
        return
    event: dict[str, Any] = {name: last[name] for name in _UNDO_COPIES}
    event |= {name: float(last[name]) if last[name] else None for name in ("temperature", "confidence", "ood_score")}
    event |= {
        "session_id": state.session_id(),
        "action": "undo",
        "previous_label": last["label"],
        "supersedes": last["event_id"],
    }
    if _save(event, card):
        after_undo(last["image_id"])


_UNDO_COPIES = (
    *("reviewer", "case_id", "image_id", "file_name", "model_id", "model_sha256", "predicted", "prediction_set"),
    *("phase", "explanations_shown"),
)


def _skip(skip: Callable[[], None]) -> None:
    st.session_state.pop(_MESSAGE, None)
    skip()


def _save(fields: dict[str, Any], card: Card) -> bool:
    """Append to the log; True once it is on the disk, else the log's sentence is kept for the page."""
    st.session_state.pop(_MESSAGE, None)
    try:
        state.audit_log().append(Event(**fields))
    except SecondReadError as error:
        st.session_state[_ERROR] = str(error)
        return False
    st.session_state[_COUNT] += 1
    what = "undone" if fields["action"] == "undo" else describe(fields, card)
    st.session_state[_MESSAGE] = f"{fields['file_name']} {what}"
    return True


def _generation(cell: Cell) -> int:
    """Start the clock of a cell that was not on screen before; return how many decisions this session has made."""
    generation = st.session_state.setdefault(_COUNT, 0)
    identity = (cell.case_id, cell.image_id, generation)
    if st.session_state.get(_SHOWN, (None,))[0] != identity:
        st.session_state[_SHOWN] = (identity, time.monotonic())
    return int(generation)


def _last_of_session(mine: pd.DataFrame) -> Mapping[str, str] | None:
    """Find what Undo takes back: this session's latest decision that stands in this case."""
    here = mine[mine["session_id"] == state.session_id()]
    return None if here.empty else {str(name): str(value) for name, value in here.iloc[-1].items()}


def _undo_help(last: Mapping[str, str] | None, card: Card) -> str:
    if last is None:
        return "Nothing of this session to take back here."
    return f"Takes back: {describe(last, card)}, {last['file_name']}."


def describe(decision: Mapping[str, str], card: Card) -> str:
    """Put a standing decision into two or three words.

    Parameters
    ----------
    decision : mapping
        With the keys action and label.
    """
    if decision["action"] == "not_classed":
        return "not classed"
    verb = {"confirm": "confirmed as", "override": "overridden to"}[decision["action"]]
    return f"{verb} {card.display_name(decision['label'])}"


def _say_what_stands(before: pd.DataFrame, card: Card) -> None:
    if len(before):
        row = before.iloc[-1]
        note = f" Note: {row['note']}" if row["note"] else ""
        st.text(
            f"On record: {describe(row, card)}, {row['reviewer']}, {row['time_utc'][:16].replace('T', ' ')} UTC.{note}"
        )


def outcome() -> None:
    """Say what became of the last key: saved, or the sentence why not."""
    error, message = st.session_state.pop(_ERROR, None), st.session_state.get(_MESSAGE)
    if error is not None:
        components.refuse(error)
    elif message is not None:
        st.markdown(f":small[:green[:material/check:] Saved: {components.plain(message)}]")
