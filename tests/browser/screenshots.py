"""Take the README's pictures: `make screenshots`. Only synthetic samples are shown."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.running_app import PROJECT, chromium, running_app

FOLDER = PROJECT / "docs" / "screenshots"
SAMPLES = sorted((PROJECT / "sample_images").glob("*.png"))


def main() -> None:
    """Start the app with empty records, do a reader's work and take a picture of each page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_app(Path(folder) / "records") as address,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(steps.WAIT_MS)
        page.goto(address)
        steps.sign_in(page, "dr_okafor")
        steps.wait_for_model(page)
        _classify(page)
        _batch(page)
        _review(page)
        for name in ("Performance", "Audit", "About"):
            steps.go_to(page, name)
            _take(page, name)


def _classify(page: Page) -> None:
    steps.upload(page, [file for file in SAMPLES if file.stem == "neutrophil_segmented_2"])
    expect(page.get_by_text("Evidence for").first).to_be_visible()
    _take(page, "Classify")


def _batch(page: Page) -> None:
    steps.go_to(page, "Batch")
    steps.upload(page, SAMPLES)
    page.get_by_role("textbox", name="Title of the case").fill("Synthetic samples")
    page.get_by_role("textbox", name="Title of the case").press("Enter")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("tab", name="Gallery")).to_be_visible()
    _take(page, "Batch")


def _review(page: Page) -> None:
    steps.go_to(page, "Review")
    expect(page.get_by_text("decided").first).to_be_visible()
    for key in ("n", "1", "4"):
        page.wait_for_timeout(1200)
        steps.press(page, key)
        steps.settle(page)
    page.wait_for_timeout(1200)
    _take(page, "Review")


def _take(page: Page, name: str) -> None:
    steps.settle(page)
    page.wait_for_timeout(1500)  # charts are drawn by the browser after the server is done
    page.screenshot(path=FOLDER / f"{name.lower()}.png")


if __name__ == "__main__":
    main()
