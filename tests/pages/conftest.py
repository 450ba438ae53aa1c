"""Fixtures for the pages that show cells."""

import pytest

from dashboard import bundles, images
from dashboard.ui import cached, decision
from tests.small_bundle import pictures


@pytest.fixture
def loaded(small_store, records, monkeypatch) -> str:
    """Id of a model that is loaded already; an empty records folder; decisions may follow at once."""
    monkeypatch.setattr(bundles, "MODEL_STORE", small_store)
    monkeypatch.setattr(decision, "SHORTEST_LOOK_SECONDS", 0.0)
    cached.classifier("small")
    return "small"


@pytest.fixture(scope="session")
def png_files() -> list[tuple[str, bytes, str]]:
    """Six different cells, as an uploader takes them."""
    return [(f"cell_{n}.png", images.encode_png(pixels), "image/png") for n, pixels in enumerate(pictures(6, seed=4))]


@pytest.fixture
def unwritable_log(records) -> None:
    """A log that can be read and not written: a folder stands where its lock belongs, which stops root as well."""
    (records / "audit_log.csv.lock").mkdir(parents=True)
