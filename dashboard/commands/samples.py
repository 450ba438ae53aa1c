"""Draw the sample images, and say how they were measured, that none is a copy, and what a model reads in them."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from dashboard.errors import LabelsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--out", type=Path, default=Path("sample_images"), help="folder of the samples")
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same images")
    parser.add_argument(
        "--measure", action="store_true", help="first measure the appearance of real cells anew (--images, --labels)"
    )
    parser.add_argument(
        "--copies", action="store_true", help="compare the samples with all real images (--images, --labels)"
    )
    parser.add_argument("--check", metavar="MODEL_ID", help="write what this model reads in the samples")
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of real images")
    parser.add_argument("--labels", type=Path, metavar="CSV", help="their labels: path, fine_label, dataset, split")
    parser.add_argument("--dataset", default="pbc8", help="rows of the labels CSV that are used")


def run(arguments: argparse.Namespace) -> None:
    """Measure, then draw; or add columns to samples that are there."""
    if arguments.measure:
        _measure(arguments)
    if arguments.copies:
        _compare(arguments)
    if arguments.check:
        _check(arguments)
    if not (arguments.copies or arguments.check):
        from dashboard.synthesis.samples import write_samples

        write_samples(arguments.out, arguments.seed)


def _real_rows(arguments: argparse.Namespace, **where: str) -> pd.DataFrame:
    from dashboard.labels import read_labels

    if arguments.images is None or arguments.labels is None:
        raise LabelsError("Real images are needed for this: give --images DIR and --labels CSV.")
    return read_labels(arguments.labels, arguments.images, where={"dataset": arguments.dataset, **where}).rows


def _measure(arguments: argparse.Namespace) -> None:
    from dashboard.synthesis import measuring
    from dashboard.synthesis.appearance import STATISTICS, appearance

    rows = _real_rows(arguments, split="train")
    if "fine_label" not in rows:
        raise LabelsError("The labels CSV must have the column fine_label, which tells bands from segmented cells.")
    rows = rows[rows["fine_label"] != "immature_granulocyte"]  # not told apart any further
    measuring.write_statistics(measuring.measure_appearance(rows, "fine_label", per_kind=150), STATISTICS)
    appearance.cache_clear()


def _compare(arguments: argparse.Namespace) -> None:
    from dashboard.images import read
    from dashboard.synthesis.copies import RealImages
    from dashboard.synthesis.samples import read_table, write_table

    real = RealImages(_real_rows(arguments)["file"])
    table = read_table(arguments.out)
    found = [real.nearest(read(arguments.out / path).pixels) for path in table["path"]]
    table["nearest_rms"] = [f"{one.rms:.1f}" for one in found]
    table["nearest_hash_bits"] = [str(one.hash_bits) for one in found]
    table["nearest_ssim"] = [f"{one.ssim:.2f}" for one in found]
    write_table(arguments.out, table)
    rms, bits = real.own_distances(500)
    print(f"{len(real.files)} real images. Nearest to a sample: RMS {min(one.rms for one in found):.1f} at the least,")
    print(f"{min(one.hash_bits for one in found)} hash bits, SSIM {max(one.ssim for one in found):.2f} at the most.")
    low, middle = np.quantile(rms, [0.01, 0.5])
    print(
        f"Between real images: RMS {low:.1f} (1 %), {middle:.1f} (median); hash bits {np.quantile(bits, 0.01):.0f}, ",
        end="",
    )
    print(f"{np.median(bits):.0f}.")


def _check(arguments: argparse.Namespace) -> None:
    from dashboard.bundles import MODEL_STORE
    from dashboard.classifier import load_classifier
    from dashboard.images import read
    from dashboard.synthesis.samples import read_table, write_table

    classifier = load_classifier(MODEL_STORE / arguments.check)
    table = read_table(arguments.out)
    result = classifier.classify([read(arguments.out / path).pixels for path in table["path"]])
    table["model"] = arguments.check
    table["predicted"] = result["predicted"].to_numpy()
    table["confidence"] = [f"{value:.3f}" for value in result["confidence"]]
    table["unidentified"] = ["yes" if value else "no" for value in result["unidentified"]]
    table["out_of_distribution"] = ["yes" if value else "no" for value in result["out_of_distribution"]]
    write_table(arguments.out, table)
    for kind, group in table.groupby("kind"):
        right = int((group["predicted"] == group["label"]).sum())
        print(f"{kind}: {right} of {len(group)} read as what they are meant to be")
