"""Fuzzy clusters of colours: known centres are found, rare colours are not drowned."""

import numpy as np
import pytest

from dashboard.morphology.fuzzy_colour import cluster_colours, memberships


def test_memberships_fall_with_the_square_of_the_distance():
    found = memberships(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0], [3.0, 0.0]]))
    assert found.tolist() == [[pytest.approx(0.8), pytest.approx(0.2)]]


def test_a_colour_on_a_centre_belongs_to_it_alone():
    found = memberships(np.array([[5.0]]), np.array([[0.0], [5.0]]))
    assert found[0, 1] == pytest.approx(1)
    assert np.isfinite(found).all()


def test_no_colours_have_no_memberships():
    assert memberships(np.empty((0, 2)), np.zeros((3, 2))).shape == (0, 3)


def test_a_rare_colour_keeps_its_own_cluster():
    random = np.random.default_rng(0)
    colours = np.concatenate([random.normal(0, 1, (20000, 2)), random.normal(20, 1, (2000, 2)), [[60.0, 60.0]] * 30])
    centres = cluster_colours(colours, np.array([[0.0, 0.0], [15.0, 15.0], [50.0, 50.0]]), step=1.0)
    assert centres == pytest.approx(np.array([[0, 0], [20, 20], [60, 60]]), abs=1.5)


def test_the_same_colours_give_the_same_centres_and_leave_numpys_random_numbers_alone():
    colours = np.random.default_rng(0).normal(0, 9, (500, 2))
    start = np.array([[-5.0, 0.0], [5.0, 0.0]])
    before = np.random.get_state()[1].tolist()
    first, again = (cluster_colours(colours, start, step=1.0) for _ in range(2))
    assert (first == again).all()
    assert np.random.get_state()[1].tolist() == before
