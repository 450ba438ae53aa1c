"""What a person does on the pages, in words; for the browser tests and the screenshots."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from dashboard.images import encode_png
from dashboard.records import PROJECT
from dashboard.synthesis import golden_image

WAIT_MS = 45_000  # the model loads within it even on a busy machine
expect.set_options(timeout=WAIT_MS)
SAMPLES = PROJECT / "sample_images"
PAGES = ("Classify", "Batch", "Review", "Performance", "Audit", "About")


def go_to(page: Page, name: str) -> None:
    """Open a page by the sidebar."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True).first).to_be_visible()
    settle(page)


def settle(page: Page) -> None:
    """Wait until the server has drawn the page to its end."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def wait_for_model(page: Page) -> None:
    """Wait until the sidebar no longer says that the model is loading."""
    expect(page.get_by_text("The model is loading")).to_have_count(0)


def sign_in(page: Page, reviewer: str) -> None:
    """Type the reviewer's id."""
    box = page.get_by_role("textbox", name="Reviewer")
    box.fill(reviewer)
    box.press("Enter")
    page.wait_for_timeout(1000)  # the page is drawn anew; a file given in that moment would be lost
    settle(page)


def press(page: Page, key: str) -> None:
    """Press a key with no field in focus."""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)


def upload(page: Page, files: list[Path]) -> None:
    """Give files to the page's first upload field."""
    page.locator("input[type=file]").first.set_input_files([str(file) for file in files])


def cells(folder: Path, count: int) -> list[Path]:
    """Write `count` different pictures of one synthetic cell: turned, mirrored and brightened."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(count):
        pixels = golden_image().astype(int)
        pixels = (pixels.swapaxes(0, 1) if number % 2 else pixels)[:: 1 - 2 * (number // 2 % 2)]
        pixels = (pixels - number // 4).clip(0, 255).astype("uint8")
        file = folder / f"cell_{number:03}.png"
        file.write_bytes(encode_png(pixels))
        files.append(file)
    return files
