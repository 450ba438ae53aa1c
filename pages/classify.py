"""What is this cell, how sure is the model, and why?"""

import streamlit as st

from dashboard.errors import SecondReadError
from dashboard.quality import quality_warnings
from dashboard.ui import cached, components, decision, explanation, image_input, picture_list, reading, state


def show_readings(model_id: str, readings: list[picture_list.Reading]) -> None:
    bundle = cached.bundle(model_id)
    standing = cached.decisions("").standing()
    mine = standing[standing["reviewer"] == state.reviewer()]
    labels = {row["image_id"]: decision.describe(row, bundle.card) for row in mine.to_dict("records")}
    chosen = picture_list.select_reading(readings, bundle.card, labels)
    if chosen is None:
        return
    image = chosen.image

    def go_on(image_id: str) -> None:
        st.session_state[picture_list.CURRENT] = picture_list.next_reading(readings, [*labels, image_id], image_id)

    def go_back(image_id: str) -> None:
        if image_id in [other.image.image_id for other in readings]:
            st.session_state[picture_list.CURRENT] = image_id

    picture, readout = st.columns([3, 2], gap="medium")
    with readout:
        reading.show_reading(chosen.row, bundle.card)
    decision.panel(
        decision.Cell.of(image.image_id, chosen.name, "", bundle, chosen.row),
        bundle.card,
        standing,
        after=go_on,
        after_undo=go_back,
        skip=(lambda: go_on(image.image_id)) if len(readings) > 1 else None,
    )
    pictures = explanation.panel(model_id, image, chosen.row, start_open=True)
    with picture:
        reading.show_picture(pictures, image.image_id, chosen.name)
        reading.show_notes([*quality_warnings(image.pixels, bundle.card), *image.notes, chosen.remark])


st.header("Classify", anchor=False)
model_id = state.model_id()
pictures = image_input.choose_pictures()
if model_id is None:
    components.refuse("No model can be used, so nothing can be classified. The sidebar says why.")
elif not pictures:
    components.empty("Choose one or more images of single cells above, or take a sample.")
elif not cached.classifier_ready(model_id):
    components.empty("The model is still loading. The result appears here by itself.")
else:
    try:
        readings, refused = picture_list.read_pictures(model_id, pictures)
        for name, reason in refused:
            components.refuse(f"{name}: {reason}")
        show_readings(model_id, readings)
    except SecondReadError as error:
        components.refuse(error)
