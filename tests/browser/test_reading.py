"""A reader's work in a real browser, from the image to the row on record."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.audit_log import AuditLog
from tests.browser import steps

pytestmark = pytest.mark.browser


def logged(records: Path) -> list[dict[str, str]]:
    file = records / "audit_log.csv"
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_every_page_opens_without_an_error(page: Page):
    for name in steps.PAGES:
        steps.go_to(page, name)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_text("not a medical device").first).to_be_visible()


def test_nothing_is_asked_of_another_host(page: Page, app: str):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    for name in steps.PAGES:
        steps.go_to(page, name)
    foreign = [url for url in asked if not url.startswith((app, app.replace("http", "ws"), "data:", "blob:"))]
    assert not foreign


def test_an_upload_becomes_a_prediction_an_overlay_an_override_and_a_row_in_the_log(
    page: Page, records_folder: Path, tmp_path: Path
):
    before = len(logged(records_folder))
    steps.sign_in(page, "dr_okafor")
    steps.upload(page, steps.cells(tmp_path, 1))
    steps.wait_for_model(page)
    expect(page.get_by_text("Pre-classification").first).to_be_visible()
    expect(page.get_by_text("Evidence for").first).to_be_visible()
    steps.settle(page)
    page.wait_for_timeout(1000)  # a reader looks before deciding; the app refuses a key pressed at once
    steps.press(page, "2")
    expect(page.get_by_text("Saved").first).to_be_visible()
    rows = logged(records_folder)
    assert len(rows) == before + 1
    assert rows[-1]["reviewer"] == "dr_okafor"
    assert (rows[-1]["action"], rows[-1]["label"]) == ("override", "eosinophil")
    assert rows[-1]["explanations_shown"].startswith("grad-cam:")
    assert AuditLog(records_folder / "audit_log.csv").verify().problems == ()


def test_undo_by_key_is_a_row_of_its_own(page: Page, records_folder: Path, tmp_path: Path):
    steps.sign_in(page, "dr_lindqvist")
    steps.upload(page, steps.cells(tmp_path, 2)[1:])
    steps.wait_for_model(page)
    expect(page.get_by_text("Evidence for").first).to_be_visible()
    page.wait_for_timeout(1000)
    steps.press(page, "3")
    expect(page.get_by_text("Saved").first).to_be_visible()
    steps.settle(page)
    page.wait_for_timeout(500)
    steps.press(page, "u")
    expect(page.get_by_text("undone").first).to_be_visible()
    last, undo = logged(records_folder)[-2:]
    assert (undo["action"], undo["supersedes"]) == ("undo", last["event_id"])


def test_enter_confirms_the_suggested_class(page: Page, records_folder: Path):
    steps.sign_in(page, "dr_ferreira")
    steps.upload(page, [steps.SAMPLES / "monocyte_1.png"])
    steps.wait_for_model(page)
    expect(page.get_by_text("Evidence for").first).to_be_visible()
    page.wait_for_timeout(1000)
    steps.press(page, "Enter")
    expect(page.get_by_text("Saved").first).to_be_visible()
    last = logged(records_folder)[-1]
    assert (last["action"], last["label"], last["predicted"]) == ("confirm", "monocyte", "monocyte")


def test_keys_do_nothing_while_a_note_is_typed(page: Page, records_folder: Path, tmp_path: Path):
    before = len(logged(records_folder))
    steps.sign_in(page, "dr_marchetti")
    steps.upload(page, steps.cells(tmp_path, 4)[3:])
    steps.wait_for_model(page)
    expect(page.get_by_text("Evidence for").first).to_be_visible()
    page.get_by_placeholder("Note").press_sequentially("2 nuclei, see slide 3")
    page.wait_for_timeout(500)
    assert len(logged(records_folder)) == before


def test_a_batch_of_fifty_shows_its_progress_and_survives_a_reload(page: Page, tmp_path: Path):
    steps.go_to(page, "Batch")
    spoilt = tmp_path / "spoilt.png"
    spoilt.write_bytes(b"no image")
    steps.upload(page, [*steps.cells(tmp_path / "cells", 50), spoilt])
    page.get_by_role("textbox", name="Title of the case").fill("Fifty cells")
    page.get_by_role("textbox", name="Title of the case").press("Enter")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_test_id("stProgress").first).to_be_visible()
    expect(page.get_by_text("of 51 files").first).to_be_visible()
    expect(page.get_by_role("tab", name="Gallery")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Fifty cells")).to_be_visible()
    page.get_by_role("tab", name="Rejected").click()
    expect(page.get_by_text("its content is none of these").first).to_be_attached()  # a table draws on a canvas
