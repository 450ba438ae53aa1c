"""Recipes: everything that decides a fit, as data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from dashboard.bundles import ClassInfo
from dashboard.errors import TrainingError
from dashboard.preprocessing import InputSpec


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a training image; every range is drawn from uniformly, per image.

    Attributes
    ----------
    rotation : float
        Largest turn either way, in degrees.
    zoom : tuple of float
        Size of the cell relative to the original; drawn on a log scale.
    shift : float
        Largest shift either way, as a share of the side.
    brightness, contrast, saturation, channel_gain, gamma : float
        Largest relative change; 0.1 means a factor of 0.9 to 1.1.
    stain : float
        Largest relative change of each dye's density, drawn by itself; the glass is tinted by a fifth of it.
    hue : float
        Largest turn of the hue, in degrees.
    blur, noise, jpeg : float
        Share of images that are blurred (Gaussian, sigma up to 1.5 px), get Gaussian noise (sigma up to `noise_sigma`,
        0-255 units) or are recompressed (JPEG quality 40 to 95).
    flips : bool
        Mirror both axes at random.
    """

    rotation: float = 180.0
    zoom: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    channel_gain: float = 0.0
    gamma: float = 0.0
    stain: float = 0.0
    hue: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    noise_sigma: float = 6.0
    jpeg: float = 0.0
    flips: bool = True


@dataclass(frozen=True)
class Recipe:
    """One way to train a model.

    Attributes
    ----------
    backbone : str
        Name in `keras.applications`.
    classes : tuple of ClassInfo
        In logit order.
    frozen_batch_norm : bool
        Keep batch normalisation at its initial statistics: needed where they were folded into the weights.
    average_decay : float
        Decay per step of the exponential moving average of the weights that becomes the model; 0 for none.
    fine_label_weight : float
        Weight of a second output that learns the labels CSV's column fine_label, for training alone; 0 for none.
    unspecific_fine_labels : tuple of str
        Fine labels that say no more than the label; the second output does not learn them.
    mixup : float
        Parameter of mixup; 0 for none.
    feature_layers : tuple of str
        Layers whose outputs tell whether an image is like the training set.
    """

    name: str
    title: str
    source: str
    backbone: str
    classes: tuple[ClassInfo, ...]
    input: InputSpec
    augmentation: Augmentation
    epochs: int
    batch: int = 32
    learning_rate: float = 3e-4
    warmup_epochs: float = 0.5
    weight_decay: float = 0.02
    label_smoothing: float = 0.0
    dropout: float = 0.2
    average_decay: float = 0.0
    frozen_batch_norm: bool = True
    fine_label_weight: float = 0.0
    unspecific_fine_labels: tuple[str, ...] = ()
    mixup: float = 0.0
    feature_layers: tuple[str, ...] = ("features",)
    data: str = ""
    data_licence: str = ""
    unidentified_below: float = 0.6
    intended_use: str = ""
    known_limits: tuple[str, ...] = field(default=())


PBC8_CLASSES = (
    ClassInfo("basophil", "Basophil"),
    ClassInfo("eosinophil", "Eosinophil"),
    ClassInfo("erythroblast", "Nucleated red cell (erythroblast)", critical=True),
    ClassInfo("immature_granulocyte", "Immature granulocyte", critical=True),
    ClassInfo("lymphocyte", "Lymphocyte"),
    ClassInfo("monocyte", "Monocyte"),
    ClassInfo("neutrophil", "Neutrophil (band or segmented)"),
    ClassInfo("platelet", "Platelet"),
)

_PBC8_START = Recipe(
    name="pbc8-mobilenetv2-start",
    title="Eight blood cells (first stage)",
    source="Sandler et al. 2018, MobileNetV2, arXiv:1801.04381",
    data="Peripheral blood cells, Hospital Clínic Barcelona; Acevedo et al. 2020, Data in Brief 30:105474",
    data_licence="CC BY 4.0",
    backbone="MobileNetV2",
    classes=PBC8_CLASSES,
    input=InputSpec(224, 224, resize="centre", crop=0.875, scaling="minus_one_to_one"),
    augmentation=Augmentation(
        zoom=(0.8, 1.25),
        shift=0.05,
        brightness=0.12,
        contrast=0.15,
        saturation=0.2,
        channel_gain=0.05,
        gamma=0.15,
        hue=6.0,
        blur=0.3,
        noise=0.2,
        jpeg=0.3,
    ),
    epochs=16,
    label_smoothing=0.05,
    average_decay=0.998,
    # on val, the 2 % of cells below it hold 14 of the 22 errors
    unidentified_below=0.9,
    # the last features know the classes, the sixth block's the look of the picture; earlier ones alone also flag a mere
    # change of brightness or a recompression
    feature_layers=("features", "block_6_expand_relu"),
    intended_use="Second reads, teaching and label checks on single cells of May-Grünwald-Giemsa smears "
    "photographed like those of the training set. Research and education only; not a medical device.",
    known_limits=(
        "Trained on one hospital, one stainer and one camera (Barcelona, CellaVision DM96); on cells from "
        "other sites accuracy falls while confidence stays high: heed the out-of-distribution flag.",
        "Knows eight classes: it cannot name a blast, a reactive or abnormal lymphocyte, a plasma cell, a "
        "smudge cell or an artefact, and will call each something else or flag it.",
        "Does not tell band from segmented neutrophils, nor the stages of immature granulocytes.",
        "Each image must show one cell, roughly centred.",
    ),
)

# other stainers, cameras and crops: what a new hospital may change
_ELSEWHERE = Augmentation(
    zoom=(0.55, 1.9),
    shift=0.08,
    brightness=0.2,
    contrast=0.3,
    saturation=0.6,
    channel_gain=0.12,
    gamma=0.35,
    stain=0.5,
    hue=25.0,
    blur=0.4,
    noise=0.25,
    noise_sigma=10.0,
    jpeg=0.3,
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        _PBC8_START,
        dataclasses.replace(
            _PBC8_START,
            name="pbc8-mobilenetv2-fine",
            title="Eight blood cells (second stage)",
            source=f"{_PBC8_START.source}; starts from the fit of {_PBC8_START.name}",
            epochs=8,
            learning_rate=1.5e-4,
            fine_label_weight=0.5,
            unspecific_fine_labels=("immature_granulocyte",),
            mixup=0.2,
        ),
        dataclasses.replace(
            _PBC8_START,
            name="pbc8-mobilenetv2",
            title="Eight blood cells, MobileNetV2",
            source=f"{_PBC8_START.source}; starts from the fit of pbc8-mobilenetv2-fine",
            epochs=12,
            learning_rate=2e-4,
            fine_label_weight=0.5,
            unspecific_fine_labels=("immature_granulocyte",),
            augmentation=_ELSEWHERE,
        ),
    )
}


def recipe(name: str) -> Recipe:
    """Look a recipe up; TrainingError with the names there are if it is unknown."""
    try:
        return RECIPES[name]
    except KeyError:
        raise TrainingError(f"There is no recipe {name!r}; there are: {', '.join(sorted(RECIPES))}.") from None
