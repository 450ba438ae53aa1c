"""How a recipe's rows are taken from a labels CSV that holds several data sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from dashboard.errors import TrainingError


def kaggle_five(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the Kaggle five-class set: its val judges, and a fifth of its train chooses.

    Rows are unchanged where there is no column kaggle_split (train, val, or empty for other images). TrainingError if a
    class has fewer than five images of train.
    """
    if "kaggle_split" not in rows:
        return rows
    chosen = rows[rows["kaggle_split"] != ""].reset_index(drop=True)
    split = np.where(chosen["kaggle_split"] == "val", "test", "train").astype(object)
    learning = np.flatnonzero(split == "train")
    labels = chosen["label"].iloc[learning]
    if len(labels) == 0 or labels.value_counts().min() < 5:
        raise TrainingError("The Kaggle five-class set needs five images or more of each class in its train.")
    split[train_test_split(learning, test_size=0.2, random_state=0, stratify=labels)[1]] = "val"
    return chosen.assign(split=split)


def kaggle_five_across_sites(rows: pd.DataFrame) -> pd.DataFrame:
    """`kaggle_five`, and Barcelona's segmented neutrophils by their own split: one class that both sites have."""
    if "kaggle_split" not in rows:
        return rows
    also = rows[(rows["fine_label"] == "neutrophil_segmented") & (rows["kaggle_split"] == "")]
    return pd.concat([kaggle_five(rows), also.assign(label="seg_neutrophil")], ignore_index=True)


def blast_or_not(rows: pd.DataFrame, most: int = 300) -> pd.DataFrame:
    """Keep blasts and the cells they must be told from, at most `most` of each a site: the task that all sites share.

    Normal are the segmented neutrophils of Munich, the precursors of C-NMC, the benign fields of Taleghani and the
    lymphocytes of Barcelona, where there are no blasts.
    """
    blast = rows["label"].isin(["myeloblast", "ALL", "early_pre_b", "pre_b", "pro_b"])
    normal = rows["label"].isin(["seg_neutrophil", "HEM", "benign", "lymphocyte"])
    chosen = rows[blast | normal].assign(label=np.where(blast[blast | normal], "blast", "normal"))
    shuffled = chosen.sample(frac=1, random_state=0)
    return shuffled[shuffled.groupby(["site", "label"]).cumcount() < most].sort_index().reset_index(drop=True)


DATASETS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "": lambda rows: rows,
    "blast_or_not": blast_or_not,
    "kaggle_five": kaggle_five,
    "kaggle_five_across_sites": kaggle_five_across_sites,
}
