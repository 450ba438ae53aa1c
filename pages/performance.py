"""How good is this model, on which images, and how far can that be trusted?"""

import streamlit as st

from dashboard.errors import SecondReadError
from dashboard.ui import components, performance, state


def read_all(model_ids: list[str]) -> list[performance.Shown]:
    models = []
    for model_id in model_ids:
        try:
            models.append(performance.read(model_id))
        except SecondReadError as error:
            components.refuse(error)
    return models


def show(models: list[performance.Shown]) -> None:
    views = list(performance.VIEWS)
    view = st.segmented_control("View", views, default=views[0], required=True, key="performance_view")
    for shown, place in zip(models, st.columns(len(models), gap="large"), strict=True):
        with place:
            if shown.rows.empty:
                components.empty(f"{shown.card.title} was not evaluated on images of this split and site.")
                continue
            performance.headline(shown)
            performance.VIEWS[str(view)](shown)


st.header("Performance", anchor=False)
st.caption("Computed from each model's evaluation.csv: images with a label, and the model's logits for them.")
first = state.model_id()
if first is None:
    components.empty("model_store holds no model that can be used. Train or import one first.")
else:
    choice, *filters = st.columns(3)
    with choice:
        second = performance.choose_second(first)
    models = read_all([first, second] if second else [first])
    if models:
        show(performance.filtered(models, filters))
components.disclaimer()
