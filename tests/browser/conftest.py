"""One app and one Chromium for all browser tests; a fresh page each."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import running_app as harness
from tests.browser import steps


@pytest.fixture(scope="session")
def records_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser") / "records"


@pytest.fixture(scope="session")
def app(records_folder: Path) -> Iterator[str]:
    if harness.CHROMIUM is None:
        if os.environ.get("SECOND_READ_REQUIRE_BROWSER"):
            pytest.fail("no Chromium, and SECOND_READ_REQUIRE_BROWSER is set")
        pytest.skip("needs Chromium on the PATH")
    with harness.running_app(records_folder) as address:
        yield address


@pytest.fixture(scope="session")
def browser(app: str) -> Iterator[Browser]:
    with harness.chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, app: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(steps.WAIT_MS)
    opened = context.new_page()
    opened.goto(app)
    yield opened
    context.close()
