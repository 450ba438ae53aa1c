"""A planted classifier that reads the background is caught; one that reads the cell passes. The numbers by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard import laboratory
from dashboard.errors import BundleError, LabelsError
from dashboard.images import image_id
from tests.planted_laboratory import classifier, make_images, segment


def table(*groups):
    """Rows of (label, site, answer to the whole, to the background, to the cell), each repeated."""
    rows = [row for *row, count in groups for _ in range(count)]
    return pd.DataFrame(rows, columns=["label", "site", "whole", "background", "cell"])


def test_the_difference_of_two_proportions_is_newcombes():
    # Newcombe 1998, Table II, method 10: 9/10 against 3/10
    found = laboratory.weighted_proportion([9, 3], [10, 10], [1, -1])
    assert (found.n, found.value) == (20, pytest.approx(0.6))
    assert (found.low, found.high) == (pytest.approx(0.1705, abs=1e-4), pytest.approx(0.8090, abs=1e-4))


def test_a_mean_of_proportions_that_are_all_one_still_has_an_interval():
    found = laboratory.weighted_proportion([20, 20], [20, 20], [0.5, 0.5])
    # Wilson 20/20: low 0.8389; half the distance twice, added in squares: 1 - 0.1611 / sqrt(2)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.8861, abs=1e-4)


def test_recall_and_gap_worked_by_hand():
    seen = table(
        ("a", "here", "a", "", "", 19), ("a", "here", "b", "", "", 1), ("a", "there", "a", "", "", 5),
        ("a", "there", "b", "", "", 15), ("b", "here", "b", "", "", 20), ("b", "there", "b", "", "", 19),
    )  # fmt: skip
    recall = laboratory.site_recall(seen)
    counted = [(row.class_name, row.site, row.n, row.correct) for row in recall]
    assert counted == [("a", "here", 20, 19), ("a", "there", 20, 5), ("b", "here", 20, 20), ("b", "there", 19, 19)]
    (gap,) = laboratory.recall_gaps(recall)  # 19 images of b are too few to compare
    assert (gap.class_name, gap.best, gap.worst, gap.n) == ("a", "here", "there", 40)
    assert gap.gap == pytest.approx(0.7)


def test_masking_worked_by_hand():
    seen = table(
        ("a", "here", "a", "a", "a", 20), ("b", "here", "b", "a", "c", 20), ("c", "there", "c", "c", "a", 15),
        ("c", "there", "a", "c", "c", 5), ("c", "there", "b", "", "", 9),
    )  # fmt: skip
    found = laboratory.masking(seen)
    assert found.n == 60
    assert found.chance == pytest.approx(1 / 3)
    assert found.site_alone == pytest.approx(2 / 3)  # a (or b) for here, c for there
    assert found.whole.value == pytest.approx((1 + 1 + 0.75) / 3)
    assert found.background.value == pytest.approx((1 + 0 + 1) / 3)
    assert found.cell.value == pytest.approx((1 + 0 + 0.25) / 3)


ONE_CLASS = table(("a", "here", "a", "a", "a", 40))
TOO_FEW = table(("a", "here", "a", "a", "a", 10), ("b", "here", "b", "b", "b", 9))


@pytest.mark.parametrize("seen", [ONE_CLASS, TOO_FEW], ids=["one class", "too few"])
def test_one_class_or_too_few_cells_are_not_masked(seen):
    assert laboratory.masking(seen) is None


def test_features_that_hold_the_site_give_it_away_and_noise_does_not():
    random = np.random.default_rng(0)
    seen = table(*[(name, site, "", "", "", 30) for name in "ab" for site in ("here", "there")])
    noise = random.normal(size=(120, 8))
    telling = noise + 6 * (seen["site"] == "there").to_numpy()[:, None]
    readings = laboratory.site_readings(seen, telling, noise)
    assert [reading.class_name for reading in readings] == ["", "a", "b"]
    for reading in readings:
        assert reading.chance == 0.5
        assert reading.features.value > 0.95
        assert reading.colours.low < 0.5
    # each class is as often here as there: the class alone tells nothing
    assert readings[0].label.low <= 0.5
    assert (readings[1].label, readings[1].sites) == (None, {"here": 30, "there": 30})


def test_classes_that_differ_by_site_tell_it_by_themselves():
    seen = table(("a", "here", "", "", "", 30), ("b", "there", "", "", "", 30))
    (reading,) = laboratory.site_readings(seen, np.zeros((60, 2)), np.zeros((60, 6)))
    assert reading.label.value == 1.0
    assert reading.features.value == pytest.approx(0.5)


def test_a_single_site_or_a_handful_of_images_gives_no_reading():
    for seen in (
        table(("a", "here", "", "", "", 50)),
        table(("a", "here", "", "", "", 50), ("a", "there", "", "", "", 19)),
    ):
        assert laboratory.site_readings(seen, np.zeros((len(seen), 2)), np.zeros((len(seen), 6))) == ()


def test_with_a_limit_every_class_at_every_site_has_its_turn():
    rows = pd.DataFrame({"label": ["a"] * 50 + ["b"] * 5, "site": ["here"] * 52 + ["there"] * 3})
    first = laboratory._in_turn(rows, 0).head(6)
    assert first.groupby(["label", "site"]).size().tolist() == [2, 2, 2]


@pytest.fixture(scope="module")
def planted_rows(tmp_path_factory):
    return make_images(tmp_path_factory.mktemp("planted"))


@pytest.mark.slow
def test_a_classifier_that_reads_the_background_is_caught(planted_rows):
    check = laboratory.measure(classifier(reads_background=True), planted_rows, segment=segment)
    assert check.learned is True
    # three classes here, two there, and one of the two here as well: it is never recognised here
    worst = check.gaps[0]
    assert (worst.class_name, worst.best, worst.worst, worst.gap) == ("neutrophil", "there", "here", 1.0)
    assert "Neutrophil of here is recognised in 0 % of cases against 100 % at there" in check.sentence
    assert check.sentence.startswith(
        "Within Neutrophil, site can be read from its features (1.00 against 0.50 by chance)"
    )
    assert check.sentence.endswith("it has learned the laboratory.")


@pytest.mark.slow
def test_a_classifier_that_reads_the_cell_passes(planted_rows):
    check = laboratory.measure(classifier(reads_background=False), planted_rows, segment=segment, set_name="drawn")
    assert check.learned is False
    assert check.gaps[0].gap == 0
    assert check.masking.whole.value == check.masking.cell.value == 1
    assert check.masking.background.value == pytest.approx(check.masking.chance) == pytest.approx(0.2)
    within = next(reading for reading in check.site_reading if reading.class_name)
    assert within.features.low < 0.5 < within.colours.low  # its features hold no site; the colours do
    assert check.sentence.endswith("no sign that it has learned the laboratory.")
    assert (check.images, check.sites, check.set) == (len(planted_rows), {"here": 100, "there": 50}, "drawn")
    assert check.notes[0].endswith("nothing is known of it elsewhere: Basophil, Erythroblast, Monocyte.")


@pytest.mark.slow
def test_a_model_that_is_right_without_the_cell_is_caught_at_a_single_site(planted_rows):
    def inside_out(pixels):  # what this one calls the background is the disc that the model reads
        found = segment(pixels)
        return SimpleNamespace(cell=~found.cell, found=True)

    of_here = planted_rows[planted_rows["site"] == "here"]
    check = laboratory.measure(classifier(reads_background=False), of_here, segment=inside_out)
    assert (check.gaps, check.site_reading, check.learned) == ((), (), True)
    assert check.sentence == (
        "Without the cell it is still right in 100 % of cases, where chance gives 25 %: it has learned the laboratory."
    )
    assert check.notes[0].startswith("All images are of one site (here), so sites cannot be compared")


@pytest.mark.slow
def test_images_that_cannot_be_used_are_counted_by_reason(planted_rows, tmp_path):
    rows = planted_rows.head(40).reset_index(drop=True)
    Image.fromarray(np.asarray(Image.open(rows.loc[0, "file"]))).save(tmp_path / "copy.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    rows.loc[1, "file"], rows.loc[2, "file"] = str(tmp_path / "copy.png"), str(tmp_path / "broken.png")
    rows.loc[3, "site"] = ""
    known = image_id(np.asarray(Image.open(rows.loc[4, "file"])))
    check = laboratory.measure(classifier(reads_background=False), rows, trained_on=[known], segment=segment)
    expected = {"shown twice": 1, "not readable": 1, "of no stated site": 1, "that the model was made with": 1}
    assert (check.left_out, check.images) == (expected, 36)


@pytest.mark.slow
def test_cells_that_are_not_found_are_counted_and_left_out_of_the_masking(planted_rows):
    def never(pixels):
        return SimpleNamespace(cell=np.zeros(pixels.shape[:2], bool), found=False)

    check = laboratory.measure(classifier(reads_background=False), planted_rows, segment=never, limit=60)
    assert (check.images, check.not_segmented, check.masking) == (60, 60, None)
    assert "the cell was not found in 60 of 60" in check.notes[-1]


@pytest.mark.slow
def test_fewer_than_twenty_images_are_refused(planted_rows):
    rows = planted_rows.head(21).assign(site=["", "", *["here"] * 19])
    with pytest.raises(LabelsError, match=r"at least 20 labelled images; got 19 \(2 of no stated site\)"):
        laboratory.measure(classifier(reads_background=False), rows, segment=segment)


@pytest.mark.slow
def test_a_network_without_features_is_refused(planted_rows):
    import keras

    from dashboard.classifier import bare_classifier

    image = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(5, 3)(image))
    with pytest.raises(BundleError, match="must give a vector of features"):
        laboratory.measure(bare_classifier(keras.Model(image, pooled), classifier(False).card), planted_rows)
