"""A fitted network → a bundle: calibrated on val, judged on test, its features' statistics taken on train."""

from __future__ import annotations

import dataclasses
import datetime
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from dashboard import calibration, quality
from dashboard.bundles import Bundle, Calibration, Card, OutOfDistributionRule, PredictionSetRule
from dashboard.classifier import Classifier
from dashboard.errors import TrainingError
from dashboard.evaluation import card_summary
from dashboard.model_graph import open_keras
from dashboard.out_of_distribution import fit_statistics
from dashboard.packing import create_bundle
from dashboard.synthesis import golden_image
from dashboard.training.batches import read_image
from dashboard.training.fitting import FINAL, RUN
from dashboard.training.networks import origin
from dashboard.training.protocols import Fold
from dashboard.training.recipes import Recipe

SET_LEVEL = 0.9
FLAG_QUANTILE = 0.96


def release(
    recipe: Recipe, rows: pd.DataFrame, out: Path, *, initial_weights: str | None, epochs: int, seed: int
) -> Bundle:
    """Turn `out / fitted.keras` into the bundle `out / <recipe name>`; an earlier one there is replaced.

    Parameters
    ----------
    rows : pandas.DataFrame
        The labels that `fitting.fit` was given: columns path, file, label, split, site.

    Raises
    ------
    TrainingError
        There is no val to calibrate on, no test to judge by, or no finished fit.
    CalibrationError
        The validation images do not allow a calibration.
    """
    if not (out / FINAL).is_file():
        raise TrainingError(f"{out} holds no finished fit; train first.")
    rows = rows[rows["split"].isin(["train", "val", "test"])].reset_index(drop=True)
    missing = sorted({"val", "test"} - set(rows["split"]))
    if missing:
        raise TrainingError(
            f"A bundle is calibrated on rows of split val and judged on those of test; there are none of {missing[0]}."
        )
    model = open_keras(out / FINAL)
    classifier = Classifier(model, _card(recipe, initial_weights, epochs, seed))
    identifiers, prepared, measures = _read(list(rows["file"]), classifier)
    labels = rows["label"].map(classifier.card.class_names.index).to_numpy()
    train, val = (rows["split"] == "train").to_numpy(), (rows["split"] == "val").to_numpy()
    statistics = fit_statistics(
        classifier.features(prepared[train], recipe.feature_layers), labels[train], recipe.feature_layers
    )
    held = rows[~train].reset_index(drop=True)
    scores = statistics.scores(classifier.features(prepared[~train], recipe.feature_layers))
    card = _with_flag(classifier.card, scores, val[~train])
    logits, _ = Classifier(model, card, statistics).outputs(prepared[~train])  # a flagged image gets its second look
    card = _calibrated(card, logits, labels[~train], val[~train])
    card = dataclasses.replace(
        card, quality=quality.reference([m for m, chosen in zip(measures, train, strict=True) if chosen])
    )
    evaluation = pd.DataFrame({"image_id": np.array(identifiers)[~train], **held[["label", "split", "site"]]})
    evaluation[[f"logit_{name}" for name in card.class_names]] = logits
    evaluation["path"] = held["path"]
    card = dataclasses.replace(card, evaluation=card_summary(evaluation, card))
    shutil.rmtree(out / recipe.name, ignore_errors=True)
    return create_bundle(
        out,
        model,
        card,
        golden_image(),
        statistics=statistics,
        evaluation=evaluation,
        training_images=sorted(np.array(identifiers)[train | val]),
    )


def held_out_in_halves(rows: pd.DataFrame, fold: Fold, seed: int) -> pd.DataFrame:
    """Divide a fold whose subjects or sites are new: all that was learned from → train; of the rest, half → val.

    Its own val is of the same subjects as train: a temperature fitted on it would be too sure about new ones.
    """
    split = np.full(len(rows), "train", object)
    labels = rows["label"].iloc[fold.test]
    stratify = labels if labels.value_counts().min() > 1 else None
    val, test = train_test_split(fold.test, test_size=0.5, random_state=seed, stratify=stratify)
    split[val], split[test] = "val", "test"
    return rows.assign(split=split)


def _read(files: list[str], classifier: Classifier) -> tuple[list[str], np.ndarray, list[quality.QualityMeasures]]:
    def one(file: str) -> tuple[str, np.ndarray, quality.QualityMeasures]:
        image = read_image(file)
        return image.image_id, classifier.prepare(image.pixels), quality.measure(image.pixels)

    with ThreadPoolExecutor() as pool:
        identifiers, prepared, measures = zip(*pool.map(one, files), strict=True)
    return list(identifiers), np.stack(prepared), list(measures)


def _card(recipe: Recipe, initial_weights: str | None, epochs: int, seed: int) -> Card:
    return Card(
        id=recipe.name,
        title=recipe.title,
        backbone=recipe.backbone,
        classes=recipe.classes,
        input=recipe.input,
        unidentified_below=recipe.unidentified_below,
        second_look=recipe.second_look,
        training={
            "recipe": recipe.name,
            "source": recipe.source,
            "data": recipe.data,
            "licence": recipe.data_licence,
            "initial_weights": _origin(initial_weights),
            "seed": seed,
            "epochs": epochs,
            "date": _today(),
        },
        intended_use=recipe.intended_use,
        known_limits=recipe.known_limits,
    )


def _origin(initial_weights: str | None) -> str:
    run = Path(initial_weights or "").parent / RUN
    earlier = json.loads(run.read_text()) if Path(initial_weights or "").name == FINAL and run.is_file() else None
    return origin(initial_weights, earlier)


def _with_flag(card: Card, scores: np.ndarray, val: np.ndarray) -> Card:
    threshold = float(np.quantile(scores[val], FLAG_QUANTILE))
    false_flags = float((scores[~val] > threshold).mean())
    rule = OutOfDistributionRule("Mahalanobis distance of features", threshold, false_flags)
    return dataclasses.replace(card, out_of_distribution=rule)


def _calibrated(card: Card, logits: np.ndarray, labels: np.ndarray, val: np.ndarray) -> Card:
    right = bool((logits[val].argmax(axis=1) == labels[val]).all())
    temperature = calibration.fit_temperature(logits[val], labels[val], one_wrong=right)
    probabilities = calibration.softmax(logits[val], temperature)
    return dataclasses.replace(
        card,
        calibration=Calibration(temperature, "split val", int(val.sum()), _today()),
        prediction_set=PredictionSetRule(
            SET_LEVEL, calibration.conformal_threshold(probabilities, labels[val], SET_LEVEL)
        ),
    )


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
