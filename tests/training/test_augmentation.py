"""Each random change does what its range says, on pictures whose answer is known."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from dashboard.training.augmentation import augment, mix
from dashboard.training.recipes import RECIPES, Augmentation

STILL = Augmentation(rotation=0, flips=False)
NOISE = np.random.default_rng(0).integers(0, 256, (6, 40, 44, 3), np.uint8)


def views(images: np.ndarray, height: int = 32, width: int = 32, seed: int = 0, **changes) -> np.ndarray:
    tf.random.set_seed(seed)
    return augment(tf.constant(images), height, width, dataclasses.replace(STILL, **changes)).numpy()


def plain(*colour: int, count: int = 16, side: int = 24) -> np.ndarray:
    return np.full((count, side, side, 3), colour, np.uint8)


def disc(radius: float, count: int = 12, side: int = 64) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    inside = rows**2 + columns**2 < radius**2
    return np.repeat(np.where(inside[..., None], 200, 50).astype(np.uint8)[None].repeat(3, -1), count, axis=0)


def test_without_any_change_a_view_is_the_canvas_centre():
    np.testing.assert_allclose(views(NOISE), NOISE[:, 4:36, 6:38], atol=0.05)


def test_views_are_floats_of_the_asked_size_within_the_range_of_pixels():
    for recipe in RECIPES.values():
        tf.random.set_seed(0)
        out = augment(tf.constant(NOISE), 24, 30, recipe.augmentation)
        assert (out.dtype, out.shape) == (tf.float32, (6, 24, 30, 3))
        assert np.isfinite(out.numpy()).all()
        assert 0 <= out.numpy().min() <= out.numpy().max() <= 255


def test_the_same_seed_gives_the_same_views_and_another_does_not():
    how = dataclasses.asdict(Augmentation(zoom=(0.8, 1.2), brightness=0.2, noise=1.0, jpeg=1.0))
    np.testing.assert_array_equal(views(NOISE, seed=1, **how), views(NOISE, seed=1, **how))
    assert np.abs(views(NOISE, seed=1, **how) - views(NOISE, seed=2, **how)).max() > 10


def test_every_image_of_a_batch_gets_its_own_view():
    out = views(plain(120, 120, 120), brightness=0.3)
    assert len(np.unique(out[:, 0, 0, 0].round(2))) > 10


def test_flips_give_the_view_or_its_mirror_image_and_nothing_else():
    images = np.repeat(NOISE[:1], 40, axis=0)
    out = views(images, flips=True)
    centre = NOISE[0, 4:36, 6:38]
    kinds = [
        min(range(2), key=lambda index, one=one: np.abs(one - (centre, centre[:, ::-1])[index]).max()) for one in out
    ]
    assert set(kinds) == {0, 1}
    for one, kind in zip(out, kinds, strict=True):
        np.testing.assert_allclose(one, (centre, centre[:, ::-1])[kind], atol=0.1)


def test_turns_keep_a_disc_and_move_a_corner():
    round_one = disc(12)
    np.testing.assert_allclose(
        views(round_one, 48, 48, rotation=180).mean(axis=(1, 2, 3)), views(round_one, 48, 48).mean(), rtol=0.01
    )
    marked = round_one.copy()
    marked[:, 20:24, 20:24] = 0
    assert np.abs(views(marked, 48, 48, rotation=180) - views(marked, 48, 48)).max() > 100


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_zoom_is_the_size_of_the_cell_relative_to_the_original(factor):
    share = (views(disc(10), 48, 48, zoom=(factor, factor)) > 125).mean()
    assert share == pytest.approx(np.pi * (10 * factor) ** 2 / 48**2, rel=0.05)


def test_a_zoom_range_is_kept_and_used():
    shares = (views(disc(10, count=64), 48, 48, zoom=(0.8, 1.25)) > 125).mean(axis=(1, 2, 3))
    sizes = np.sqrt(shares * 48**2 / np.pi) / 10
    assert 0.77 < sizes.min() < 0.88
    assert 1.12 < sizes.max() < 1.28


def test_shift_moves_by_at_most_its_share_of_the_side():
    bright = views(disc(6, count=64), 48, 48, shift=0.1)[..., 0] - 50
    rows = (bright * np.arange(48)[:, None]).sum(axis=(1, 2)) / bright.sum(axis=(1, 2)) - 23.5
    assert 3.5 < np.abs(rows).max() < 4.9


@pytest.mark.parametrize(
    ("name", "colour", "low", "high"),
    [("brightness", (100, 100, 100), 80, 120), ("channel_gain", (100, 100, 100), 80, 120)],
)
def test_factors_stay_in_their_range_and_use_it(name, colour, low, high):
    out = views(plain(*colour, count=64), **{name: 0.2})[:, 0, 0]
    assert low - 0.1 <= out.min() < low + 6
    assert high - 6 < out.max() <= high + 0.1


def test_channel_gain_changes_each_channel_by_itself_and_brightness_all_alike():
    assert np.ptp(views(plain(100, 100, 100), channel_gain=0.2)[:, 0, 0], axis=1).max() > 5
    assert np.ptp(views(plain(100, 100, 100), brightness=0.2)[:, 0, 0], axis=1).max() < 0.01


def test_gamma_keeps_black_and_white():
    assert views(plain(0, 0, 0), gamma=0.3).max() < 1
    assert views(plain(255, 255, 255), gamma=0.3).min() > 254.9
    assert np.ptp(views(plain(60, 60, 60), gamma=0.3)) > 10


def test_contrast_keeps_the_mean():
    out = views(disc(12, count=32), 64, 64, contrast=0.3)
    np.testing.assert_allclose(out.mean(axis=(1, 2, 3)), disc(12).mean(), rtol=1e-3)
    assert np.ptp(out.max(axis=(1, 2, 3))) > 20


@pytest.mark.parametrize("change", [{"hue": 30.0}, {"saturation": 0.5}])
def test_hue_and_saturation_leave_grey_alone_and_keep_the_luma(change):
    np.testing.assert_allclose(views(plain(90, 90, 90), **change), 90, atol=0.3)
    out = views(plain(150, 90, 140), **change)[:, 0, 0]
    np.testing.assert_allclose(out @ [0.299, 0.587, 0.114], 0.299 * 150 + 0.587 * 90 + 0.114 * 140, atol=0.5)
    assert np.ptp(out, axis=0).max() > 10


def test_saturation_worked_by_hand():
    # YIQ: grey + s * (colour - grey); the range is reached at s = 0.5 and 1.5
    luma = 0.299 * 150 + 0.587 * 90 + 0.114 * 140
    out = views(plain(150, 90, 140, count=64), saturation=0.5)[:, 0, 0]
    factors = (out - luma) / (np.array([150, 90, 140]) - luma)
    np.testing.assert_allclose(factors, factors[:, :1].repeat(3, 1), atol=0.03)
    assert 0.49 < factors.min() < 0.6
    assert 1.4 < factors.max() < 1.51


def test_blur_keeps_a_plain_colour_and_softens_an_edge_only_where_drawn():
    np.testing.assert_allclose(views(plain(10, 120, 240), blur=1.0), views(plain(10, 120, 240)), atol=0.01)
    steepest = np.abs(np.diff(views(disc(12, count=64), 48, 48, blur=0.5), axis=2)).max(axis=(1, 2, 3))
    assert (steepest > 149).sum() == pytest.approx(32, abs=12)
    assert steepest.min() < 100


def test_noise_is_drawn_for_its_share_of_the_images():
    spread = views(plain(128, 128, 128, count=64), noise=0.5, noise_sigma=10.0).std(axis=(1, 2, 3))
    assert (spread > 0.01).sum() == pytest.approx(32, abs=12)
    assert 5 < spread.max() < 11


def test_recompression_changes_its_share_of_the_images_a_little():
    smooth = np.repeat(np.linspace(0, 255, 40 * 44 * 3).reshape(1, 40, 44, 3).astype(np.uint8), 32, axis=0)
    off = np.abs(views(smooth, jpeg=0.5) - views(smooth)).max(axis=(1, 2, 3))
    assert (off > 0.5).sum() == pytest.approx(16, abs=9)
    assert np.abs(views(smooth, jpeg=1.0) - views(smooth)).mean() < 6


def test_an_empty_batch_gives_no_views():
    assert views(NOISE[:0]).shape == (0, 32, 32, 3)


def test_a_mixture_keeps_at_least_half_of_each_image_and_mixes_its_target_alike():
    images = tf.constant(np.arange(8, dtype=np.float32).reshape(8, 1, 1, 1) * np.ones((8, 4, 4, 3), np.float32))
    targets = {"logits": tf.eye(8), "fine": 2 * tf.eye(8)}
    tf.random.set_seed(0)
    mixed, wanted = mix(images, targets, alpha=0.4)
    share = np.diag(wanted["logits"].numpy())
    assert ((share >= 0.5) & (share <= 1)).all()
    assert np.ptp(share) > 0.1
    np.testing.assert_allclose(wanted["logits"].numpy().sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(wanted["fine"], 2 * wanted["logits"], atol=1e-6)
    np.testing.assert_allclose(mixed[:, 0, 0, 0], share * np.arange(8) + (1 - share) * np.arange(8)[::-1], rtol=1e-5)


def middle(bright: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the centre of what is brighter than the ground, about the picture's middle."""
    height, width = bright.shape[1:]
    rows = (bright * np.arange(height)[:, None]).sum(axis=(1, 2)) / bright.sum(axis=(1, 2)) - (height - 1) / 2
    columns = (bright * np.arange(width)).sum(axis=(1, 2)) / bright.sum(axis=(1, 2)) - (width - 1) / 2
    return rows, columns


