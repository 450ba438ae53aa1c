"""What a recipe is: everything that decides a fit, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.bundles import ClassInfo
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
    brightness_centre : float
        Middle of the brightness factors.
    shear : float
        Largest shear either way, in degrees.
    blur, noise, jpeg, sharpness, elastic, perspective : float
        Share of images that are blurred (Gaussian, sigma up to 1.5 px), get Gaussian noise (sigma up to `noise_sigma`,
        0-255 units), are recompressed (JPEG quality 40 to 95), sharpened (up to `sharpest`, 1 for unchanged), bent
        (displacements of `elastic_alpha` times a noise smoothed by `elastic_sigma` px) or tilted (corners move by up
        to a tenth of the side).
    noise_levels : tuple of float
        With any, sigma is one of these instead.
    flips, vertical_flips : bool
        Mirror left and right, top and bottom, at random.
    """

    rotation: float = 180.0
    zoom: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    shear: float = 0.0
    perspective: float = 0.0
    elastic: float = 0.0
    elastic_alpha: float = 30.0
    elastic_sigma: float = 5.0
    brightness: float = 0.0
    brightness_centre: float = 1.0
    contrast: float = 0.0
    saturation: float = 0.0
    channel_gain: float = 0.0
    gamma: float = 0.0
    stain: float = 0.0
    hue: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    noise_sigma: float = 6.0
    noise_levels: tuple[float, ...] = ()
    sharpness: float = 0.0
    sharpest: float = 1.5
    jpeg: float = 0.0
    flips: bool = True
    vertical_flips: bool = False


@dataclass(frozen=True)
class Head:
    """What follows the backbone's pooled features: dropout, a hidden layer, batch normalisation, the logits.

    Attributes
    ----------
    dropout, dense_dropout : float
        Share of features dropped before, and of the hidden layer's after it.
    dense : int
        Units (ReLU) of the hidden layer; 0 for none.
    l1 : float
        L1 penalty on the kernel of the logits.
    """

    dropout: float = 0.2
    dense: int = 0
    dense_dropout: float = 0.0
    batch_norm: bool = False
    l1: float = 0.0


@dataclass(frozen=True)
class Optimiser:
    """How the weights move.

    Attributes
    ----------
    name : {"adamw", "adam"}
    schedule : {"cosine", "constant", "plateau"}
        "cosine" warms up and falls to a hundredth; "plateau" divides by ten after `plateau_patience` epochs in which
        the loss on val did not fall, down to 1e-6.
    average_decay : float
        Decay per step of the exponential moving average of the weights that becomes the model; 0 for none.
    monitor, patience : str, int
        Stop after `patience` epochs without a better "val_loss" or "val_macro_f1", and keep the best epoch; patience
        0 for never.
    """

    name: str = "adamw"
    learning_rate: float = 3e-4
    schedule: str = "cosine"
    warmup_epochs: float = 0.5
    plateau_patience: int = 5
    weight_decay: float = 0.02
    average_decay: float = 0.0
    monitor: str = "val_loss"
    patience: int = 0


@dataclass(frozen=True)
class Balance:
    """What training sees of each class.

    Attributes
    ----------
    grey_copies : tuple of str
        Classes whose images enter a second time without their colour (HSV with the saturation removed).
    per_class : int
        Views of each class in an epoch, drawn in turn; 0 for each image once.
    steps : int
        Batches an epoch; 0 for as many as the images fill.
    """

    grey_copies: tuple[str, ...] = ()
    per_class: int = 0
    steps: int = 0


@dataclass(frozen=True)
class Recipe:
    """One way to train a model.

    Attributes
    ----------
    paper : str
        "P1" to "P5" of docs/REPRODUCTION.md; empty for the project's own.
    backbone : str
        Name in `keras.applications`, or "ScratchCNN" of `networks`.
    classes : tuple of ClassInfo
        In logit order.
    frozen_batch_norm : bool
        Keep batch normalisation at its initial statistics: needed where they were folded into the weights.
    trainable : str
        "all"; "head" (the backbone stays as it starts); or the name of the backbone's first layer that learns.
    views : int
        With a frozen backbone: augmented views of each image whose features are computed once, before the epochs.
    second_look : tuple of float
        As on the card.
    start_share : float
        Share of the initial weights in the final ones: the two are averaged where the fit starts from an earlier one.
        Source: Wortsman et al. 2022, Robust fine-tuning of zero-shot models, arXiv:2109.01903.
    dataset : str
        How its rows are taken from a labels CSV of several data sets: one of `datasets.DATASETS`; empty for all rows.
    protocol : str
        The paper's own way to judge, one of `protocols.PROTOCOLS`.
    protocol_note : str
        What in the paper's own protocol leaks, or differs from ours.
    mixed_precision : bool
        Half precision where there is a GPU; on a CPU it only slows.
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
    paper: str = ""
    batch: int = 32
    head: Head = field(default_factory=Head)
    optimiser: Optimiser = field(default_factory=Optimiser)
    balance: Balance = field(default_factory=Balance)
    trainable: str = "all"
    views: int = 0
    protocol: str = "split"
    protocol_note: str = ""
    mixed_precision: bool = False
    label_smoothing: float = 0.0
    frozen_batch_norm: bool = True
    fine_label_weight: float = 0.0
    unspecific_fine_labels: tuple[str, ...] = ()
    mixup: float = 0.0
    feature_layers: tuple[str, ...] = ("features",)
    dataset: str = ""
    second_look: tuple[float, ...] = ()
    start_share: float = 0.0
    data: str = ""
    data_licence: str = ""
    unidentified_below: float = 0.6
    intended_use: str = ""
    known_limits: tuple[str, ...] = field(default=())
