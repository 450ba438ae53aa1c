"""A real bundle of a few kilobytes: a network that reads which of red, green and blue prevails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from dashboard.bundles import Card, ClassInfo, write_card
from dashboard.preprocessing import InputSpec

CLASSES = ("red", "green", "blue")
CARD = Card(
    id="tiny",
    title="Tiny colours",
    backbone="one convolution",
    classes=(ClassInfo("red", "Red"), ClassInfo("green", "Green"), ClassInfo("blue", "Blue", critical=True)),
    input=InputSpec(16, 16, scaling="zero_to_one"),
    training={"data": "none", "licence": "Apache-2.0"},
    intended_use="Testing the programs that read bundles.",
    known_limits=("It knows colours, not cells.",),
)


def make_bundle(folder: Path, card: Card = CARD) -> Path:
    """Write the bundle; needs TensorFlow."""
    import keras

    from dashboard.classifier import bare_classifier, golden_logits

    inputs = keras.Input((16, 16, 3))
    features = keras.layers.Conv2D(3, 1, use_bias=False, name="colours")(inputs)
    outputs = keras.layers.Dense(3, use_bias=False)(keras.layers.GlobalAveragePooling2D()(features))
    model = keras.Model(inputs, outputs)
    model.get_layer("colours").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    model.layers[-1].set_weights([8 * np.eye(3, dtype=np.float32)])
    (folder / "golden").mkdir(parents=True)
    model.save(folder / "model.keras")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "golden" / "image.png")
    expected = golden_logits(bare_classifier(model, card), pixels)
    (folder / "golden" / "expected.json").write_text(json.dumps(expected))
    write_card(folder, card)
    return folder


def make_images(folder: Path, count: int = 40, seed: int = 1) -> Path:
    """Write coloured squares and their labels.csv; every fifth carries the wrong label, as a model's error would."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["path,label,split,site"]
    for number in range(count):
        colour = number % 3
        pixels = random.integers(0, 120, (20, 20, 3), np.uint8)
        pixels[..., colour] += 60
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
        label = CLASSES[(colour + (number % 5 == 0)) % 3]
        lines.append(f"{number:02d}.png,{label},{'val' if number % 2 else 'test'},{'here' if number % 3 else 'there'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder
