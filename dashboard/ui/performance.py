"""The parts of the Performance page: each shows one model on the chosen images, a chart with its reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import evaluation, figures, metrics
from dashboard.bundles import Bundle, Card
from dashboard.calibration import ece_noise_floor, expected_calibration_error, reliability_table
from dashboard.errors import BundleError
from dashboard.figures import percent
from dashboard.model_card import model_card
from dashboard.ui import cached, components, confusion_cases, laboratory, robustness

ALL = "all"


@dataclass(frozen=True)
class Shown:
    """A model and the rows of its evaluation.csv that are looked at, as `evaluation.read_evaluation` gives them."""

    card: Card
    rows: pd.DataFrame

    @property
    def names(self) -> dict[str, str]:
        """Class name → name on screen."""
        return {info.name: info.display_name for info in self.card.classes}


def choose_second(first: str) -> str | None:
    """Let the reader put another model beside the sidebar's; None for none."""
    others = [status.id for status in cached.bundles() if status.bundle is not None and status.id != first]
    if not others:
        return None
    titles = {key: cached.bundle(key).card.title for key in others}
    return st.selectbox(
        "Second model",
        others,
        index=None,
        format_func=titles.__getitem__,
        placeholder="None",
        key="performance_second",
        persist_state="page",
    )


def read(model_id: str) -> Shown:
    """Read the evaluation of a bundle; BundleError if it cannot be used."""
    bundle = cached.bundle(model_id)
    if bundle.evaluation_file.name not in bundle.card.sha256:
        raise BundleError(
            f"{bundle.card.title} has no evaluation.csv, so nothing is known of its performance. Run "
            f"`python -m dashboard evaluate --model {model_id} --labels CSV --images DIR --out DIR --keep` on labelled "
            "images that it was not trained on."
        )
    return Shown(bundle.card, _rows(bundle.card.sha256[bundle.evaluation_file.name], repr(bundle.card), bundle))


@st.cache_data(max_entries=4, show_spinner="Reading the evaluation")
def _rows(sha256: str, card: str, _bundle: Bundle) -> pd.DataFrame:  # noqa: ARG001
    return evaluation.read_evaluation(_bundle.evaluation_file, _bundle.card)


def filtered(models: list[Shown], places: Sequence[DeltaGenerator]) -> list[Shown]:
    """Let the reader choose split and site, in these two places; the same for every model."""
    rows = pd.concat([shown.rows[["split", "site"]] for shown in models])
    chosen = {}
    for column, place in zip(("split", "site"), places, strict=True):
        values = [ALL, *sorted(set(rows[column]) - {""})]
        start = values.index("test") if column == "split" and "test" in values else 0
        chosen[column] = place.selectbox(
            column.title(), values, index=start, key=f"performance_{column}", persist_state="page"
        )
    kept = []
    for shown in models:
        wanted = [shown.rows[column].isin([value]) for column, value in chosen.items() if value != ALL]
        kept.append(Shown(shown.card, shown.rows[np.logical_and.reduce(wanted)] if wanted else shown.rows))
    return kept


def headline(shown: Shown) -> None:
    """Say the main numbers in words."""
    measured = metrics.averages(shown.rows["label"], shown.rows["predicted"], shown.card.class_names)
    accuracy, macro_f1 = (measured.set_index("measure").loc[name] for name in ("accuracy", "macro_f1"))
    st.subheader(shown.card.title, anchor=False)
    left, right = st.columns(2)
    left.metric("Accuracy", percent(accuracy["value"]), border=True)
    right.metric("Macro F1", percent(macro_f1["value"]), border=True)
    right_ones = int(shown.rows["correct"].sum())
    st.markdown(
        f"The model's first answer is the label in {right_ones:,} of {len(shown.rows):,} images: accuracy "
        f"{_interval(accuracy)}. Every class counting the same, F1 is {_interval(macro_f1)}. "
        f"{percent(shown.rows['unidentified'].mean())} of the cells are Unidentified. "
        "Brackets are 95 % intervals."
    )
    if "train" in set(shown.rows["split"]):
        st.warning("Some of these images are training data; what they show flatters.", icon=":material/warning:")


def show_classes(shown: Shown) -> None:
    """Show precision, recall, specificity and F1 of each class, as a chart and as a table."""
    table = metrics.per_class_metrics(shown.rows["label"], shown.rows["predicted"], shown.card.class_names)
    chart, listing = st.tabs(["Chart", "Table"])
    with chart:
        measure = st.segmented_control(
            "Measure",
            metrics.MEASURES,
            default="recall",
            required=True,
            format_func=_measure_name,
            key=f"measure_{shown.card.id}",
        )
        _chart(
            figures.draw_metric(table, str(measure), shown.names),
            f"{_measure_name(str(measure))} of each class with its 95 % interval, {shown.card.title}",
        )
        st.caption(_reading_of(table, str(measure), shown.names))
    with listing:
        _table(table.assign(**{"class": table["class"].map(shown.names)}), f"per_class_{shown.card.id}")


def show_confusion(shown: Shown) -> None:
    """Show who is taken for whom; a cell opens the cases behind it."""
    confusion_cases.show(shown.card, shown.rows, shown.names)


def show_curves(shown: Shown) -> None:
    """Show ROC and precision-recall curves, each class against the rest."""
    classes = shown.card.class_names
    areas = evaluation.curve_areas(shown.rows, classes)
    _chart(
        figures.draw_roc(evaluation.roc_curves(shown.rows, classes), areas, shown.names),
        f"ROC curve of each class against the rest, {shown.card.title}",
    )
    st.caption(_area_reading(areas, "roc_auc", shown.names, "The area is the chance that a cell of the class scores"))
    _chart(
        figures.draw_precision_recall(evaluation.precision_recall_curves(shown.rows, classes), areas, shown.names),
        f"Precision over recall of each class against the rest, {shown.card.title}",
    )
    st.caption(
        "Average precision is in the legend; unlike the ROC curve it falls when a class is rare. "
        "A class without images has no curve."
    )


