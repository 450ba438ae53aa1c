"""Which cell needs a second look now, and what is it?"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.cases import Case
from dashboard.errors import SecondReadError
from dashboard.quality import quality_warnings
from dashboard.ui import cached, components, decision, explanation, reading, review_queue, state


def show_case(case: Case, filters: DeltaGenerator) -> None:
    bundle = cached.bundle(case.model_id)
    if bundle.model_sha256 != case.model_sha256:
        components.refuse("The model has changed since this case was read; its explanations may not fit its results.")
    review_queue.start_over_for(case, state.reviewer())
    cells = review_queue.queue_of(case, bundle.card)
    standing = cached.decisions(case.id).standing()
    decided = set(standing.loc[standing["reviewer"] == state.reviewer(), "image_id"]) & set(cells["image_id"])
    shown = review_queue.filtered(filters, cells, bundle.card, decided)
    st.progress(
        len(decided) / max(1, len(cells)),
        f"{len(decided):,} of {len(cells):,} decided · {len(shown):,} in this queue",
    )
    row = review_queue.current_cell(shown, decided)
    if row is None:
        decision.outcome()
        components.empty("Nothing is left in this queue. Change the filters to see other cells.")
        return
    ids = list(shown["image_id"])

    def go_on(image_id: str) -> None:
        st.session_state[review_queue.CURRENT] = review_queue.following(ids, image_id, decided)

    def go_back(image_id: str) -> None:
        st.session_state[review_queue.CURRENT] = image_id

    image = cached.decoded(case.image(row["image_id"]))
    picture, readout = st.columns([3, 2], gap="medium")
    with readout:
        reading.show_reasons(row["reasons"])
        reading.show_reading(row, bundle.card)
    decision.panel(
        decision.Cell.of(row["image_id"], row["file_name"], case.id, bundle, row),
        bundle.card,
        standing,
        after=go_on,
        after_undo=go_back,
        skip=lambda: go_on(row["image_id"]),
    )
    pictures = explanation.panel(case.model_id, image, row, start_open=False)
    with picture:
        reading.show_picture(pictures, image.image_id, row["file_name"])
        reading.show_notes([*quality_warnings(image.pixels, bundle.card), *image.notes])


title, picker, filters = st.columns([2, 5, 2], vertical_alignment="bottom")
title.header("Review", anchor=False)
try:
    with picker:
        case = review_queue.choose_case()
    if case is None:
        components.empty("There is no case yet. The Batch page makes one of your images; it is then reviewed here.")
    else:
        show_case(case, filters)
except SecondReadError as error:
    components.refuse(error)
