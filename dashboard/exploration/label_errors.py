"""Labels that other images speak against. A model is never asked about images that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dashboard.bundles import Bundle
from dashboard.exploration.cross_validation import OutOfSample
from dashboard.exploration.reading import Images

COLUMNS = ["path", "label", "suggested", "p_label", "p_suggested", "margin", "split", "site", "features"]


def held_out(image_ids: pd.Series, bundle: Bundle) -> np.ndarray:
    """Tell which images a bundle's model was not made with: bool, shape (N,).

    All False where the bundle does not list its training images: what cannot be shown to be held out is not.
    """
    listed = bundle.folder / "training_images.txt"
    if not listed.is_file():
        return np.zeros(len(image_ids), bool)
    return ~image_ids.isin(listed.read_text("utf-8").split()).to_numpy()


def suspected_label_errors(images: Images, judged: Sequence[tuple[str, np.ndarray, OutOfSample]]) -> pd.DataFrame:
    """Rank the images whose label others speak against.

    Parameters
    ----------
    images : Images
        All of them.
    judged : sequence of (str, numpy.ndarray, OutOfSample)
        What the features are called, the rows they were taken of (int), and what they say of these.

    Returns
    -------
    pandas.DataFrame
        Largest margin first: path, label, suggested (the likeliest class), p_label and p_suggested (in [0, 1]),
        margin (p_suggested - p_label, above 0), split, site, features. Only images whose likeliest class is another
        than the label.

    Notes
    -----
    Source: the normalised margin of confident learning, Northcutt, Jiang & Chuang 2021, doi:10.1613/jair.1.12125.
    """
    parts = [_ranked(images, name, of, said) for name, of, said in judged]
    found = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=COLUMNS)], ignore_index=True)
    return found.sort_values("margin", ascending=False, kind="stable", ignore_index=True)


def _ranked(images: Images, name: str, of: np.ndarray, said: OutOfSample) -> pd.DataFrame:
    everyone = np.arange(len(said.labels))
    given = said.probabilities[everyone, np.searchsorted(said.classes, said.labels)]
    best = said.probabilities.max(axis=1)
    table = images.rows.iloc[of[said.positions]][["path", "label", "split", "site"]].reset_index(drop=True)
    table = table.assign(
        suggested=said.classes[said.probabilities.argmax(axis=1)],
        p_label=given,
        p_suggested=best,
        margin=best - given,
        features=name,
    )
    return table.loc[~said.correct, COLUMNS]
