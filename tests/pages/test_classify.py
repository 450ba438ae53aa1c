"""The Classify page: from a file to a decision on record."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import bundles
from dashboard.audit_log import AuditLog, current_decisions
from dashboard.records import PROJECT, audit_log_file

PAGE = str(PROJECT / "pages" / "classify.py")
pytestmark = pytest.mark.slow


def opened(*files, reviewer="AB") -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    app.session_state["reviewer"] = reviewer
    app.run()
    if files:
        app.file_uploader[0].set_value(list(files)).run()
    assert not app.exception
    return app


def button(app: AppTest, name: str):
    return next(item for item in app.button if item.key.startswith(f"{name}_"))


def press(app: AppTest, name: str) -> AppTest:
    button(app, name).click()
    app.run()
    assert not app.exception
    return app


def logged() -> pd.DataFrame:
    return AuditLog(audit_log_file()).read()


def test_it_opens_and_says_what_to_do(loaded):
    assert "Choose one or more images" in opened().info[-1].value


def test_without_a_model_it_says_so(records, tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "MODEL_STORE", tmp_path)
    assert "No model can be used" in opened().error[0].value


def test_a_file_gets_a_pre_classification_with_bars_and_a_set(loaded, png_files):
    app = opened(png_files[0])
    assert app.subheader[0].value
    assert len(app.get("plotly_chart")) == 2
    assert any("90 % prediction set" in caption.value for caption in app.caption)


def test_a_bad_file_gets_one_sentence_and_the_others_go_on(loaded, png_files):
    app = opened(("notes.jpg", b"no image", "image/jpeg"), png_files[0])
    assert [error.value.startswith("notes.jpg") for error in app.error] == [True]
    assert app.subheader[0].value


def test_without_a_reviewer_nothing_can_be_decided(loaded, png_files):
    app = opened(png_files[0], reviewer="")
    assert "reviewer id" in app.warning[0].value
    assert button(app, "not_classed").disabled
    assert button(app, "class_1").disabled


def test_a_decision_is_on_record_before_the_page_says_saved(loaded, png_files):
    app = opened(png_files[0])
    app.text_input[0].set_value("=vacuoles")
    press(app, "class_3")
    (row,) = logged().to_dict("records")
    assert (row["reviewer"], row["label"], row["note"], row["case_id"]) == ("AB", "erythroblast", "=vacuoles", "")
    assert row["file_name"] == "cell_0.png"
    assert row["model_sha256"] == bundles.read_bundle(bundles.MODEL_STORE / "small").model_sha256
    assert row["explanations_shown"].startswith("grad-cam:")
    assert any("Saved: cell\\_0.png" in text.value for text in app.markdown)


def test_a_second_decision_supersedes_the_first(loaded, png_files):
    app = press(press(opened(png_files[0]), "class_3"), "not_classed")
    first, second = logged().to_dict("records")
    assert (second["supersedes"], second["previous_label"]) == (first["event_id"], "erythroblast")
    assert any("On record: not classed" in text.value for text in app.text)


def test_undo_takes_the_decision_back(loaded, png_files):
    app = press(press(opened(png_files[0]), "class_3"), "undo")
    assert list(logged()["action"]) == ["override", "undo"]
    assert current_decisions(logged()).empty
    assert button(app, "undo").disabled


def test_after_a_decision_the_next_undecided_image_comes_and_undo_goes_back(loaded, png_files):
    app = opened(*png_files[:3])
    ids = app.selectbox(key="classify_current").options
    press(app, "class_1")
    assert "1 of 3 decided" in app.selectbox(key="classify_current").label
    assert app.selectbox(key="classify_current").index == 1
    press(app, "skip")
    assert app.selectbox(key="classify_current").index == 2
    press(app, "undo")
    assert app.selectbox(key="classify_current").index == 0
    assert len(ids) == 3


def test_a_disk_that_refuses_is_said_and_nothing_is_claimed_saved(loaded, png_files, unwritable_log):
    app = press(opened(png_files[0]), "class_3")
    assert any("not saved" in error.value for error in app.error)
    assert not any("Saved" in text.value for text in app.markdown)


def test_a_cell_that_only_just_appeared_is_not_decided(loaded, png_files, monkeypatch):
    monkeypatch.setattr("dashboard.ui.decision.SHORTEST_LOOK_SECONDS", 60.0)
    app = press(opened(png_files[0]), "class_3")
    assert any("only just appeared" in error.value for error in app.error)
    assert logged().empty


def test_a_slow_explanation_is_computed_only_on_request(loaded, png_files):
    app = opened(png_files[0])
    app.segmented_control(key="explanation_method").set_value("smoothgrad").run()
    captions = len(app.caption)
    press(app, "compute")
    assert len(app.caption) > captions
    again = app.run()
    assert not [item for item in again.button if item.key.startswith("compute_")]


def test_two_classes_can_stand_side_by_side(loaded, png_files):
    app = opened(png_files[0])
    rival = next(box for box in app.selectbox if box.label == "Beside it")
    rival.set_value("platelet" if "Platelet" in rival.options else "basophil").run()
    assert not app.exception
    assert any(" or " in caption.value for caption in app.caption)


def test_the_same_picture_under_two_names_is_shown_once(loaded, png_files):
    app = opened(png_files[0], ("copy.png", png_files[0][1], "image/png"))
    assert not [box for box in app.selectbox if box.key == "classify_current"]


def test_a_sample_says_beside_it_that_it_is_synthetic(loaded):
    app = opened()
    samples = app.multiselect(key="samples")
    samples.set_value(samples.options[:1]).run()
    assert not app.exception
    assert any("Synthetic sample" in caption.value for caption in app.caption)
