"""The Review page: a queue, one cell at a time, each decision on record."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.audit_log import AuditLog
from dashboard.batch import BatchJob
from dashboard.cases import create_case, open_case
from dashboard.records import PROJECT, audit_log_file
from dashboard.ui import cached

PAGE = str(PROJECT / "pages" / "review.py")
pytestmark = pytest.mark.slow


@pytest.fixture
def case(loaded, small_images, small_bundle):
    """Twelve cells, classified."""
    paths = sorted(small_images.glob("*.png"))[:12]
    made = create_case("Friday", "small", small_bundle.model_sha256, paths, len(paths))
    assert BatchJob(made, lambda: cached.classifier("small")).start().wait(60)
    return open_case(made.id)


def opened(case_id="", reviewer="AB") -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    app.session_state["reviewer"] = reviewer
    if case_id:
        app.query_params["case"] = case_id
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, name: str) -> AppTest:
    next(item for item in app.button if item.key.startswith(f"{name}_")).click()
    app.run()
    assert not app.exception
    return app


def current(app: AppTest) -> str:
    return app.session_state["review_current"]


def progress(app: AppTest) -> str:
    return app.get("progress")[0].proto.text


def logged():
    return AuditLog(audit_log_file()).read()


def test_without_a_case_it_says_how_one_comes_to_be(loaded):
    assert "There is no case yet" in opened().info[0].value


def test_an_address_that_names_no_case_gets_a_sentence(loaded, case):
    assert "There is no case" in opened("20200101-0123456789abcdef").error[0].value


def test_the_address_names_the_open_case(case):
    assert opened().query_params["case"] == case.id


def test_the_first_of_the_queue_comes_first_with_its_reasons(case):
    app = opened(case.id)
    assert progress(app) == "0 of 12 decided · 12 in this queue"
    assert app.subheader[0].value


def test_a_decision_goes_on_to_the_next_cell_and_undo_goes_back(case):
    app = opened(case.id)
    first = current(app)
    press(app, "class_2")
    assert current(app) != first
    assert progress(app) == "1 of 12 decided · 11 in this queue"
    (row,) = logged().to_dict("records")
    assert (row["case_id"], row["image_id"], row["label"]) == (case.id, first, "eosinophil")
    press(app, "undo")
    assert current(app) == first
    assert progress(app) == "0 of 12 decided · 12 in this queue"


def test_skip_leaves_the_cell_undecided(case):
    app = opened(case.id)
    first = current(app)
    press(app, "skip")
    assert current(app) != first
    assert logged().empty


def test_when_all_are_decided_the_queue_says_so(case):
    app = opened(case.id)
    for _ in range(12):
        press(app, "not_classed")
    assert progress(app).startswith("12 of 12 decided")
    assert logged()["image_id"].nunique() == 12


def test_decisions_survive_a_new_session_and_belong_to_their_reviewer(case):
    press(opened(case.id), "not_classed")
    assert progress(opened(case.id)).startswith("1 of 12")
    assert progress(opened(case.id, reviewer="CD")).startswith("0 of 12")


def test_filters_narrow_the_queue(case):
    app = opened(case.id)
    chosen = app.multiselect(key="review_classes").options[0]
    app.multiselect(key="review_classes").select(chosen).run()
    assert not app.exception
    assert "12 in this queue" not in progress(app)


def test_an_explanation_comes_on_demand_and_is_recorded(case):
    app = opened(case.id)
    press(app, "toggle")
    press(app, "class_1")
    assert logged()["explanations_shown"].iloc[0].startswith("grad-cam:")


def test_a_disk_that_refuses_keeps_the_cell(case, unwritable_log):
    app = opened(case.id)
    first = current(app)
    press(app, "class_1")
    assert "not saved" in app.error[0].value
    assert current(app) == first


def test_a_model_that_is_gone_gets_a_sentence(case, monkeypatch, tmp_path):
    monkeypatch.setattr("dashboard.bundles.MODEL_STORE", tmp_path)
    assert "'small'" in opened(case.id).error[0].value
