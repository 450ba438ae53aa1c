"""Does a record read from a file hold what its annotations declare? Python itself does not ask."""

from __future__ import annotations

import dataclasses
import math
import typing
from typing import Any


def wrong_kind(record: Any) -> str:
    """Find the first field of a dataclass that is not of the kind it declares.

    Parameters
    ----------
    record : dataclass instance
        Its fields may be str, bool, int, float, Any, tuples and dicts of these, `X | None` and other dataclasses. A
        float must be finite; an int serves as a float; a bool is no number.

    Returns
    -------
    str
        What is wrong, as the end of a sentence; empty if nothing is.

    Examples
    --------
    >>> from dashboard.bundles import ClassInfo
    >>> wrong_kind(ClassInfo("monocyte", "Monocyte", critical=1))
    'critical is 1'
    """
    kinds = typing.get_type_hints(type(record))
    for item in dataclasses.fields(record):
        value = getattr(record, item.name)
        for part in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(part) and (problem := wrong_kind(part)):
                return problem
        if not _fits(value, kinds[item.name]):
            return f"{item.name} is {value!r}"[:160]
    return ""


def _fits(value: Any, kind: Any) -> bool:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        right_length = Ellipsis in inner or (isinstance(value, tuple) and len(value) == len(inner))
        return isinstance(value, tuple) and right_length and all(_fits(part, inner[0]) for part in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items())
    if inner:  # X | None
        return any(_fits(value, one) for one in inner)
    return kind is Any or _is_one(value, kind)


def _is_one(value: Any, kind: type) -> bool:
    if kind in (int, float):
        number = isinstance(value, int) or (kind is float and isinstance(value, float))
        return number and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, kind)
