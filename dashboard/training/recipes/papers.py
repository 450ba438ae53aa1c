"""The five papers' systems as they state them; docs/REPRODUCTION.md holds what they reported and what we measured."""

from __future__ import annotations

import dataclasses
from typing import Any

from dashboard.bundles import ClassInfo
from dashboard.preprocessing import InputSpec
from dashboard.training.recipes.recipe import Augmentation, Balance, Head, Optimiser, Recipe

_USE = "Reproduction of a published system. Research and education only; not a medical device."
_LIMITS = ("A reproduction, for comparison: not chosen for use on cells of other sites.",)

LEUKAEMIA5_CLASSES = (
    ClassInfo("basophil", "Basophil"),
    ClassInfo("erythroblast", "Nucleated red cell (erythroblast)", critical=True),
    ClassInfo("monocyte", "Monocyte"),
    ClassInfo("myeloblast", "Myeloblast", critical=True),
    ClassInfo("seg_neutrophil", "Segmented neutrophil"),
)
CNMC_CLASSES = (ClassInfo("ALL", "Lymphoblast (ALL)", critical=True), ClassInfo("HEM", "Normal lymphoid precursor"))
TALEGHANI_CLASSES = (
    ClassInfo("benign", "Benign (haematogones)"),
    ClassInfo("early_pre_b", "Early pre-B ALL", critical=True),
    ClassInfo("pre_b", "Pre-B ALL", critical=True),
    ClassInfo("pro_b", "Pro-B ALL", critical=True),
)
LEUKAEMIA5_DATA: dict[str, Any] = {
    "dataset": "kaggle_five",
    "classes": LEUKAEMIA5_CLASSES,
    "data": "Kaggle five-class set: basophils, erythroblasts and monocytes of Acevedo et al. 2020 (Barcelona), "
    "myeloblasts and segmented neutrophils of Matek et al. 2019 (Munich)",
    "data_licence": "CC BY 4.0 and CC BY 3.0",
}
CNMC_DATA: dict[str, Any] = {
    "classes": CNMC_CLASSES,
    "data": "C-NMC 2019; Gupta & Gupta 2019, doi:10.7937/tcia.2019.dc64i46r",
    "data_licence": "CC BY 3.0",
}
_TALEGHANI_DATA: dict[str, Any] = {
    "classes": TALEGHANI_CLASSES,
    "data": "ALL subtypes, Taleghani Hospital; Aria et al. 2021",
    "data_licence": "not verified: no weights trained on it may be shipped",
}

_P1 = Recipe(
    name="p1-mobilenetv2",
    title="P1: five classes, MobileNetV2 frozen",
    paper="P1",
    source="Hussain et al. 2025, J Life Sci Inform 1(1)",
    backbone="MobileNetV2",
    **LEUKAEMIA5_DATA,
    input=InputSpec(224, 224, resize="stretch", scaling="minus_one_to_one", contrast="autocontrast"),
    # 15, 30, 45 and 90 degrees
    augmentation=Augmentation(
        rotation=90,
        zoom=(1.0, 1.25),
        channel_gain=0.1,
        contrast=0.2,
        sharpness=0.5,
        blur=0.5,
        noise=0.5,
        noise_sigma=12.75,
        elastic=0.25,
    ),
    head=Head(dropout=0.3, dense=128, dense_dropout=0.2),
    optimiser=Optimiser(name="adam", learning_rate=5e-4, schedule="constant", weight_decay=0, patience=3),
    balance=Balance(steps=250),
    batch=16,
    epochs=10,
    trainable="head",
    views=4,
    mixed_precision=True,
    protocol_note="The paper makes 16 views of each image and divides the views 80/20: views of a cell are on both "
    "sides (protocol leaky). It scales to x/255; the MobileNetV2 weights at hand expect -1 to 1.",
    intended_use=_USE,
    known_limits=_LIMITS,
)

_P2 = Recipe(
    name="p2-vgg16",
    title="P2 (Deep Leuko): VGG16, last block fine-tuned",
    paper="P2",
    source="Jeevitha et al. 2025, Deep Leuko",
    backbone="VGG16",
    **CNMC_DATA,
    input=InputSpec(224, 224, scaling="caffe"),
    augmentation=Augmentation(rotation=180, zoom=(1.0, 1.25), brightness=0.1, contrast=0.1, saturation=0.1),
    head=Head(dropout=0.5, dense=256, batch_norm=True),
    optimiser=Optimiser(name="adam", learning_rate=1e-4, schedule="plateau", weight_decay=0, patience=10),
    balance=Balance(per_class=2000),
    epochs=30,
    trainable="block5_conv1",
    protocol="holdout",
    protocol_note="The paper's 108 fields (ALL-IDB1) are not here; C-NMC stands in.",
    intended_use=_USE,
    known_limits=_LIMITS,
)

