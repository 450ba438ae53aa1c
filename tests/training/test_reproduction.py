"""docs/REPRODUCTION.md is what the result files make of it, and nothing else."""

import pytest

from dashboard.__main__ import main
from dashboard.training.recipes import RECIPES
from dashboard.training.reported import PAPERS, RESULTS, Row, read_results, read_rows
from dashboard.training.reproduction import document, settings_changed
from tests.conftest import PROJECT
from tests.training.test_reported import ROW, counted, papers, result

FOLDER = PROJECT / "docs" / "results"


def made(results, **changes):
    return document([Row(**{**ROW, **changes})], results)


def line(text, start):
    (found,) = [line for line in text.splitlines() if line.startswith(start)]
    return found


def test_the_committed_document_is_the_one_that_the_committed_results_make():
    text = document(read_rows(FOLDER / PAPERS), read_results(FOLDER / RESULTS), f"results/{RESULTS}")
    committed = (PROJECT / "docs" / "REPRODUCTION.md").read_text("utf-8")
    assert committed == text, "run: python -m dashboard reproduction"


@pytest.mark.parametrize("row", read_rows(FOLDER / PAPERS), ids=lambda row: f"{row.paper} {row.system}")
def test_every_reported_row_is_in_the_document(row):
    text = (PROJECT / "docs" / "REPRODUCTION.md").read_text("utf-8")
    if row.part.startswith("gaussian_"):
        assert f"| {row.part.removeprefix('gaussian_')} | {row.value} |" in text
    else:
        assert f"| {row.system} | {row.reported}" in text


def test_a_row_holds_their_number_ours_twice_and_the_commands():
    text = made({"p1-mobilenetv2--leaky": result(protocol="leaky", correct=90), "p1-mobilenetv2--split": result()})
    cells = line(text, "| MobileNetV2 |").split(" | ")
    assert cells[1] == "accuracy 94.42 %, AUC 0.997"
    assert cells[2].startswith(
        "[p1-mobilenetv2--leaky](reproduction/p1-mobilenetv2--leaky.json): accuracy 90.00 % (82.56 "
    )
    assert "accuracy 70.00 % (60.42 to 78.11), macro-F1 0.7000, n = 100, one fit" in cells[3]
    assert cells[3].endswith("leukaemia5-mobilenetv2--split: *not run yet*")
    assert "`python -m dashboard train --recipe p1-mobilenetv2 --protocol leaky`" in cells[4]
    assert "1 have been run under the paper's protocol and 1 under the honest one" in text


def test_what_the_leak_is_worth_is_subtracted():
    results = {
        "p1-mobilenetv2--leaky": result(protocol="leaky", correct=90),
        "p1-mobilenetv2--split": result(epochs=5),
    }
    assert line(made(results), "| `p1-mobilenetv2` |") == (
        "| `p1-mobilenetv2` | leaky: 90.00 % (82.56 to 94.48) | split: 70.00 % (60.42 to 78.11) | "
        "**+20.00** (+8.99 to +30.58) | +0.2000 | epochs 10 and 5 |"
    )


def test_without_any_result_every_row_says_not_run_yet():
    text = made({})
    assert "No recipe has been run under two protocols yet." in text
    assert text.count("*not run yet*") == 3


def test_a_row_that_cannot_be_run_says_why_and_how_it_would_be():
    text = made({}, their_protocol_result="", honest_result="", not_run="needs a GPU")
    assert "*not run here*: needs a GPU | *not run here*, for the same reason | it would be `python -m" in text


def test_folds_give_mean_and_deviation():
    folds = {
        "folds": [{}, {}, {}],
        "mean": {"accuracy": 0.75, "macro_f1": 0.7},
        "sd": {"accuracy": 0.05, "macro_f1": 0.1},
    }
    text = made({"p1-mobilenetv2--split": result(**folds)})
    assert "3 folds: accuracy 75.00 ± 5.00 %, macro-F1 0.7000 ± 0.1000" in text