def test_vertical_flips_give_the_view_or_it_upside_down_and_nothing_else():
    out = views(np.repeat(NOISE[:1], 40, axis=0), vertical_flips=True)
    centre = NOISE[0, 4:36, 6:38]
    kinds = [int(np.abs(one - centre[::-1]).max() < 0.2) for one in out]
    assert set(kinds) == {0, 1}
    for one, kind in zip(out, kinds, strict=True):
        np.testing.assert_allclose(one, centre[::-1] if kind else centre, atol=0.2)


def test_shear_keeps_the_area_and_leans_a_bar_by_at_most_its_angle():
    bar = np.full((32, 64, 64, 3), 50, np.uint8)
    bar[:, 8:56, 29:35] = 200
    out = views(bar, 48, 48, shear=10)[..., 0] - 50
    np.testing.assert_allclose(out.sum(axis=(1, 2)), 150 * 48 * 6, rtol=0.03)
    _, top = middle(out[:, 2:6])
    _, bottom = middle(out[:, -6:-2])
    leans = np.degrees(np.arctan((bottom - top) / 40))
    assert 7 < np.abs(leans).max() < 10.3
    assert leans.min() < 0 < leans.max()


def test_perspective_changes_its_share_of_the_images_and_keeps_a_plain_colour():
    np.testing.assert_allclose(views(plain(10, 120, 240), perspective=1.0), views(plain(10, 120, 240)), atol=0.01)
    off = np.abs(views(disc(12, count=64), 48, 48, perspective=0.5) - views(disc(12, count=64), 48, 48))
    assert (off.max(axis=(1, 2, 3)) > 5).sum() == pytest.approx(32, abs=12)


