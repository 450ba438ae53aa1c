"""The command line: every verb explains itself, works on a real bundle, and refuses with one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard import images
from dashboard.__main__ import VERBS, build_parser, main
from dashboard.bundles import find_bundle, read_bundle
from dashboard.training.recipes import RECIPES
from tests.conftest import PROJECT
from tests.small_bundle import CARD, network, pictures

NAMES = [*CARD.class_names]


def outcome(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one call; a wrong argument exits as it would in a shell."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def in_a_shell(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dashboard", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(capsys, verb):
    code, out, err = outcome(capsys, verb, "--help")
    assert (code, err) == (0, "")
    assert f"dashboard {verb}" in out
    assert len(out.splitlines()) >= 4  # its usage, its purpose and its options


def test_help_lists_every_verb_with_its_purpose(capsys):
    code, out, _ = outcome(capsys, "--help")
    assert code == 0
    for verb, (_, text) in VERBS.items():
        assert verb in out
        assert " ".join(text.split()[:3]) in " ".join(out.split())


@pytest.mark.parametrize(
    "arguments", [[], ["diagnose"], ["classify"], ["import", "x.keras"], ["train", "--recipe", "x"], ["audit"]]
)
def test_wrong_arguments_exit_with_two_and_the_usage(capsys, arguments):
    code, out, err = outcome(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: python -m dashboard")


def test_building_the_parser_imports_nothing_heavy():
    script = (
        "import sys; from dashboard.__main__ import build_parser; build_parser();"
        "print([name for name in ('tensorflow', 'keras', 'streamlit', 'plotly', 'lime') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_every_option_has_a_help_line_or_says_itself():
    for action in build_parser()._subparsers._group_actions[0].choices.values():  # type: ignore[union-attr]
        for option in action._actions:
            assert option.help or option.choices or option.dest in {"epochs", "seed", "image", "method"}, option


@pytest.fixture(scope="module")
def labels(small_store: Path, small_images: Path) -> list[str]:
    return ["--labels", str(small_images / "labels.csv"), "--images", str(small_images)]


REFUSED = {
    "an unknown model": (
        ["classify", "{images}/00.png", "--model", "none", "--out", "{out}/x.csv"],
        "There is no model 'none'",
    ),
    "a missing image": (
        ["explain", "{out}/none.png", "--model", "{model}", "--method", "grad-cam", "--out", "{out}/x.png"],
        "The file cannot be read: No such file or directory.",
    ),
    "an unknown method": (
        ["explain", "{images}/00.png", "--model", "{model}", "--method", "magic", "--out", "{out}/x.png"],
        "magic",
    ),
    "a missing labels file": (
        ["evaluate", "--model", "{model}", "--labels", "{out}/no.csv", "--images", "{images}", "--out", "{out}/e"],
        "There is no labels CSV",
    ),
    "a wrong filter": (
        [
            "calibrate",
            "--model",
            "{model}",
            "--labels",
            "{images}/labels.csv",
            "--images",
            "{images}",
            "--where",
            "split",
        ],
        "--where takes COLUMN=VALUE; got 'split'.",
    ),
    "an unknown recipe": (
        ["train", "--recipe", "x", "--labels", "{images}/labels.csv", "--images", "{images}", "--out", "{out}/t"],
        "There is no recipe 'x'",
    ),
    "a missing log": (["audit", "verify", "{out}/none.csv"], "There is no audit log at"),
    "a missing model file": (
        ["import", "{out}/no.keras", "--id", "x", "--classes", "a", "b", "--scaling", "none"],
        "There is no file",
    ),
    "a critical class that is none": (
        [
            "import",
            "{images}/00.png",
            "--id",
            "x",
            "--classes",
            "a",
            "b",
            "--scaling",
            "none",
            "--critical",
            "c",
        ],
        "--critical names c, which is not among the classes.",
    ),
    "a model file that is none": (
        ["import", "{images}/00.png", "--id", "x", "--classes", "a", "b", "--scaling", "none"],
        "must end in .keras or .h5",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_one_sentence_on_stderr_and_exit_code_one(capsys, case, small_store, small_images, tmp_path):
    arguments, message = REFUSED[case]
    places = {"images": small_images, "model": small_store / "small", "out": tmp_path}
    code, out, err = outcome(capsys, *[argument.format(**places) for argument in arguments])
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_a_sentence_too(capsys, monkeypatch):
    def full(_arguments):
        raise OSError(28, "No space left on device", "result.csv")

    monkeypatch.setattr("dashboard.commands.recipes.run", full)
    assert outcome(capsys, "recipes") == (
        1,
        "",
        "result.csv cannot be read or written: No space left on device.\n",
    )


def test_stopping_it_ends_without_a_traceback(capsys, monkeypatch):
    def stopped(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("dashboard.commands.recipes.run", stopped)
    assert outcome(capsys, "recipes") == (130, "", "Stopped.\n")


def test_a_reader_that_has_enough_is_no_error():
    command = f"'{sys.executable}' -m dashboard recipes | true"
    ended = subprocess.run(command, shell=True, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.stderr == ""


def test_recipes_prints_a_line_a_recipe(capsys):
    code, out, _ = outcome(capsys, "recipes")
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == list(RECIPES)
    assert "pbc8-mobilenetv2\t-\tMobileNetV2\t8 classes\t" in out


def test_models_of_an_empty_store_says_how_to_fill_it(capsys, tmp_path):
    code, out, err = outcome(capsys, "models", "--store", tmp_path)
    assert (code, err) == (0, "")
    assert "No bundles" in out
    assert "import" in out


@pytest.mark.parametrize("quick", [[], ["--quick"]])
def test_models_verifies_each_bundle_and_fails_if_one_does(capsys, small_store, tmp_path, quick):
    import shutil

    shutil.copytree(small_store / "small", tmp_path / "good")
    shutil.copytree(small_store / "small", tmp_path / "altered")
    shutil.copytree(small_store / "small", tmp_path / "empty")
    (tmp_path / "altered" / "model.keras").write_bytes(b"other")
    (tmp_path / "empty" / "card.json").unlink()
    code, out, err = outcome(capsys, "models", "--store", tmp_path, *quick)
    lines = dict(line.split("\t", 1) for line in out.splitlines())
    assert code == 1
    assert err == "2 of 3 bundles cannot be used: altered, empty.\n"
    assert lines["good"].startswith("verified: hashes, classes, golden image\t" if not quick else "hashes verified\t")
    assert "two convolutions\t8 classes\ttemperature 1.500" in lines["good"]
    assert "SHA-256 differs" in lines["altered"]
    assert "no readable card.json" in lines["empty"]


def test_quick_does_not_open_the_networks(capsys, small_store, tmp_path):
    import shutil

    from dashboard.bundles import read_card, write_card

    folder = Path(shutil.copytree(small_store / "small", tmp_path / "small"))
    (folder / "model.keras").write_bytes(b"no network")
    write_card(folder, read_card(folder))
    assert outcome(capsys, "models", "--store", tmp_path, "--quick")[0] == 0
    code, out, _ = outcome(capsys, "models", "--store", tmp_path)
    assert code == 1
    assert "model.keras is damaged" in out


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    model = network()
    model.save(tmp_path / "own.keras")
    return tmp_path / "own.keras"


def test_import_makes_a_bundle_of_a_users_own_model(capsys, own_model, tmp_path):
    code, out, err = outcome(
        capsys,
        *("import", own_model, "--id", "own", "--classes", *NAMES, "--scaling", "minus_one_to_one"),
        *("--critical", "erythroblast", "--title", "Own cells", "--store", tmp_path / "store"),
    )
    assert (code, err) == (0, "")
    assert "It is uncalibrated" in out
    card = find_bundle("own", tmp_path / "store").card
    assert card.class_names == CARD.class_names
    assert card.critical == frozenset({"erythroblast"})
    assert card.display_name("immature_granulocyte") == "Immature granulocyte"
    assert (card.title, card.calibration, card.input.height) == ("Own cells", None, 64)
    from dashboard.classifier import bare_classifier, load_classifier

    classifier = load_classifier(find_bundle("own", tmp_path / "store"))
    batch = np.stack([classifier.prepare(pixels) for pixels in pictures(2)])
    np.testing.assert_array_equal(classifier.logits(batch), bare_classifier(network(), card).logits(batch))


def test_classes_may_be_one_text_with_commas(capsys, own_model, tmp_path):
    arguments = ["import", own_model, "--id", "own", "--classes", ", ".join(NAMES), "--scaling", "none"]
    assert outcome(capsys, *arguments, "--store", tmp_path)[0] == 0
    assert find_bundle("own", tmp_path).card.class_names == CARD.class_names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--classes": NAMES[:5]}, "names 5 classes; the model gives 8 outputs"),
        ({"--classes": [*NAMES[:7], NAMES[0]]}, "each once"),
        ({"--id": ["../up"]}, "lower-case letters"),
        ({"--crop": ["0"]}, "crop must be in (0, 1]"),
        ({"--unidentified-below": ["5"]}, "must be in [0, 1]"),
    ],
    ids=["classes", "twice", "id", "crop", "limit"],
)
def test_import_refuses_what_does_not_fit(capsys, own_model, tmp_path, changes, message):
    given = {"--id": ["own"], "--classes": NAMES, "--scaling": ["none"], "--store": [tmp_path / "store"], **changes}
    arguments = [part for option, values in given.items() for part in (option, *values)]
    code, _, err = outcome(capsys, "import", own_model, *arguments)
    assert code == 1
    assert message in err
    assert len(err.splitlines()) == 1
    assert not list((tmp_path / "store").glob("*"))


def test_import_refuses_an_id_that_is_taken(capsys, own_model, small_store):
    arguments = ["--id", "small", "--classes", *NAMES, "--scaling", "none", "--store", small_store]
    code, _, err = outcome(capsys, "import", own_model, *arguments)
    assert (code, "already a bundle small" in err) == (1, True)
    assert read_bundle(small_store / "small").card.title == CARD.title


def test_classify_writes_a_row_a_file_and_counts_the_rejected(capsys, small_store, small_images, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.png").write_bytes(b"no image")
    code, _, err = outcome(
        capsys,
        *("classify", small_images / "00.png", small_images / "01.png", tmp_path / "in"),
        *("--model", small_store / "small", "--out", tmp_path / "out.csv"),
    )
    assert code == 0
    assert "2 classified, 1 rejected" in err
    rows = pd.read_csv(tmp_path / "out.csv")
    assert list(rows["status"]) == ["ok", "ok", "rejected"]
    assert set(rows["predicted"].dropna()) <= set(NAMES)


def test_explain_writes_picture_and_map(capsys, small_store, small_images, tmp_path):
    code, out, err = outcome(
        capsys,
        *("explain", small_images / "00.png", "--model", small_store / "small", "--method", "grad-cam"),
        *("--class", "monocyte", "--out", tmp_path / "why.png", "--map", tmp_path / "why.npy"),
    )
    assert (code, err) == (0, "")
    assert "Monocyte" in out
    assert images.read(tmp_path / "why.png").pixels.shape[1] > 80
    drawn = np.load(tmp_path / "why.npy")
    assert (drawn.dtype, drawn.shape) == (np.float32, (72, 80))


def test_evaluate_and_calibrate_work_on_the_same_labels(capsys, small_store, tmp_path, labels):
    import shutil

    model = Path(shutil.copytree(small_store / "small", tmp_path / "small"))
    code, out, _ = outcome(capsys, "evaluate", "--model", model, *labels, "--out", tmp_path / "judged")
    assert code == 0
    metrics = json.loads((tmp_path / "judged" / "metrics.json").read_text())
    assert (metrics["model_id"], metrics["images"]) == ("small", 48)
    assert out
    code, out, _ = outcome(capsys, "calibrate", "--model", model, *labels, "--where", "split=val")
    assert code == 0
    assert read_bundle(model).card.calibration.n == 24
    assert f"Temperature {read_bundle(model).card.temperature:.3f} from 24 images" in out


@pytest.mark.slow
def test_train_refuses_classes_that_the_labels_lack(capsys, small_images, tmp_path, labels):
    code, _, err = outcome(
        capsys, "train", "--recipe", "pbc8-mobilenetv2", *labels, "--where", "label=monocyte", "--out", tmp_path / "run"
    )
    assert code == 1
    assert "needs two classes or more; the labels name only monocyte" in err.splitlines()[-1]


@pytest.mark.slow
def test_in_a_shell_tensorflow_adds_no_word_of_its_own(small_store, small_images, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "CUDA_"))}
    ended = in_a_shell("models", "--store", str(small_store), env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    picture = str(small_images / "00.png")
    ended = in_a_shell(
        *("explain", picture, "--model", str(small_store / "small"), "--method", "grad-cam", "--class", "blast"),
        *("--out", str(tmp_path / "x.png")),
        env=environment,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("The model has no class 'blast'")
    assert len(ended.stderr.splitlines()) == 1
