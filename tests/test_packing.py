"""A bundle is written whole, or nothing that is listed stays."""

import dataclasses
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest

from dashboard.bundles import Calibration, ClassInfo, list_bundles, read_bundle
from dashboard.classifier import bare_classifier, load_classifier
from dashboard.errors import BundleError, StorageError
from dashboard.packing import create_bundle
from tests.conftest import PROJECT
from tests.small_bundle import CARD, network, pictures

GOLDEN = pictures(1, seed=9)[0]


def everything_in(store: Path) -> list[str]:
    return sorted(path.name for path in store.iterdir())


def test_a_written_bundle_loads_and_gives_identical_logits(tmp_path):
    model = network()
    bundle = create_bundle(tmp_path / "store", model, CARD, GOLDEN, training_images=["b", "a"])
    before, after = bare_classifier(model, CARD), load_classifier(bundle)
    batch = np.stack([before.prepare(pixels) for pixels in pictures(8, seed=5)])
    np.testing.assert_array_equal(after.logits(batch), before.logits(batch))
    assert everything_in(tmp_path / "store") == ["small"]
    assert (bundle.folder / "training_images.txt").read_text() == "a\nb\n"
    assert dataclasses.replace(bundle.card, sha256={}) == CARD


def test_the_bundle_holds_what_it_was_given(small_bundle):
    names = {path.relative_to(small_bundle.folder).as_posix() for path in small_bundle.folder.rglob("*.*")}
    assert names == {*small_bundle.card.sha256, "card.json"}
    assert {"evaluation.csv", "out_of_distribution.npz", "MODEL_CARD.md"} <= names
    assert (small_bundle.folder.stat().st_mode & 0o777) == 0o755


def test_a_softmax_model_is_packed_as_it_is_and_read_as_logits(tmp_path):
    model = network()
    softened = keras.Model(model.inputs[0], keras.layers.Softmax()(model.outputs[0]))
    bundle = create_bundle(tmp_path, softened, CARD, GOLDEN)
    batch = np.stack([bare_classifier(model, CARD).prepare(GOLDEN)])
    np.testing.assert_allclose(load_classifier(bundle).logits(batch), bare_classifier(model, CARD).logits(batch))


def test_an_id_that_is_taken_is_refused_and_the_bundle_stays(small_store):
    before = read_bundle(small_store / "small")
    with pytest.raises(BundleError, match="already a bundle small"):
        create_bundle(small_store, network(), CARD, GOLDEN)
    assert read_bundle(small_store / "small") == before


@pytest.mark.parametrize("identifier", ["../out", "/tmp/x", "", ".hidden", "A"])
def test_an_unsafe_id_is_refused_before_anything_is_written(tmp_path, identifier):
    with pytest.raises(BundleError, match="lower-case letters"):
        create_bundle(tmp_path / "store", network(), dataclasses.replace(CARD, id=identifier), GOLDEN)
    assert not (tmp_path / "store").exists()


def damaged() -> keras.Model:
    model = network()
    model.layers[-1].set_weights([np.full_like(weights, np.nan) for weights in model.layers[-1].get_weights()])
    return model


@pytest.mark.parametrize(
    ("make", "card", "message"),
    [
        (network, dataclasses.replace(CARD, classes=CARD.classes[:3]), "names 3 classes; the model gives 8"),
        (damaged, CARD, "finite logits"),
        (network, dataclasses.replace(CARD, calibration=Calibration(-1.0, "x", 1, "x")), "temperature"),
        (network, dataclasses.replace(CARD, unidentified_below=5.0), "unidentified_below"),
        (network, dataclasses.replace(CARD, classes=(ClassInfo("a", "A"),) * 8), "each once"),
    ],
    ids=["outputs", "NaN", "temperature", "limit", "classes"],
)
def test_a_bundle_that_would_not_load_is_never_written(tmp_path, make, card, message):
    with pytest.raises(BundleError, match=message):
        create_bundle(tmp_path, make(), card, GOLDEN)
    assert everything_in(tmp_path) == []


def test_a_store_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "store").write_text("a file in its place")
    with pytest.raises(StorageError, match="model store cannot be written"):
        create_bundle(tmp_path / "store", network(), CARD, GOLDEN)


@pytest.mark.parametrize("limit", [1000, 8000, 20_000])
def test_a_full_disk_is_said_and_nothing_stays(tmp_path, limit):
    model = network()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(StorageError, match=r"could not be (written|saved)"):
            create_bundle(tmp_path, model, CARD, GOLDEN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert everything_in(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("step", ["model_card", "write_card", "read_bundle"])
def test_killed_half_way_it_leaves_no_bundle_that_is_listed(tmp_path, step):
    script = f"""
        import os, signal
        from dashboard import packing
        from tests.small_bundle import CARD, network, pictures
        packing.{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        packing.create_bundle(__import__("pathlib").Path({str(tmp_path)!r}), network(), CARD, pictures(1)[0])
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=PROJECT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [name[:9] for name in everything_in(tmp_path)] == [".packing-"]
    assert list_bundles(tmp_path) == []
    assert create_bundle(tmp_path, network(), CARD, GOLDEN).card.id == "small"
