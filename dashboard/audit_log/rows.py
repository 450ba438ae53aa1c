"""One event ↔ one line: escapes, CSV and the hash chain, on bytes alone."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from dashboard.audit_log.events import COLUMNS, SCHEMA, Event

HEADER = ",".join(COLUMNS).encode()

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_TO_ESCAPE = re.compile(r"[\\\x00-\x08\x0a-\x1f\x7f]")
_ESCAPED = re.compile(r"\\(\\|n|r|u[0-9a-f]{4})")
_PLAIN = {escape[1]: plain for plain, escape in _ESCAPES.items()}


class Seal(NamedTuple):
    """What links a row into the chain; sequence 0 and empty hashes stand for "no row yet"."""

    sequence: int
    previous_hash: str
    row_hash: str


START = Seal(0, "", "")


def encode(event: Event, last: Seal) -> tuple[dict[str, str], bytes]:
    """Make the row that follows `last` and its line, line end included."""
    row = {name: _text(getattr(event, name, "")) for name in COLUMNS}
    row |= {
        "schema": SCHEMA,
        "event_id": str(uuid.uuid4()),
        "sequence": str(last.sequence + 1),
        "time_utc": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "previous_hash": last.row_hash,
    }
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow([escape(row[name]) for name in COLUMNS[:-1]])
    line = buffer.getvalue().encode()
    row["row_hash"] = hashlib.sha256(line).hexdigest()
    return row, line + f",{row['row_hash']}\n".encode()


def seal(line: bytes) -> Seal | None:
    """Read the links of a line (without its line end); None unless its own hash is right."""
    body, _, row_hash = line.rpartition(b",")
    if hashlib.sha256(body).hexdigest().encode() != row_hash:
        return None
    sequence = body.split(b",", 3)[2:3]
    if not sequence or not sequence[0].isdigit():
        return None
    return Seal(int(sequence[0]), body.rpartition(b",")[2].decode("ascii", "replace"), row_hash.decode())


def mark(last: Seal) -> bytes:
    """Write down the last row saved: a fixed length, so that a new mark covers the old one."""
    return f"{last.sequence:>12} {last.row_hash}\n".encode()


def read_mark(data: bytes) -> Seal | None:
    """Read what `mark` wrote; None for anything else."""
    found = re.fullmatch(rb" *(\d+) ([0-9a-f]{64})\n", data)
    return Seal(int(found[1]), "", found[2].decode()) if found else None


def decode(lines: list[bytes]) -> list[list[str]]:
    """Read lines as rows of text, one string a column; a line that is no row of `COLUMNS` is left out."""
    texts = [line.decode("utf-8", "replace") for line in lines]
    rows = _parse(texts)
    if len(rows) != len(texts):  # a damaged quote has swallowed line ends: take each line by itself
        rows = [row for text in texts for row in _parse([text])]
    return [list(map(unescape, row)) for row in rows] if any("\\" in text for text in texts) else rows


def escape(text: str) -> str:
    """Turn a field into text without line ends.

    Examples
    --------
    >>> print(escape("two\\nlines"))
    two\\nlines
    """
    return _TO_ESCAPE.sub(lambda found: _ESCAPES.get(found[0], f"\\u{ord(found[0]):04x}"), text)


def unescape(text: str) -> str:
    """Turn `escape` back."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda found: _PLAIN.get(found[1]) or chr(int(found[1][1:], 16)), text)


def _text(value: str | float | None) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return "" if value is None or math.isnan(value) else repr(float(value))


def _parse(texts: Iterable[str]) -> list[list[str]]:
    try:
        return [row for row in csv.reader(texts) if len(row) == len(COLUMNS)]
    except csv.Error:
        return []
