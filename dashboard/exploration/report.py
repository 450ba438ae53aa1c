"""Sections → one HTML file that opens without the internet."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from dashboard import images
from dashboard.errors import ImageError
from dashboard.exploration.sections import Section
from dashboard.figures_exploration import as_html, javascript

_SIDE = 112  # pixels of a thumbnail's longer side


def report_html(title: str, subtitle: str, sections: Sequence[Section], files: Mapping[str, str]) -> str:
    """Write the report.

    Parameters
    ----------
    title, subtitle : str
        Of the page.
    sections : sequence of Section
        In their order.
    files : mapping of str to str
        The path in the labels CSV → the file, for the thumbnails.

    Returns
    -------
    str
        A whole HTML document: plotly's JavaScript stands in it once, the thumbnails are in it, all text is escaped,
        and nothing is loaded from elsewhere.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("report.html").render(
        title=title,
        subtitle=subtitle,
        javascript=javascript(),
        sections=[_shown(section, files) for section in sections],
    )


def _shown(section: Section, files: Mapping[str, str]) -> dict[str, Any]:
    table = section.shown
    return {
        "title": section.title,
        "sentences": section.sentences,
        "figures": [(caption, as_html(figure)) for caption, figure in section.figures.items()],
        "shown": None if table is None else {"columns": list(table), "rows": table.to_numpy().tolist()},
        "galleries": [
            {
                "title": gallery.title,
                "pictures": [
                    {"path": path, "lines": lines, "source": _thumbnail(files[path])}
                    for path, lines in gallery.pictures
                ],
            }
            for gallery in section.galleries
        ],
        "files": list(section.tables),
    }


def _thumbnail(file: str) -> str:
    try:
        pixels = images.thumbnail(images.read(file).pixels, _SIDE)
    except ImageError:  # gone since it was read: its caption stays
        return ""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