def show_confidence(shown: Shown) -> None:
    """Show whether the model is as often right as it is sure, and whether its sets keep their promise."""
    sure, correct = shown.rows["confidence"].to_numpy(), shown.rows["correct"].to_numpy()
    _chart(
        figures.draw_reliability(reliability_table(sure, correct)),
        f"Accuracy over confidence, and images a bin, {shown.card.title}",
    )
    error, floor = expected_calibration_error(sure, correct), _noise_floor(sure)
    verdict = "no sign of miscalibration" if error <= floor else "more than chance explains"
    st.caption(
        f"ECE is {error:.3f}; a perfectly calibrated model would stay under {floor:.3f} in 95 % of samples of this "
        f"size, so this is {verdict}."
    )
    fitted = shown.card.calibration
    if fitted:
        st.caption(
            f"Calibrated on {components.plain(fitted.set)}, {fitted.n:,} images, {fitted.date}; "
            "numbers on that set flatter."
        )
    else:
        components.empty("This model is uncalibrated. Run `python -m dashboard calibrate`.")
    _show_sets(shown)


def _show_sets(shown: Shown) -> None:
    rule = shown.card.prediction_set
    if rule is None:
        components.empty("This model has no prediction sets. Run `python -m dashboard calibrate`.")
        return
    table = evaluation.set_coverage(shown.rows, shown.card.class_names, rule.threshold)
    _chart(
        figures.draw_coverage(table, rule.level, shown.names),
        f"Share of prediction sets that hold the label, by class, {shown.card.title}",
    )
    whole = table.iloc[-1]
    held = f"{percent(whole['coverage'])} ({percent(whole['coverage_low'])} to {percent(whole['coverage_high'])})"
    st.caption(
        f"The {rule.level:.0%} sets hold the label in {held} of images, with {whole['mean_size']:.2f} classes on "
        f"average; {percent(whole['empty'])} are empty. The promise holds over all images, not for each class."
    )
    _table(table.assign(**{"class": table["class"].map(shown.names).fillna("All")}), f"coverage_{shown.card.id}")


def show_groups(shown: Shown) -> None:
    """Compare sites and splits."""
    for column in ("site", "split"):
        table = evaluation.by_group(shown.rows, column)
        st.markdown(f"**By {column}**")
        _chart(figures.draw_groups(table), f"Accuracy by {column} with its 95 % interval, {shown.card.title}")
        worst = table.sort_values("accuracy").iloc[0]
        st.caption(
            f"All images are of one {column}, so nothing is known of others."
            if len(table) == 1
            else f"Lowest: {components.plain(worst['group'])}, {percent(worst['accuracy'])} "
            f"of {worst['count']:,} images."
        )
        _table(table, f"by_{column}_{shown.card.id}")


def show_card(shown: Shown) -> None:
    """Show the model card in words."""
    st.markdown(model_card(shown.card))


VIEWS: dict[str, Callable[[Shown], None]] = {
    "Classes": show_classes,
    "Confusion matrix": show_confusion,
    "Curves": show_curves,
    "Confidence": show_confidence,
    "Sites and splits": show_groups,
    "Robustness": lambda shown: robustness.show(shown.card),
    "Laboratory": lambda shown: laboratory.show(shown.card),
    "Model card": show_card,
}


@st.cache_data(max_entries=32, show_spinner=False)
def _noise_floor(confidence: np.ndarray) -> float:
    return ece_noise_floor(confidence)


def _chart(figure: figures.go.Figure, alt: str) -> None:
    st.plotly_chart(figure, config=figures.PLAIN_CONFIG, alt=alt, key=f"chart {alt}")


def _table(table: pd.DataFrame, name: str) -> None:
    printed = table.copy()
    for column in table.select_dtypes("float"):
        style = "{:.2f}" if column == "mean_size" else "{:.3f}"
        printed[column] = [figures.UNKNOWN if np.isnan(value) else style.format(value) for value in table[column]]
    st.dataframe(printed, hide_index=True, alt=name.replace("_", " "))
    st.download_button(
        "Download as CSV",
        table.to_csv(index=False),
        f"{name}.csv",
        "text/csv",
        key=f"download_{name}",
        on_click="ignore",
        icon=":material/download:",
    )


def _measure_name(measure: str) -> str:
    return "F1" if measure == "f1" else measure.title()


def _interval(row: pd.Series) -> str:
    return f"{percent(row['value'])} ({percent(row['low'])} to {percent(row['high'])})"


def _reading_of(table: pd.DataFrame, measure: str, names: dict[str, str]) -> str:
    known = table.dropna(subset=[measure])
    if known.empty:
        return f"{_measure_name(measure)} is unknown: no class has images."
    worst = known.loc[known[measure].idxmin()]
    name = "F1" if measure == "f1" else measure
    text = f"Lowest {name}: {names[worst['class']]}, {percent(worst[measure])}; n is the images so labelled."
    missing = len(table) - len(known)
    return text + (f" Unknown for {missing} of the classes." if missing else "")


def _area_reading(areas: pd.DataFrame, column: str, names: dict[str, str], text: str) -> str:
    known = areas.dropna(subset=[column])
    if known.empty:
        return "No class has both images of its own and others beside it, so there is no curve."
    worst = known.loc[known[column].idxmin()]
    return f"{text} above one of another; lowest for {names[worst['class']]}, {worst[column]:.3f}."
