"""What a batch found: gallery by class, table, differential, rejected files."""

from __future__ import annotations

import base64

import pandas as pd
import streamlit as st

from dashboard.bundles import Card
from dashboard.cases import Case
from dashboard.differential import count_cells, differential, final_labels
from dashboard.errors import CaseError
from dashboard.figures_differential import draw_differential
from dashboard.triage import kinds
from dashboard.ui import cached, components, nav, review_queue

GALLERY_PAGE = 48
TABLE_PAGE = 100


def show(case: Case, card: Card) -> None:
    """Show a case's results; what no open tab needs is not computed."""
    results = cached.results(case)
    standing = cached.decisions(case.id).standing()
    cells = review_queue.queue_of(case, card)
    labels = final_labels(results, standing)
    _headline(case, cells, results)
    gallery, table, counts, rejected = st.tabs(
        ["Gallery by class", "Table", "Differential", "Rejected files"], key="batch_view", on_change="rerun"
    )
    cells = cells.assign(label=cells["image_id"].map(labels)) if len(cells) else cells.assign(label="")
    if gallery.open:
        with gallery:
            show_gallery(case, card, cells)
    if table.open:
        with table:
            show_table(case, card, cells)
    if counts.open:
        with counts:
            show_differential(card, results, standing)
    if rejected.open:
        with rejected:
            show_rejected(results)


def show_gallery(case: Case, card: Card, cells: pd.DataFrame) -> None:
    """Show the cells of one class as thumbnails, page by page, in the order of the queue."""
    if cells.empty:
        components.empty("No image could be classified. The rejected files say why.")
        return
    counts = cells["label"].value_counts()
    label = st.pills(
        "Class",
        list(counts.index),
        format_func=lambda name: f"{card.display_name(name)} · {counts[name]:,}",
        default=counts.index[0],
        required=True,
        key="batch_class",
    )
    chosen = cells[cells["label"] == label]
    page = _page(chosen, GALLERY_PAGE, f"batch_gallery_{label}")
    with st.grid("auto", min_column_width=104):
        for row in page.itertuples():
            _thumbnail(case, row.image_id, row.file_name, components.percent(row.confidence))


def show_table(case: Case, card: Card, cells: pd.DataFrame) -> None:
    """Show the cells as a table with thumbnails and filters."""
    cells = _filtered(cells, card)
    st.caption(f"{len(cells):,} cells")
    page = _page(cells, TABLE_PAGE, "batch_table_page")
    shown = pd.DataFrame(
        {
            "cell": [_data_url(case, image_id) for image_id in page["image_id"]],
            "file": page["file_name"],
            "pre-classification": [components.pre_classification(row, card) for _, row in page.iterrows()],
            "confidence": 100 * page["confidence"],
            "prediction set": [_display_set(names, card) for names in page["prediction_set"]],
            "counts as": [card.display_name(label) for label in page["label"]],
            "look again because": page["reasons"],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        row_height=56,
        column_config={
            "cell": st.column_config.ImageColumn(width="small"),
            "confidence": st.column_config.NumberColumn(format="%.1f %%", help="Calibrated probability."),
        },
        alt="Table of the classified cells, the critical and doubtful first.",
    )


def show_differential(card: Card, results: pd.DataFrame, standing: pd.DataFrame) -> None:
    """Show the differential from decisions, and pre-classifications where there are none."""
    found = differential(count_cells(results, standing))
    decided = int(final_labels(results).index.isin(standing["image_id"]).sum())
    st.caption(
        f"From {decided:,} decisions; the other cells count as pre-classified. {found.leukocytes:,} leukocytes are "
        "the denominator. Intervals: exact, 95 %; they know of sampling, not of the model's errors."
    )
    for note in found.notes:
        st.caption(f":material/info: {note}")
    if found.leukocytes:
        figure = draw_differential(found, card.display_name)
        st.plotly_chart(figure, alt="Cells per 100 white blood cells with 95 % intervals; the table has the numbers.")
    table = found.table.assign(**{"class": [card.display_name(name) for name in found.table["class"]]})
    st.dataframe(
        table.rename(columns={"per_100": "per 100 WBC", "low": "95 % from", "high": "95 % to"}),
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.1f") for name in _RATES},
        alt="The differential as a table.",
    )


def show_rejected(results: pd.DataFrame) -> None:
    """Show every file that does not count, with its reason."""
    left_out = results[results["reason"] != ""]
    if left_out.empty:
        components.empty("No file was rejected.")
        return
    st.dataframe(left_out[["file_name", "status", "reason"]], hide_index=True, alt="Files that do not count, and why.")


_RATES = ("per 100 WBC", "95 % from", "95 % to")


def _headline(case: Case, cells: pd.DataFrame, results: pd.DataFrame) -> None:
    line, review, download = st.columns([5, 2, 2], vertical_alignment="center")
    line.markdown(
        f"**{len(cells):,}** cells · **{int(cells['critical'].sum()):,}** critical · "
        f"**{int(cells['doubtful'].sum()):,}** doubtful · rejected files: **{case.rejected:,}**"
    )
    if review.button("Review, doubtful first", type="primary", key="batch_review", width="stretch"):
        nav.review_case(case.id)
    download.download_button(
        "CSV",
        lambda: results.to_csv(index=False).encode("utf-8"),
        file_name=f"second_read_{case.id}.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
        help="Every file, rejected ones too: the same table as `python -m dashboard classify` writes.",
    )


def _filtered(cells: pd.DataFrame, card: Card) -> pd.DataFrame:
    by_class, by_reason, by_status = st.columns(3)
    classes = by_class.multiselect(
        "Class", sorted(cells["label"].unique()), format_func=card.display_name, placeholder="All", key="batch_classes"
    )
    named = sorted({kind for reasons in cells["reasons"].unique() for kind in kinds(reasons)})
    reasons = by_reason.multiselect("Look again because", named, placeholder="All", key="batch_reasons")
    status = by_status.multiselect("Status", ["critical", "doubtful", "neither"], placeholder="All", key="batch_status")
    keep = pd.Series(True, index=cells.index)
    if classes:
        keep &= cells["label"].isin(classes)
    if reasons:
        keep &= cells["reasons"].map(lambda text: any(kind in reasons for kind in kinds(text))).astype(bool)
    if status:
        neither = ~cells["critical"] & ~cells["doubtful"]
        of = {"critical": cells["critical"], "doubtful": cells["doubtful"], "neither": neither}
        keep &= pd.concat([of[name] for name in status], axis=1).any(axis=1)
    return cells[keep]


def _page(cells: pd.DataFrame, size: int, key: str) -> pd.DataFrame:
    pages = max(1, -(-len(cells) // size))
    number = st.pagination(pages, key=f"{key}_{pages}") if pages > 1 else 1
    return cells.iloc[size * (number - 1) : size * number]


def _thumbnail(case: Case, image_id: str, name: str, caption: str) -> None:
    try:
        st.image(case.thumbnail(image_id), caption=caption, width=96, alt=f"Cell image {name}")
    except CaseError:
        st.caption(f":material/broken_image: {name}")


def _data_url(case: Case, image_id: str) -> str | None:
    try:
        return "data:image/jpeg;base64," + base64.b64encode(case.thumbnail(image_id)).decode()
    except CaseError:
        return None


def _display_set(names: str, card: Card) -> str:
    return ", ".join(card.display_name(name) for name in names.split("|")) if names else "none"
