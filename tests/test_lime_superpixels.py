import numpy as np
import pytest
from lime.lime_image import LimeImageExplainer

from dashboard import lime_superpixels
from dashboard.lime_superpixels import (
    KERNEL_WIDTH,
    cover,
    covered_logits,
    random_masks,
    superpixels,
    surrogate_weights,
)
from tests.planted import SIDE, bright_corners, corner_classifier


def smear(side: int) -> np.ndarray:
    """A dark disc with a darker nucleus on a pale ground; uint8 (side, side, 3)."""
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    radius = np.hypot(rows, columns)[..., None]
    pixels = np.where(radius < 0.12, [90, 50, 130], np.where(radius < 0.25, [180, 150, 200], [235, 225, 225]))
    noise = np.random.default_rng(0).normal(0, 4, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [64, 160, 224, 299])
def test_superpixels_are_numbered_from_0_without_a_gap_and_as_many_at_any_size(side):
    segments = superpixels(smear(side))
    assert segments.shape == (side, side)
    numbers = np.unique(segments)
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    assert 20 <= len(numbers) <= 45


def test_an_image_of_one_colour_still_has_superpixels():
    assert superpixels(np.full((64, 64, 3), 200, np.uint8)).max() >= 1


def test_masks_begin_with_the_whole_image_and_come_in_opposite_pairs():
    masks = random_masks(10, 9, seed=0)
    assert masks.shape == (9, 10)
    assert masks[0].all()
    np.testing.assert_array_equal(masks[1::2] + masks[2::2], np.ones((4, 10)))


def test_masks_repeat_by_seed_and_every_superpixel_is_covered_in_some():
    np.testing.assert_array_equal(random_masks(56, 100, 1), random_masks(56, 100, 1))
    assert not np.array_equal(random_masks(56, 100, 1), random_masks(56, 100, 2))
    assert (random_masks(56, 100, 1) == 0).any(axis=0).all()


@pytest.mark.parametrize("samples", [1, 2, 3, 64])
def test_as_many_masks_as_asked_for(samples):
    assert len(random_masks(5, samples, 0)) == samples


@pytest.mark.parametrize("side", [64, 224])
def test_the_cover_leaves_a_tenth_of_a_granules_contrast(side):
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    granule = np.hypot(rows, columns)[..., None] < 0.02
    pixels = np.where(granule, [60, 20, 90], [180, 150, 200]).astype(np.uint8)
    assert np.ptp(cover(pixels)[..., 0]) < 0.1 * (180 - 60)


def test_covered_logits_equal_those_of_images_covered_by_hand(monkeypatch):
    monkeypatch.setattr(lime_superpixels, "BATCH", 4)  # so that the last batch is not full
    classifier, pixels = corner_classifier(), bright_corners()
    segments, background = superpixels(pixels), cover(pixels)
    masks = random_masks(segments.max() + 1, 10, 0)
    by_hand = [np.where(mask[segments][..., None], pixels, background) for mask in masks]
    logits = covered_logits(classifier, pixels, segments, masks)
    np.testing.assert_allclose(logits, classifier.logits(np.stack(by_hand)), rtol=1e-5)


def test_the_surrogate_finds_the_weights_of_a_linear_score():
    truth = np.array([3.0, 0.0, -1.0, 0.5])
    masks = random_masks(4, 2001, 0)
    np.testing.assert_allclose(surrogate_weights(masks, masks @ truth), truth, atol=0.02)


def test_the_last_superpixel_is_covered_like_any_other(monkeypatch):
    pixels = bright_corners()
    order = np.arange(16)[::-1].reshape(4, 4)  # so that the last is the top left cell, which class 0 reads
    segments = np.kron(order, np.ones((16, 16), int))
    monkeypatch.setattr(lime_superpixels, "superpixels", lambda _: segments)
    evidence = lime_superpixels.lime_superpixels(corner_classifier(), pixels, 0, samples=200)
    assert evidence[0, 0] == evidence.max() > 1
    assert evidence[segments != 15].max() < 0.2 * evidence[0, 0]


def test_on_the_same_samples_it_equals_lime():
    classifier, pixels = corner_classifier(), bright_corners()
    segments = superpixels(pixels)
    seen = []

    def classifier_fn(covered):
        logits = classifier.logits(covered)
        seen.append(logits)
        return logits

    explainer = LimeImageExplainer(kernel_width=KERNEL_WIDTH, random_state=0, feature_selection="none")
    drawn = np.random.RandomState(0).randint(0, 2, 60 * (segments.max() + 1)).reshape(60, -1)
    drawn[0] = 1  # as lime draws them
    result = explainer.explain_instance(
        pixels,
        classifier_fn,
        labels=(0,),
        top_labels=None,
        hide_color=0,
        num_samples=60,
        segmentation_fn=lambda _: segments,
        random_seed=0,
    )
    ours = covered_logits(
        classifier, pixels, segments, drawn.astype(np.uint8), background=np.zeros((SIDE, SIDE, 3), np.uint8)
    )
    np.testing.assert_allclose(ours, np.concatenate(seen), rtol=1e-5)
    weights = surrogate_weights(drawn, ours[:, 0])
    expected = dict(result.local_exp[0])
    np.testing.assert_allclose(weights, [expected[index] for index in range(len(weights))], atol=1e-4)
