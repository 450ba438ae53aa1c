"""Cases on disk: torn files, full disks, deleted and damaged ones."""

import errno
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard import cases
from dashboard.cases import create_case, delete_case, list_cases, open_case, rename_case, restore_case
from dashboard.errors import CaseError, StorageError
from dashboard.sources import open_paths

ID = "ab" * 32


def rows(*names, status="ok"):
    return pd.DataFrame(
        {
            "image_id": [ID] * len(names),
            "file_name": names,
            "status": status,
            "reason": "",
            "predicted": "red",
            "confidence": [0.1 + 0.2] * len(names),
            "prediction_set": "red|blue",
            "unidentified": True,
            "quality": "",
        }
    )


@pytest.fixture
def case(records):
    return create_case("Friday's smears", "tiny", "0" * 64, total=4)


def test_a_new_case_is_there_after_a_restart(case):
    found = open_case(case.id)
    assert found == case
    assert (found.state, found.done, found.total) == ("running", 0, 4)
    assert len(found.results()) == 0


def test_ids_cannot_be_guessed_from_one_another(records):
    ids = {create_case("", "tiny", "0").id for _ in range(20)}
    assert len(ids) == 20
    assert len({identifier[9:] for identifier in ids}) == 20


def test_results_come_back_exactly_as_they_were_appended(case):
    first, second = rows("007", "NA", "a, b\"c'"), rows("=1+1", "")
    case.append(first).append(second)
    table = open_case(case.id).results()
    assert list(table["file_name"]) == ["007", "NA", "a, b\"c'", "=1+1", ""]
    assert list(table["confidence"]) == [0.1 + 0.2] * 5
    assert table["unidentified"].dtype == bool
    assert table["unidentified"].all()


def test_the_counts_follow_the_results(case):
    case = case.append(rows("a", "b")).append(rows("c", status="rejected"))
    assert (open_case(case.id).done, open_case(case.id).rejected) == (3, 1)


def test_a_rejected_row_has_no_numbers_and_no_flags(case):
    rejected = rows("a", status="rejected").assign(confidence=np.nan, unidentified=False)
    table = case.append(rejected).results()
    assert np.isnan(table["confidence"][0])
    assert not table["unidentified"][0]


def test_a_torn_last_line_at_any_byte_loses_that_row_alone(case):
    case.append(rows("a"))
    file = case.folder / "results.csv"
    whole = file.read_bytes()
    case.append(rows("b"))
    both = file.read_bytes()
    for size in range(len(whole), len(both)):
        file.write_bytes(both[:size])
        assert list(case.results()["file_name"]) == ["a"]
    case.append(rows("c"))
    assert list(case.results()["file_name"]) == ["a", "c"]


def test_a_torn_header_is_no_result(case):
    (case.folder / "results.csv").write_bytes(b"image_id,file_n")
    assert len(case.results()) == 0
    assert list(case.append(rows("a")).results()["file_name"]) == ["a"]


def test_a_full_disk_leaves_the_results_as_they_were(case, monkeypatch):
    case = case.append(rows("a"))

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left on device"):
            case.append(rows("b"))
        with pytest.raises(StorageError, match="No space left"):
            create_case("new", "tiny", "0")
    assert list(open_case(case.id).results()["file_name"]) == ["a"]
    assert len(list_cases()) == 1


def test_an_unwritable_records_folder_is_one_sentence(records):
    records.parent.mkdir(exist_ok=True)
    records.write_bytes(b"a file where a folder should be")
    with pytest.raises(StorageError, match="could not be saved"):
        create_case("new", "tiny", "0")


def test_images_keep_their_original_bytes_once(case):
    case.keep_image(ID, "Cell.JPG", b"original", b"small")
    case.keep_image(ID, "again.jpg", b"other", b"other")
    assert case.image(ID) == b"original"
    assert case.thumbnail(ID) == b"small"
    assert [path.name for path in (case.folder / "images").iterdir()] == [f"{ID}.jpg"]


