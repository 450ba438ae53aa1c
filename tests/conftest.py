"""Fixtures that many tests share."""

import os
from pathlib import Path

import pytest

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
