"""Cells per 100 WBC."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dashboard.differential import (
    LEUKOCYTE,
    NOT_CLASSED,
    NUCLEATED_RED_CELL,
    OTHER,
    UNIDENTIFIED,
    count_cells,
    differential,
    exact_interval,
    group,
)
from dashboard.figures_differential import draw_differential


def row(found, name):
    return found.table.set_index("class").loc[name]


def test_only_leukocytes_are_the_denominator():
    found = differential({"neutrophil": 150, "lymphocyte": 50, "erythroblast": 10, "platelet": 400, "smudge_cell": 7})
    assert found.leukocytes == 200
    assert row(found, "neutrophil")["per_100"] == 75
    assert row(found, "lymphocyte")["per_100"] == 25
    assert row(found, "erythroblast")["per_100"] == 5
    assert np.isnan(row(found, "platelet")["per_100"])
    assert row(found, "platelet")["count"] == 400
    leukocytes = found.table[found.table["group"] == LEUKOCYTE]
    assert leukocytes["per_100"].sum() == 100
    assert list(found.table["class"]) == ["neutrophil", "lymphocyte", "erythroblast", "platelet", "smudge_cell"]
    assert found.notes == ("Outside the denominator: platelet, smudge_cell.",)


def test_intervals_are_those_of_scipys_exact_binomial_test():
    found = row(differential({"neutrophil": 30, "lymphocyte": 90}), "neutrophil")
    reference = stats.binomtest(30, 120).proportion_ci(0.95, "exact")
    assert (found["low"], found["high"]) == pytest.approx((100 * reference.low, 100 * reference.high))


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (7, 7), (3, 7)])
def test_exact_interval_agrees_with_scipy_at_the_edges(successes, trials):
    reference = stats.binomtest(successes, trials).proportion_ci(0.9, "exact")
    assert exact_interval(successes, trials, 0.9) == pytest.approx((reference.low, reference.high))


def test_without_trials_nothing_is_known():
    assert exact_interval(0, 0) == (0.0, 1.0)


def test_nucleated_red_cells_may_exceed_100_and_keep_an_interval_about_them():
    found = row(differential({"neutrophil": 100, "erythroblast": 150}), "erythroblast")
    assert found["per_100"] == 150
    assert 100 < found["low"] < 150 < found["high"] < 250


def test_fewer_than_100_leukocytes_are_not_a_differential():
    assert differential({"neutrophil": 99}).notes[0] == "Fewer than 100 leukocytes (99): not a differential."
    assert differential({"neutrophil": 100}).notes == ()


def test_no_cells_and_no_leukocytes_give_no_rates():
    assert len(differential({}).table) == 0
    found = differential({"erythroblast": 3, "platelet": 1})
    assert found.table["per_100"].isna().all()
    assert found.leukocytes == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("seg_neutrophil", LEUKOCYTE),
        ("Immature granulocyte", LEUKOCYTE),
        ("myeloblast", LEUKOCYTE),
        ("Nucleated red cell", NUCLEATED_RED_CELL),
        ("platelet", OTHER),
        ("artefact", OTHER),
        (UNIDENTIFIED, OTHER),
        (NOT_CLASSED, OTHER),
        ("something new", OTHER),
    ],
)
def test_class_names_are_sorted_into_groups(name, expected):
    assert group(name) == expected


def results():
    return pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "c", "d", ""],
            "status": ["ok"] * 5 + ["rejected"],
            "predicted": ["neutrophil", "neutrophil", "lymphocyte", "lymphocyte", "monocyte", ""],
            "unidentified": [False, False, False, False, True, False],
        }
    )


def test_pre_classifications_are_counted_once_a_picture_and_unidentified_as_such():
    assert dict(count_cells(results())) == {"neutrophil": 2, "lymphocyte": 1, UNIDENTIFIED: 1}


def test_decisions_replace_pre_classifications_and_the_latest_counts():
    decisions = pd.DataFrame(
        [
            ("a", "override", "lymphocyte"),
            ("b", "not_classed", ""),
            ("d", "override", "basophil"),
            ("d", "confirm", "monocyte"),
            ("elsewhere", "confirm", "monocyte"),
        ],
        columns=["image_id", "action", "label"],
    )
    assert dict(count_cells(results(), decisions)) == {"lymphocyte": 2, "monocyte": 1, NOT_CLASSED: 1}
    assert dict(count_cells(results(), decisions.iloc[:0])) == dict(count_cells(results()))


def test_unidentified_cells_are_named_as_what_is_missing():
    notes = differential({"neutrophil": 120, UNIDENTIFIED: 4, NOT_CLASSED: 2}).notes
    assert notes == ("4 cells are Unidentified and not counted; read them first.",)


def test_no_results_give_no_counts():
    assert len(count_cells(pd.DataFrame({"status": []}))) == 0


def test_the_figure_draws_what_is_per_100_and_its_interval():
    found = differential({"neutrophil": 150, "erythroblast": 10, "platelet": 400})
    (bars,) = draw_differential(found, str.upper).data
    assert list(bars.y) == ["ERYTHROBLAST", "NEUTROPHIL"]
    assert bars.x[1] + bars.error_x.array[1] == pytest.approx(row(found, "neutrophil")["high"])
    assert bars.x[1] - bars.error_x.arrayminus[1] == pytest.approx(row(found, "neutrophil")["low"])
