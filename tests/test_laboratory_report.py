"""The sentence follows from the numbers, and the file gives back what was written."""

import dataclasses
import json

import pytest

from dashboard.errors import BundleError
from dashboard.laboratory_report import (
    Estimate,
    Gap,
    LaboratoryCheck,
    Masking,
    SiteReading,
    SiteRecall,
    conclude,
    read_check,
)
from dashboard.records import PROJECT


def about(value, n=50, half=0.05):
    return Estimate(n, value, max(value - half, 0.0), min(value + half, 1.0))


RECALL = (
    SiteRecall("neutrophil", "barcelona", 50, 2, 0.04, 0.01, 0.13),
    SiteRecall("neutrophil", "munich", 50, 49, 0.98, 0.90, 1.0),
    SiteRecall("monocyte", "barcelona", 50, 50, 1.0, 0.93, 1.0),
)
CHECK = LaboratoryCheck(
    model_id="tiny",
    set="labels.csv",
    images=150,
    sites={"barcelona": 100, "munich": 50},
    site_reading=(
        SiteReading("", {"barcelona": 100, "munich": 50}, 0.5, about(0.99), about(0.95), about(0.8)),
        SiteReading("neutrophil", {"barcelona": 50, "munich": 50}, 0.5, about(0.97), about(0.9), None),
    ),
    recall=RECALL,
    gaps=(Gap("neutrophil", "munich", "barcelona", 100, 0.94, 0.8, 0.98),),
    masking=Masking(140, 0.5, 0.75, about(0.9), about(0.52), about(0.9)),
    not_segmented=10,
    left_out={"shown twice": 2},
)


def test_a_class_that_is_lost_at_a_site_convicts():
    found = conclude(CHECK)
    assert found.learned is True
    assert found.sentence == (
        "Within neutrophil, site can be read from its features (0.97 against 0.50 by chance); neutrophil of "
        "barcelona is recognised in 4 % of cases against 98 % at munich; without the cell it is right in 52 % of "
        "cases, where chance gives 50 %: it has learned the laboratory."
    )


@pytest.mark.parametrize(("low", "high", "learned"), [(0.11, 0.5, True), (0.1, 0.21, None), (-0.1, 0.2, False)])
def test_a_gap_convicts_acquits_or_leaves_it_open_by_its_interval(low, high, learned):
    gap = Gap("neutrophil", "munich", "barcelona", 100, 0.15, low, high)
    found = conclude(dataclasses.replace(CHECK, gaps=(gap,)))
    assert found.learned is learned
    assert ("no class is surely recognised worse" in found.sentence) == (learned is not True)


def test_a_sure_gap_counts_before_a_wider_one_that_is_not():
    unsure = Gap("monocyte", "munich", "barcelona", 40, 0.95, 0.05, 0.99)
    found = conclude(dataclasses.replace(CHECK, gaps=(unsure, *CHECK.gaps)))
    assert found.surest_gap == CHECK.gaps[0]
    assert "neutrophil of barcelona is recognised in 4 %" in found.sentence


@pytest.mark.parametrize(("low", "learned"), [(0.60, None), (0.61, True)])
def test_the_background_convicts_from_ten_points_above_chance_even_at_one_site(low, learned):
    masking = dataclasses.replace(CHECK.masking, background=Estimate(140, 0.7, low, 0.8))
    alone = {"site_reading": (), "recall": RECALL[2:], "gaps": (), "sites": {"barcelona": 50}}
    found = conclude(dataclasses.replace(CHECK, masking=masking, **alone))
    assert found.learned is learned
    assert ("still right in 70 %" in found.sentence) == bool(learned)


def test_nothing_measured_says_so():
    found = conclude(dataclasses.replace(CHECK, site_reading=(), gaps=(), masking=None, recall=RECALL[2:]))
    assert found.learned is None
    assert found.sentence == "These images cannot tell whether it has learned the laboratory."


@pytest.mark.parametrize(
    ("low", "how"), [(0.80, "can be read"), (0.75, "can partly be read"), (0.5, "can hardly be read")]
)
def test_how_well_the_site_is_read_follows_the_lower_end(low, how):
    reading = dataclasses.replace(CHECK.site_reading[1], features=Estimate(50, 0.9, low, 1.0))
    assert f"site {how} from its features" in conclude(dataclasses.replace(CHECK, site_reading=(reading,))).sentence


def test_over_all_classes_the_class_alone_stands_beside_it():
    found = conclude(dataclasses.replace(CHECK, site_reading=CHECK.site_reading[:1]))
    assert "(0.99 against 0.50 by chance, and 0.80 from the class alone)" in found.sentence


def test_what_could_not_be_asked_is_noted():
    few = SiteRecall("neutrophil", "tehran", 3, 3, 1.0, 0.44, 1.0)
    notes = conclude(dataclasses.replace(CHECK, recall=(*RECALL, few)), str.title).notes
    assert notes == (
        "Seen at barcelona alone, so that nothing is known of it elsewhere: Monocyte.",
        "Neutrophil has fewer than 20 images (3 at tehran): shown, and not compared.",
        "The cell was not found in 10 of 150 images; these were not masked.",
    )


def test_one_site_and_no_masking_are_noted():
    one = dataclasses.replace(CHECK, sites={"munich": 50}, recall=RECALL[1:2], gaps=(), masking=None, not_segmented=45)
    first, last = conclude(one).notes
    assert first.startswith("All images are of one site (munich), so sites cannot be compared")
    assert "the cell was not found in 45 of 150" in last


def test_the_card_gets_the_sentence_and_the_numbers():
    found = conclude(CHECK)
    assert found.for_card() == {
        "sentence": found.sentence,
        "set": "labels.csv",
        "images": 150,
        "site_from_features": 0.97,
        "site_by_chance": 0.5,
        "gap_in_recall": 0.94,
        "accuracy_without_the_cell": 0.52,
        "by_chance": 0.5,
    }
    bare = conclude(dataclasses.replace(CHECK, site_reading=(), gaps=(), masking=None)).for_card()
    assert set(bare) == {"sentence", "set", "images"}


@pytest.mark.parametrize("check", [CHECK, dataclasses.replace(CHECK, masking=None, site_reading=())])
def test_the_file_gives_back_the_check(check, tmp_path):
    check = conclude(check)
    (tmp_path / "laboratory.json").write_text(check.as_json(), "utf-8")
    assert read_check(tmp_path / "laboratory.json") == check


@pytest.mark.parametrize(
    "change", [{"schema": 2}, {"images": "many"}, {"gaps": [{"class_name": "a"}]}, {"more": 1}, {"masking": {"n": 1}}]
)
def test_a_file_that_holds_something_else_is_refused(change, tmp_path):
    file = tmp_path / "laboratory.json"
    file.write_text(json.dumps({**json.loads(CHECK.as_json()), **change}))
    with pytest.raises(BundleError, match="does not hold a laboratory check; run `laboratory` again"):
        read_check(file)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_a_damaged_file_is_refused(text, tmp_path):
    (tmp_path / "laboratory.json").write_text(text)
    with pytest.raises(BundleError, match="does not hold a laboratory check"):
        read_check(tmp_path / "laboratory.json")


def test_every_field_of_the_file_is_in_the_formats():
    formats = (
        (PROJECT / "docs" / "FORMATS.md").read_text("utf-8").partition("## laboratory.json")[2].partition("\n## ")[0]
    )
    for record in (LaboratoryCheck, SiteReading, SiteRecall, Gap, Masking, Estimate):
        for item in dataclasses.fields(record):
            assert f"`{item.name}`" in formats, item.name
