"""Where the model looked: the panel that Classify and Review share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.bundles import Bundle
from dashboard.errors import SecondReadError
from dashboard.explanations import METHODS, Explanation, Method, explain
from dashboard.images import SmearImage
from dashboard.overlay import legend_labels, legend_swatch, overlay
from dashboard.ui import cached, components, reading, state

_NOBODY = "none"


def panel(model_id: str, image: SmearImage, name: str, row: Mapping[str, Any], *, start_open: bool) -> None:
    """Draw the panel; it opens and closes by E, and redraws without the rest of the page.

    Parameters
    ----------
    model_id : str
        The model that made `row`; loaded if it is not yet.
    image : SmearImage
    name : str
        The file's name.
    row : mapping
        A row of `predictions.predictions`.
    start_open : bool
        Whether it is open before the reader has said otherwise.
    """
    key = f"explanation_open_{start_open}"
    is_open = st.session_state.setdefault(key, start_open)
    with st.container(border=True):
        st.button(
            "Hide where the model looked" if is_open else "Show where the model looked",
            icon=":material/visibility_off:" if is_open else ":material/visibility:",
            type="tertiary",
            shortcut="E",
            key=f"toggle_{key}",
            on_click=_toggle,
            args=(key,),
        )
        if is_open and not cached.classifier_ready(model_id):
            components.empty("The model is still loading. The explanation appears here by itself.")
        elif is_open:
            _body(cached.bundle(model_id), image, name, str(row["predicted"]))


def _toggle(key: str) -> None:
    st.session_state[key] = not st.session_state[key]


@st.fragment
def _body(bundle: Bundle, image: SmearImage, name: str, predicted: str) -> None:
    card = bundle.card
    method = METHODS[
        st.segmented_control(
            "Method",
            list(METHODS),
            format_func=lambda key: METHODS[key].title,
            default="grad-cam",
            required=True,
            key="explanation_method",
            persist_state="session",
        )
        or "grad-cam"
    ]
    first, second, third = st.columns(3)
    names = list(card.class_names)
    chosen = first.selectbox(
        "Evidence for",
        names,
        index=names.index(predicted),
        format_func=card.display_name,
        key=f"explained_class_{image.image_id}",
    )
    rival = second.selectbox(
        "Beside it",
        [_NOBODY, *(other for other in names if other != chosen)],
        format_func=lambda other: "No other class" if other == _NOBODY else card.display_name(other),
        key=f"rival_class_{image.image_id}_{chosen}",
    )
    opacity = third.slider("Opacity", 0, 100, 60, 5, format="%d %%", key="opacity", persist_state="session") / 100
    classes = [chosen] if rival == _NOBODY else [chosen, rival]
    try:
        explanations = _explanations(bundle, image, method, classes)
    except SecondReadError as error:
        components.refuse(error)
        return
    if explanations is not None:
        for class_name in classes:
            state.remember_explanation(image.image_id, method.name, class_name)
        _show(bundle, image, name, dict(zip(classes, explanations, strict=True)), opacity)


def _explanations(bundle: Bundle, image: SmearImage, method: Method, classes: list[str]) -> list[Explanation] | None:
    """Take them from those kept, or compute; None while a slow method has not been asked for."""
    store = cached.kept_explanations()
    keys = [(bundle.model_sha256, repr(bundle.card.input), image.image_id, method.name, name) for name in classes]
    computing = method.slow and any(store.get(key) is None for key in keys)
    if computing and not _asked_for(method, image.image_id):
        return None
    bar = st.progress(0.0, f"Computing {method.title} …") if computing else None
    found = []
    for done, key in enumerate(keys):
        explanation = store.get(key)
        if explanation is None:
            explanation = _compute(bundle, image, method, key[-1], _Progress(bar, done, len(keys)))
            store.keep(key, explanation)
        found.append(explanation)
    if bar is not None:
        bar.empty()
    return found


def _compute(bundle: Bundle, image: SmearImage, method: Method, class_name: str, progress: _Progress) -> Explanation:
    classifier = cached.model_loader().get(bundle)
    index = bundle.card.class_names.index(class_name)
    return explain(classifier, image.pixels, index, method.name, progress=progress)


@dataclass(frozen=True)
class _Progress:
    """Moves the bar, if there is one, through explanation `done` of `total`."""

    bar: DeltaGenerator | None
    done: int
    total: int

    def __call__(self, share: float) -> None:
        if self.bar is not None:
            self.bar.progress(min(1.0, (self.done + share) / self.total))


def _asked_for(method: Method, image_id: str) -> bool:
    """Draw the button that starts a slow method; True in the run in which it is pressed."""
    place = st.empty()
    pressed = place.button(
        f"Compute {method.title}",
        icon=":material/play_arrow:",
        help=f"{method.samples} runs of the model; some seconds.",
        key=f"compute_{method.name}_{image_id}",
    )
    if pressed:
        place.empty()
    return pressed


def _show(
    bundle: Bundle, image: SmearImage, name: str, explanations: Mapping[str, Explanation], opacity: float
) -> None:
    card = bundle.card
    pictures = {"Original": image.pixels}
    for class_name, explanation in explanations.items():
        title = f"Evidence for {card.display_name(class_name)}"
        pictures[title] = overlay(image.pixels, explanation.map, opacity)
    reading.show_picture(pictures, image.image_id, name, height=380)
    method = METHODS[next(iter(explanations.values())).method]
    for class_name, explanation in explanations.items():
        if explanation.note:
            st.warning(f"{card.display_name(class_name)}: {explanation.note}", icon=":material/warning:")
    low, high = legend_labels(card.display_name(next(iter(explanations))) if len(explanations) == 1 else "the class")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(low, width="content")
        st.image(legend_swatch(200, 10), width=200, alt="Colour scale from violet, low, to yellow, high")
        st.caption(high, width="content")
    samples = f" {method.samples} runs of the model." if method.samples else ""
    st.caption(
        f"{method.meaning}{samples} Each map has its own scale. A map shows what moved the model, "
        f"not what makes the cell that class. Source: {method.source}."
    )
