"""Results that cost seconds, kept within a bound that is counted in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from dashboard.explanations import Explanation


class KeptExplanations:
    """The explanations used last; the oldest go when there are too many bytes. Safe for several threads.

    Streamlit's own caches cannot be asked whether they hold something, which a page must know before it offers to
    compute for seconds.

    Parameters
    ----------
    most_bytes : int
        For all maps together.
    """

    def __init__(self, most_bytes: int = 256 * 2**20) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Explanation] = OrderedDict()

    def get(self, key: Hashable) -> Explanation | None:
        """Return what is kept under `key`, or None."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def keep(self, key: Hashable, explanation: Explanation) -> None:
        """Keep one more, and let the oldest go until the bound holds."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._kept.pop(key).map.nbytes
            self._kept[key] = explanation
            self._bytes += explanation.map.nbytes
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].map.nbytes
