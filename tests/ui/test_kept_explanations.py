"""Explanations are kept within a bound."""

import numpy as np

from dashboard.explanations import Explanation
from dashboard.ui.kept_explanations import KeptExplanations


def explanation(value: float) -> Explanation:
    return Explanation(np.full((10, 10), value, np.float32), "grad-cam", 0, "", {})


def test_what_is_kept_is_found_again():
    kept, one = KeptExplanations(), explanation(1)
    kept.keep("a", one)
    assert kept.get("a") is one
    assert kept.get("b") is None


def test_the_one_used_longest_ago_goes_first():
    kept = KeptExplanations(most_bytes=800)  # two maps of 400 bytes
    kept.keep("a", explanation(1))
    kept.keep("b", explanation(2))
    kept.get("a")
    kept.keep("c", explanation(3))
    assert kept.get("b") is None
    assert kept.get("a") is not None
    assert kept.get("c") is not None


def test_keeping_one_twice_counts_once():
    kept = KeptExplanations(most_bytes=800)
    kept.keep("a", explanation(1))
    for _ in range(5):
        kept.keep("b", explanation(2))
    assert kept.get("a") is not None


def test_one_that_is_larger_than_the_bound_is_still_kept():
    kept = KeptExplanations(most_bytes=1)
    kept.keep("a", explanation(1))
    assert kept.get("a") is not None
