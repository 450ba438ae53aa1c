"""Server time of the pages that a reader waits for: the first page, and the cell after a decision."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from dashboard.records import PROJECT
from tests.benchmarks.row import Row
from tests.browser.steps import cells

CELLS = 120
DECISIONS = 20
MODEL = "pbc8-mobilenetv2"
_FIRST_PAGE = """
import sys, time
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=60)
started = time.perf_counter()
app.run()
print(time.perf_counter() - started, "tensorflow" in sys.modules)
"""


def measure() -> list[Row]:
    """Measure both."""
    return [_first_page(), _next_cell()]


def _first_page() -> Row:
    with tempfile.TemporaryDirectory() as records:
        environment = {**os.environ, "SECOND_READ_RECORDS": records}
        command = [sys.executable, "-W", "ignore", "-c", _FIRST_PAGE, str(PROJECT / "dashboard" / "app.py")]
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    seconds, imported = printed.split()[-2:]
    value = f"{float(seconds):.2f} s; TensorFlow imported: {'yes' if imported == 'True' else 'no'}"
    met = float(seconds) < 1 and imported == "False"
    return Row("first page of a fresh process", value, "< 1 s, before TensorFlow", met, "Streamlit's own imports apart")


def _next_cell() -> Row:
    from dashboard.audit_log import AuditLog
    from dashboard.batch import BatchJob
    from dashboard.bundles import find_bundle
    from dashboard.cases import create_case
    from dashboard.records import audit_log_file
    from dashboard.ui import cached

    with tempfile.TemporaryDirectory() as folder:
        os.environ["SECOND_READ_RECORDS"] = str(Path(folder) / "records")
        paths = cells(Path(folder) / "cells", CELLS)
        case = create_case("Benchmark", MODEL, find_bundle(MODEL).model_sha256, paths, CELLS)
        if not BatchJob(case, lambda: cached.classifier(MODEL)).start().wait(300):
            raise RuntimeError("The benchmark's case did not finish.")
        app = AppTest.from_file(str(PROJECT / "pages" / "review.py"), default_timeout=60)
        app.session_state["reviewer"] = "benchmark"
        app.query_params["case"] = case.id
        app.run()
        times = []
        for _ in range(DECISIONS):
            time.sleep(0.4)  # the app refuses a decision on a cell that has only just appeared
            next(button for button in app.button if button.key.startswith("class_2_")).click()
            started = time.perf_counter()
            app.run()
            times.append(time.perf_counter() - started)
        kept = len(AuditLog(audit_log_file()).read())
    middle = statistics.median(times)
    value = f"{1000 * middle:.0f} ms median, {1000 * max(times):.0f} ms worst"
    how = f"{kept} decisions saved in a case of {CELLS} cells"
    return Row("rerun after a decision", value, "< 200 ms", middle < 0.2, how)
