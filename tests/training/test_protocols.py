"""No image, and where it is promised no subject and no site, is on both sides."""

import numpy as np
import pandas as pd
import pytest

from dashboard.errors import TrainingError
from dashboard.training.protocols import PROTOCOLS, check_files_separate, check_separate, folds
from dashboard.training.recipes import RECIPES
from tests.training.labelled import labelled

ROWS = labelled(subjects=20, images=8)
EVERY = [("split", {}), ("holdout", {}), ("kfold", {"k": 4}), ("subject", {"k": 4}), ("site", {})]


def test_every_protocol_is_tried_here():
    assert [name for name, _ in EVERY] == list(PROTOCOLS)


@pytest.mark.parametrize(("protocol", "how"), EVERY)
def test_no_row_is_in_two_parts_and_every_row_is_in_one(protocol, how):
    for fold in folds(ROWS, protocol, **how):
        together = np.concatenate([fold.train, fold.val, fold.test])
        assert sorted(together) == list(range(len(ROWS)))
        for part in (fold.train, fold.val, fold.test):
            assert part.dtype == np.int64
            assert set(ROWS["label"].iloc[part]) == {"dark", "pale"}


@pytest.mark.parametrize(("protocol", "how"), EVERY)
def test_the_same_seed_divides_alike_whatever_the_index_of_the_rows(protocol, how):
    shifted = ROWS.set_index(ROWS.index + 1000)
    for one, other in zip(folds(ROWS, protocol, seed=3, **how), folds(shifted, protocol, seed=3, **how), strict=True):
        assert one.name == other.name
        for part in ("train", "val", "test"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


@pytest.mark.parametrize("protocol", ["holdout", "kfold", "subject"])
def test_another_seed_divides_in_another_way(protocol):
    one, other = (folds(ROWS, protocol, k=4, seed=seed)[0] for seed in (0, 1))
    assert set(one.test) != set(other.test)


def test_split_is_that_of_the_csv():
    (fold,) = folds(ROWS, "split")
    for part in ("train", "val", "test"):
        assert set(ROWS["split"].iloc[getattr(fold, part)]) == {part}


def test_rows_without_a_split_are_left_out_of_split():
    rows = ROWS.assign(split=np.where(ROWS.index < 8, "", ROWS["split"]))
    (fold,) = folds(rows, "split")
    assert min(np.concatenate([fold.train, fold.val, fold.test])) == 8


def test_holdout_keeps_a_fifth_to_judge_and_a_tenth_to_choose_of_each_class():
    (fold,) = folds(ROWS, "holdout")
    assert (len(fold.train), len(fold.val), len(fold.test)) == (112, 16, 32)
    assert ROWS["label"].iloc[fold.test].value_counts().to_dict() == {"dark": 16, "pale": 16}


@pytest.mark.parametrize("protocol", ["kfold", "subject", "site"])
def test_every_image_is_judged_once(protocol):
    tests = np.concatenate([fold.test for fold in folds(ROWS, protocol, k=4)])
    assert sorted(tests) == list(range(len(ROWS)))


def test_repeats_judge_every_image_again_in_another_division():
    found = folds(ROWS, "kfold", k=4, repeats=2)
    assert [fold.name for fold in found] == [f"{repeat}.{fold}" for repeat in (1, 2) for fold in (1, 2, 3, 4)]
    assert sorted(np.concatenate([fold.test for fold in found[4:]])) == list(range(len(ROWS)))
    np.testing.assert_array_equal(found[0].test, folds(ROWS, "kfold", k=4)[0].test)
    assert set(found[0].test) != set(found[4].test)


def test_by_subject_nobody_is_judged_who_was_learned_from():
    for fold in folds(ROWS, "subject", k=4):
        learned = set(ROWS["subject"].iloc[np.concatenate([fold.train, fold.val])])
        assert not learned & set(ROWS["subject"].iloc[fold.test])


def test_by_image_the_same_subjects_are_on_both_sides():
    (fold,) = folds(ROWS, "holdout")
    assert set(ROWS["subject"].iloc[fold.test]) & set(ROWS["subject"].iloc[fold.train])


def test_by_site_each_is_left_out_once_and_gives_the_fold_its_name():
    found = folds(ROWS, "site")
    assert [fold.name for fold in found] == ["north", "south"]
    for fold in found:
        assert set(ROWS["site"].iloc[fold.test]) == {fold.name}
        assert fold.name not in set(ROWS["site"].iloc[np.concatenate([fold.train, fold.val])])


@pytest.mark.parametrize(("protocol", "k"), [("holdout", 5), ("kfold", 5), ("kfold", 2)])
def test_the_fewest_images_that_are_allowed_are_enough(protocol, k):
    rows = labelled(subjects=8, images=5, classes=tuple("abcdefgh"))
    for fold in folds(rows, protocol, k=k):
        assert set(rows["label"].iloc[fold.val]) == set(rows["label"])
        assert len(fold.train)


@pytest.mark.parametrize(
    ("change", "protocol", "message"),
    [
        (lambda rows: rows, "random", r"no protocol 'random'; there are: split, holdout, kfold, subject, site\."),
        (lambda rows: rows[rows["label"] == "dark"], "holdout", "two classes or more; the labels name only dark"),
        (lambda rows: rows[:0], "holdout", "two classes or more"),
        (lambda rows: pd.concat([rows, rows[:1]]), "kfold", r"listed once; twice or more: 0-0\.png"),
        (lambda rows: rows[rows["split"] != "val"], "split", "there are none of val"),
        (lambda rows: rows.assign(split=""), "split", "there are none of train, val, test"),
        (lambda rows: rows.assign(subject=""), "subject", "leaves some empty"),
        (lambda rows: rows.assign(subject=rows["label"]), "subject", "5 subjects or more; dark has 1"),
        (lambda rows: rows.assign(site="here"), "site", "two sites or more, and the site of every image; got here"),
        (lambda rows: rows.assign(site=rows["site"].replace("south", "")), "site", r"got \(empty\), north"),
        (lambda rows: rows.assign(site=rows["label"]), "site", "Without fold dark only pale is left"),
        (lambda rows: rows.assign(label=["rare"] * 4 + ["dark"] * 156), "holdout", "5 images or more here; rare has 4"),
        (lambda rows: rows.assign(label=["rare"] * 4 + ["dark"] * 156), "kfold", "5 images or more here; rare has 4"),
    ],
    ids=range(13),
)
def test_what_cannot_be_divided_is_refused_with_a_sentence(change, protocol, message):
    with pytest.raises(TrainingError, match=message):
        folds(change(ROWS), protocol)


def test_one_fold_is_none():
    with pytest.raises(TrainingError, match="2 folds or more; got 1"):
        folds(ROWS, "kfold", k=1)


def test_many_names_are_cut_short():
    rows = pd.concat([ROWS, ROWS[:7]])
    with pytest.raises(TrainingError, match=r"0-4\.png and 2 more\."):
        folds(rows, "kfold")


def test_a_subject_on_both_sides_of_the_split_is_refused_by_name():
    rows = pd.DataFrame({"split": ["train", "val", "test", "test"], "subject": ["a", "b", "b", "c"]})
    with pytest.raises(TrainingError, match=r"on both sides: b\. Use --protocol subject"):
        check_separate(rows)


@pytest.mark.parametrize(
    ("splits", "subjects"),
    [(["train", "val", "test"], ["a", "a", "b"]), (["train", "test", ""], ["", "", "a"]), (["", "test"], ["a", "a"])],
)
def test_subjects_on_one_side_and_unknown_ones_are_fine(splits, subjects):
    check_separate(pd.DataFrame({"split": splits, "subject": subjects}))


def test_the_same_file_under_two_names_in_two_splits_is_refused_with_both_names(tmp_path):
    for name, data in (("a.png", b"one"), ("b.png", b"two"), ("c.png", b"one")):
        (tmp_path / name).write_bytes(data)
    files = [str(tmp_path / name) for name in ("a.png", "b.png", "c.png")]
    with pytest.raises(TrainingError, match=r"a\.png \(train\) and .*c\.png \(test\) are the same"):
        check_files_separate(pd.DataFrame({"file": files, "split": ["train", "val", "test"]}))
    check_files_separate(pd.DataFrame({"file": files, "split": ["train", "val", "train"]}))
    check_files_separate(pd.DataFrame({"file": files, "split": ["train", "val", ""]}))


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"gone\.png cannot be used for training: No such file"):
        check_files_separate(pd.DataFrame({"file": [str(tmp_path / "gone.png")], "split": ["train"]}))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_protocol_of_a_recipe_is_one_of_these(recipe):
    assert recipe.protocol in PROTOCOLS
