"""The first page is on screen before TensorFlow is imported."""

import subprocess
import sys

import pytest

from dashboard.records import PROJECT

FIRST_PAGE = """
import sys, time
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("dashboard/app.py", default_timeout=30)
started = time.perf_counter()
app.run()
seconds = time.perf_counter() - started
assert not app.exception, app.exception
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
print(app.header[0].value, app.sidebar.text_input[0].label, sep=",")
print(f"{seconds:.2f} s", file=sys.stderr)
"""


def run(script: str, records) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.slow
def test_the_first_page_is_drawn_without_tensorflow(records):
    assert run(FIRST_PAGE, records) == "Classify,Reviewer"


@pytest.mark.slow
def test_the_script_folder_does_not_shadow_libraries(records):
    script = """
import runpy, sys
sys.path.insert(0, "dashboard")
from pathlib import Path
sys.path[0] = str(Path("dashboard").resolve())
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("dashboard/app.py", default_timeout=30).run()
assert not app.exception
print(sys.path[0] == str(Path.cwd()) and str(Path("dashboard").resolve()) not in sys.path)
"""
    assert run(script, records) == "True"
