"""The same picture twice: exactly, or as a copy that was resized, recompressed, turned or mirrored."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from dashboard.exploration.reading import Images

# Of 200 images each of four public sets, copies recompressed, halved, darkened or with noise lay within 8 bits;
# different cells 30 bits and more apart, but 6 and more where the background is cut away.
NEAR = 10
COLUMNS = [
    "group",
    "kind",
    "path",
    "label",
    "split",
    "site",
    "image_id",
    "conflicting_labels",
    "crosses_splits",
]


def duplicates(images: Images) -> pd.DataFrame:
    """List the images that show the same.

    Parameters
    ----------
    images : Images
        Any number of them.

    Returns
    -------
    pandas.DataFrame
        One row an image that is not the only one of its group, conflicts first: group (1, 2, …), kind ("exact": all
        decoded pixels of the group agree; "near": `perceptual_hash` differs by at most `NEAR` bits of 143 from that
        of another of the group), path, label, split, site, image_id, conflicting_labels (bool: the group has two
        labels), crosses_splits (bool: the group is in train and in another split).
    """
    rows = images.rows.assign(group=groups(images))
    rows = rows[rows["group"].duplicated(keep=False)]
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    by_group = rows.groupby("group")
    rows = rows.assign(
        kind=np.where(by_group["image_id"].transform("nunique") == 1, "exact", "near"),
        conflicting_labels=by_group["label"].transform("nunique") > 1,
        crosses_splits=by_group["split"].transform(_crosses).astype(bool),
    )
    order = ["conflicting_labels", "crosses_splits", "group", "path"]
    rows = rows.sort_values(order, ascending=[False, False, True, True], kind="stable")
    return rows.assign(group=pd.factorize(rows["group"])[0] + 1)[COLUMNS].reset_index(drop=True)


def groups(images: Images) -> np.ndarray:
    """Number the images so that copies of each other, exact or near, share a number: int, shape (N,)."""
    exact, first = pd.factorize(images.rows["image_id"])
    position = np.array([np.flatnonzero(exact == number)[0] for number in range(len(first))])
    signs = np.where(images.hashes[position], 1.0, -1.0).astype(np.float32)
    # The squared distance of two vectors of -1 and 1 is four times the number of places where they differ.
    near = NearestNeighbors(radius=2 * np.sqrt(NEAR + 0.5), algorithm="brute").fit(signs[:, 0])
    links = [near.radius_neighbors_graph(signs[:, side]) for side in range(signs.shape[1])]
    _, group = sparse.csgraph.connected_components(sum(links[1:], links[0]), directed=False)
    return group[exact]


def _crosses(splits: pd.Series) -> bool:
    return "train" in set(splits) and splits.nunique() > 1
