"""The About page: what it is, what it is not, keys, models."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import bundles
from dashboard.records import PROJECT

PAGE = str(PROJECT / "pages" / "about.py")


def said() -> str:
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not app.exception
    return " ".join(element.value for kind in (app.markdown, app.text, app.info) for element in kind)


def test_it_says_what_it_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "MODEL_STORE", tmp_path)
    assert "It is not a medical device." in said()
    assert "holds no model yet" in said()


@pytest.mark.slow
def test_models_are_listed_with_what_was_verified_and_what_is_wrong(tmp_path, monkeypatch, small_store):
    shutil.copytree(small_store / "small", tmp_path / "good")
    shutil.copytree(small_store / "small", tmp_path / "bad")
    (tmp_path / "bad" / "model.keras").write_bytes(b"altered")
    monkeypatch.setattr(bundles, "MODEL_STORE", tmp_path)
    text = said()
    assert "every file as its card states" in text
    assert "cannot be used" in text
