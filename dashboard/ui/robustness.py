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
    _lead(table, card)
    st.plotly_chart(
        draw_robustness(table),
        config=PLAIN_CONFIG,
        alt=f"Accuracy, mean confidence and share flagged by severity of each corruption, {card.title}",
        key=f"robustness_{card.id}",
    )
    _explain(table)
    st.download_button(
        "Download as CSV",
        table.to_csv(index=False),
        f"robustness_{card.id}.csv",
        "text/csv",
        key=f"download_robustness_{card.id}",
        on_click="ignore",
        icon=":material/download:",
    )


def _lead(table: pd.DataFrame, card: Card) -> None:
    first = table.iloc[0]
    st.markdown(_headline(table))
    if abs(first["temperature"] - card.temperature) > 1e-6:
        st.warning(
            f"Confidence was measured at temperature {first['temperature']:.3f}; the model now has "
            f"{card.temperature:.3f}. Run `python -m dashboard robustness` again.",
            icon=":material/warning:",
        )


def _explain(table: pd.DataFrame) -> None:
    first = table.iloc[0]
    st.caption(
        f"{first['n']:,} images ({components.plain(first['set'])}), whatever split and site are chosen above. The "
        "blue band is the 95 % interval of the accuracy. Where the dashed line, mean confidence, lies above it, the "
        "model is surer than it is right; the dotted line is the share of images flagged as out of distribution."
    )
    st.markdown(
        "\n".join(
            f"- **{CORRUPTIONS[str(name)].display_name}** {components.plain(robustness.reading(curve))}."
            for name, curve in table.groupby("corruption", sort=False)
        )
    )


def _headline(table: pd.DataFrame) -> str:
    clean, lowest = table.iloc[0], table.loc[table["accuracy"].idxmin()]
    said = [f"On clean images {percent(clean['accuracy'])} are right.", f"The fewest are {_outcome(lowest)}."]
    misled = robustness.least_warned(table)
    if misled.name != lowest.name and misled["mean_confidence"] - misled["accuracy"] >= 0.01:
        said.append(f"Confidence misleads most {_outcome(misled)}.")
    return " ".join(said)


def _outcome(row: pd.Series) -> str:
    corruption = CORRUPTIONS[row["corruption"]]
    clean = row["severity"] == robustness.CLEAN
    where = "on clean images" if clean else f"under {corruption.display_name} {corruption.form.format(row['severity'])}"
    flagged = "" if pd.isna(row["flagged"]) else f", {percent(row['flagged'])} flagged"
    return (
        f"{components.plain(where)}: {percent(row['accuracy'])} right at {percent(row['mean_confidence'])} mean "
        f"confidence{flagged}"
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _table(sha256: str, _bundle: Bundle) -> pd.DataFrame:  # noqa: ARG001
    return robustness.read_robustness(_bundle.folder / robustness.FILE)