def test_bending_moves_its_share_of_the_images_a_little_and_keeps_a_plain_colour():
    np.testing.assert_allclose(views(plain(10, 120, 240), elastic=1.0), views(plain(10, 120, 240)), atol=0.01)
    still, bent = views(disc(12, count=64), 48, 48), views(disc(12, count=64), 48, 48, elastic=0.5)
    assert (np.abs(bent - still).max(axis=(1, 2, 3)) > 5).sum() == pytest.approx(32, abs=12)
    rows, columns = middle(bent[..., 0] - 50)
    assert max(np.abs(rows).max(), np.abs(columns).max()) < 4
    assert still.min() - 0.01 <= bent.min() <= bent.max() <= still.max() + 0.01  # no new colour: pixels only move


def test_sharpening_steepens_an_edge_and_keeps_a_plain_colour():
    np.testing.assert_allclose(views(plain(10, 120, 240), sharpness=1.0), views(plain(10, 120, 240)), atol=0.01)
    ramp = np.clip(np.arange(64) * 12.0 - 300, 60, 190).astype(np.uint8)[None, None, :, None]
    ramps = np.tile(ramp, (64, 64, 1, 3))
    swing = np.ptp(views(ramps, 48, 48, sharpness=0.5, sharpest=2.0), axis=(1, 2, 3))
    assert (swing > np.ptp(views(ramps[:1], 48, 48)) + 0.5).sum() == pytest.approx(32, abs=12)
    assert swing.max() < 1.3 * 130


def test_noise_of_set_levels_has_these_levels_alone():
    spread = views(plain(128, 128, 128, count=32), noise=1.0, noise_levels=(3.0, 9.0)).std(axis=(1, 2, 3))
    assert {min((3.0, 9.0), key=lambda level, one=one: abs(level - one)) for one in spread} == {3.0, 9.0}
    assert np.minimum(np.abs(spread - 3), np.abs(spread - 9)).max() < 0.5


def test_the_middle_of_the_brightness_is_where_it_is_told():
    out = views(plain(100, 100, 100, count=64), brightness=0.36, brightness_centre=1.09)[:, 0, 0]
    assert 72.9 <= out.min() < 82
    assert 136 < out.max() <= 145.1


def test_dyes_change_by_themselves_along_their_own_directions():
    stains = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
    amounts = np.array([0.5, 0.3, 0.1])
    colour = np.round(255 * np.exp(-amounts @ stains)).astype(int)
    out = views(plain(*colour, count=64), stain=0.5)[:, 0, 0]
    tint = views(plain(255, 255, 255, count=64), stain=0.5)[:, 0, 0]
    density = -np.log(out / 255)
    found = density @ np.linalg.inv(stains)
    # the glass's tint, up to a tenth of the spread's density, adds to the amounts
    slack = np.abs(np.linalg.inv(stains)).sum(axis=0) * 0.1 + 0.03
    assert (np.abs(found - amounts) <= amounts * 0.5 + slack).all()
    assert np.ptp(found[:, 0]) > 0.3
    assert tint.min() >= 255 * np.exp(-0.1) - 0.5


def test_stain_keeps_black_dark_and_finite():
    out = views(plain(0, 0, 0, count=64), stain=0.5)
    assert np.isfinite(out).all()
    assert out.max() < 110
