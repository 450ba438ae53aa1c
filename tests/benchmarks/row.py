"""One line of BENCHMARKS.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured, against which target, and how."""

    what: str
    value: str
    target: str
    met: bool | None
    how: str
