"""Robustness: numbers worked by hand with a reader of brightness, the sentences, and files that are refused."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard import images
from dashboard.bundles import Card, ClassInfo, OutOfDistributionRule
from dashboard.corruptions import CORRUPTIONS
from dashboard.errors import BundleError, LabelsError
from dashboard.preprocessing import InputSpec, prepare
from dashboard.records import PROJECT
from dashboard.robustness import COLUMNS, STATED, TRAINED_ON, least_warned, measure, read_robustness, reading, sample

SURE = 1 / (1 + math.exp(-2))
BRIGHTNESS = (0, -40, -30, -20, -10, 10, 20, 30, 40)


class BrightnessReader:
    """Says "light" above a mean of 120, always equally sure; unlike its training set above a mean of 150."""

    card = Card(
        id="brightness",
        title="Brightness",
        backbone="a mean",
        classes=(ClassInfo("dark", "Dark"), ClassInfo("light", "Light")),
        input=InputSpec(32, 32),
        unidentified_below=0.9,
        out_of_distribution=OutOfDistributionRule("brightness", 1.5, 0.0),
    )

    def prepare(self, pixels):
        return prepare(pixels, self.card.input)

    def outputs(self, prepared):
        mean = prepared.mean(axis=(1, 2, 3))
        light = (mean > 120)[:, None]
        return np.where(light, [0.0, 2.0], [2.0, 0.0]), mean / 100


@pytest.fixture
def rows(tmp_path):
    """Two dark images of value 100 and a light one of 150."""
    table = []
    for name, value, label in (("a.png", 100, "dark"), ("b.png", 100, "dark"), ("c.png", 150, "light")):
        Image.fromarray(np.full((40, 48, 3), value, np.uint8)).save(tmp_path / name)
        table.append((name, str(tmp_path / name), label))
    return pd.DataFrame(table, columns=["path", "file", "label"])


@pytest.fixture
def brightness(rows):
    return measure(BrightnessReader(), rows, corruptions=["brightness"])


def curve(corruption, accuracies, clean=0.98):
    pairs = [(0, clean), *zip(CORRUPTIONS[corruption].severities, accuracies, strict=True)]
    return pd.DataFrame(pairs, columns=["severity", "accuracy"]).assign(corruption=corruption)


def test_every_number_is_as_worked_by_hand(brightness):
    assert tuple(brightness) == COLUMNS
    assert tuple(brightness["severity"]) == BRIGHTNESS
    assert set(brightness["n"]) == {3}
    # 150 is called dark at -20 % (120) and below, both of 100 light at +30 % (130) and above
    assert tuple(brightness["correct"]) == (3, 2, 2, 2, 3, 3, 3, 1, 1)
    assert brightness["accuracy"].to_list() == pytest.approx([right / 3 for right in brightness["correct"]])
    assert brightness["mean_confidence"].to_list() == pytest.approx([SURE] * 9)
    assert brightness["ece"].to_list() == pytest.approx([abs(SURE - right / 3) for right in brightness["correct"]])
    # the light one is over 150 as soon as it is brightened
    assert brightness["flagged"].to_list() == pytest.approx([0] * 5 + [1 / 3] * 4)
    assert set(brightness["unidentified"]) == {1.0}


def test_macro_f1_and_interval_are_as_worked_by_hand(brightness):
    found = brightness.set_index("severity")
    assert found.loc[-40, "macro_f1"] == pytest.approx((2 * 2 / (2 + 3) + 0) / 2)  # dark: 2 right of 3 so called
    assert found.loc[40, "macro_f1"] == pytest.approx((0 + 2 * 1 / (1 + 3)) / 2)
    z_squared = 1.959964**2
    assert found.loc[0, "accuracy_low"] == pytest.approx(3 / (3 + z_squared), rel=1e-5)
    assert found.loc[0, "accuracy_high"] == 1


def test_all_corruptions_are_measured_each_with_its_clean_row(rows):
    table = measure(BrightnessReader(), rows)
    assert list(table["corruption"].unique()) == list(CORRUPTIONS)
    for name, one in table.groupby("corruption"):
        assert tuple(one["severity"]) == (0, *CORRUPTIONS[name].severities)
    assert set(table.loc[table["severity"] == 0, "correct"]) == {3}
    assert set(table.loc[table["corruption"].isin(["rotation", "zoom", "blur"]), "correct"]) == {3}  # flat stays flat


def test_a_model_that_cannot_flag_has_no_share_flagged(rows):
    class Plain(BrightnessReader):
        card = dataclasses.replace(BrightnessReader.card, out_of_distribution=None)

    assert measure(Plain(), rows, corruptions=["jpeg"])["flagged"].isna().all()


def test_the_same_seed_gives_the_same_table(rows):
    class Noisy(BrightnessReader):
        def outputs(self, prepared):
            spread = prepared.std(axis=(1, 2, 3))
            return np.stack([spread, 1.5 * np.ones(len(spread))], axis=1), spread

    first = measure(Noisy(), rows, corruptions=["gaussian_noise"])
    assert first.equals(measure(Noisy(), rows, corruptions=["gaussian_noise"]))
    assert not first.equals(measure(Noisy(), rows, corruptions=["gaussian_noise"], seed=1))


def test_a_file_that_cannot_be_decoded_is_named_and_costs_only_itself(rows, tmp_path):
    (tmp_path / "b.png").write_bytes(b"not an image")
    rejected, steps = [], []
    table = measure(
        BrightnessReader(),
        rows,
        corruptions=["jpeg"],
        progress=lambda: steps.append(1),
        reject=lambda path, reason: rejected.append((path, reason)),
    )
    assert set(table["n"]) == {2}
    assert len(steps) == 3
    [(path, reason)] = rejected
    assert path == "b.png"
    assert "JPEG, PNG" in reason


def test_images_that_the_model_was_trained_on_are_rejected(rows, tmp_path):
    known = {images.read(tmp_path / "c.png").image_id}
    rejected = []
    table = measure(
        BrightnessReader(), rows, corruptions=["jpeg"], exclude=known, reject=lambda *one: rejected.append(one)
    )
    assert set(table["n"]) == {2}
    assert rejected == [("c.png", TRAINED_ON)]


def test_no_usable_image_is_refused(rows):
    with pytest.raises(LabelsError, match="none of the 0"):
        measure(BrightnessReader(), rows[:0])
    everything = {images.read(file).image_id for file in rows["file"]}
    with pytest.raises(LabelsError, match="none of the 3"):
        measure(BrightnessReader(), rows, exclude=everything)


def test_a_sample_keeps_the_shares_of_the_classes_and_the_order():
    labelled = pd.DataFrame({"label": ["a"] * 60 + ["b"] * 30 + ["c"] * 10})
    drawn = sample(labelled, 20)
    assert drawn["label"].value_counts().to_dict() == {"a": 12, "b": 6, "c": 2}
    assert drawn.index.is_monotonic_increasing
    assert drawn.equals(sample(labelled, 20))
    assert not drawn.equals(sample(labelled, 20, seed=1))


def test_a_sample_has_every_class_and_never_more_than_there_are():
    labelled = pd.DataFrame({"label": ["a"] * 97 + ["b", "c", "d"]})
    assert set(sample(labelled, 4)["label"]) == {"a", "b", "c", "d"}
    assert len(sample(labelled, 500)) == 100
    with pytest.raises(LabelsError, match="at least one image"):
        sample(labelled, 0)


@pytest.mark.parametrize(
    ("corruption", "accuracies", "sentence"),
    [
        ("gaussian_noise", (0.98, 0.97, 0.96, 0.95, 0.87), "holds within 1 point up to σ 5; lowest 87.0 %, at σ 20"),
        ("rotation", (0.9, 1, 1, 1, 1, 1), "loses more than 1 point at the weakest tried; lowest 90.0 %, at 15°"),
        ("blur", (0.98, 0.98, 0.99, 0.98, 0.975), "holds within 1 point at every severity; lowest 97.5 %, at σ 4 px"),
        ("jpeg", (0.5, 0.8, 0.975, 0.98, 1), "holds within 1 point down to quality 40; lowest 50.0 %, at quality 10"),
        (
            "brightness",
            (0.2, 0.9, 0.97, 0.98, 0.98, 0.98, 0.98, 0.96),
            "holds within 1 point from -20 % to +30 %; lowest 20.0 %, at -40 %",
        ),
        ("zoom", (0.5, 0.98, 0.9, 0.98, 0.7), "holds within 1 point down to ×0.8; lowest 50.0 %, at ×0.6"),
    ],
)  # fmt: skip
def test_the_sentence_says_how_far_it_holds(corruption, accuracies, sentence):
    assert reading(curve(corruption, accuracies)) == sentence


def test_a_loss_of_exactly_one_point_still_holds():
    assert "at every severity" in reading(curve("blur", (0.97,) * 5))


def test_the_least_warned_condition_has_the_largest_gap_of_confidence_over_accuracy(brightness):
    assert least_warned(brightness)["severity"] == 30


def test_a_table_is_read_as_it_was_written(brightness, tmp_path):
    file = tmp_path / "robustness.csv"
    written = brightness.assign(flagged=np.nan, set="labels.csv, split=test", temperature=1.5)
    written.to_csv(file, index=False)
    got = read_robustness(file)
    assert tuple(got) == (*COLUMNS, *STATED)
    pd.testing.assert_frame_equal(got, written, check_dtype=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop(columns="ece"),
        lambda table: table.assign(accuracy="high"),
        lambda table: table.assign(corruption="rain"),
        lambda table: table[table["severity"] != 0],
        lambda table: table[:0],
    ],
    ids=["no column", "no number", "unknown corruption", "no clean row", "no rows"],
)
def test_a_table_that_is_none_is_refused(brightness, tmp_path, change):
    file = tmp_path / "robustness.csv"
    change(brightness.assign(set="", temperature=1.0)).to_csv(file, index=False)
    with pytest.raises(BundleError, match="Measure again"):
        read_robustness(file)


def test_a_table_that_is_missing_or_not_text_is_refused(tmp_path):
    with pytest.raises(BundleError, match="Measure again"):
        read_robustness(tmp_path / "robustness.csv")
    (tmp_path / "robustness.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BundleError, match="Measure again"):
        read_robustness(tmp_path / "robustness.csv")


@pytest.mark.parametrize("column", (*COLUMNS, *STATED))
def test_every_column_is_in_the_formats(column):
    text = (PROJECT / "docs" / "FORMATS.md").read_text("utf-8")
    assert f"`{column}`" in text.split("## robustness.csv")[1].split("\n## ")[0]
