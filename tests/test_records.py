"""Files are written whole or not at all."""

import os
import resource
from pathlib import Path

import pytest

from dashboard import records
from dashboard.errors import StorageError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_records_folder_is_the_one_the_environment_names(records: Path):
    from dashboard import records as module

    assert module.folder() == records
    assert module.audit_log_file() == records / "audit_log.csv"
    assert module.cases_folder() == records / "cases"


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_variable_it_lies_beside_the_code(monkeypatch, value):
    monkeypatch.delenv("SECOND_READ_RECORDS", raising=False)
    if value is not None:
        monkeypatch.setenv("SECOND_READ_RECORDS", value)
    assert records.folder() == Path(records.__file__).parent.parent / "records"


def test_a_file_is_written_and_replaced_and_nothing_else_stays(tmp_path):
    file = tmp_path / "new" / "folder" / "table.csv"
    for data in (b"first", b"", b"second"):
        records.write_atomically(file, data)
        assert file.read_bytes() == data
        assert names(file.parent) == ["table.csv"]


def test_a_file_has_the_permissions_of_any_new_file(tmp_path):
    records.write_atomically(tmp_path / "table.csv", b"x")
    (tmp_path / "plain.csv").write_bytes(b"x")
    assert (tmp_path / "table.csv").stat().st_mode == (tmp_path / "plain.csv").stat().st_mode


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path):
    file = tmp_path / "table.csv"
    records.write_atomically(file, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StorageError, match=r"table\.csv could not be saved: .+\. Nothing was changed\."):
            records.write_atomically(file, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "file"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, make):
    make(tmp_path / "taken")
    target = tmp_path / "taken" if (tmp_path / "taken").is_dir() else tmp_path / "taken" / "table.csv"
    with pytest.raises(StorageError, match="could not be saved"):
        records.write_atomically(target, b"x")
    assert names(tmp_path) == ["taken"]


def test_an_interruption_leaves_no_temporary_file(tmp_path, monkeypatch):
    def interrupt(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        records.write_atomically(tmp_path / "table.csv", b"x")
    assert names(tmp_path) == []
