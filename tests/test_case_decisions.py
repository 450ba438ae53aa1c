"""The follower of one case's decisions agrees with reading the whole log."""

import pandas as pd
import pytest

from dashboard.audit_log import AuditLog, Event, current_decisions
from dashboard.case_decisions import CaseDecisions
from dashboard.errors import StorageError


@pytest.fixture
def log(tmp_path):
    return AuditLog(tmp_path / "audit_log.csv")


def decide(log, image="a", case_id="friday", **fields):
    return log.append(
        Event(**{"reviewer": "AB", "action": "confirm", "label": "monocyte"} | fields, image_id=image, case_id=case_id)
    )


def plainly(log, case_id="friday"):
    rows = log.read()
    return current_decisions(rows[rows["case_id"] == case_id])


def test_without_a_log_there_is_no_decision(tmp_path):
    assert CaseDecisions(tmp_path / "none.csv", "friday").standing().empty


def test_it_follows_the_log_as_it_grows(log):
    follower = CaseDecisions(log.path, "friday")
    for number in range(5):
        decide(log, f"image {number}", note='two\nlines, "quoted"')
        decide(log, f"image {number}", "monday")
        pd.testing.assert_frame_equal(follower.standing(), plainly(log))


def test_an_undo_brings_the_earlier_decision_back(log):
    follower = CaseDecisions(log.path, "friday")
    decide(log, label="monocyte")
    second = decide(log, action="override", label="lymphocyte")
    assert follower.standing()["label"].tolist() == ["lymphocyte"]
    decide(log, action="undo", label="", supersedes=second["event_id"])
    assert follower.standing()["label"].tolist() == ["monocyte"]


def test_another_case_changes_nothing(log):
    follower = CaseDecisions(log.path, "friday")
    decide(log)
    before = follower.standing()
    decide(log, "b", "monday")
    assert follower.standing() is before


def test_cells_without_a_case_have_the_empty_case(log):
    decide(log, case_id="")
    decide(log)
    assert len(CaseDecisions(log.path, "").standing()) == 1


def test_a_row_that_is_only_half_written_waits(log):
    decide(log)
    whole = log.path.read_bytes()
    decide(log, "b")
    longer = log.path.read_bytes()
    log.path.write_bytes(whole + longer[len(whole) : -10])
    follower = CaseDecisions(log.path, "friday")
    assert len(follower.standing()) == 1
    log.path.write_bytes(longer)
    assert len(follower.standing()) == 2


def test_a_log_that_was_replaced_is_read_anew(log):
    follower = CaseDecisions(log.path, "friday")
    decide(log)
    decide(log, "b")
    assert len(follower.standing()) == 2
    log.path.unlink()
    log.lock_file.unlink()
    assert follower.standing().empty
    decide(log, "c")
    assert follower.standing()["image_id"].tolist() == ["c"]


def test_a_log_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(StorageError, match="cannot be read"):
        CaseDecisions(tmp_path, "friday").standing()
