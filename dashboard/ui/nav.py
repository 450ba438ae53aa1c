"""The pages, and the ways between them."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

from dashboard.records import PROJECT

# A file: the icons that Streamlit knows by name are fetched from another host when they stand for the whole site.
ICON = PROJECT / "dashboard" / "synthesis" / "golden.png"

_PAGES = {
    "classify": ("Classify", ":material/image_search:"),
    "batch": ("Batch", ":material/photo_library:"),
    "review": ("Review", ":material/rule:"),
    "performance": ("Performance", ":material/monitoring:"),
    "audit": ("Audit", ":material/history:"),
    "about": ("About", ":material/info:"),
}


def page(name: str) -> Page:
    """Make the page of pages/<name>.py; Classify is the one that opens first."""
    title, icon = _PAGES[name]
    file = PROJECT / "pages" / f"{name}.py"
    return st.Page(file, title=title, icon=icon, default=name == "classify")


def pages() -> list[Page]:
    """Make every page, in the order of the work."""
    return [page(name) for name in _PAGES if (PROJECT / "pages" / f"{name}.py").is_file()]


def review_case(case_id: str) -> None:
    """Go to the Review page with a case open; call it outside a callback."""
    st.switch_page(page("review"), query_params={"case": case_id})
