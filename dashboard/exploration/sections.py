"""The parts of the exploratory report: each its sentences, its plots, its pictures and the tables behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dashboard.bundles import Bundle
from dashboard.errors import ExplorationError
from dashboard.evaluation import NOT_STATED
from dashboard.exploration import colour, components, duplicates, label_errors
from dashboard.exploration.cross_validation import FOLDS, OutOfSample, out_of_sample
from dashboard.exploration.reading import Images
from dashboard.figures import percent
from dashboard.figures_exploration import DRAWN, draw_class_balance, draw_colours, draw_components

COLOUR_AND_TEXTURE = "colour and texture"
_PICTURES = 24  # in the report; the tables hold all
_GROUPS = 12
_HOW = f"It was judged on images that it was not fitted on ({FOLDS}-fold cross-validation, copies kept together)."


@dataclass(frozen=True)
class Study:
    """What the sections are made of.

    Attributes
    ----------
    images : Images
        N of them.
    rejected : pandas.DataFrame
        path, label, reason of all that are not among them.
    groups : numpy.ndarray
        int, shape (N,): of `duplicates.groups`.
    model : str
        The id of the model whose features are used; empty for colour and texture.
    held_out : numpy.ndarray
        bool, shape (N,): images that the model was not made with.
    """

    images: Images
    rejected: pd.DataFrame
    groups: np.ndarray
    model: str
    held_out: np.ndarray

    @property
    def rows(self) -> pd.DataFrame:
        """The images' rows, with words where split or site is empty."""
        return self.images.rows.replace({"split": {"": NOT_STATED}, "site": {"": NOT_STATED}})

    @property
    def features_name(self) -> str:
        """What the features are called."""
        return f"the features of {self.model}" if self.model else COLOUR_AND_TEXTURE

    def components(self) -> components.Components:
        """Principal components of the model's features, or of colour and texture; may raise ExplorationError."""
        features = self.images.model_features
        return components.principal_components(
            components.colour_and_texture(self.images) if features is None else features
        )


