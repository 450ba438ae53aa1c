"""The ways an image reaches the Classify page: files, paste, samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard.errors import LabelsError
from dashboard.images import SUFFIXES
from dashboard.labels import read_labels
from dashboard.records import PROJECT
from dashboard.ui import components

MOST_PICTURES = 50  # more belong into a batch, which keeps its results
SAMPLES = PROJECT / "sample_images"
_PASTED = "pasted_pictures"


@dataclass(frozen=True)
class Picture:
    """An image file as it was given: its name, its bytes, and what is known about it beforehand."""

    name: str
    data: bytes
    remark: str = ""


def choose_pictures() -> list[Picture]:
    """Draw the upload, paste and sample tabs.

    Returns
    -------
    list of Picture
        In the order given; at most `MOST_PICTURES`. Empty before anything is chosen.
    """
    given = any(st.session_state.get(key) for key in ("uploads", _PASTED, "samples"))
    with st.expander("Images", expanded=not given, icon=":material/add_photo_alternate:"):
        files, paste, samples = st.tabs(["Files", "Paste", "Samples"])
    with files:
        chosen = _uploaded()
    with paste:
        chosen += _pasted()
    with samples:
        chosen += _sampled()
    if len(chosen) > MOST_PICTURES:
        components.refuse(
            f"This page reads at most {MOST_PICTURES} images at once; {len(chosen)} were given and the first "
            f"{MOST_PICTURES} are shown. The Batch page takes them all."
        )
    return chosen[:MOST_PICTURES]


def _uploaded() -> list[Picture]:
    files = st.file_uploader(
        "Choose images of single cells, or drop them here",
        accept_multiple_files=True,
        key="uploads",
        help="JPEG, PNG, BMP, TIFF or WebP. The file's content decides, not its name.",
    )
    return [Picture(file.name, file.getvalue()) for file in files]


def _pasted() -> list[Picture]:
    pasted: list[Picture] = st.session_state.setdefault(_PASTED, [])
    given = st.chat_input(
        "Click here, paste an image, press Enter",
        accept_file="multiple",
        file_type=[suffix.removeprefix(".") for suffix in SUFFIXES],
        key="paste",
    )
    if given:
        pasted += [Picture(file.name, file.getvalue()) for file in given.files]
        del pasted[:-MOST_PICTURES]
    if pasted and st.button(f"Remove the pasted images ({len(pasted)})", icon=":material/close:"):
        pasted.clear()
        st.rerun()
    return list(pasted)


def _sampled() -> list[Picture]:
    try:
        samples = _sample_table(SAMPLES)
    except LabelsError as error:
        components.empty(f"No samples here. {error}")
        return []
    st.caption("These pictures are synthetic: made by a program, photographed from nobody's blood.")
    remarks = dict(zip(samples["path"], samples["remark"], strict=True))
    chosen: Sequence[str] = st.multiselect(
        "Samples", samples["path"], key="samples", placeholder="Choose one or more", persist_state="session"
    )
    files = dict(zip(samples["path"], samples["file"], strict=True))
    return [Picture(path, Path(files[path]).read_bytes(), remarks[path]) for path in chosen]


def _sample_table(folder: Path) -> pd.DataFrame:
    rows = read_labels(folder / "labels.csv", folder).rows
    notes = rows["note"] if "note" in rows else [""] * len(rows)
    rows["remark"] = [
        f"Synthetic sample, made as {label.replace('_', ' ')}" + (f": {note}" if note else "")
        for label, note in zip(rows["label"], notes, strict=True)
    ]
    return rows
