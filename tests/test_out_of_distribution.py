"""The score is a Mahalanobis distance: worked by hand, and equal to scipy's."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from dashboard.errors import BundleError, CalibrationError
from dashboard.out_of_distribution import FeatureStatistics, fit_statistics, load_statistics

# two classes about (0, 0) and (10, 0): offsets (+-2, 0) and (0, +-1) in each
CROSS = np.array([[2, 0], [-2, 0], [0, 1], [0, -1]], np.float32)
TWO = np.concatenate([CROSS, CROSS + np.array([10, 0])]).astype(np.float32)
LABELS = np.repeat([0, 1], 4)


def draws(count: int, dimensions: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    mixing = random.normal(size=(dimensions, dimensions))
    features = random.normal(size=(count, dimensions)) @ mixing + 5 * random.normal(size=(classes, dimensions))[labels]
    return features.astype(np.float32), labels


def test_two_classes_in_two_dimensions_worked_by_hand():
    # within-class squares: x 2 * (4 + 4) = 16, y 2 * (1 + 1) = 4; over N - K = 6: variances 8/3 and 2/3
    statistics = fit_statistics(TWO, LABELS, ("features",))
    np.testing.assert_allclose(statistics.means, [[0, 0], [10, 0]], atol=1e-6)
    np.testing.assert_allclose(np.abs(statistics.directions), [[1], [0]], atol=1e-6)
    np.testing.assert_allclose(statistics.variances, [8 / 3], rtol=1e-6)
    assert statistics.rest == pytest.approx(2 / 3)
    scores = statistics.scores(np.array([[0, 0], [10, 0], [2, 0], [0, 1], [5, 0], [12, 3]], np.float32))
    # squared distance to the nearer mean over D = 2: 0, 0, 4/(8/3)/2, 1/(2/3)/2, 25/(8/3)/2, (4/(8/3) + 9/(2/3))/2
    np.testing.assert_allclose(scores, [0, 0, 0.75, 0.75, 4.6875, 7.5], rtol=1e-5, atol=1e-6)
    assert scores.dtype == np.float32


def test_with_every_direction_it_is_the_mahalanobis_distance_of_scipy():
    features, labels = draws(300, 6, 3)
    statistics = fit_statistics(features, labels, ("features",), directions=5)
    means = np.stack([features[labels == index].mean(axis=0) for index in range(3)])
    offsets = (features - means[labels]).astype(float)
    inverse = np.linalg.inv(offsets.T @ offsets / (300 - 3))
    points = draws(20, 6, 3, seed=1)[0]
    expected = [min(mahalanobis(point, mean, inverse) ** 2 for mean in means) / 6 for point in points]
    np.testing.assert_allclose(statistics.scores(points), expected, rtol=1e-3)


def test_with_fewer_directions_the_others_share_their_mean_variance():
    features, labels = draws(300, 6, 3)
    few = fit_statistics(features, labels, ("features",), directions=2)
    means = few.means.astype(float)
    offsets = (features - means[labels]).astype(float)
    values, vectors = np.linalg.eigh(offsets.T @ offsets / 297)
    values[:4] = values[:4].mean()
    inverse = np.linalg.inv(vectors @ np.diag(values) @ vectors.T)
    expected = [min(mahalanobis(point, mean, inverse) ** 2 for mean in means) / 6 for point in features[:20]]
    np.testing.assert_allclose(few.scores(features[:20]), expected, rtol=1e-3)


def test_a_typical_image_scores_about_one_and_a_far_one_more():
    features, labels = draws(2000, 8, 4)
    statistics = fit_statistics(features, labels, ("features",))
    own = statistics.scores(draws(2000, 8, 4)[0])
    assert own.mean() == pytest.approx(1, abs=0.1)
    line = np.linspace(0, 50, 20)[:, None] * statistics.directions[:, 0] + statistics.means[0]
    away = line[10:] + 1000
    assert statistics.scores(away.astype(np.float32)).min() > own.max()


def test_a_direction_that_training_never_used_counts():
    features, labels = draws(100, 4, 2)
    features[:, 3] = 0
    statistics = fit_statistics(features, labels, ("features",))
    moved = features[:1] + np.array([0, 0, 0, 1], np.float32)
    assert statistics.scores(moved)[0] > 10 * statistics.scores(features[:1])[0]


def test_one_feature_is_enough():
    statistics = fit_statistics(np.array([[0], [2], [10], [12]], np.float32), np.array([0, 0, 1, 1]), ("features",))
    assert statistics.rest == pytest.approx(2)  # (1 + 1 + 1 + 1) / (4 - 2)
    np.testing.assert_allclose(statistics.scores(np.array([[1], [3], [11]], np.float32)), [0, 2, 0], atol=1e-6)


def test_no_image_gives_no_score_and_a_lost_feature_gives_nan():
    statistics = fit_statistics(TWO, LABELS, ("features",))
    assert statistics.scores(np.zeros((0, 2), np.float32)).shape == (0,)
    assert np.isnan(statistics.scores(np.array([[np.nan, 0], [0, 0]], np.float32))).tolist() == [True, False]


def test_statistics_are_saved_and_loaded_without_change(tmp_path):
    features, labels = draws(100, 8, 3)
    statistics = fit_statistics(features, labels, ("pool", "features"), directions=4)
    statistics.save(tmp_path / "statistics.npz")
    loaded = load_statistics(tmp_path / "statistics.npz")
    assert loaded.layers == ("pool", "features")
    np.testing.assert_array_equal(loaded.scores(features), statistics.scores(features))


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (TWO[:0], LABELS[:0], "at least one image of every class"),
        (TWO[:3], np.array([0, 0, 1]), "and two more"),
        (TWO, np.where(LABELS == 1, 2, 0), "at least one image of every class"),
        (np.where(TWO == 2, np.nan, TWO), LABELS, "must be finite"),
        (np.where(TWO == 2, np.inf, TWO), LABELS, "must be finite"),
    ],
    ids=["none", "too few", "a class without an image", "NaN", "infinity"],
)
def test_features_that_do_not_allow_statistics_are_refused(features, labels, message):
    with pytest.raises(CalibrationError, match=message):
        fit_statistics(features, labels, ("features",))


def saved(file, statistics: FeatureStatistics, **changes):
    dataclasses.replace(statistics, **changes).save(file)


@pytest.mark.parametrize(
    "data", [b"", b"not an archive", b"PK\x03\x04" + bytes(50), b"\x93NUMPY\x01\x00"], ids=range(4)
)
def test_a_damaged_file_is_refused(tmp_path, data):
    (tmp_path / "statistics.npz").write_bytes(data)
    with pytest.raises(BundleError, match="does not hold feature statistics"):
        load_statistics(tmp_path / "statistics.npz")


def test_a_cut_file_another_array_and_objects_are_refused(tmp_path):
    file = tmp_path / "statistics.npz"
    fit_statistics(TWO, LABELS, ("features",)).save(file)
    whole = file.read_bytes()
    contents = {"means": TWO, "objects": np.array([{}], dtype=object)}
    for write in (
        lambda: file.write_bytes(whole[: len(whole) // 2]),
        lambda: np.savez(file, means=TWO),
        lambda: np.savez(file, layers=contents["objects"], means=TWO, directions=TWO, variances=TWO, rest=1),
        lambda: (tmp_path / "array.npy").write_bytes(b"") or np.save(tmp_path / "array.npy", TWO),
    ):
        write()
        tested = tmp_path / "array.npy" if (tmp_path / "array.npy").exists() else file
        with pytest.raises(BundleError, match="does not hold feature statistics"):
            load_statistics(tested)


@pytest.mark.parametrize(
    "changes",
    [
        {"means": np.zeros((2, 3), np.float32)},
        {"means": np.full((2, 2), np.nan, np.float32)},
        {"variances": np.ones(2, np.float32)},
        {"variances": np.zeros(1, np.float32)},
        {"directions": np.ones(2, np.float32)},
        {"rest": 0.0},
        {"rest": float("nan")},
    ],
    ids="-".join,
)
def test_parts_that_do_not_fit_together_are_refused(tmp_path, changes):
    saved(tmp_path / "statistics.npz", fit_statistics(TWO, LABELS, ("features",)), **changes)
    with pytest.raises(BundleError, match="do not fit together"):
        load_statistics(tmp_path / "statistics.npz")