def study(images: Images, rejected: pd.DataFrame, bundle: Bundle | None = None) -> Study:
    """Prepare the sections.

    Parameters
    ----------
    images : Images
        N of them, with the bundle's features where one is given.
    rejected : pandas.DataFrame
        path, label, reason of rows that were refused before any image was read.
    bundle : Bundle, optional
        Whose features describe the images.
    """
    everyone = np.ones(len(images.rows), bool)
    return Study(
        images,
        pd.concat([rejected, images.rejected], ignore_index=True),
        duplicates.groups(images),
        bundle.card.id if bundle else "",
        label_errors.held_out(images.rows["image_id"], bundle) if bundle else everyone,
    )


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side: a title, and of each its path and the lines that stand under it."""

    title: str
    pictures: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Section:
    """One part of the report.

    Attributes
    ----------
    title : str
    sentences : list of str
    figures : dict of str to plotly.graph_objects.Figure
        By caption.
    shown : pandas.DataFrame or None
        A small table to print.
    galleries : list of Gallery
    tables : dict of str to pandas.DataFrame
        File name → table, to be written beside the report.
    """

    title: str
    sentences: list[str]
    figures: dict[str, Any] = field(default_factory=dict)
    shown: pd.DataFrame | None = None
    galleries: list[Gallery] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


def classes_section(study: Study) -> Section:
    """How many images each class, split and site has: classes.csv."""
    rows = study.rows
    counts = rows.groupby(["label", "split", "site"]).size().rename("count").reset_index()
    of_class = rows["label"].value_counts()
    sentences = [f"{_images(len(rows))} of {_number(len(of_class), 'class', 'classes')}."]
    if len(of_class) > 1:
        sentences.append(
            f"The largest class, {of_class.index[0]}, has {of_class.iloc[0]}; the smallest, {of_class.index[-1]}, "
            f"has {of_class.iloc[-1]}."
        )
    else:
        sentences.append("One class cannot be compared with another; a classifier needs two or more.")
    figures = {}
    for by in ("split", "site"):
        values = sorted(set(rows[by]))
        if len(values) > 1:
            figures[f"Images of each class, by {by}"] = draw_class_balance(counts, by)
        else:
            sentences.append(f"The {by} of every image is the same: {values[0]}.")
    if not figures:
        figures["Images of each class"] = draw_class_balance(counts, "split")
    return Section("Classes", sentences, figures, tables={"classes.csv": counts})


def sizes_section(study: Study) -> Section:
    """How large the images of each site are: sizes.csv."""
    rows = study.rows
    table = rows.groupby(["site", "width", "height"]).size().rename("count").reset_index()
    sites_of_size = table.groupby(["width", "height"])["site"].nunique()
    sentences = ["The commonest sizes of each site, in pixels; sizes.csv has all."]
    if table["site"].nunique() > 1 and (sites_of_size == 1).all():
        sentences.append("No size occurs at two sites: image size alone gives the site away.")
    shown = table.sort_values(["site", "count"], ascending=[True, False], kind="stable").groupby("site").head(3)
    size = shown["width"].astype(str) + " × " + shown["height"].astype(str)
    sizes = pd.DataFrame({"site": shown["site"], "width × height": size, "images": shown["count"]})
    return Section("Image sizes", sentences, shown=sizes, tables={"sizes.csv": table})


def rejected_section(study: Study) -> Section:
    """Rows that could not be used: rejected.csv."""
    table = study.rejected
    if table.empty:
        return Section("Images that cannot be read", ["None: every row was read."], tables={"rejected.csv": table})
    sentence = f"{_number(len(table), 'row', 'rows')} of the labels CSV could not be used."
    if len(table) > _PICTURES:
        sentence += f" The first {_PICTURES}; rejected.csv has all."
    return Section(
        "Images that cannot be read", [sentence], shown=table.head(_PICTURES), tables={"rejected.csv": table}
    )


def colours_section(study: Study) -> Section:
    """The colours of each site, and how well they give it away: colours.csv."""
    table = colour.colour_table(study.images, study.rows["site"])
    sentences = []
    try:
        said = colour.site_from_colour(study.images, study.groups)
        sentences += [
            f"Colour alone tells the site of {_accuracy(said)}; always naming the commonest site would be right for "
            f"{percent(said.majority)}. What tells it is logistic regression on the histograms. {_HOW}",
            *_left_out(said),
        ]
        within = colour.site_from_colour_within_classes(study.images, study.groups)
        sentences.append(
            f"Among the classes that several sites have, colour tells the site of {_accuracy(within)}; the commonest "
            f"site has {percent(within.majority)} of them."
        )
    except ExplorationError as error:
        sentences.append(str(error))
    caption = "Mean share of an image's pixels at each value of red, green and blue, by site"
    return Section("Colour by site", sentences, {caption: draw_colours(table)}, tables={"colours.csv": table})


def components_section(study: Study) -> Section:
    """The images on their first principal components: components.csv."""
    columns = ["path", "label", "split", "site"]
    try:
        found = study.components()
    except ExplorationError as error:
        empty = pd.DataFrame(columns=[*columns, "pc1", "pc2"])
        return Section("Principal components", [str(error)], tables={"components.csv": empty})
    table = components.component_table(study.images, found)
    held = found.shares[:2].sum()
    sentences = [
        f"Each point is an image; near points have like features. The features are {_of(study)}; the two directions "
        f"drawn hold {percent(held)} of their variance. The same points twice: coloured by class, and by site."
    ]
    if len(table) > DRAWN:
        sentences.append(f"A random {DRAWN} of {len(table)} are drawn; components.csv has all.")
    drawn = table.assign(site=study.rows["site"])
    figures = {
        f"Coloured by {word}": draw_components(drawn, found.shares.tolist(), by) for word, by in _COLOURED.items()
    }
    return Section("Principal components", sentences, figures, tables={"components.csv": table})


_COLOURED = {"class": "label", "site": "site"}


def outliers_section(study: Study) -> Section:
    """Images that lie far from the rest of their class: outliers.csv."""
    try:
        table, too_small = components.outliers(study.images, study.components(), study.groups)
    except ExplorationError as error:
        empty = pd.DataFrame(columns=components.OUTLIER_COLUMNS)
        return Section("Outliers", [str(error)], tables={"outliers.csv": empty})
    sentences = [
        f"{_number(len(table), 'image lies', 'images lie')} far from the rest of the class: robust distance on the "
        f"first {components.SHOWN} components, beyond the limit within which {percent(components.LEVEL)} of a "
        "normal cloud would lie. Far is not wrong: it may be a rare form, a poor picture or a wrong label.",
        *_named("Too few images to judge", too_small),
        *_first(table),
    ]
    pictures = [
        (row.path, [row.label, f"{row.site or NOT_STATED}, distance {row.distance:.1f}"])
        for row in table.head(_PICTURES).itertuples()
    ]
    return Section("Outliers", sentences, galleries=_gallery("", pictures), tables={"outliers.csv": table})


def duplicates_section(study: Study) -> Section:
    """Images that show the same: duplicates.csv."""
    table = duplicates.duplicates(study.images)
    if table.empty:
        sentences = ["No image occurs twice, exactly or nearly."]
        return Section("Duplicates", sentences, tables={"duplicates.csv": table})
    first = table.drop_duplicates("group")
    exact, near = (int((first["kind"] == kind).sum()) for kind in ("exact", "near"))
    sentences = [
        f"{_number(exact, 'group', 'groups')} of exact duplicates (the same pixels) and {near} of near ones (resized, "
        "recompressed, turned or mirrored copies, or pictures that look alike: look at them).",
        f"{_number(int(first['conflicting_labels'].sum()), 'group has', 'groups have')} labels that contradict each "
        f"other; {_number(int(first['crosses_splits'].sum()), 'group lies', 'groups lie')} in train and in another "
        "split, where a model is judged on what it has learned.",
    ]
    if len(first) > _GROUPS:
        sentences.append(
            f"The first {_GROUPS} of {len(first)} groups are shown, conflicts first; duplicates.csv has all."
        )
    galleries = [
        Gallery(
            _group_title(members.iloc[0]),
            [
                (row.path, [row.label, f"{row.split or NOT_STATED}, {row.site or NOT_STATED}"])
                for row in members.head(6).itertuples()
            ],
        )
        for _, members in table[table["group"] <= _GROUPS].groupby("group")
    ]
    return Section("Duplicates", sentences, galleries=galleries, tables={"duplicates.csv": table})


def label_errors_section(study: Study) -> Section:
    """Labels that other images speak against: suspected_label_errors.csv."""
    sentences = [
        "Each image is judged by logistic regression that was fitted on other images, never on the image itself or a "
        f"copy of it ({FOLDS}-fold cross-validation). Ranked by how far the suggested class is likelier than the given "
        "label. A suspicion is a reason to look again, not a correction."
    ]
    if study.model:
        known = int((~study.held_out).sum())
        sentences.append(
            f"{study.model} was, or may have been, made with {known} of these {_images(len(study.rows))}. Its features "
            f"have learned their labels, errors included, so those are judged by {COLOUR_AND_TEXTURE} instead."
        )
    judged = []
    for name, of, features in _sources(study):
        try:
            said = out_of_sample(features, study.rows["label"].iloc[of], study.groups[of])
        except ExplorationError as error:
            sentences.append(f"With {name}: {error}")
            continue
        judged.append((name, of, said))
        sentences += [
            f"With {name}, the given label is found again for {_accuracy(said)}: the lower this share, the more of the "
            "suspicions are the judge's own errors.",
            *_left_out(said),
        ]
    table = label_errors.suspected_label_errors(study.images, judged)
    pictures = [
        (
            row.path,
            [
                f"{row.label}?",
                f"suggested {row.suggested}",
                f"{percent(row.p_suggested)} against {percent(row.p_label)}",
            ],
        )
        for row in table.head(_PICTURES).itertuples()
    ]
    if judged:
        sentences += [f"{_number(len(table), 'label is', 'labels are')} suspected.", *_first(table)]
    tables = {"suspected_label_errors.csv": table}
    return Section("Suspected label errors", sentences, galleries=_gallery("", pictures), tables=tables)


SECTIONS = (
    classes_section,
    sizes_section,
    rejected_section,
    colours_section,
    components_section,
    outliers_section,
    duplicates_section,
    label_errors_section,
)


def _sources(study: Study) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Name the features that may judge, the rows that they may judge (int), and their values there."""
    plain = components.colour_and_texture(study.images)
    if study.images.model_features is None:
        return [(COLOUR_AND_TEXTURE, np.arange(len(plain)), plain)]
    parts = []
    for name, chosen, features in (
        (study.features_name, study.held_out, study.images.model_features),
        (COLOUR_AND_TEXTURE, ~study.held_out, plain),
    ):
        of = np.flatnonzero(chosen)
        if len(of):
            parts.append((name, of, features[of]))
    return parts


