"""The part of the Performance page that shows what a model bears."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import robustness
from dashboard.bundles import Bundle, Card
from dashboard.corruptions import CORRUPTIONS
from dashboard.errors import BundleError
from dashboard.figures import PLAIN_CONFIG, percent
from dashboard.figures_robustness import draw_robustness
from dashboard.ui import cached, components


def show(card: Card) -> None:
    """Draw the robustness.csv of a bundle with its reading, or say how it is made."""
    bundle = cached.bundle(card.id)
    if robustness.FILE not in card.sha256:
        components.empty(
            f"{components.plain(card.title)} has no {robustness.FILE}, so nobody knows what it bears. Run "
            f"`python -m dashboard robustness --model {card.id} --labels CSV --images DIR --where split=test --out DIR "
            "--store` on labelled images that it was not trained on."
        )
        return
    try:
        table = _table(card.sha256[robustness.FILE], bundle)
    except BundleError as error:
        components.refuse(error)
        return
    _say(table, card)
    st.plotly_chart(
        draw_robustness(table),
        config=PLAIN_CONFIG,
        alt=f"Accuracy, mean confidence and share flagged by severity of each corruption, {card.title}",
        key=f"robustness_{card.id}",
    )
    st.download_button(
        "Download as CSV",
        table.to_csv(index=False),
        f"robustness_{card.id}.csv",
        "text/csv",
        key=f"download_robustness_{card.id}",
        on_click="ignore",
        icon=":material/download:",
    )


def _say(table: pd.DataFrame, card: Card) -> None:
    first, worst = table.iloc[0], robustness.least_warned(table)
    st.markdown(
        "\n".join(
            f"- **{CORRUPTIONS[str(name)].display_name}** {components.plain(robustness.reading(curve))}."
            for name, curve in table.groupby("corruption", sort=False)
        )
    )
    st.markdown(_least_warned(worst))
    st.caption(
        f"{first['n']:,} images ({components.plain(first['set'])}), clean accuracy {percent(first['accuracy'])}, "
        "whatever split and site are chosen above. Where the dashed line lies above the blue one, the model is surer "
        "than it is right; the dotted line is the share of images that the app would warn of."
    )
    if abs(first["temperature"] - card.temperature) > 1e-6:
        st.warning(
            f"Confidence was measured at temperature {first['temperature']:.3f}; the model now has "
            f"{card.temperature:.3f}. Run `python -m dashboard robustness` again.",
            icon=":material/warning:",
        )


def _least_warned(worst: pd.Series) -> str:
    corruption = CORRUPTIONS[worst["corruption"]]
    gap = 100 * (worst["mean_confidence"] - worst["accuracy"])
    if gap < 1:
        return "Mean confidence never exceeds accuracy by a point."
    clean = worst["severity"] == robustness.CLEAN
    where = "on clean images" if clean else f"at {corruption.display_name} {corruption.form.format(worst['severity'])}"
    flagged = "" if pd.isna(worst["flagged"]) else f", and {percent(worst['flagged'])} of the images are flagged"
    return (
        f"Confidence misleads most {where}: right {percent(worst['accuracy'])}, "
        f"sure {percent(worst['mean_confidence'])}{flagged}."
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _table(sha256: str, _bundle: Bundle) -> pd.DataFrame:  # noqa: ARG001
    return robustness.read_robustness(_bundle.folder / robustness.FILE)
