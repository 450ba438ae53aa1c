"""Drawn cells: the numbers they are drawn from, the shapes, and that the samples can be had again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard import images
from dashboard.synthesis import GOLDEN, golden_image
from dashboard.synthesis.appearance import appearance, mixed
from dashboard.synthesis.copies import RealImages, orientations, perceptual_hash
from dashboard.synthesis.measuring import colour_ramp, correlation
from dashboard.synthesis.nuclei import SHAPES
from dashboard.synthesis.optics import photograph
from dashboard.synthesis.samples import SAMPLES, draw_sample
from dashboard.synthesis.segmentation import segment
from dashboard.synthesis.shapes import SUPERSAMPLING, coverage, drawing_grid, outline, thick_curve
from dashboard.synthesis.textures import LAG, correlated_noise, granules, ramp_colours, ranks
from dashboard.synthesis.white_cells import RECIPES

FOLDER = Path(__file__).resolve().parent.parent / "sample_images"
PBC8 = {"basophil", "eosinophil", "erythroblast", "immature_granulocyte"}
PBC8 |= {"lymphocyte", "monocyte", "neutrophil", "platelet"}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_golden_image_is_the_stored_file_and_a_fresh_copy_each_time() -> None:
    first = golden_image()
    assert first.shape == (360, 360, 3)
    assert first.dtype == np.uint8
    first[:] = 0
    assert np.array_equal(golden_image(), np.asarray(Image.open(GOLDEN).convert("RGB")))


def test_every_recipe_has_measured_numbers_and_a_known_nucleus() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.kind in appearance().cells, name
        assert recipe.nucleus in ("", *SHAPES), name


def test_measured_ramps_grow_lighter_and_correlations_begin_at_one() -> None:
    for kind, cell in appearance().cells.items():
        for region in (cell.nucleus, cell.cytoplasm):
            assert (np.diff(region.ramp.mean(axis=1)) > 0).all(), kind
            assert region.correlation[0] == 1, kind


def test_mixing_none_of_another_kind_changes_nothing_and_half_lies_between() -> None:
    cells = appearance().cells
    one, other = cells["eosinophil"], cells["neutrophil_band"]
    assert np.array_equal(mixed(one, other, 0).nucleus.ramp, one.nucleus.ramp)
    assert np.allclose(mixed(one, other, 0.5).diameter, (one.diameter + other.diameter) / 2)


def test_an_outline_without_irregularity_is_a_circle_of_its_radius() -> None:
    depth = outline(drawing_grid(), rng(), 50, irregularity=0)
    assert (depth > 0).sum() / SUPERSAMPLING**2 == pytest.approx(np.pi * 50**2, rel=0.002)
    assert depth.max() == pytest.approx(50, abs=0.6)


def test_an_elongated_outline_keeps_its_area() -> None:
    depth = outline(drawing_grid(), rng(), 50, elongation=0.7, irregularity=0)
    assert (depth > 0).sum() / SUPERSAMPLING**2 == pytest.approx(np.pi * 50**2, rel=0.002)


def test_a_thick_curve_of_one_point_is_a_disc_and_a_narrow_bridge_joins_two() -> None:
    grid = drawing_grid()
    disc = thick_curve(grid, np.zeros((1, 2)), np.array([20.0]), smoothing=0)
    assert (disc > 0).sum() / SUPERSAMPLING**2 == pytest.approx(np.pi * 400, rel=0.01)
    points = np.array([[0, column] for column in range(-40, 41, 2)], float)
    widths = np.where(np.abs(points[:, 1]) > 30, 15.0, 3.0)
    dumbbell = thick_curve(grid, points, widths, smoothing=0) > 0
    middle = dumbbell[:, dumbbell.shape[1] // 2].sum() / SUPERSAMPLING
    assert 5 <= middle <= 7


def test_a_window_outside_the_grid_is_empty() -> None:
    part, local = drawing_grid().window(1000, 1000, 5)
    assert local.rows.size == 0
    assert np.zeros((720, 720))[part].size == 0


def test_opacity_is_half_on_the_edge() -> None:
    assert coverage(np.array([-5.0, 0.0, 5.0])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_nucleus_takes_about_its_share_of_the_cell(shape: str) -> None:
    _, grid = drawing_grid().window(0, 0, 90)
    depth = SHAPES[shape](grid, rng(), 60, 0.4)
    assert (depth > 0).sum() / SUPERSAMPLING**2 == pytest.approx(0.4 * np.pi * 60**2, rel=0.2)


def test_noise_has_the_correlation_it_was_asked_for() -> None:
    wanted = np.array([1, 0.7, 0.3, 0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    noise = correlated_noise(rng(), (720, 720), wanted)
    step = round(LAG)
    assert noise.std() == pytest.approx(1)
    assert np.corrcoef(noise[:-step].ravel(), noise[step:].ravel())[0, 1] == pytest.approx(0.65, abs=0.08)


def test_ranks_are_even_inside_the_mask_and_neutral_outside() -> None:
    values = np.array([[3.0, 1.0], [2.0, 9.0]])
    mask = np.array([[True, True], [True, False]])
    assert ranks(values, mask).tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_ramp_colours_are_the_ramp_at_its_quantiles() -> None:
    ramp = np.array([[0.0, 0, 0], [100.0, 50, 10]])
    assert ramp_colours(ramp, np.array([0.0, 1.0]), np.array([[0.5]])).tolist() == [[[50.0, 25.0, 5.0]]]


def test_granules_lie_where_they_may_and_nowhere_if_nowhere_may_they() -> None:
    grid = drawing_grid()
    where = np.zeros(grid.rows.shape, bool)
    assert granules(grid, rng(), where, 10, (1, 2)).max() == 0
    where[300, 300] = True
    spots = granules(grid, rng(), where, 1, (1, 2))
    assert spots[300, 300] > 0.7
    assert spots[:280].max() == 0


def test_a_colour_ramp_of_two_colours_runs_from_the_dark_to_the_light() -> None:
    ramp = colour_ramp(np.repeat([[200, 200, 200], [10, 20, 30]], 100, axis=0))
    assert ramp[0].tolist() == [10, 20, 30]
    assert ramp[-1].tolist() == [200, 200, 200]


def test_the_correlation_of_white_noise_is_one_then_nothing() -> None:
    curve = correlation(rng().standard_normal((64, 64)), np.ones((64, 64), bool))
    assert curve[0] == 1
    assert np.abs(curve[2:]).max() < 0.1
    assert correlation(np.ones((8, 8)), np.ones((8, 8), bool))[1:].tolist() == [0] * 12


def test_a_photograph_of_one_colour_is_that_colour() -> None:
    drawing = np.full((720, 720, 3), [200.0, 150.0, 100.0])
    assert np.unique(photograph(drawing, rng(), np.zeros(3)).reshape(-1, 3), axis=0).tolist() == [[200, 150, 100]]


def test_segmentation_finds_a_drawn_cell_with_its_nucleus() -> None:
    regions = segment(np.asarray(Image.fromarray(golden_image()).resize((256, 256))))
    assert regions is not None
    diameter = 2 * (regions.cell.sum() / np.pi) ** 0.5 * 360 / 256
    assert 105 < diameter < 145
    assert 0.2 < regions.nucleus.sum() / regions.cell.sum() < 0.6
    assert not (regions.nucleus & ~regions.cell).any()


def test_the_hash_of_a_picture_survives_brightness_and_differs_from_another() -> None:
    one, other = (rng().integers(0, 200, (32, 32, 3)), np.random.default_rng(1).integers(0, 200, (32, 32, 3)))
    assert perceptual_hash(one).shape == (63,)
    assert np.array_equal(perceptual_hash(one), perceptual_hash(one + 20))
    assert (perceptual_hash(one) != perceptual_hash(other)).sum() > 15


def test_a_turned_and_mirrored_copy_is_found(tmp_path: Path) -> None:
    picture = golden_image()
    Image.fromarray(picture).save(tmp_path / "real.png")
    found = RealImages([str(tmp_path / "real.png")]).nearest(np.ascontiguousarray(np.rot90(picture)[:, ::-1]))
    assert len(orientations(picture)) == 8
    assert found.rms < 2  # shrinking rounds differently in another orientation
    assert found.hash_bits <= 2


def test_the_samples_cover_the_eight_classes_and_the_doubtful() -> None:
    table = pd.DataFrame(SAMPLES)
    typical = table[table["kind"] == "typical"]["label"].value_counts()
    assert set(typical.index) == PBC8
    assert typical.min() >= 3
    assert (table["kind"] == "doubtful").sum() >= 4
    assert (table["kind"] == "no_cell").sum() >= 1
    assert table["name"].is_unique


def test_the_folder_holds_exactly_the_samples_all_marked_synthetic() -> None:
    table = pd.read_csv(FOLDER / "labels.csv", dtype=str, keep_default_na=False)
    assert list(table["path"]) == [f"{sample.name}.png" for sample in SAMPLES]
    assert set(table["synthetic"]) == {"yes"}
    assert {file.name for file in FOLDER.glob("*.png")} == set(table["path"])
    assert all((FOLDER / path).stat().st_size < 200_000 for path in table["path"])


def test_a_sample_can_be_drawn_again_exactly() -> None:
    table = pd.read_csv(FOLDER / "labels.csv", dtype=str)
    sample = next(sample for sample in SAMPLES if sample.name == "platelet_1")
    drawn = draw_sample(sample, int(table["seed"].iloc[0]))
    # another version of a library may round a last bit otherwise
    difference = drawn.astype(int) - images.read(FOLDER / "platelet_1.png").pixels
    assert np.abs(difference).mean() < 0.05
    assert not np.array_equal(drawn, draw_sample(sample, 12345))
