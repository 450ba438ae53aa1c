"""One contract over every explanation method."""

import numpy as np
import pytest

from dashboard.errors import ExplanationError
from dashboard.explanations import METHODS, NO_EVIDENCE, explain, normalise, on_original
from tests.planted import bright_corners, corner_classifier, flat_classifier, share_in_corner

every_method = pytest.mark.parametrize("method", METHODS)
seeded_methods = pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.seeded])


@pytest.fixture(scope="module")
def classifier():
    return corner_classifier()


@every_method
@pytest.mark.parametrize("class_index", [0, 1])
def test_evidence_planted_in_a_corner_lights_that_corner(classifier, method, class_index):
    explanation = explain(classifier, bright_corners(), class_index, method)
    assert share_in_corner(explanation.map, class_index) > 0.8
    assert share_in_corner(explanation.map, 1 - class_index) < 0.1


@every_method
def test_a_map_is_float32_on_the_images_pixels_from_0_to_a_peak_of_1(classifier, method):
    pixels = np.pad(bright_corners(), ((0, 0), (20, 21), (0, 0)))
    explanation = explain(classifier, pixels, 0, method)
    assert explanation.map.dtype == np.float32
    assert explanation.map.shape == pixels.shape[:2]
    assert explanation.map.min() >= 0
    assert explanation.map.max() == 1
    assert explanation.note == ""
    assert (explanation.method, explanation.class_index) == (method, 0)


@every_method
def test_what_the_model_did_not_see_stays_zero(method):
    pixels = np.pad(bright_corners(), ((32, 32), (32, 32), (0, 0)), mode="edge")
    explanation = explain(corner_classifier(crop=0.5), pixels, 0, method)
    inside = explanation.map[32:96, 32:96]
    assert inside.max() == 1
    assert explanation.map.sum() == pytest.approx(inside.sum())


@every_method
def test_the_same_seed_gives_the_same_map(classifier, method):
    first, second = (explain(classifier, bright_corners(), 0, method, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.map, second.map)


@seeded_methods
def test_another_seed_gives_another_map(method):
    keen = flat_classifier()
    pixels = bright_corners()
    maps = [explain(keen, pixels, 0, method, seed=seed, samples=8).map for seed in (0, 1)]
    if method == "smoothgrad":  # a linear network has one gradient, whatever the noise
        np.testing.assert_allclose(*maps, atol=1e-5)
    else:
        assert not np.array_equal(*maps)


@seeded_methods
def test_a_map_leaves_numpys_global_generator_alone(classifier, method):
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    explain(classifier, bright_corners(), 0, method, samples=4)
    assert np.random.random() == expected


@every_method
def test_classes_have_maps_of_their_own(classifier, method):
    maps = [explain(classifier, bright_corners(), index, method).map for index in (0, 1)]
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] < 0.5


@every_method
def test_a_very_sure_model_is_not_a_blank_map(method):
    sure = corner_classifier(gain=20_000)
    pixels = bright_corners()
    pixels[-16:, -16:] = 30
    assert sure.logits(sure.prepare(pixels)[None])[0, 0] > 500
    assert share_in_corner(explain(sure, pixels, 0, method).map, 0) > 0.8


@pytest.mark.parametrize("method", [name for name in METHODS if name != "smoothgrad"])
def test_no_evidence_is_an_all_zero_map_that_says_so(classifier, method):
    explanation = explain(classifier, np.zeros((64, 64, 3), np.uint8), 0, method)
    assert not explanation.map.any()
    assert explanation.note == NO_EVIDENCE


@every_method
def test_explaining_leaves_the_model_as_it_was(method):
    own = corner_classifier()
    prepared = own.prepare(bright_corners())[None]
    names, logits = [layer.name for layer in own.model.layers], own.logits(prepared)
    explain(own, bright_corners(), 0, method)
    assert [layer.name for layer in own.model.layers] == names
    assert own.model.get_layer("logits").activation.__name__ == "linear"
    np.testing.assert_array_equal(own.logits(prepared), logits)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.slow])
def test_slow_methods_tell_how_far_they_are(classifier, method):
    told = []
    explain(classifier, bright_corners(), 0, method, samples=40, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_network_without_places_is_left_with_the_methods_that_need_none():
    flat = flat_classifier()
    for name, method in METHODS.items():
        if method.needs_spatial_layer:
            with pytest.raises(ExplanationError, match=r"none; SmoothGrad and LIME remain\.$"):
                explain(flat, bright_corners(), 0, name)
        else:
            assert explain(flat, bright_corners(), 0, name, samples=20).map.max() == 1


@every_method
def test_gradients_that_are_not_numbers_are_refused(method):
    broken = corner_classifier()
    broken.model.get_layer("logits").set_weights([np.full((2, 2), np.nan, np.float32)])
    with pytest.raises(ExplanationError, match="not numbers"):
        explain(broken, bright_corners(), 0, method)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_index": 2}, r"must be one of the model's 2, 0 to 1; got 2"),
        ({"class_index": -1}, r"got -1"),
        ({"method": "occlusion"}, r"no method 'occlusion'; there are: grad-cam, grad-cam\+\+, score-cam"),
        ({"method": "lime", "samples": 0}, r"LIME needs at least 1 sample; got 0"),
        ({"method": "lime", "seed": -1}, r"The seed must be from 0"),
    ],
)
def test_wrong_requests_get_a_sentence(classifier, options, message):
    with pytest.raises(ExplanationError, match=message):
        explain(classifier, bright_corners(), **{"class_index": 0, "method": "grad-cam", **options})


def test_parameters_say_how_the_map_was_made(classifier):
    assert explain(classifier, bright_corners(), 0, "lime", samples=20, seed=9).parameters == {"samples": 20, "seed": 9}
    assert set(explain(classifier, bright_corners(), 0, "grad-cam").parameters) == {"layer"}


def test_normalise_keeps_what_speaks_for_the_class():
    np.testing.assert_array_equal(normalise(np.array([[-4.0, 0.0], [1.0, 2.0]])), [[0, 0], [0.5, 1]])


def test_normalise_brings_faint_evidence_to_1_and_no_evidence_to_0():
    assert normalise(np.array([1e-9, 0.0])).tolist() == [1, 0]
    assert normalise(np.array([-1.0, -2.0])).tolist() == [0, 0]
    assert normalise(np.zeros((0, 0))).shape == (0, 0)


def test_a_grid_is_laid_between_the_centres_of_its_cells():
    placed = on_original(np.float32([[0, 4]]), (0.0, 0.0, 1.0, 4.0), (1, 4))
    np.testing.assert_allclose(placed, [[0, 1, 3, 4]])


def test_a_grid_is_laid_only_where_the_model_looked():
    placed = on_original(np.ones((2, 2), np.float32), (1.0, 2.0, 3.0, 4.0), (4, 6))
    expected = np.zeros((4, 6))
    expected[1:3, 2:4] = 1
    np.testing.assert_array_equal(placed, expected)


def test_a_grid_of_the_images_size_is_laid_unchanged():
    grid = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    np.testing.assert_allclose(on_original(grid, (0.0, 0.0, 5.0, 7.0), (5, 7)), grid, atol=1e-6)
