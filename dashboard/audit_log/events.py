"""What a reader did: the fields of an event and what they may hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from dashboard.errors import AuditLogError

SCHEMA = "1"
COLUMNS = (
    "schema",
    "event_id",
    "sequence",
    "time_utc",
    "reviewer",
    "identity_source",
    "session_id",
    "case_id",
    "image_id",
    "file_name",
    "model_id",
    "model_sha256",
    "temperature",
    "predicted",
    "confidence",
    "prediction_set",
    "ood_score",
    "phase",
    "explanations_shown",
    "action",
    "previous_label",
    "label",
    "supersedes",
    "reason",
    "note",
    "seconds",
    "previous_hash",
    "row_hash",
)
NUMBERS = ("sequence", "temperature", "confidence", "ood_score", "seconds")
ACTIONS = ("confirm", "override", "not_classed", "undo", "sign", "return")
DECISIONS = ("confirm", "override", "not_classed")
PHASES = ("open", "blind", "revealed", "adjudication")
IDENTITY_SOURCES = ("typed", "oidc")
LONGEST_TEXT = 10_000  # characters a field: an escaped field stays below the csv module's limit of 131,072


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a reader did, as the caller knows it; the log adds schema, event_id, sequence, time_utc and the hashes.

    Attributes
    ----------
    reviewer : str
        Who; needed.
    action : str
        One of `ACTIONS`. confirm, override and not_classed decide on one image; sign and return concern a case.
    phase : str
        One of `PHASES`: with the model's label in sight (open), before (blind) or after (revealed) it was shown, or
        settling a disagreement (adjudication).
    image_id : str
        SHA-256 of the decoded pixels; needed by confirm, override and not_classed.
    temperature, confidence, ood_score, seconds : float, optional
        Above 0; 0 to 1; any; 0 or more. None and NaN are kept as empty.
    prediction_set, explanations_shown : str
        Names joined by `|`, empty for none.
    label : str
        The reader's label: needed by confirm and override, refused with not_classed.
    supersedes : str
        event_id of the event that this one replaces; needed by undo.
    identity_source, session_id, case_id, file_name, model_id, model_sha256, predicted, previous_label, reason, note
        Text of up to `LONGEST_TEXT` characters, kept exactly.

    Raises
    ------
    AuditLogError
        A field does not fit.
    """

    reviewer: str
    action: str
    phase: str = "open"
    identity_source: str = "typed"
    session_id: str = ""
    case_id: str = ""
    image_id: str = ""
    file_name: str = ""
    model_id: str = ""
    model_sha256: str = ""
    temperature: float | None = None
    predicted: str = ""
    confidence: float | None = None
    prediction_set: str = ""
    ood_score: float | None = None
    explanations_shown: str = ""
    previous_label: str = ""
    label: str = ""
    supersedes: str = ""
    reason: str = ""
    note: str = ""
    seconds: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            check = _check_number if field.name in NUMBERS else _check_text
            check(field.name, getattr(self, field.name))
        for name, allowed in (("action", ACTIONS), ("phase", PHASES), ("identity_source", IDENTITY_SOURCES)):
            if getattr(self, name) not in allowed:
                raise AuditLogError(f"{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}.")
        if not self.reviewer.strip():
            raise AuditLogError("An event needs a reviewer; enter your name before you decide.")
        if self.action in DECISIONS and not self.image_id:
            raise AuditLogError(f"{self.action} needs the image_id of the image that it is about.")
        if self.action in ("confirm", "override") and not self.label:
            raise AuditLogError(f"{self.action} needs a label; choose one, or say Not classed.")
        if self.action == "not_classed" and self.label:
            raise AuditLogError(f"not_classed takes no label; got {self.label!r}. Use override to give one.")
        if self.action == "undo" and not self.supersedes:
            raise AuditLogError("undo needs, as supersedes, the event_id of the event to undo.")


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise AuditLogError(f"{name} must be text; got {type(value).__name__}.")
    if len(value) > LONGEST_TEXT:
        raise AuditLogError(f"{name} may have {LONGEST_TEXT:,} characters; got {len(value):,}. Shorten it.")


def _check_number(name: str, value: float | None) -> None:
    if value is None:
        return
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise AuditLogError(f"{name} must be a number or None; got {value!r}.") from error
    low, high = {"confidence": (0.0, 1.0), "ood_score": (-math.inf, math.inf)}.get(name, (0.0, math.inf))
    if math.isinf(number) or number < low or number > high or (name == "temperature" and number == 0):
        raise AuditLogError(f"{name} must be a finite number within its range; got {number}.")
