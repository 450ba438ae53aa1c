"""The Batch page: opens, is empty, classifies, survives a reload, goes on after a crash, refuses with a sentence."""

import io
import time

import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard import bundles
from dashboard.batch import BatchJob
from dashboard.cases import create_case, list_cases, open_case
from dashboard.records import PROJECT
from tests.tiny_bundle import make_bundle, make_images

PAGE = str(PROJECT / "pages" / "batch.py")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tiny_store(tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    make_bundle(store / "tiny")
    return store


@pytest.fixture
def store(tiny_store, monkeypatch, records):
    monkeypatch.setattr(bundles, "MODEL_STORE", tiny_store)
    st.cache_resource.clear()
    return tiny_store


@pytest.fixture(scope="module")
def classifier(tiny_store):
    from dashboard.classifier import load_classifier

    return load_classifier(tiny_store / "tiny")


@pytest.fixture
def done_case(tmp_path, store, classifier):
    """Seven cells and one labels.csv, classified."""
    images = make_images(tmp_path / "images", 7)
    bundle = bundles.read_bundle(store / "tiny")
    case = create_case("Friday", "tiny", bundle.model_sha256, [images])
    assert BatchJob(case, lambda: classifier).start().wait(60)
    return open_case(case.id)


def opened(case_id=None, view=None):
    app = AppTest.from_file(PAGE, default_timeout=60)
    if case_id:
        app.query_params["case"] = case_id
    if view:
        app.session_state["batch_view"] = view
    app.run()
    assert not app.exception
    return app


def said(app):
    return " ".join(element.value for kind in (app.error, app.warning, app.info, app.markdown) for element in kind)


def test_it_opens_and_says_how_a_case_comes_to_be(store):
    app = opened()
    assert "There is no case yet" in said(app)
    assert app.button(key="batch_start").disabled


def test_without_a_model_it_says_so(tmp_path, monkeypatch, records):
    monkeypatch.setattr(bundles, "MODEL_STORE", tmp_path)
    assert "No model can be used" in said(opened())


def wait_until_done(case_id):
    for _ in range(300):
        if open_case(case_id).state != "running":
            return open_case(case_id)
        time.sleep(0.1)
    raise AssertionError("The batch did not end in 30 s.")


def test_a_server_folder_becomes_a_case_that_the_address_names(store, tmp_path):
    images = make_images(tmp_path / "images", 7)
    app = opened()
    app.segmented_control(key="batch_origin").set_value("Folder on the server").run()
    app.text_input(key="batch_path").set_value(str(images)).run()
    app.text_input(key="batch_title").set_value("Friday").run()
    app.button(key="batch_start").click().run()
    (status,) = list_cases()
    assert app.query_params["case"] == status.id
    case = wait_until_done(status.id)
    assert (case.title, case.state, case.done, case.rejected) == ("Friday", "done", 8, 1)
    again = opened(case.id)
    assert "**7** cells" in said(again)


def test_uploads_become_a_case(store, tmp_path):
    images = make_images(tmp_path / "images", 3)
    app = opened()
    for path in sorted(images.glob("*.png")):
        app.file_uploader(key="batch_files").upload(path.name, path.read_bytes(), "image/png")
    app.run()
    app.button(key="batch_start").click().run()
    assert not app.exception
    (status,) = list_cases()
    assert wait_until_done(status.id).done == 3


def test_a_folder_that_is_not_there_is_one_sentence_and_no_case(store):
    app = opened()
    app.segmented_control(key="batch_origin").set_value("Folder on the server").run()
    app.text_input(key="batch_path").set_value("/nowhere/at/all").run()
    app.button(key="batch_start").click().run()
    assert "check the path" in said(app)
    assert list_cases() == []


def test_a_case_is_in_the_list_and_opens(done_case):
    app = opened()
    app.button(key=f"batch_open_{done_case.id}").click().run()
    assert app.query_params["case"] == done_case.id
    assert "**7** cells" in said(app)
    assert "rejected files: **1**" in said(app)


def test_the_gallery_shows_one_class_at_a_time(done_case):
    app = opened(done_case.id)
    table = done_case.results()
    count = table.loc[table["status"] == "ok", "predicted"].value_counts().iloc[0]
    assert len(app.get("image")) == count


def test_the_table_can_be_filtered(done_case):
    app = opened(done_case.id, "Table")
    assert len(app.dataframe[0].value) == 7
    app.multiselect(key="batch_status").set_value(["critical"]).run()
    blue = (done_case.results()["predicted"] == "blue").sum()
    assert len(app.dataframe[0].value) == blue > 0
    assert app.dataframe[0].value["cell"].str.startswith("data:image/jpeg;base64,").all()


def test_the_differential_says_when_there_are_too_few_leukocytes(done_case):
    app = opened(done_case.id, "Differential")
    assert any("not a differential" in caption.value for caption in app.caption)


def test_every_rejected_file_is_listed_with_its_reason(done_case):
    table = opened(done_case.id, "Rejected files").dataframe[0].value
    assert list(table["file_name"]) == ["labels.csv"]
    assert table["reason"].iloc[0].startswith("Not an image file")


def test_an_interrupted_case_says_so_and_goes_on(done_case):
    file = done_case.folder / "results.csv"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:4]))
    done_case.update(state="running", done=3, rejected=0)
    app = opened(done_case.id)
    assert "interrupted: 3 of 8 files are done" in said(app)
    app.button(key="batch_resume").click().run()
    assert wait_until_done(done_case.id).done == 8
    assert len(open_case(done_case.id).results()) == 8


def test_a_case_of_another_model_file_does_not_go_on(done_case):
    done_case.update(state="cancelled", model_sha256="0" * 64, done=3)
    app = opened(done_case.id)
    app.button(key="batch_resume").click().run()
    assert "another file of tiny" in said(app)


@pytest.mark.parametrize("case_id", ["../../etc", "20260101-0123456789abcdef"])
def test_a_case_that_is_not_there_is_one_sentence(store, case_id):
    app = opened(case_id)
    assert len(app.error) == 1
    app.button(key="batch_back").click().run()
    assert "There is no case yet" in said(app)


def test_a_deleted_case_can_be_brought_back(done_case):
    app = opened(done_case.id)
    app.button(key="batch_delete").click().run()
    assert list_cases() == []
    app.button(key="batch_undo").click().run()
    assert "**7** cells" in said(app)


def test_two_thousand_cells_are_shown_page_by_page(done_case):
    one = done_case.results().query("status == 'ok'").iloc[:1]
    many = pd.concat([one] * 2000, ignore_index=True)
    many["image_id"] = [f"{number:064x}" for number in range(2000)]
    done_case.append(many)
    buffer = io.BytesIO()
    Image.new("RGB", (96, 96)).save(buffer, "JPEG")
    for number in range(2000):
        (done_case.folder / "thumbnails" / f"{number:064x}.jpg").write_bytes(buffer.getvalue())
    app = opened(done_case.id, "Table")
    assert len(app.dataframe[0].value) == 100
    assert len(opened(done_case.id).get("image")) == 48
