"""Where the model looked: the panel that Classify and Review share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.bundles import Bundle, Card
from dashboard.errors import SecondReadError
from dashboard.explanations import METHODS, Explanation, Method, explain
from dashboard.images import SmearImage
from dashboard.overlay import legend_labels, legend_swatch, overlay
from dashboard.ui import cached, components, state

_NOBODY = "none"
_REQUESTED = "requested_explanation"


def panel(model_id: str, image: SmearImage, row: Mapping[str, Any], *, start_open: bool) -> dict[str, np.ndarray]:
    """Draw the controls, which open and close by E, and return the pictures to show above them.

    Parameters
    ----------
    model_id : str
        The model that made `row`.
    image : SmearImage
    row : mapping
        A row of `predictions.predictions`.
    start_open : bool
        Whether it is open before the reader has said otherwise.

    Returns
    -------
    dict of str to numpy.ndarray
        Title → uint8 (H, W, 3): the original alone, or with an overlay for each class beside it.
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
        if not is_open:
            return {"": image.pixels}
        if not cached.classifier_ready(model_id):
            components.empty("The model is still loading. The explanation appears by itself.")
            return {"": image.pixels}
        return {"Original": image.pixels} | _overlays(cached.bundle(model_id), image, str(row["predicted"]))


def _toggle(key: str) -> None:
    st.session_state[key] = not st.session_state[key]


def _overlays(bundle: Bundle, image: SmearImage, predicted: str) -> dict[str, np.ndarray]:
    card = bundle.card
    method = _choose_method()
    first, second, third = st.columns(3)
    chosen, rival = _choose_classes(first, second, card, image, predicted)
    opacity = third.slider("Opacity", 0, 100, 60, 5, format="%d %%", key="opacity", persist_state="session") / 100
    classes = [chosen] if rival == _NOBODY else [chosen, rival]
    try:
        explanations = _explanations(bundle, image, method, classes)
    except SecondReadError as error:
        components.refuse(error)
        return {}
    for class_name, explanation in explanations.items():
        state.remember_explanation(image.image_id, method.name, class_name)
        if explanation.note:
            st.warning(f"{card.display_name(class_name)}: {explanation.note}", icon=":material/warning:")
    if explanations:
        _legend(method, [card.display_name(name) for name in classes])
    return {
        f"Evidence for {card.display_name(class_name)}": overlay(image.pixels, explanation.map, opacity)
        for class_name, explanation in explanations.items()
    }


def _choose_method() -> Method:
    name = st.segmented_control(
        "Method",
        list(METHODS),
        format_func=lambda key: METHODS[key].title,
        default="grad-cam",
        required=True,
        key="explanation_method",
        persist_state="session",
        label_visibility="collapsed",
    )
    return METHODS[name or "grad-cam"]


def _choose_classes(
    first: DeltaGenerator, second: DeltaGenerator, card: Card, image: SmearImage, predicted: str
) -> tuple[str, str]:
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
    return chosen, rival


def _legend(method: Method, classes: list[str]) -> None:
    low, high = legend_labels(" or ".join(classes))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(low, width="content")
        st.image(legend_swatch(200, 10), width=200, alt="Colour scale from violet, low, to yellow, high")
        st.caption(high, width="content")
    samples = f" {method.samples} runs of the model." if method.samples else ""
    st.caption(
        f"{method.meaning}{samples} Each map has its own scale. A map shows what moved the model, "
        f"not what makes the cell that class. Source: {method.source}."
    )


def _explanations(bundle: Bundle, image: SmearImage, method: Method, classes: list[str]) -> dict[str, Explanation]:
    """Take them from those kept, or compute; none while a slow method has not been asked for."""
    store = cached.kept_explanations()
    keys = {name: (bundle.model_sha256, repr(bundle.card.input), image.image_id, method.name, name) for name in classes}
    computing = method.slow and any(store.get(key) is None for key in keys.values())
    place = st.empty()  # for the button, then the bar
    if computing and not _asked_for(place, method, image.image_id):
        return {}
    text = f"Computing {method.title} …"
    bar = place.progress(0.0, text) if computing else None
    found = {}
    try:
        for done, (name, key) in enumerate(keys.items()):
            explanation = store.get(key)
            if explanation is None:
                explanation = _compute(bundle, image, method, name, _Progress(bar, text, done, len(keys)))
                store.keep(key, explanation)
            found[name] = explanation
    finally:
        place.empty()
    return found


def _compute(bundle: Bundle, image: SmearImage, method: Method, class_name: str, progress: _Progress) -> Explanation:
    classifier = cached.model_loader().get(bundle)
    index = bundle.card.class_names.index(class_name)
    return explain(classifier, image.pixels, index, method.name, progress=progress)


@dataclass(frozen=True)
class _Progress:
    """Moves the bar, if there is one, through explanation `done` of `total`."""

    bar: DeltaGenerator | None
    text: str
    done: int
    total: int

    def __call__(self, share: float) -> None:
        if self.bar is not None:
            self.bar.progress(min(1.0, (self.done + share) / self.total), self.text)


def _asked_for(place: DeltaGenerator, method: Method, image_id: str) -> bool:
    """Draw the button that starts a slow method; in the run in which it was pressed, True and no button."""
    if st.session_state.pop(_REQUESTED, None) == (method.name, image_id):
        return True
    place.button(
        f"Compute {method.title}",
        icon=":material/play_arrow:",
        help=f"{method.samples} runs of the model; some seconds.",
        key=f"compute_{method.name}_{image_id}",
        on_click=st.session_state.__setitem__,
        args=(_REQUESTED, (method.name, image_id)),
    )
    return False
