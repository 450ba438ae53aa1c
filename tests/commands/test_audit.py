"""`audit verify` and `audit export`."""

import argparse
import csv
from pathlib import Path

import pytest

from dashboard.audit_log import AuditLog, Event
from dashboard.commands import audit
from dashboard.errors import AuditLogError


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path / "audit_log.csv")
    for number in range(30):
        log.append(Event(reviewer="Ada", action="sign", note=f"={number}"))
    return log


def audit_command(*words: object) -> None:
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser)
    audit.run(parser.parse_args([str(word) for word in words]))


def test_verify_says_that_a_sound_log_is_whole(log, capsys):
    audit_command("verify", log.path)
    assert capsys.readouterr().out == (
        "audit_log.csv is whole: 30 row(s), each with its right hash and in its place.\n"
    )


def test_verify_refuses_a_damaged_log_and_names_the_row(log):
    log.path.write_bytes(log.path.read_bytes().replace(b"=7", b"=8"))
    with pytest.raises(AuditLogError, match=r"has 1 problem\(s\); 29 row\(s\)(?s:.)*Row 8 \(line 9\) was changed"):
        audit_command("verify", log.path)


def test_verify_shows_the_first_problems_of_many(log):
    log.path.write_bytes(log.path.read_bytes().replace(b"Ada", b"Bob"))
    with pytest.raises(AuditLogError, match=r"has 30 problem(?s:.)*Row 20 (?s:.)*… and 10 more\."):
        audit_command("verify", log.path)


def test_verify_tells_of_rows_set_aside_earlier(log, capsys):
    with log.path.open("ab") as file:
        file.write(b"1,torn")
    log.append(Event(reviewer="Ada", action="sign"))
    audit_command("verify", log.path)
    assert capsys.readouterr().out.startswith("audit_log.csv.set_aside holds 1 line(s)")


@pytest.mark.parametrize("words", [("verify",), ("export", "--out", "out.csv")])
def test_a_missing_log_is_refused(tmp_path, words):
    with pytest.raises(AuditLogError, match="There is no audit log at"):
        audit_command(words[0], tmp_path / "none.csv", *words[1:])


def test_export_writes_a_spreadsheet_safe_copy(log, tmp_path, capsys):
    audit_command("export", log.path, "--out", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert [row["note"] for row in csv.DictReader(file)] == [f"'={number}" for number in range(30)]
    assert "30 row(s) copied" in capsys.readouterr().out


def test_export_of_a_damaged_log_copies_what_can_be_read_and_says_so(log, tmp_path, capsys):
    log.path.write_bytes(log.path.read_bytes()[:-10])
    audit_command("export", log.path, "--out", tmp_path / "out.csv")
    shown = capsys.readouterr()
    assert "29 row(s) copied" in shown.out
    assert "The copy holds what can be read" in shown.err and "is torn" in shown.err


def test_export_never_overwrites_the_log(log):
    with pytest.raises(AuditLogError, match="a file of its own"):
        audit_command("export", log.path, "--out", log.path)