def test_a_full_disk_leaves_no_half_image(case, monkeypatch):
    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match="No space left"):
        case.keep_image(ID, "a.png", b"bytes", b"small")
    assert not list((case.folder / "images").iterdir())


@pytest.mark.parametrize("image_id", ["../case", "*", "AB" * 32, "", ID + "/", "ab"])
def test_an_image_id_cannot_be_a_path(case, image_id):
    with pytest.raises(CaseError, match="64 hexadecimal digits"):
        case.image(image_id)
    with pytest.raises(CaseError, match="64 hexadecimal digits"):
        case.keep_image(image_id, "a.png", b"", b"")


def test_a_missing_image_is_one_sentence(case):
    with pytest.raises(CaseError, match="missing"):
        case.image(ID)
    with pytest.raises(CaseError, match="missing"):
        case.thumbnail(ID)


@pytest.mark.parametrize("case_id", ["", "..", "../audit_log.csv", "20260101-0123456789abcdef/..", ".trash", "x" * 500])
def test_a_case_id_cannot_be_a_path(records, case_id):
    with pytest.raises(CaseError, match="looks like"):
        open_case(case_id)
    with pytest.raises(CaseError, match="in the trash"):
        restore_case(case_id)


def test_an_unknown_case_is_one_sentence(records):
    with pytest.raises(CaseError, match="may have been deleted"):
        open_case("20260101-0123456789abcdef")


def test_cases_are_listed_newest_first_and_damage_stops_nothing(records):
    old = create_case("old", "tiny", "0").update(created="2026-01-01T00:00:00+00:00")
    new = create_case("new", "tiny", "0").update(created="2026-02-01T00:00:00+00:00")
    for number, text in enumerate(["", "[]", "{}", '{"sources": 3}', json.dumps({"id": "x", "sources": []})]):
        folder = records / "cases" / f"20260101-{number:016x}"
        folder.mkdir()
        (folder / "case.json").write_text(text)
    (records / "cases" / "stray.txt").write_text("not a case")
    listed = list_cases()
    assert [status.id for status in listed[:2]] == [new.id, old.id]
    assert len(listed) == 8
    assert all(status.case is None and status.problem for status in listed[2:])


def test_without_a_records_folder_there_are_no_cases(records):
    assert list_cases() == []


def test_a_case_can_be_renamed(case):
    assert rename_case(case, "  Monday's\n smears ").title == "Monday's smears"
    assert rename_case(case, "   ").title == "Friday's smears"
    assert create_case("", "tiny", "0").title.startswith("Case of 20")


def test_a_deleted_case_can_be_brought_back(case):
    case.append(rows("a"))
    delete_case(case)
    assert list_cases() == []
    with pytest.raises(CaseError, match="deleted"):
        open_case(case.id)
    assert list(restore_case(case.id).results()["file_name"]) == ["a"]
    assert len(list_cases()) == 1


def test_a_case_is_interrupted_when_it_runs_and_nobody_holds_it(case):
    assert case.interrupted
    with case.lock():
        assert not open_case(case.id).interrupted
        with pytest.raises(CaseError, match="being worked on"), case.lock(patience=0.05):
            pass
    assert case.interrupted
    assert not case.update(state="done").interrupted


def test_a_case_at_work_is_not_deleted(case, monkeypatch):
    monkeypatch.setattr(cases.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(cases.time, "monotonic", iter(range(10)).__next__)
    with case.lock(), pytest.raises(CaseError, match="being worked on"):
        delete_case(case)
    assert open_case(case.id) == case


def test_uploads_are_on_disk_before_they_are_read(case):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("z.png", b"zipped")
    uploads = [("a.png", b"one"), ("a.png", b"two"), ("../b.png", b"three"), ("more.zip", inner.getvalue())]
    found = open_case(case.keep_uploads(uploads).id)
    items = {item.name: item.data for item in open_paths(found.sources)}
    assert items["files/a.png"] == b"one"
    assert items["files/a (2).png"] == b"two"
    assert items["more/z.png"] == b"zipped"
    assert b"three" not in items.values()
    assert found.finish().state == "done"
    assert not (case.folder / "incoming").exists()
