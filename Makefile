# Two commands for everyone: make run, make test. The rest is for those who change the code.
PYTHON ?= python3
BIN := .venv/bin
RUN_STAMP := .venv/run.stamp
TEST_STAMP := .venv/test.stamp
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: run test fast check format lint types browser bench screenshots clean

run: $(RUN_STAMP)  ## open the app on http://localhost:8501
	$(BIN)/streamlit run dashboard/app.py --server.port 8501

test: $(TEST_STAMP)  ## every test; what needs real images or a browser skips, with its reason, where there is none
	$(BIN)/python -m pytest

fast: $(TEST_STAMP)  ## without the slow and the browser tests
	$(BIN)/python -m pytest -m "not slow and not browser"

check: lint types test  ## what must be green before a change lands

lint: $(TEST_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(TEST_STAMP)
	$(BIN)/mypy

format: $(TEST_STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

browser: $(TEST_STAMP)  ## only the tests in a real Chromium
	$(BIN)/python -m pytest -m browser

bench: $(TEST_STAMP)  ## measure speed and models; writes BENCHMARKS.md
	$(BIN)/python -m tests.benchmarks

screenshots: $(TEST_STAMP)  ## take the README's pictures again
	$(BIN)/python -m tests.browser.screenshots

clean:
	rm -rf .venv

$(RUN_STAMP): requirements.txt constraints.txt
	$(PYTHON) -m venv .venv || { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

$(TEST_STAMP): $(RUN_STAMP) requirements-test.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-test.txt
	touch $@
