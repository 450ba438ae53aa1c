"""Make a bundle: a network, a card and what was measured → a folder of model_store, whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard import images
from dashboard.bundles import Bundle, Card, check_id, read_bundle, write_card
from dashboard.errors import BundleError, StorageError
from dashboard.model_card import model_card
from dashboard.out_of_distribution import FeatureStatistics

if TYPE_CHECKING:
    import keras


def create_bundle(
    store: Path,
    model: keras.Model,
    card: Card,
    golden: np.ndarray,
    *,
    statistics: FeatureStatistics | None = None,
    evaluation: pd.DataFrame | None = None,
    training_images: list[str] | None = None,
) -> Bundle:
    """Write a new bundle and verify it by loading it.

    Parameters
    ----------
    store : path
        The folder that will hold the bundle's folder, named by the card's id.
    model : keras.Model
        Any classifier that `model_graph.logit_graph` takes.
    golden : numpy.ndarray
        uint8, shape (H, W, 3): an image that may be distributed; its logits are recorded and checked at every load.
    evaluation : pandas.DataFrame, optional
        Columns image_id, label, split, site, path and logit_<class>, of images the model was not trained on.
    training_images : list of str, optional
        Image ids that it was trained on, so that nobody calibrates or judges it by them.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleError
        The id is taken or unsafe, or the network does not fit the card.
    StorageError
        The disk refused; nothing is left behind.
    """
    from dashboard.classifier import Classifier, golden_logits, load_classifier

    folder = store / check_id(card.id)
    if folder.exists():
        raise BundleError(f"There is already a bundle {card.id} in {store}; choose another id or remove it.")
    expected = golden_logits(Classifier(model, card), golden)
    try:
        store.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".packing-", dir=store))
    except OSError as error:
        raise StorageError(f"The model store cannot be written: {error.strerror or error}.") from error
    try:
        model.save(building / "model.keras")
        (building / "golden").mkdir()
        (building / "golden" / "image.png").write_bytes(images.encode_png(golden))
        (building / "golden" / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
        (building / "MODEL_CARD.md").write_text(model_card(card), "utf-8")
        if statistics is not None:
            statistics.save(building / "out_of_distribution.npz")
        if evaluation is not None:
            evaluation.to_csv(building / "evaluation.csv", index=False, float_format="%.4f", lineterminator="\n")
        if training_images is not None:
            (building / "training_images.txt").write_text("\n".join(sorted(training_images)) + "\n")
        write_card(building, card)
        load_classifier(read_bundle(building))
        building.chmod(0o755)
        building.rename(folder)
    except OSError as error:
        raise StorageError(f"The bundle {card.id} could not be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return read_bundle(folder)
