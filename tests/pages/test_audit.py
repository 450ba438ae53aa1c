"""The Audit page: every row, the check, the downloads."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.audit_log import AuditLog, Event
from dashboard.records import PROJECT, audit_log_file

PAGE = str(PROJECT / "pages" / "audit.py")


def append(reviewer="AB", action="confirm", label="monocyte", **fields):
    event = Event(reviewer=reviewer, action=action, label=label, image_id="a" * 64, predicted="monocyte", **fields)
    return AuditLog(audit_log_file()).append(event)


@pytest.fixture
def filled(records):
    append()
    append("CD", "override", "lymphocyte", note="=1+1", file_name="x.png")
    append("CD", "not_classed", "", case_id="20260131-0123456789abcdef")


def opened() -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not app.exception
    return app


def rows(app: AppTest) -> int:
    return len(app.dataframe[0].value)


def test_an_empty_log_says_so(records):
    assert "empty" in opened().info[0].value


def test_all_rows_are_shown_latest_first(filled):
    table = opened().dataframe[0].value
    assert list(table["action"]) == ["not_classed", "override", "confirm"]


@pytest.mark.parametrize(
    ("filter_key", "value", "left"),
    [("Reviewer", "CD", 2), ("Action", "confirm", 1), ("Class", "lymphocyte", 1), ("Case", "", 2)],
)
def test_filters_narrow_the_rows(filled, filter_key, value, left):
    app = opened()
    app.multiselect(key=f"audit_{filter_key}").set_value([value]).run()
    assert rows(app) == left


def test_text_is_looked_for_in_notes_and_file_names(filled):
    app = opened()
    app.text_input(key="audit_text").set_value("X.PNG").run()
    assert rows(app) == 1
    app.text_input(key="audit_text").set_value("nowhere").run()
    assert rows(app) == 0
    assert not app.exception


def test_a_sound_log_is_verified(filled):
    app = opened()
    app.button[0].click().run()
    assert app.success[0].value == "All 3 rows are whole, in order and unchanged."


def test_a_changed_byte_is_found_and_the_page_goes_on(filled):
    file = audit_log_file()
    file.write_bytes(file.read_bytes().replace(b"x.png", b"y.png"))
    app = opened()
    app.button[0].click().run()
    assert "not whole" in app.error[0].value
    assert rows(app) == 3


def test_a_foreign_file_gets_a_sentence(records):
    records.mkdir()
    audit_log_file().write_text("name,age\nA,1\n")
    assert opened().error


def test_both_downloads_are_offered(filled):
    labels = [item.proto.label for item in opened().get("download_button")]
    assert labels == ["Rows shown, for a spreadsheet", "The exact log"]
