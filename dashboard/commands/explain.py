"""Show where a model finds its evidence: the image beside its overlay as PNG, and the map itself."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dashboard import images
from dashboard.bundles import find_bundle
from dashboard.errors import ExplanationError
from dashboard.explanations import METHODS, explain, find_method
from dashboard.overlay import picture, picture_png
from dashboard.records import write_atomically

if TYPE_CHECKING:
    from dashboard.classifier import Classifier


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument("--model", required=True, metavar="ID", help="a bundle of model_store, or a bundle's folder")
    parser.add_argument("--method", required=True, metavar="NAME", help=", ".join(METHODS))
    parser.add_argument(
        "--class", dest="class_name", metavar="C", help="class to explain; the predicted one if left out"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="PNG", help="original, overlay and legend")
    parser.add_argument("--map", type=Path, metavar="NPY", help="the map: float32 (H, W) of the image, 0 to 1")
    parser.add_argument(
        "--samples", type=int, metavar="N", help="instead of the method's own (score-cam, smoothgrad, lime)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same map (smoothgrad, lime)")


def run(arguments: argparse.Namespace) -> None:
    """Explain one image and write what was asked for."""
    method = find_method(arguments.method)
    image = images.read(arguments.image)
    from dashboard.classifier import load_classifier

    classifier = load_classifier(find_bundle(arguments.model))
    card = classifier.card
    logits = classifier.logits(classifier.prepare(image.pixels)[None])[0]
    index = _class_index(classifier, arguments.class_name, int(logits.argmax()))
    explanation = explain(classifier, image.pixels, index, method.name, seed=arguments.seed, samples=arguments.samples)
    shown, predicted = card.classes[index], card.classes[int(logits.argmax())]
    settings = ", ".join(f"{name} {value}" for name, value in explanation.parameters.items())
    captions = (
        f"{method.title} for {shown.display_name}" + (f" ({settings})" if settings else ""),
        f"Pre-classification: {predicted.display_name}. Model: {card.id}.",
        explanation.note,
    )
    about = {"Model": card.id, "Method": method.name, "Class": shown.name, "Source": method.source}
    drawn = picture(image.pixels, explanation.map, shown.display_name, captions)
    write_atomically(arguments.out, picture_png(drawn, about))
    if arguments.map:
        buffer = io.BytesIO()
        np.save(buffer, explanation.map)
        write_atomically(arguments.map, buffer.getvalue())
    print(*filter(None, captions), sep="\n")


def _class_index(classifier: Classifier, name: str | None, predicted: int) -> int:
    if name is None:
        return predicted
    names = classifier.card.class_names
    if name not in names:
        raise ExplanationError(f"The model has no class {name!r}; it has: {', '.join(names)}.")
    return names.index(name)
