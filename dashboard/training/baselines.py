"""Deep Leuko's rivals: SVM, random forest and decision tree on the measured features of each cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from dashboard.errors import TrainingError
from dashboard.evaluation import logit_columns
from dashboard.morphology.features import COLUMNS
from dashboard.training.protocols import PROTOCOLS, Fold, check_separate, folds

MODELS: dict[str, Callable[[int], object]] = {
    "svm": lambda seed: SVC(C=10.0, break_ties=True, random_state=seed),
    "random-forest": lambda seed: RandomForestClassifier(300, random_state=seed),
    "decision-tree": lambda seed: DecisionTreeClassifier(min_samples_leaf=5, random_state=seed),
}
BALANCES = ("none", "smote", "undersample")
LEAKY = "leaky"
LEAKY_NOTE = "SMOTE on all cells, divided at random after: cells made of test cells are in training, and are judged too"


def pipeline(model: str, balance: str = "none", seed: int = 0) -> Pipeline:
    """Build a classifier that fills gaps, standardises and balances within whatever it is fitted on.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    balance : str
        One of `BALANCES`; balancing never touches what is predicted.
    seed : int
        Of the model and the balancing.

    Returns
    -------
    imblearn.pipeline.Pipeline

    Raises
    ------
    TrainingError
        Unknown model or balance.

    Notes
    -----
    Source: Jeevitha et al. 2025, Deep Leuko; Chawla et al. 2002, SMOTE, doi 10.1613/jair.953.
    """
    if model not in MODELS:
        raise TrainingError(f"There is no baseline {model!r}; there are: {', '.join(MODELS)}.")
    if balance not in BALANCES:
        raise TrainingError(f"There is no balance {balance!r}; there are: {', '.join(BALANCES)}.")
    steps: list[tuple[str, object]] = _preparation()
    if balance == "smote":
        steps.append(("balance", SMOTE(random_state=seed)))
    if balance == "undersample":
        steps.append(("balance", RandomUnderSampler(random_state=seed)))
    return Pipeline([*steps, ("model", MODELS[model](seed))])


def predictions(
    table: pd.DataFrame,
    model: str,
    protocol: str,
    balance: str = "none",
    *,
    k: int = 5,
    repeats: int = 1,
    seed: int = 0,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Fit a baseline on every fold of a protocol and judge it on what the fold left out.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns path, label, split, site, subject and the features, as `morphology.table.read_features` gives them.
    model, balance : str
        As `pipeline`.
    protocol : str
        One of `protocols.PROTOCOLS`, or `LEAKY`, which is "holdout" on cells that SMOTE multiplied before.
    k, repeats, seed : int
        As `protocols.folds`; the seed is also the models'.

    Returns
    -------
    tuple of pandas.DataFrame and dict
        One row a judged cell: fold, label, noise (0) and a logit of each class in alphabetical order; and how many
        cells each fold was fitted on, before balancing. Val is left out of both: nothing is chosen on it.

    Raises
    ------
    TrainingError
        As `protocols.folds` and `pipeline`; the leaky protocol with another balance than SMOTE; a class with too few
        cells to make more of.
    """
    if protocol == LEAKY:
        if balance != "smote":
            raise TrainingError(
                f"Protocol leaky is SMOTE before the split; got balance {balance}. Use --balance smote."
            )
        table, protocol, balance = _multiplied(table, seed), "holdout", "none"
    elif protocol == "split":
        check_separate(table)
    classes = sorted(set(table["label"]))
    judged, fitted_on = [], {}
    for fold in folds(table, protocol, k=k, repeats=repeats, seed=seed):
        judged.append(_judged(table, fold, pipeline(model, balance, seed), classes))
        fitted_on[fold.name] = len(fold.train)
    return pd.concat(judged, ignore_index=True), fitted_on


def description(protocol: str) -> str:
    """Say in words how a protocol divides the cells."""
    return LEAKY_NOTE if protocol == LEAKY else PROTOCOLS[protocol]


def _preparation() -> list[tuple[str, object]]:
    # A cell without cytoplasm has no colour of it: the median of the others says nothing about it.
    return [("fill", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]


def _multiplied(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    if table["label"].nunique() < 2 or table["label"].value_counts().min() <= 5:
        raise TrainingError("SMOTE needs two classes or more with at least 6 cells each; give more images.")
    values = Pipeline(_preparation()).fit_transform(table[list(COLUMNS)].to_numpy())
    made, labels = SMOTE(random_state=seed).fit_resample(values, table["label"].to_numpy())
    rows = pd.DataFrame(made, columns=list(COLUMNS)).assign(label=labels, split="", site="", subject="")
    return rows.assign(path=[str(number) for number in range(len(rows))])


def _judged(table: pd.DataFrame, fold: Fold, model: Pipeline, classes: list[str]) -> pd.DataFrame:
    values, labels = table[list(COLUMNS)].to_numpy(), table["label"].to_numpy(object)
    try:
        model.fit(values[fold.train], labels[fold.train])
    except ValueError as error:
        raise TrainingError(f"Fold {fold.name} cannot be fitted: {error}") from error
    known = [classes.index(name) for name in model.classes_]
    logits = np.full((len(fold.test), len(classes)), -50.0)  # a class that no training cell has
    logits[:, known] = _logits(model, values[fold.test])
    judged = pd.DataFrame(logits, columns=logit_columns(classes))
    return judged.assign(fold=fold.name, label=labels[fold.test], noise=0.0)


def _logits(model: Pipeline, values: np.ndarray) -> np.ndarray:
    if hasattr(model, "decision_function"):
        scores = model.decision_function(values)
        return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores
    return np.log(np.maximum(model.predict_proba(values), 1e-9))
