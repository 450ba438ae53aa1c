"""Has this model learned the laboratory? The sentence first, then the three questions behind it."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import streamlit as st

from dashboard import figures_laboratory as drawn
from dashboard.bundles import Card
from dashboard.errors import BundleError
from dashboard.figures import PLAIN_CONFIG, percent
from dashboard.laboratory_report import FILE, Estimate, LaboratoryCheck, Masking, read_check
from dashboard.ui import cached, components

_BADGES = {
    True: ("Learned the laboratory", ":material/warning:", "orange"),
    False: ("No sign of it", ":material/check:", "green"),
    None: ("Cannot be told", ":material/question_mark:", "gray"),
}


def show(card: Card) -> None:
    """Show the check that the bundle holds, or the command that makes one."""
    bundle = cached.bundle(card.id)
    if FILE not in bundle.card.sha256:
        components.empty(
            f"Nobody has asked yet whether {card.title} has learned the laboratory. Run `python -m dashboard "
            f"laboratory --model {card.id} --labels CSV --images DIR --out DIR --store` on labelled images of two "
            "sites that it was not trained on."
        )
        return
    try:
        check = _read(bundle.card.sha256[FILE], card.id)
    except BundleError as error:
        components.refuse(error)
        return
    names = {info.name: info.display_name for info in card.classes}
    _verdict(check)
    _site(check, names)
    _recall(check, names)
    _masking(check)
    _notes(check)


@st.cache_data(max_entries=8, show_spinner=False)
def _read(sha256: str, model_id: str) -> LaboratoryCheck:  # noqa: ARG001
    return read_check(cached.bundle(model_id).folder / FILE)


def _verdict(check: LaboratoryCheck) -> None:
    label, icon, colour = _BADGES[check.learned]
    with st.container(border=True):
        st.badge(label, icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(f"**{components.plain(check.sentence)}**")
        sites = ", ".join(f"{n} of {components.plain(site)}" for site, n in check.sites.items())
        st.caption(
            f"{check.images:,} images of {components.plain(check.set)}: {sites}; none of them in the model's training. "
            "The choice of split and site above does not change them."
        )


def _site(check: LaboratoryCheck, names: dict[str, str]) -> None:
    st.markdown("**Can the site be read from its features?**")
    if not check.site_reading:
        components.empty("It takes 20 images at each of two sites to ask this.")
        return
    _chart(drawn.draw_site_reading(check, names), f"How well the site is read from the features, {check.model_id}")
    st.caption(
        "A logistic regression from the features to the site, always tried on images that it was not fitted to. "
        "Where sites show other classes, the class alone tells the site: look within one class. "
        "Sites differ in colour too; telling them apart does harm only where the answers follow."
    )


def _recall(check: LaboratoryCheck, names: dict[str, str]) -> None:
    st.markdown("**Is the same class recognised at each site?**")
    _chart(drawn.draw_site_recall(check.recall, names), f"Recall of each class at each site, {check.model_id}")
    gap = check.surest_gap
    st.caption(
        f"Surest gap: {components.plain(names.get(gap.class_name, gap.class_name))}, {100 * gap.gap:.0f} points "
        f"({100 * gap.low:.0f} to {100 * gap.high:.0f}) between {components.plain(gap.best)} and "
        f"{components.plain(gap.worst)}. A gap is sure if its interval lies above 10 points."
        if gap
        else "No class has 20 images at two sites, so there is no gap to judge."
    )
    with st.expander("Table"):
        table = pd.DataFrame([asdict(row) for row in check.recall]).rename(columns={"class_name": "class"})
        table["class"] = table["class"].map(lambda name: names.get(name, name))
        shown = table.round({"recall": 3, "low": 3, "high": 3})
        st.dataframe(shown, hide_index=True, width="stretch", alt="Recall of each class at each site")


def _masking(check: LaboratoryCheck) -> None:
    st.markdown("**What is left without the cell, and without the background?**")
    if check.masking is None:
        components.empty("The cell was found in too few of the images to ask this.")
        return
    masking = check.masking
    _chart(drawn.draw_masking(masking), f"Accuracy with and without the cell, {check.model_id}")
    st.caption(_reading(masking))


def _reading(masking: Masking) -> str:
    chance = f"One answer to all is right in {percent(masking.chance)} (dashed)"
    if masking.site_alone > masking.chance:
        chance += f"; whoever knows only the site can reach {percent(masking.site_alone)} (dotted)"
    return (
        f"Whole {_words(masking.whole)}; cell cut out {_words(masking.background)}; cell alone on a plain ground "
        f"{_words(masking.cell)}. {chance}. The hole still tells about how large the cell was, and such pictures are "
        "strange to every model."
    )


def _notes(check: LaboratoryCheck) -> None:
    left_out = [f"{count:,} images were left out: {reason}." for reason, count in check.left_out.items()]
    if check.notes or left_out:
        with st.expander("What could not be asked"):
            st.markdown("\n".join(f"- {components.plain(note)}" for note in [*check.notes, *left_out]))


def _words(estimate: Estimate) -> str:
    return f"{percent(estimate.value)} ({percent(estimate.low)} to {percent(estimate.high)})"


def _chart(figure: drawn.go.Figure, alt: str) -> None:
    st.plotly_chart(figure, config=PLAIN_CONFIG, alt=alt, key=f"chart {alt}", width="stretch")
