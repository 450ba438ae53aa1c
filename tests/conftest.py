"""Fixtures that many tests share."""

import os
from pathlib import Path

import pytest

from dashboard.bundles import Bundle, read_bundle

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real labelled images beside the checkout; a user's clone has none."""
    folder = PROJECT.parent / "shared" / "data"
    if not (folder / "labels.csv").is_file():
        pytest.skip("needs the real images in ../shared/data")
    return folder


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty records folder for one test."""
    folder = tmp_path / "records"
    monkeypatch.setenv("SECOND_READ_RECORDS", str(folder))
    return folder


@pytest.fixture(scope="session")
def small_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 drawn pictures, `00.png` to `47.png`; `labels.csv` comes with `small_store`."""
    from tests.small_bundle import make_small_images

    return make_small_images(tmp_path_factory.mktemp("small") / "images")


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory, small_images: Path) -> Path:
    """A model store with one real bundle, `small` (imports TensorFlow); a test that changes it copies it first."""
    from tests.small_bundle import make_small_bundle

    store = tmp_path_factory.mktemp("model_store")
    make_small_bundle(store, small_images)
    return store


@pytest.fixture(scope="session")
def small_bundle(small_store: Path) -> Bundle:
    """The bundle of `small_store`: eight classes, 64 px, calibrated, with statistics and an evaluation.csv."""
    return read_bundle(small_store / "small")
