"""The audit log keeps every decision, says what was damaged, and never says saved when it was not."""

import csv
import hashlib
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from dashboard.audit_log import COLUMNS, AuditLog, Event, current_decisions, spreadsheet_safe
from dashboard.audit_log.rows import escape, unescape
from dashboard.errors import AuditLogError, StorageError

PROJECT = Path(__file__).resolve().parent.parent
CONFIRM = Event(reviewer="Ada", action="confirm", case_id="case-1", image_id="i1", predicted="blast", label="blast")
AWKWARD = (
    "a,b \"quoted\" 'single'",
    "two\nlines\r\nand \r more",
    r"a \n that is no line end, \\ and \u0041",
    "\u2028 \u2029 \x85 \x0b \x0c \x1c \x00 \t",
    "Müller-Łukasz 血液 🩸 e\u0301 \u200f\ufeff",
    "\\",
    '"',
    "007",
    "NA",
    " padded ",
)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "records" / "audit_log.csv")


def filled(log: AuditLog, rows: int) -> list[bytes]:
    """Append rows and return the lines of the file, header first, each with its line end."""
    for number in range(1, rows + 1):
        log.append(replace(CONFIRM, note=f"row {number}\n\"ü\", 'x'"))
    return log.path.read_bytes().splitlines(keepends=True)


class TestAppendAndRead:
    def test_a_missing_file_reads_as_no_rows_and_verifies(self, log):
        assert list(log.read().columns) == list(COLUMNS)
        assert len(log.read()) == 0
        assert log.verify().problems == ()

    def test_the_header_is_the_documented_columns_in_order(self, log):
        log.append(CONFIRM)
        assert log.path.read_text().split("\n")[0] == (
            "schema,event_id,sequence,time_utc,reviewer,identity_source,session_id,case_id,image_id,file_name,model_id,"
            "model_sha256,temperature,predicted,confidence,prediction_set,ood_score,phase,explanations_shown,action,"
            "previous_label,label,supersedes,reason,note,seconds,previous_hash,row_hash"
        )

    def test_what_append_returns_is_what_read_gives(self, log):
        rows = [log.append(replace(CONFIRM, note=text, file_name=text)) for text in AWKWARD]
        assert log.read().to_dict("records") == rows
        assert log.read()["note"].tolist() == list(AWKWARD)
        assert log.verify().problems == ()

    def test_every_event_is_one_physical_line(self, log):
        for text in AWKWARD:
            log.append(replace(CONFIRM, note=text))
        data = log.path.read_bytes()
        assert data.count(b"\n") == len(AWKWARD) + 1
        assert data.endswith(b"\n")
        assert b"\r" not in data

    def test_an_independent_csv_reader_sees_the_same_rows(self, log):
        rows = [log.append(replace(CONFIRM, note='1,5 "µm"', reviewer=f"007 {i}")) for i in range(3)]
        with log.path.open(newline="", encoding="utf-8") as file:
            assert list(csv.DictReader(file)) == rows

    def test_any_text_survives(self, log):
        random = np.random.default_rng(0)
        alphabet = [*map(chr, range(256)), *'\\\\\\nru0,"\n\r', "é", "血", "🩸", "\u2028", "\U0010ffff"]
        texts = ["".join(random.choice(alphabet, random.integers(0, 40))) for _ in range(60)]
        for text in texts:
            log.append(replace(CONFIRM, note=text))
        assert log.read()["note"].tolist() == texts
        assert log.verify().problems == ()

    def test_escaping_is_lossless(self):
        for text in AWKWARD:
            assert unescape(escape(text)) == text
        assert escape("a\\\n\r\x00\tb") == r"a\\\n\r\u0000" + "\tb"

    def test_an_undecodable_file_name_is_kept_as_its_escape(self, log):
        row = log.append(replace(CONFIRM, file_name=os.fsdecode(b"cell\xff.png")))
        assert row["file_name"] == r"cell\udcff.png"
        assert log.read()["file_name"].tolist() == [r"cell\udcff.png"]

    def test_text_is_never_taken_for_a_number_or_for_missing(self, log):
        log.append(replace(CONFIRM, reviewer="007", label="NA", note=""))
        row = log.read().iloc[0]
        assert (row["reviewer"], row["label"], row["note"]) == ("007", "NA", "")

    def test_numbers_are_kept_exactly_and_unknown_ones_are_empty(self, log):
        row = log.append(
            replace(CONFIRM, confidence=np.float32(0.1), temperature=1 / 3, ood_score=float("nan"), seconds=2)
        )
        assert float(row["confidence"]) == float(np.float32(0.1))
        assert float(row["temperature"]) == 1 / 3
        assert (row["ood_score"], row["seconds"]) == ("", "2.0")

    def test_the_log_numbers_dates_and_names_the_rows(self, log):
        before = datetime.now(UTC)
        rows = [log.append(CONFIRM) for _ in range(3)]
        assert [row["sequence"] for row in rows] == ["1", "2", "3"]
        assert len({UUID(row["event_id"]).version for row in rows}) == 1
        assert UUID(rows[0]["event_id"]).version == 4
        assert len({row["event_id"] for row in rows}) == 3
        time = rows[0]["time_utc"]
        assert len(time) == len("2025-01-01T00:00:00.000Z") and time.endswith("Z")
        assert abs((datetime.fromisoformat(time) - before).total_seconds()) < 60

    def test_the_chain_can_be_recomputed_by_hand(self, log):
        previous = b""
        for line in filled(log, 3)[1:]:
            body, row_hash = line.rstrip(b"\n").rsplit(b",", 1)
            assert body.rsplit(b",", 1)[1] == previous
            assert hashlib.sha256(body).hexdigest().encode() == row_hash
            previous = row_hash

    def test_a_row_longer_than_the_tail_that_is_read_first_is_found(self, log):
        longest = dict.fromkeys(("note", "reason", "file_name", "case_id"), "\x00" * 10_000)
        for _ in range(3):
            log.append(replace(CONFIRM, **longest))
        assert log.read()["sequence"].tolist() == ["1", "2", "3"]
        assert log.verify().problems == ()

    def test_appending_reads_a_bounded_part_of_the_file(self, log, monkeypatch):
        filled(log, 200)
        read, size = os.read, log.path.stat().st_size
        amounts = []
        monkeypatch.setattr(os, "read", lambda file, count: amounts.append(count) or read(file, count))
        log.append(CONFIRM)
        assert sum(amounts) < 20_000 < size


