"""Models of the papers' tasks that the project trains itself: two to ship, one to measure with."""

from __future__ import annotations

import dataclasses

from dashboard.bundles import ClassInfo
from dashboard.preprocessing import InputSpec
from dashboard.training.recipes.papers import CNMC_DATA, LEUKAEMIA5_DATA, PAPERS
from dashboard.training.recipes.pbc8 import ELSEWHERE
from dashboard.training.recipes.recipe import Augmentation, Balance, Head, Optimiser, Recipe

_USE = "Research and education only; not a medical device."
_BY_NAME = {recipe.name: recipe for recipe in PAPERS}

_LEUKAEMIA5 = Recipe(
    name="leukaemia5-mobilenetv2",
    title="Five classes (two hospitals), MobileNetV2",
    source="P1's task; Sandler et al. 2018, MobileNetV2, arXiv:1801.04381",
    paper="P1",
    backbone="MobileNetV2",
    **LEUKAEMIA5_DATA | {"dataset": "kaggle_five_across_sites"},
    input=InputSpec(224, 224, resize="centre", crop=0.875, scaling="minus_one_to_one"),
    augmentation=ELSEWHERE,
    optimiser=Optimiser(learning_rate=4e-4, average_decay=0.997),
    label_smoothing=0.05,
    epochs=6,
    unidentified_below=0.8,
    feature_layers=("features", "block_6_expand_relu"),
    intended_use=f"Teaching, and the worked example of a data set confounded by hospital. {_USE}",
    known_limits=(
        "Myeloblasts come from Munich alone, basophils, erythroblasts and monocytes from Barcelona alone: whether a "
        "myeloblast of another hospital is recognised cannot be measured with these data.",
        "Knows five classes: a lymphocyte, an eosinophil, a platelet or an immature granulocyte is called one of them.",
        "Each image must show one cell, roughly centred.",
    ),
)

_CNMC = Recipe(
    name="cnmc-all-mobilenet",
    title="Lymphoblast or normal precursor, MobileNet",
    source="P3's network (Makem, Tamas & Buşoniu 2025, Front. Artif. Intell. 8:1620252)",
    paper="P3",
    backbone="MobileNet",
    **CNMC_DATA,
    # small, blurred and noisy: how sharp a cell is tells the subject, and a fit at 160 px read one fold backwards by it
    input=InputSpec(96, 96, crop=0.8, scaling="minus_one_to_one"),
    augmentation=Augmentation(
        rotation=180,
        zoom=(0.85, 1.2),
        shift=0.05,
        shear=3,
        brightness=0.3,
        contrast=0.3,
        saturation=0.5,
        channel_gain=0.15,
        gamma=0.3,
        hue=20.0,
        blur=0.8,
        noise=0.9,
        noise_sigma=25.0,
    ),
    head=Head(dropout=0.3),
    optimiser=Optimiser(learning_rate=4e-4, average_decay=0.99),
    balance=Balance(per_class=1500),
    label_smoothing=0.05,
    epochs=6,
    frozen_batch_norm=False,
    protocol="subject",
    unidentified_below=0.8,
    intended_use="Teaching and the comparison of protocols, on single cells cut out as in C-NMC 2019 (black around the "
    f"cell). {_USE}",
    known_limits=(
        "Only cells already cut out of their smear, on black; anything else is outside its training data.",
        "Errs on whole subjects. In three folds by subject its macro-F1 was 0.85, 0.58 and 0.73, pooled 0.72 "
        "(docs/REPRODUCTION.md); this is the first fold's model, so its own figures are those of the luckiest fold.",
        "Only three subjects have normal precursors, and two of them trained it.",
    ),
)

_P3_SHORT = dataclasses.replace(
    _BY_NAME["p3-mobilenet-m"],
    name="p3-mobilenet-short",
    title="P3's network with a schedule for two cores",
    input=InputSpec(160, 160, crop=0.8, scaling="minus_one_to_one"),
    augmentation=Augmentation(
        rotation=180,
        zoom=(0.85, 1.2),
        shift=0.05,
        shear=3,
        brightness=0.25,
        contrast=0.2,
        saturation=0.4,
        channel_gain=0.1,
        gamma=0.2,
        hue=15.0,
        blur=0.2,
        noise=0.7,
        noise_sigma=12.0,
    ),
    head=Head(dropout=0.3),
    optimiser=Optimiser(learning_rate=3e-4, average_decay=0.995),
    # P3's grey copies of HEM would teach that a pale cell is normal, and subjects differ by just that
    balance=Balance(per_class=1500),
    label_smoothing=0.05,
    batch=32,
    epochs=9,
)

_TALEGHANI = dataclasses.replace(
    _BY_NAME["p5-vgg16"],
    name="p5-mobilenetv2",
    title="P5's task: MobileNetV2 fine-tuned, on ALL subtypes",
    backbone="MobileNetV2",
    input=InputSpec(224, 224, scaling="minus_one_to_one"),
    augmentation=Augmentation(rotation=180, zoom=(0.9, 1.1), brightness=0.1, contrast=0.1, saturation=0.1),
    optimiser=Optimiser(learning_rate=3e-4, average_decay=0.99),
    epochs=3,
    batch=32,
    trainable="block_3_expand",
    views=0,
)

_BLAST_OR_NOT = dataclasses.replace(
    _BY_NAME["p5-vgg16"],
    name="p5-blast-or-not",
    title="P5's idea of leaving a data set out: blast or not, MobileNetV2 frozen",
    backbone="MobileNetV2",
    classes=(ClassInfo("blast", "Blast", critical=True), ClassInfo("normal", "Normal")),
    dataset="blast_or_not",
    data="Munich (Matek et al. 2019), C-NMC 2019, Taleghani (Aria et al. 2021) and Barcelona (Acevedo et al. 2020)",
    input=InputSpec(224, 224, scaling="minus_one_to_one"),
    views=1,
    protocol="site",
    protocol_note="The paper names the protocol and gives no number for it.",
)

STAND_INS = (
    _LEUKAEMIA5,
    _CNMC,
    _P3_SHORT,
    _TALEGHANI,
    _BLAST_OR_NOT,
)
