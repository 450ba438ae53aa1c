"""JPEGs on disk → calibrated table: faster than one `model.predict` an image, nearly as fast as the network alone."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFilter

from dashboard import images
from dashboard.bundles import list_bundles
from dashboard.quality import measure as measure_quality
from dashboard.sources import Item, open_paths
from tests.benchmarks.row import Row

if TYPE_CHECKING:
    from dashboard.classifier import Classifier

ONE_BY_ONE, BATCHED, MANY, ROUNDS = 24, 320, 2_000, 5
SIDE = 360  # pixels, as the public single-cell sets have them
HOW = "bench_batch: medians of {} interleaved rounds on generated {}-px JPEGs, {}"


def draw_cell(number: int) -> bytes:
    """Draw a round cell on a pale ground with some grain, as JPEG; every number gives another picture."""
    random = np.random.default_rng(number)
    picture = Image.new("RGB", (SIDE, SIDE), (228, 205, 210))
    draw = ImageDraw.Draw(picture)
    for colour, radius in (((190, 160, 195), 110), ((105, 60, 140), 60)):
        row, column = random.normal(SIDE / 2, 12, 2)
        draw.ellipse((column - radius, row - radius, column + radius, row + radius), fill=colour)
    pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(2)), np.float32) + random.normal(0, 4, (SIDE, SIDE, 1))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def some_classifier() -> tuple[Classifier, str]:
    """Load the first bundle of the store; without one, MobileNetV2 with random weights, for which speed is the same."""
    from dashboard.classifier import bare_classifier, load_classifier

    for status in list_bundles():
        if status.bundle is not None:
            return load_classifier(status.bundle), status.id
    import keras

    from dashboard.bundles import Card, ClassInfo, Quality
    from dashboard.preprocessing import InputSpec

    names = ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte", "erythroblast", "platelet", "other")
    classes = tuple(ClassInfo(name, name) for name in names)
    quality = Quality(0.04, (190.0, 160.0, 160.0), (250.0, 220.0, 220.0))
    card = Card("bench", "Random weights", "MobileNetV2", classes, InputSpec(224, 224), quality=quality)
    model = keras.applications.MobileNetV2(weights=None, classes=len(names), classifier_activation=None)
    return bare_classifier(model, card), "MobileNetV2 with random weights"


def predict_one_by_one(folder: Path, classifier: Classifier) -> None:
    """Do it the plain way: open, resize, `model.predict`, softmax, one image after the other."""
    from dashboard.preprocessing import scale

    for path in sorted(folder.iterdir())[:ONE_BY_ONE]:
        prepared = classifier.prepare(images.read(path).pixels)[None].astype(np.float32)
        logits = classifier.model.predict(scale(prepared, classifier.card.input.scaling), verbose=0)
        np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()


def classify_folder(folder: Path, classifier: Classifier) -> None:
    """Do it as the Batch page and `classify` do."""
    from dashboard.batch import classify_items

    pd.concat(classify_items(open_paths([folder]), classifier))


def images_a_second(work: Callable[[], object], count: int) -> float:
    """Time one call of work on so many images."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def measure() -> list[Row]:
    """Measure the three ways in turn, so that all see the same machine; then memory over a long batch."""
    classifier, name = some_classifier()
    with tempfile.TemporaryDirectory(prefix="second_read_bench_") as temporary:
        folder = Path(temporary)
        for number in range(BATCHED):
            (folder / f"{number:04d}.jpg").write_bytes(draw_cell(number))
        shape = (BATCHED, classifier.card.input.height, classifier.card.input.width, 3)
        prepared = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        ways: dict[str, tuple[Callable[[], object], int]] = {
            "plain": (lambda: predict_one_by_one(folder, classifier), ONE_BY_ONE),
            "batch": (lambda: classify_folder(folder, classifier), BATCHED),
            "network": (lambda: classifier.outputs(prepared), BATCHED),
        }
        for work, _ in ways.values():
            work()
        rounds = [{way: images_a_second(*ways[way]) for way in ways} for _ in range(ROUNDS)]
    to_plain = statistics.median(one["batch"] / one["plain"] for one in rounds)
    to_network = statistics.median(one["batch"] / one["network"] for one in rounds)
    speed = statistics.median(one["batch"] for one in rounds)
    how = HOW.format(ROUNDS, SIDE, name)
    return [
        Row(
            "Batch of JPEGs on disk → calibrated table, against `model.predict` one by one",
            f"{to_plain:.1f} times the images per second ({speed:.0f}/s)",
            "≥ 8 times",
            to_plain >= 8,
            how,
        ),
        Row(
            "The same, against the compiled forward pass alone",
            f"{to_network:.2f} of its images per second",
            "≥ 0.9",
            to_network >= 0.9,
            how,
        ),
        measure_memory(classifier),
        measure_quality_check(),
    ]


def measure_memory(classifier: Classifier) -> Row:
    """Follow the process's memory over a batch of `MANY` different images, decoded from memory as they are read."""
    from dashboard.batch import classify_items

    faces = [draw_cell(number) for number in range(16)]
    resident = []

    def items() -> Iterator[Item]:
        for number in range(MANY):
            yield Item(f"{number:05d}.jpg", faces[number % len(faces)] + number.to_bytes(4, "big"))

    for _ in classify_items(items(), classifier):
        resident.append(resident_megabytes())
    settled = resident[len(resident) // 5]
    growth = max(resident) - settled
    return Row(
        f"Memory over a batch of {MANY:,} images, after its first fifth",
        f"{growth:+.0f} MB (at {settled:.0f} MB)",
        "≤ 50 MB more",
        growth <= 50,
        "bench_batch: resident size after every 32 images",
    )


def measure_quality_check() -> Row:
    """Time what each image pays for its quality warnings, in processor time."""
    pixels = images.decode(draw_cell(0)).pixels
    measure_quality(pixels)
    start = time.process_time()
    for _ in range(200):
        measure_quality(pixels)
    milliseconds = (time.process_time() - start) / 200 * 1e3
    return Row(
        f"Quality measures of a {SIDE}-px image",
        f"{milliseconds:.2f} ms",
        "< 1 ms",
        milliseconds < 1,
        "bench_batch: processor time, mean of 200",
    )


def resident_megabytes() -> float:
    """Return the memory this process holds now."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024