class TestEvent:
    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"reviewer": " \t"}, "needs a reviewer"),
            ({"action": "approve"}, "action must be one of confirm, override, .*; got 'approve'"),
            ({"phase": "shut"}, "phase must be one of open, blind, revealed, adjudication; got 'shut'"),
            ({"identity_source": "guess"}, "identity_source must be one of typed, oidc"),
            ({"image_id": ""}, "confirm needs the image_id"),
            ({"label": ""}, "confirm needs a label"),
            ({"action": "override", "label": ""}, "override needs a label"),
            ({"action": "not_classed"}, "not_classed takes no label; got 'blast'"),
            ({"action": "undo"}, "undo needs, as supersedes, the event_id"),
            ({"note": None}, "note must be text; got NoneType"),
            ({"prediction_set": ("a", "b")}, "prediction_set must be text; got tuple"),
            ({"note": "x" * 10_001}, "note may have 10,000 characters; got 10,001"),
            ({"confidence": 1.01}, "confidence must be a finite number within its range; got 1.01"),
            ({"confidence": "high"}, "confidence must be a number or None; got 'high'"),
            ({"temperature": 0}, "temperature must be"),
            ({"seconds": -1}, "seconds must be"),
            ({"ood_score": float("inf")}, "ood_score must be"),
        ],
    )
    def test_a_field_that_does_not_fit_is_refused_with_a_sentence(self, change, sentence):
        with pytest.raises(AuditLogError, match=sentence):
            replace(CONFIRM, **change)

    def test_a_case_is_signed_without_an_image(self):
        assert Event(reviewer="Ada", action="sign", case_id="case-1").image_id == ""


