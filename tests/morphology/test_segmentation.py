"""The central cell and its nucleus are found where they were drawn, and nothing where there is none."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard import images
from dashboard.morphology.segmentation import segment
from tests.morphology.drawn import NUCLEUS, disc, noisy, smear, with_cell


def overlap(found, drawn):
    """Intersection over union."""
    return (found & drawn).sum() / (found | drawn).sum()


def test_the_drawn_cell_and_its_nucleus_are_found():
    found = segment(with_cell(smear(), 100, 120))
    assert found.found
    assert found.reason == ""
    assert overlap(found.cell, disc((200, 240), 100, 120, 36)) > 0.85
    assert overlap(found.nucleus, disc((200, 240), 100, 120, 22)) > 0.85


def test_the_cell_holds_its_nucleus_and_the_cytoplasm_is_the_rest():
    found = segment(with_cell(smear(), 100, 120))
    assert not (found.nucleus & ~found.cell).any()
    assert (found.cytoplasm == (found.cell & ~found.nucleus)).all()
    assert found.cell.dtype == found.nucleus.dtype == bool


def test_two_lobes_in_one_cell_are_one_nucleus():
    pixels = with_cell(smear(), 100, 120, nucleus=0).astype(float)
    lobes = disc((200, 240), 100, 105, 12) | disc((200, 240), 100, 136, 12)
    pixels[lobes] = NUCLEUS
    assert overlap(segment(noisy(pixels)).nucleus, lobes) > 0.8


def test_the_central_cell_is_chosen_among_several():
    found = segment(with_cell(with_cell(smear(), 100, 120, 30), 160, 30, 30))
    assert found.cell[100, 120]
    assert not found.cell[160, 30]


def test_a_second_leukocyte_that_touches_is_cut_off():
    found = segment(with_cell(with_cell(smear(), 100, 120, 30), 100, 178, 30))
    assert found.cell[100, 120]
    assert not found.cell[100, 185]


def test_a_red_cell_that_touches_is_cut_off():
    pixels = smear().astype(float)
    pixels[disc((200, 240), 100, 60, 28)] = (200, 160, 150)
    found = segment(with_cell(pixels, 100, 120))
    assert overlap(found.cell, disc((200, 240), 100, 120, 36)) > 0.8


def test_an_object_as_small_as_a_platelet_is_found():
    drawn = disc((256, 256), 128, 128, 13)
    pixels = smear((256, 256)).astype(float)
    pixels[drawn] = (130, 90, 160)
    assert overlap(segment(noisy(pixels)).cell, drawn) > 0.6


def test_a_cell_already_cut_out_on_black_is_taken_whole():
    drawn = disc((256, 256), 120, 130, 60)
    pixels = np.zeros((256, 256, 3))
    pixels[drawn] = (80, 35, 85)
    found = segment(np.where(drawn[..., None], noisy(pixels), 0).astype(np.uint8))
    assert overlap(found.cell, drawn) > 0.95
    assert overlap(found.nucleus, drawn) > 0.9


def test_the_masks_have_the_size_of_the_image_whatever_it_is():
    pixels = with_cell(smear(), 100, 120)
    for size in ((120, 100), (960, 800)):
        found = segment(np.asarray(Image.fromarray(pixels).resize(size)))
        assert found.cell.shape == size[::-1]
        assert found.cell.mean() == pytest.approx(segment(pixels).cell.mean(), rel=0.1)


def test_the_same_pixels_give_the_same_masks():
    pixels = with_cell(smear(), 100, 120)
    first, again = segment(pixels), segment(pixels)
    assert (first.cell == again.cell).all()
    assert (first.nucleus == again.nucleus).all()


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((64, 64, 3), 255, np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        np.full((16, 16, 3), NUCLEUS, np.uint8),
        np.random.default_rng(0).integers(0, 255, (90, 120, 1), np.uint8).repeat(3, axis=2),
        smear(),
    ],
    ids=["white", "black", "one colour", "grey", "red cells only"],
)
def test_an_image_without_a_stained_cell_is_refused_with_a_sentence(pixels):
    found = segment(pixels)
    assert not found.found
    assert found.reason.startswith("A stained cell must")
    assert not found.cell.any()
    assert not found.nucleus.any()
    assert found.cell.shape == pixels.shape[:2]


def test_a_purple_speck_is_no_cell():
    pixels = smear()
    pixels[99:101, 119:121] = NUCLEUS
    assert not segment(pixels).found


def test_a_brighter_lamp_changes_little():
    pixels = with_cell(smear(), 100, 120)
    dimmed = (pixels * np.array([0.85, 0.8, 0.9])).astype(np.uint8)
    assert overlap(segment(pixels).cell, segment(dimmed).cell) > 0.9


@pytest.mark.slow
def test_real_cells_of_three_sites_are_found_near_the_centre(shared_data):
    rows = pd.read_csv(shared_data / "labels.csv", dtype=str, keep_default_na=False)
    rows = rows[rows["dataset"].isin(["pbc8", "lmu", "cnmc"])].groupby(["dataset", "label"]).sample(3, random_state=0)
    for path in rows["path"]:
        found = segment(images.read(shared_data / path).pixels)
        middle = [slice(length // 4, -length // 4) for length in found.cell.shape]
        assert found.found, path
        assert found.cell[tuple(middle)].any(), path
        assert 0.003 < found.cell.mean() < 0.7, path