def _of(study: Study) -> str:
    if study.model:
        return f"those of {study.model}'s last spatial layer"
    return "colour histograms and local binary patterns (no model)"


def _group_title(row: pd.Series) -> str:
    marks = [
        "labels contradict each other" if row["conflicting_labels"] else "",
        "in train and in another split" if row["crosses_splits"] else "",
    ]
    return ": ".join([row["kind"].capitalize(), " · ".join(mark for mark in marks if mark)]).removesuffix(": ")


def _gallery(title: str, pictures: list[tuple[str, list[str]]]) -> list[Gallery]:
    return [Gallery(title, pictures)] if pictures else []


def _first(table: pd.DataFrame) -> list[str]:
    return [f"The first {_PICTURES} are shown; the table has all."] if len(table) > _PICTURES else []


def _left_out(said: OutOfSample) -> list[str]:
    return _named(f"Left out, with fewer than {FOLDS} different images", list(said.left_out))


def _named(words: str, names: list[str]) -> list[str]:
    return [f"{words}: {', '.join(names)}."] if names else []


def _accuracy(said: OutOfSample) -> str:
    value, low, high = said.accuracy()
    return f"{percent(value)} of {_images(len(said.labels))} ({percent(low)} to {percent(high)})"


def _images(count: int) -> str:
    return _number(count, "image", "images")


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
