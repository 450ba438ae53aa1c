"""Make a bundle of a Keras 3 model of your own (.keras or .h5)."""

from __future__ import annotations

import argparse
from pathlib import Path

from dashboard.bundles import MODEL_STORE, Card, ClassInfo
from dashboard.errors import BundleError
from dashboard.preprocessing import CONTRASTS, RESIZES, SCALINGS, InputSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the model: .keras, or .h5 with its architecture")
    parser.add_argument("--id", required=True, help="the bundle's id: lower-case letters, digits, '.', '_', '-'")
    parser.add_argument(
        "--classes", required=True, nargs="+", metavar="NAME", help="class names in the order of the outputs"
    )
    parser.add_argument("--scaling", required=True, choices=SCALINGS, help="what the network expects of 0...255")
    parser.add_argument("--critical", nargs="*", default=[], metavar="NAME", help="classes never confirmed in bulk")
    parser.add_argument("--title", help="for people; the id if omitted")
    parser.add_argument("--backbone", help="for people; the network's own name if omitted")
    parser.add_argument(
        "--resize", choices=RESIZES, default="stretch", help="whole image or its centre (default stretch)"
    )
    parser.add_argument("--crop", type=float, default=1.0, help="share of the side that is kept (default 1)")
    parser.add_argument("--contrast", choices=CONTRASTS, default="none")
    parser.add_argument("--unidentified-below", type=float, default=0.5, metavar="P", help="default 0.5")
    parser.add_argument("--store", type=Path, default=MODEL_STORE, help="folder of the bundles")


def run(arguments: argparse.Namespace) -> None:
    """Open the model safely, pack it and verify the bundle."""
    if not arguments.file.is_file():
        raise BundleError(f"There is no file {arguments.file}.")
    names = [name.strip() for text in arguments.classes for name in text.split(",") if name.strip()]
    unknown = sorted(set(arguments.critical) - set(names))
    if unknown:
        raise BundleError(f"--critical names {', '.join(unknown)}, which is not among the classes.")
    from dashboard.model_graph import open_keras
    from dashboard.packing import create_bundle
    from dashboard.synthesis import golden_image

    model = open_keras(arguments.file)
    shape = tuple(getattr(model, "input_shape", ()))
    if len(shape) != 4 or None in shape[1:]:
        raise BundleError(f"The model's input must be (N, height, width, 3) with a fixed size; it is {shape}.")
    card = Card(
        id=arguments.id,
        title=arguments.title or arguments.id,
        backbone=arguments.backbone or model.name,
        classes=tuple(
            ClassInfo(name, name.replace("_", " ").capitalize(), name in arguments.critical) for name in names
        ),
        input=InputSpec(shape[1], shape[2], arguments.resize, arguments.crop, arguments.scaling, arguments.contrast),
        unidentified_below=arguments.unidentified_below,
        known_limits=("Imported: what it was trained on, and where it fails, is not known to this app.",),
    )
    bundle = create_bundle(arguments.store, model, card, golden_image())
    print(f"Bundle written: {bundle.folder}. It is uncalibrated; `calibrate` gives it its temperature.")
