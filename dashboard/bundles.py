"""A model bundle: a folder of model_store with model.keras, card.json, evaluation.csv and golden/."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassInfo:
    """One class, at its place in the logits.

    Attributes
    ----------
    name : str
        As in the labels CSV.
    display_name : str
        As on screen; the field's standard term.
    critical : bool
        Never confirmed in bulk, and first in the queue.
    """

    name: str
    display_name: str
    critical: bool = False
