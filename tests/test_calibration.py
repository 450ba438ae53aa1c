"""Calibration: cases worked by hand, scipy and scikit-learn as the independent reference, edges, refusals."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from dashboard import calibration
from dashboard.errors import CalibrationError


@pytest.fixture(scope="module")
def held_out():
    """Labels drawn from softmax(z), logits 2.5 z: the temperature that undoes it is 2.5."""
    random = np.random.default_rng(0)
    true_logits = random.normal(0, 2, (20_000, 4))
    cumulative = np.cumsum(calibration.softmax(true_logits), axis=1)
    labels = (random.random((20_000, 1)) > cumulative).sum(axis=1)
    return 2.5 * true_logits, labels


def test_softmax_of_logits_worked_by_hand():
    assert calibration.softmax([[0.0, math.log(3)]]) == pytest.approx(np.array([[0.25, 0.75]]))
    assert calibration.softmax([[0.0, 2 * math.log(3)]], temperature=2.0) == pytest.approx(np.array([[0.25, 0.75]]))


def test_softmax_of_huge_logits_stays_finite():
    assert calibration.softmax([[1000.0, 0.0]]).tolist() == [[1.0, 0.0]]


def test_softmax_of_nothing_is_nothing():
    assert calibration.softmax(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_softmax_refuses_a_temperature_that_is_none(temperature):
    with pytest.raises(CalibrationError, match="above 0"):
        calibration.softmax([[0.0, 1.0]], temperature)


def test_temperature_worked_by_hand():
    # Three of four right at a logit gap of 2 ln 3: the best confidence is 3/4, whose gap is ln 3, hence T = 2.
    logits = np.array([[2 * math.log(3), 0]] * 2 + [[0, 2 * math.log(3)]] * 2)
    assert calibration.fit_temperature(logits, np.array([0, 0, 1, 0])) == pytest.approx(2.0, rel=1e-5)


def test_temperature_undoes_a_known_overconfidence(held_out):
    logits, labels = held_out
    assert calibration.fit_temperature(logits, labels) == pytest.approx(2.5, rel=0.03)


def test_temperature_is_where_sklearns_log_loss_is_least(held_out):
    logits, labels = held_out[0][:500], held_out[1][:500]
    best = calibration.fit_temperature(logits, labels)
    losses = [log_loss(labels, calibration.softmax(logits, best * factor)) for factor in (0.98, 1.0, 1.02)]
    assert losses[1] == min(losses)


def test_temperature_does_not_change_with_an_offset_of_a_row():
    logits = np.array([[3.0, 0, 0], [0, 2, 0], [0, 1, 0.5], [0, 0, 1]])
    labels = np.array([0, 1, 2, 2])
    shifted = logits + np.array([[5.0], [-3], [100], [0]])
    assert calibration.fit_temperature(shifted, labels) == pytest.approx(calibration.fit_temperature(logits, labels))


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((0, 2)), np.zeros(0, int), "got none"),
        ([[1.0, 0], [2, 0]], [0, 0], "all are of one"),
        ([[math.nan, 0], [2, 0]], [0, 1], "finite"),
        ([[math.inf, 0], [2, 0]], [0, 1], "finite"),
        ([[1.0, 0], [0, 1]], [0, 2], "from 0 to 1"),
        ([[1.0, 0], [0, 1]], [0, -1], "from 0 to 1"),
        ([[1.0, 0], [0, 1]], [0.0, 1.0], "from 0 to 1"),
        ([[1.0, 0], [0, 1]], [0], "shapes"),
        ([[1.0, 0], [0, 1]], [0, 1], "gets wrong"),
        ([[0.0, 1], [1, 0]], [0, 1], "chance"),
    ],
)
def test_temperature_refuses(logits, labels, message):
    with pytest.raises(CalibrationError, match=message):
        calibration.fit_temperature(logits, labels)


def test_reliability_table_worked_by_hand():
    table = calibration.reliability_table([0.1, 0.5, 0.6, 0.9], [False, True, True, False], bins=2)
    assert table["count"].tolist() == [2, 2]  # 0.5 closes the first bin
    assert table["confidence"].tolist() == pytest.approx([0.3, 0.75])
    assert table["accuracy"].tolist() == [0.5, 0.5]
    assert table[["low", "high"]].to_numpy().tolist() == [[0, 0.5], [0.5, 1]]


def test_reliability_table_leaves_empty_bins_unknown():
    table = calibration.reliability_table([0.0, 1.0], [True, True], bins=4)
    assert table["count"].tolist() == [1, 0, 0, 1]
    assert table["accuracy"].isna().tolist() == [False, True, True, False]
    assert table["accuracy_low"].isna().tolist() == [False, True, True, False]


def test_reliability_table_agrees_with_sklearn():
    random = np.random.default_rng(3)
    confidence = random.random(500)
    correct = random.random(500) < confidence
    accuracy, mean = calibration_curve(correct, confidence, n_bins=10)
    table = calibration.reliability_table(confidence, correct, bins=10)
    assert table["accuracy"].to_numpy() == pytest.approx(accuracy)
    assert table["confidence"].to_numpy() == pytest.approx(mean)


def test_calibration_error_worked_by_hand():
    # gaps |0.5 - 0.3| and |0.5 - 0.75|, half the rows each
    ece = calibration.expected_calibration_error([0.1, 0.5, 0.6, 0.9], [False, True, True, False], bins=2)
    assert ece == pytest.approx(0.225)


def test_calibration_error_of_nothing_is_unknown():
    assert math.isnan(calibration.expected_calibration_error([], []))
    assert math.isnan(calibration.ece_noise_floor([]))


@pytest.mark.parametrize("confidence", [[1.2], [-0.1], [math.nan]])
def test_confidences_outside_zero_to_one_are_refused(confidence):
    with pytest.raises(CalibrationError, match="between 0 and 1"):
        calibration.expected_calibration_error(confidence, [True])


def test_confidences_and_outcomes_must_pair():
    with pytest.raises(CalibrationError, match="got 2 and 1"):
        calibration.reliability_table([0.1, 0.2], [True])


def test_noise_floor_holds_95_percent_of_calibrated_models():
    random = np.random.default_rng(1)
    confidence = random.uniform(0.5, 1, 200)
    floor = calibration.ece_noise_floor(confidence)
    under = [
        calibration.expected_calibration_error(confidence, random.random(200) < confidence) <= floor for _ in range(300)
    ]
    assert 0.91 <= np.mean(under) <= 0.985


def test_noise_floor_worked_by_hand():
    # One image of confidence 0.8: the ECE is 0.2 (right, 80 % of draws) or 0.8.
    assert calibration.ece_noise_floor([0.8], quantile=0.5) == pytest.approx(0.2)
    assert calibration.ece_noise_floor([0.8], quantile=0.95) == pytest.approx(0.8)


def test_noise_floor_falls_with_more_images_and_repeats_with_its_seed():
    confidence = np.full(100, 0.9)
    assert calibration.ece_noise_floor(np.tile(confidence, 16)) < calibration.ece_noise_floor(confidence) / 2
    assert calibration.ece_noise_floor(confidence, seed=7) == calibration.ece_noise_floor(confidence, seed=7)


def test_conformal_threshold_worked_by_hand():
    # Nine rows: rank ceil(10 x 0.8) = 8, the eighth largest probability of the truth.
    of_truth = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    probabilities = np.column_stack([of_truth, 1 - of_truth])
    labels = np.zeros(9, int)
    probabilities[0], labels[0] = probabilities[0][::-1], 1
    assert calibration.conformal_threshold(probabilities, labels, level=0.8) == 0.2
    assert calibration.conformal_threshold(probabilities, labels, level=0.9) == 0.1  # rank exactly 9


def test_conformal_threshold_of_too_few_images_admits_every_class():
    probabilities = [[0.9, 0.1], [0.2, 0.8]]
    threshold = calibration.conformal_threshold(probabilities, [0, 1], level=0.9)
    assert threshold == 0
    assert calibration.prediction_sets(probabilities, threshold).all()


def test_conformal_sets_cover_what_they_promise(held_out):
    probabilities, labels = calibration.softmax(held_out[0]), held_out[1]
    threshold = calibration.conformal_threshold(probabilities[:10_000], labels[:10_000], level=0.9)
    sets = calibration.prediction_sets(probabilities[10_000:], threshold)
    coverage = sets[np.arange(10_000), labels[10_000:]].mean()
    assert coverage == pytest.approx(0.9, abs=0.012)  # three standard errors of both halves


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5, math.nan])
def test_conformal_threshold_refuses_a_level_outside_zero_to_one(level):
    with pytest.raises(CalibrationError, match="level"):
        calibration.conformal_threshold([[0.9, 0.1], [0.2, 0.8]], [0, 1], level)


def test_prediction_sets_hold_the_classes_at_the_threshold_and_may_be_empty():
    sets = calibration.prediction_sets([[0.5, 0.3, 0.2], [0.29, 0.3, 0.28], [0.2, 0.2, 0.2]], 0.3)
    assert sets.tolist() == [[True, True, False], [False, True, False], [False, False, False]]


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (8, 10), (10, 10), (985, 1000), (1, 1)])
def test_binomial_interval_agrees_with_scipy(successes, trials):
    reference = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert calibration.binomial_interval(successes, trials) == pytest.approx((reference.low, reference.high))


def test_binomial_interval_of_no_trials_is_unknown():
    low, high = calibration.binomial_interval(np.array([0, 5]), np.array([0, 10]))
    assert np.isnan(low).tolist() == [True, False]
    assert np.isnan(high).tolist() == [True, False]


def test_without_an_error_one_more_wrong_image_is_supposed():
    logits, labels = np.array([[4.0, 0.0], [0.0, 4.0]] * 4), np.array([0, 1] * 4)
    # by hand: a label counts 9/10, so the best probability of it is 0.9, and 4 / T = log(0.9 / 0.1)
    assert calibration.fit_temperature(logits, labels, one_wrong=True) == pytest.approx(4 / np.log(9), rel=1e-4)