class TestTornLastLine:
    def test_a_kill_at_every_byte_leaves_the_rows_before_or_also_the_new_one(self, log):
        old = b"".join(filled(log, 2))
        log.append(replace(CONFIRM, note="ü 🩸\nnew"))
        log.lock_file.write_bytes(b"")  # a writer killed before the end of a row has not marked it as saved
        whole = log.path.read_bytes()
        for cut in range(len(old), len(whole) + 1):
            log.path.write_bytes(whole[:cut])
            rows = log.read()["sequence"].tolist()
            assert rows == (["1", "2"] if cut < len(whole) - 1 else ["1", "2", "3"]), cut
            assert bool(log.verify().problems) == (len(old) < cut < len(whole)), cut

    def test_the_next_append_recovers_from_a_kill_at_every_byte(self, tmp_path):
        first = AuditLog(tmp_path / "first.csv")
        old = b"".join(filled(first, 2))
        whole = b"".join(filled(first, 1))
        for cut in range(len(old), len(whole) + 1):
            log = AuditLog(tmp_path / f"cut{cut}.csv")
            log.path.write_bytes(whole[:cut])
            log.append(replace(CONFIRM, note="after"))
            kept = 3 if cut >= len(whole) - 1 else 2
            assert log.verify().problems == (), cut
            assert len(log.read()) == kept + 1
            assert log.path.read_bytes().startswith(old)
            torn = whole[len(old) : cut] if kept == 2 else b""
            assert (log.set_aside_file.read_bytes() if torn else b"\n") == torn + b"\n"

    def test_verify_says_that_the_last_line_is_torn(self, log):
        lines = filled(log, 3)
        log.path.write_bytes(b"".join(lines)[:-100])
        assert any("last line, after row 2, is torn" in problem for problem in log.verify().problems)
        log.append(CONFIRM)
        verification = log.verify()
        assert verification.problems == ()
        assert "audit_log.csv.set_aside holds 2 line(s)" in verification.notes[0]  # the torn one; and row 3 was saved

    def test_a_header_cut_at_every_byte_is_written_again(self, tmp_path):
        header = (",".join(COLUMNS) + "\n").encode()
        for cut in range(0, len(header), 9):
            log = AuditLog(tmp_path / f"{cut}.csv")
            log.path.write_bytes(header[:cut])
            assert len(log.read()) == 0
            log.append(CONFIRM)
            assert log.verify().rows == 1
            assert log.verify().problems == ()

    def test_zeros_that_a_power_cut_left_are_set_aside(self, log):
        lines = filled(log, 2)
        log.path.write_bytes(b"".join(lines) + bytes(300))
        log.append(CONFIRM)
        assert log.verify().rows == 3
        assert log.verify().problems == ()
        assert log.set_aside_file.read_bytes() == bytes(300) + b"\n"

    def test_a_real_kill_loses_no_row_that_was_returned(self, log):
        log.append(CONFIRM)
        code = (
            "import sys; from dashboard.audit_log import AuditLog, Event\n"
            "log = AuditLog(sys.argv[1])\n"
            "while True: print(log.append(Event(reviewer='Ada', action='sign'))['sequence'], flush=True)"
        )
        writer = subprocess.Popen(
            [sys.executable, "-c", code, str(log.path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(20):
            writer.stdout.readline()
        writer.kill()
        said = [int(line) for line in writer.communicate()[0].splitlines()]
        last = max([21, *said])
        assert len(log.read()) in (last, last + 1)
        log.append(CONFIRM)
        assert log.verify().problems == ()


class TestVerify:
    def test_a_changed_byte_anywhere_in_a_row_is_found_and_the_row_named(self, log):
        lines = filled(log, 3)
        for position in range(len(lines[2])):
            changed = bytearray(lines[2])
            changed[position] ^= 1
            log.path.write_bytes(b"".join([*lines[:2], bytes(changed), lines[3]]))
            problems = log.verify().problems
            assert problems and "Row 2" in problems[0], (position, problems)

    def test_a_changed_byte_costs_at_most_that_row_and_the_next_of_what_can_be_read(self, log):
        lines = filled(log, 5)
        for position in range(len(lines[2])):
            for byte in b'"\n\r':
                changed = bytearray(lines[2])
                changed[position] = byte
                log.path.write_bytes(b"".join([*lines[:2], bytes(changed), *lines[3:]]))
                assert {"1", "4", "5"} <= set(log.read()["sequence"])

    @pytest.mark.parametrize(
        ("order", "sentence"),
        [
            ([2, 3, 4], "Row 1 is missing before row 2."),
            ([1, 3, 4], "Row 2 is missing before row 3."),
            ([1, 4], "Rows 2 to 3 are missing before row 4."),
            ([1, 2, 3], "Row 4 was saved and is missing: the log ends at row 3."),
            ([1, 3, 2, 4], "Row 2 stands out of order, on line 4, after row 3."),
            ([1, 2, 2, 3, 4], "Row 2 stands out of order, on line 4, after row 2."),
        ],
    )
    def test_missing_and_moved_rows_are_named(self, log, order, sentence):
        lines = filled(log, 4)
        log.path.write_bytes(b"".join(lines[number] for number in [0, *order]))
        assert any(problem.startswith(sentence) for problem in log.verify().problems)

    def test_a_row_replaced_together_with_its_hash_is_found(self, log):
        lines = filled(log, 3)
        for number, sentence in ((2, "Row 3 does not follow from the row above"), (3, "Row 3 is not the row that was")):
            body = lines[number].rstrip(b"\n").rsplit(b",", 1)[0].replace(b"blast", b"other")
            forged = body + b"," + hashlib.sha256(body).hexdigest().encode() + b"\n"
            log.path.write_bytes(b"".join([*lines[:number], forged, *lines[number + 1 :]]))
            assert log.verify().problems[0].startswith(sentence)

    def test_a_missing_header_is_found_and_the_rows_still_checked(self, log):
        lines = filled(log, 3)
        log.path.write_bytes(b"".join(lines[1:]))
        verification = log.verify()
        assert verification.rows == 3
        assert len(verification.problems) == 1
        assert "its first line must be the header schema,event_id,…,row_hash" in verification.problems[0]

    @pytest.mark.parametrize("content", [b"path,label\na.png,blast\n", b"\n", b"one line", b"\xff\xfe\x00"])
    def test_a_foreign_file_is_refused_and_left_alone(self, log, content):
        log.path.parent.mkdir()
        log.path.write_bytes(content)
        assert "is no audit log" in log.verify().problems[0]
        with pytest.raises(AuditLogError, match="is no audit log"):
            log.read()
        with pytest.raises(AuditLogError, match=r"is no audit log.*Nothing was saved"):
            log.append(CONFIRM)
        assert log.path.read_bytes() == content

    def test_nothing_is_added_after_a_damaged_last_row(self, log):
        lines = filled(log, 2)
        damaged = b"".join(lines).replace(b"row 2", b"row 9")
        log.path.write_bytes(damaged)
        with pytest.raises(AuditLogError, match=r"The last row of audit_log\.csv was changed"):
            log.append(CONFIRM)
        assert log.path.read_bytes() == damaged

    def test_a_copy_without_its_lock_file_verifies(self, log, tmp_path):
        filled(log, 2)
        copy = AuditLog(tmp_path / "copy.csv")
        copy.path.write_bytes(log.path.read_bytes())
        assert copy.verify().problems == ()
        assert not copy.lock_file.exists()

    def test_rows_lost_at_the_end_stay_on_record_after_the_next_append(self, log):
        lines = filled(log, 3)
        log.path.write_bytes(b"".join(lines[:3]))
        log.append(CONFIRM)
        lost = lines[3].rstrip(b"\n").rsplit(b",", 1)[1]
        assert log.set_aside_file.read_bytes() == b"row 3 with row_hash " + lost + b" was saved and is gone\n"
        assert log.verify().problems == ()
        assert log.verify().notes


def limited_append(path: str, limit: int, done: multiprocessing.Queue) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        AuditLog(path).append(CONFIRM)
        done.put("saved")
    except StorageError as error:
        done.put(str(error))


def append_as_nobody(path: str, done: multiprocessing.Queue) -> None:
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        AuditLog(path).append(CONFIRM)
        done.put("saved")
    except StorageError as error:
        done.put(str(error))


def append_many(path: str, writer: int, count: int) -> None:
    log = AuditLog(path)
    for number in range(count):
        log.append(replace(CONFIRM, reviewer=f"writer {writer}", note=f"{number}\n"))


def in_another_process(target, *arguments) -> str:
    context = multiprocessing.get_context("fork" if target is append_as_nobody else "spawn")
    done = context.Queue()
    process = context.Process(target=target, args=(*arguments, done))
    process.start()
    answer = done.get(timeout=60)
    process.join()
    return answer


class TestDisk:
    @pytest.mark.parametrize("room", [0, 1, 200])
    def test_a_disk_that_fills_up_within_the_row_leaves_the_log_unchanged(self, log, room):
        before = b"".join(filled(log, 2))
        answer = in_another_process(limited_append, str(log.path), len(before) + room)
        assert answer.startswith("The event was not saved: audit_log.csv could not be written")
        assert log.path.read_bytes() == before
        log.append(CONFIRM)
        assert log.verify().problems == ()

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_device_is_told_in_a_sentence(self, tmp_path):
        (tmp_path / "log.csv").symlink_to("/dev/full")
        with pytest.raises(StorageError, match=r"not saved: log\.csv could not be written \(No space left"):
            AuditLog(tmp_path / "log.csv").append(CONFIRM)

    def test_a_read_only_folder_is_told_in_a_sentence_and_the_log_unchanged(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            log = AuditLog(folder / "audit_log.csv")
            before = b"".join(filled(log, 2))
            for file in folder.iterdir():
                file.chmod(0o444)
            folder.chmod(0o555)
            answer = in_another_process(append_as_nobody, str(log.path))
            folder.chmod(0o755)
            assert "could not be written (Permission denied)" in answer
            assert log.path.read_bytes() == before

    def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError, match="was not saved"):
            AuditLog(tmp_path / "file" / "log.csv").append(CONFIRM)

    def test_a_folder_in_place_of_the_log_is_told_in_a_sentence(self, tmp_path):
        with pytest.raises(StorageError, match="cannot be read"):
            AuditLog(tmp_path).read()

    def test_threads_keep_every_row(self, log):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: AuditLog(log.path).append(CONFIRM), range(80)))
        assert log.verify().rows == 80
        assert log.verify().problems == ()

    def test_six_processes_keep_every_row(self, log):
        spawn = multiprocessing.get_context("spawn")
        writers = [spawn.Process(target=append_many, args=(str(log.path), writer, 200)) for writer in range(6)]
        for process in writers:
            process.start()
        for process in writers:
            process.join()
        assert [process.exitcode for process in writers] == [0] * 6
        table = log.read()
        assert table["sequence"].tolist() == [str(number) for number in range(1, 1201)]
        for _, rows in table.groupby("reviewer"):
            assert rows["note"].tolist() == [f"{number}\n" for number in range(200)]
        assert table["reviewer"].nunique() == 6
        assert log.verify().problems == ()


class TestExport:
    def test_texts_that_a_spreadsheet_could_run_are_quoted_and_the_log_is_not(self, log, tmp_path):
        for note in ("=1+1", "+1", "-1", "@x", "\tx", "\rx", "fine", "a=b", ""):
            log.append(replace(CONFIRM, note=note, ood_score=-0.5))
        before = log.path.read_bytes()
        assert log.export(tmp_path / "out.csv") == 9
        with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["note"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "fine", "a=b", ""]
        assert {row["ood_score"] for row in rows} == {"-0.5"}
        assert list(rows[0]) == list(COLUMNS)
        assert log.path.read_bytes() == before

    def test_a_formula_in_a_number_column_is_quoted(self):
        table = pd.DataFrame({"ood_score": ["-2e-05", "-1+1", "=1", "-٣"]})
        assert spreadsheet_safe(table)["ood_score"].tolist() == ["-2e-05", "'-1+1", "'=1", "'-٣"]

    def test_an_empty_log_exports_its_header(self, log, tmp_path):
        assert log.export(tmp_path / "out.csv") == 0
        assert (tmp_path / "out.csv").read_text() == ",".join(COLUMNS) + "\n"  # read with universal line ends

    def test_the_log_and_its_side_files_are_never_overwritten(self, log, tmp_path):
        filled(log, 1)
        (tmp_path / "link.csv").symlink_to(log.path)
        (tmp_path / "hard.csv").hardlink_to(log.path)
        before = log.path.read_bytes()
        for out in (log.path, log.lock_file, log.set_aside_file, tmp_path / "link.csv", tmp_path / "hard.csv"):
            with pytest.raises(AuditLogError, match="The export needs a file of its own"):
                log.export(out)
        assert log.path.read_bytes() == before

    def test_a_copy_that_cannot_be_written_is_told(self, log, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError, match="could not be saved"):
            log.export(tmp_path / "file" / "out.csv")


class TestCurrentDecisions:
    @staticmethod
    def standing(log: AuditLog) -> list[tuple[str, str, str, str]]:
        rows = current_decisions(log.read())
        return list(rows[["image_id", "reviewer", "action", "label"]].itertuples(index=False, name=None))

    def test_the_latest_decision_of_each_reviewer_stands(self, log):
        log.append(CONFIRM)
        log.append(replace(CONFIRM, reviewer="Ben", action="override", label="lymphocyte"))
        log.append(replace(CONFIRM, image_id="i2", action="not_classed", label=""))
        log.append(replace(CONFIRM, action="override", label="monocyte"))
        log.append(Event(reviewer="Ada", action="sign", case_id="case-1", image_id="i1"))
        assert self.standing(log) == [
            ("i1", "Ben", "override", "lymphocyte"),
            ("i2", "Ada", "not_classed", ""),
            ("i1", "Ada", "override", "monocyte"),
        ]

    def test_cases_are_kept_apart(self, log):
        log.append(CONFIRM)
        log.append(replace(CONFIRM, case_id="case-2", label="other"))
        assert current_decisions(log.read())["label"].tolist() == ["blast", "other"]

    def test_undo_brings_back_the_decision_before_and_undoing_it_redoes(self, log):
        log.append(CONFIRM)
        second = log.append(replace(CONFIRM, action="override", label="monocyte"))
        undo = log.append(replace(CONFIRM, action="undo", label="", supersedes=second["event_id"]))
        assert self.standing(log) == [("i1", "Ada", "confirm", "blast")]
        log.append(replace(CONFIRM, action="undo", label="", supersedes=undo["event_id"]))
        assert self.standing(log) == [("i1", "Ada", "override", "monocyte")]

    def test_undoing_the_only_decision_leaves_none(self, log):
        only = log.append(CONFIRM)
        log.append(replace(CONFIRM, action="undo", label="", supersedes=only["event_id"]))
        assert self.standing(log) == []

    def test_nobody_undoes_the_decision_of_another(self, log):
        ada = log.append(CONFIRM)
        log.append(replace(CONFIRM, reviewer="Ben", action="undo", label="", supersedes=ada["event_id"]))
        assert self.standing(log) == [("i1", "Ada", "confirm", "blast")]

    def test_an_empty_table_gives_an_empty_one(self, log):
        assert list(current_decisions(log.read()).columns) == list(COLUMNS)

    def test_a_hundred_thousand_rows_agree_with_a_plain_loop(self):
        random, n = np.random.default_rng(0), 100_000
        actions = random.choice(["confirm", "override", "undo", "sign"], n, p=[0.5, 0.2, 0.25, 0.05])
        table = pd.DataFrame("", index=range(n), columns=list(COLUMNS), dtype="str").assign(
            event_id=[str(i) for i in range(n)],
            action=actions,
            image_id=random.integers(0, 9000, n).astype(str),
            reviewer=random.choice(["Ada", "Ben"], n),
        )
        stacks: dict[tuple[str, str], list[str]] = {}
        supersedes = []
        for event, action, image, reviewer in table[["event_id", "action", "image_id", "reviewer"]].to_numpy():
            stack = stacks.setdefault((image, reviewer), [])
            supersedes.append(stack.pop() if action == "undo" and stack else "")
            if action in ("confirm", "override"):
                stack.append(event)
        expected = {stack[-1] for stack in stacks.values() if stack}
        assert set(current_decisions(table.assign(supersedes=supersedes))["event_id"]) == expected
