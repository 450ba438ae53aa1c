"""Labelled rows with subjects and sites, for the protocols; no image behind them."""

from __future__ import annotations

import pandas as pd


def labelled(subjects: int = 10, images: int = 4, classes: tuple[str, ...] = ("dark", "pale")) -> pd.DataFrame:
    """`images` rows of each of `subjects` subjects; a subject has one class and one of two sites."""
    rows = [
        {
            "path": f"{subject}-{image}.png",
            "file": f"/nowhere/{subject}-{image}.png",
            "label": classes[subject % len(classes)],
            "split": ("train", "train", "val", "test")[image % 4],
            "site": "north" if subject < subjects / 2 else "south",
            "subject": f"s{subject}",
        }
        for subject in range(subjects)
        for image in range(images)
    ]
    return pd.DataFrame(rows)