_P3 = Recipe(
    name="p3-mobilenet-m",
    title="P3: MobileNet_M on C-NMC",
    paper="P3",
    source="Makem, Tamas & Buşoniu 2025, Front. Artif. Intell. 8:1620252",
    backbone="MobileNet",
    **CNMC_DATA,
    input=InputSpec(224, 224, scaling="zero_to_one"),
    # brightness 0.4-0.8 is of the image stretched to full range, as Keras's generator does it; the brightest pixel of
    # a C-NMC cell is near 0.55
    augmentation=Augmentation(
        rotation=45,
        zoom=(1.0, 1.25),
        shift=0.1,
        shear=3,
        brightness_centre=1.09,
        brightness=0.36,
        noise=1.0,
        noise_levels=(3.0, 9.0),
    ),
    head=Head(dropout=0.2, batch_norm=True, l1=0.015),
    optimiser=Optimiser(name="adam", learning_rate=1e-3, schedule="plateau", weight_decay=0, patience=20),
    balance=Balance(grey_copies=("HEM",)),
    batch=16,
    epochs=100,
    frozen_batch_norm=False,
    protocol="holdout",
    protocol_note="Divided by image: each subject is in training and in test.",
    intended_use=_USE,
    known_limits=_LIMITS,
)

_P4 = Recipe(
    name="p4-efficientnetb0",
    title="P4: EfficientNetB0 on C-NMC",
    paper="P4",
    source="Ahmed 2025, EfficientNet on C-NMC",
    backbone="EfficientNetB0",
    **CNMC_DATA,
    input=InputSpec(224, 224, scaling="none"),
    augmentation=Augmentation(
        rotation=25,
        vertical_flips=True,
        zoom=(0.95, 1.2),
        shift=0.05,
        shear=10,
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=18.0,
        blur=0.5,
        sharpness=0.3,
        sharpest=2.0,
        perspective=0.3,
    ),
    head=Head(dropout=0.2),
    optimiser=Optimiser(
        name="adam", learning_rate=1e-4, schedule="constant", weight_decay=0, monitor="val_macro_f1", patience=15
    ),
    balance=Balance(per_class=10000),
    epochs=50,
    frozen_batch_norm=False,
    mixed_precision=True,
    protocol="holdout",
    protocol_note="Divided by image, 90/10: each subject is in training and in validation, and validation is what is "
    "reported.",
    intended_use=_USE,
    known_limits=_LIMITS,
)

_P5 = Recipe(
    name="p5-vgg16",
    title="P5: VGG16 frozen, on ALL subtypes",
    paper="P5",
    source="Murtoza et al., transfer learning for blood cancer",
    backbone="VGG16",
    **_TALEGHANI_DATA,
    input=InputSpec(224, 224, scaling="caffe"),
    augmentation=Augmentation(rotation=180, zoom=(0.9, 1.1), vertical_flips=True),
    head=Head(dropout=0.2),
    optimiser=Optimiser(name="adam", learning_rate=1e-3, schedule="constant", weight_decay=0, patience=5),
    epochs=30,
    trainable="head",
    views=4,
    protocol="kfold",
    protocol_note="Divided by image: the subject of an image is not told, and several images of one are on both sides.",
    intended_use=_USE,
    known_limits=_LIMITS,
)


def _on(recipe: Recipe, name: str, backbone: str, scaling: str = "caffe", **changes: Any) -> Recipe:
    changes.setdefault("title", recipe.title.replace(recipe.backbone, backbone))
    spec = dataclasses.replace(recipe.input, scaling=scaling)
    return dataclasses.replace(recipe, name=name, backbone=backbone, input=spec, **changes)


PAPERS = (
    _P1,
    _on(_P1, "p1-efficientnetb0", "EfficientNetB0", "none", balance=Balance(steps=1000)),
    _on(
        _P1,
        "p1-scratch-cnn",
        "ScratchCNN",
        "zero_to_one",
        title="P1: five classes, a CNN from scratch",
        trainable="all",
        views=0,
        frozen_batch_norm=False,
        balance=Balance(),
    ),
    _P2,
    _on(_P2, "p2-resnet50", "ResNet50", trainable="conv5_block1_1_conv"),
    _P3,
    _P4,
    _on(_P4, "p4-efficientnetb1", "EfficientNetB1", "none"),
    _on(_P4, "p4-efficientnetb3", "EfficientNetB3", "none"),
    _on(_P4, "p4-resnet50", "ResNet50"),
    _on(_P4, "p4-resnet101", "ResNet101"),
    _P5,
    _on(_P5, "p5-vgg19", "VGG19"),
    _on(_P5, "p5-resnet50", "ResNet50"),
    _on(_P5, "p5-inceptionv3", "InceptionV3", "minus_one_to_one"),
)