def test_noise_has_its_own_table():
    results = {"p1-mobilenetv2--leaky": result(protocol="leaky", extra={"gaussian_10": counted(50, 100)})}
    text = made(results, part="gaussian_10", measure="accuracy", value="0.95")
    assert line(text, "| 10 |") == "| 10 | 0.95 | 50.00 % (40.38 to 59.62), n = 100 | *not run yet* | *not run yet* |"
    assert line(text, "| 0 |").startswith("| 0 |  | 70.00 %")


def test_a_row_by_class_gets_the_lowest_and_the_highest_recall():
    assert "recall of a class 50.00–90.00 %" in made({"p1-mobilenetv2--split": result()}, part="per_class")


def test_other_images_of_a_result_are_listed():
    extra = {"barcelona": counted(45, 50), "laboratory": {"sentence": "It reads the site.", "here": counted(1, 2)}}
    text = made({"p1-mobilenetv2--split": result(extra=extra)})
    assert "| p1-mobilenetv2--split | barcelona | 90.00 % (78.64 to 95.65), n = 50 |" in text
    assert "| p1-mobilenetv2--split | laboratory: sentence | It reads the site. |" in text
    assert "| laboratory: here | 50.00 %" in text


def test_another_network_and_fewer_epochs_are_told():
    text = made({"leukaemia5-mobilenetv2--split": result("leukaemia5-mobilenetv2", epochs=2)})
    told = line(text, "- `leukaemia5-mobilenetv2--split`")
    assert f"at most 2 epochs (the recipe says {RECIPES['leukaemia5-mobilenetv2'].epochs})" in told
    assert "A stand-in for `p1-mobilenetv2`" in told
    assert "trainable all (head)" in told


def test_settings_that_differ_are_named_and_a_recipe_does_not_differ_from_itself():
    changed = settings_changed(RECIPES["p5-vgg19"], RECIPES["p5-vgg16"])
    assert changed == ["backbone VGG19 (VGG16)"]
    assert settings_changed(RECIPES["p5-vgg16"], RECIPES["p5-vgg16"]) == []


def test_baselines_stand_side_by_side_by_protocol():
    svm = result("p2-svm", "subject", variant="smote")
    text = made({"p2-svm--subject--cells-smote": svm}, recipe="p2-svm", paper="P2")
    assert line(text, "| cells | smote |") == (
        "| cells | smote | svm | 70.00 % (60.42 to 78.11), macro-F1 0.7000, n = 100, one fit |"
    )


def test_a_result_that_no_row_names_is_not_hidden():
    text = made({"pbc8-mobilenetv2--site": result("pbc8-mobilenetv2", "site")})
    assert "[pbc8-mobilenetv2--site](reproduction/pbc8-mobilenetv2--site.json) | divided by site" in text


def test_the_verb_writes_the_document_with_links_that_lead_to_the_results(tmp_path, capsys):
    papers(tmp_path, ROW)
    out = tmp_path / "docs" / "R.md"
    assert main(["reproduction", "--results", str(tmp_path), "--out", str(out)]) == 0
    assert "](../papers.csv)" in out.read_text("utf-8")
    assert "1 reported rows, 0 result files" in capsys.readouterr().out


def test_the_verb_refuses_a_folder_without_papers(tmp_path, capsys):
    assert main(["reproduction", "--results", str(tmp_path), "--out", str(tmp_path / "R.md")]) == 1
    assert "papers.csv cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_what_could_not_be_measured_is_unknown_and_not_nought(unknown):
    one_class = result(folds=[{}, {}], mean={"accuracy": 0.7, "macro_f1": unknown})
    assert "macro-F1 unknown ± 0.0000" in made({"p1-mobilenetv2--split": one_class})


def test_a_fold_that_is_a_site_or_holds_whole_subjects_is_shown_by_itself():
    site = result(protocol="site", folds=[{"fold": "tehran", "n_test": 100, "accuracy": 0.7}])
    text = made({"p1-mobilenetv2--site": site}, honest_result="p1-mobilenetv2--site")
    assert "Accuracy by fold: tehran 70.00 % (n = 100)." in text
