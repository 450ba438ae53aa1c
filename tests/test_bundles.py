"""A bundle is what its card says, or one sentence says why not. No network is opened here."""

import dataclasses
import json
import os
from pathlib import Path

import pytest

from dashboard import bundles
from dashboard.bundles import (
    Calibration,
    OutOfDistributionRule,
    PredictionSetRule,
    Quality,
    check_id,
    find_bundle,
    list_bundles,
    read_bundle,
    read_card,
    sha256_of,
    write_card,
)
from dashboard.errors import BundleError, StorageError
from tests.tiny_bundle import CARD

FULL = dataclasses.replace(
    CARD,
    calibration=Calibration(1.3, "split val", 100, "2026-01-01"),
    prediction_set=PredictionSetRule(0.9, 0.2),
    out_of_distribution=OutOfDistributionRule("Mahalanobis distance of features", 2.5, 0.01),
    quality=Quality(0.1, (1.0, 2.0, 3.0), (200.0, 210.0, 220.0)),
    input=dataclasses.replace(CARD.input, glass=(254.0, 228.0, 203.0)),
    second_look=(0.7, 0.5),
    evaluation={"accuracy": 0.9, "interval": [0.8, 0.95]},
)


def make(folder: Path, card=FULL) -> Path:
    """Files that hash like a bundle; what is in them is for `test_classifier`."""
    (folder / "golden").mkdir(parents=True)
    for name in ("model.keras", "evaluation.csv", "out_of_distribution.npz", "golden/image.png"):
        (folder / name).write_bytes(name.encode())
    (folder / "golden" / "expected.json").write_text("{}")
    write_card(folder, card)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "tiny")


def edit(folder: Path, change) -> None:
    """Change card.json as an editor would."""
    fields = json.loads((folder / "card.json").read_text())
    fields = change(fields) or fields
    (folder / "card.json").write_text(json.dumps(fields))


def test_a_card_is_read_as_it_was_written(folder):
    assert dataclasses.replace(read_card(folder), sha256={}) == FULL


def test_a_card_without_glass_or_second_look_is_one_of_before(folder):
    def older(fields):
        del fields["input"]["glass"], fields["second_look"]

    edit(folder, older)
    card = read_card(folder)
    assert (card.input.glass, card.second_look) == (None, ())


def test_the_card_states_the_hash_of_every_other_file(folder):
    assert read_card(folder).sha256 == {
        name: sha256_of(folder / name)
        for name in (
            "evaluation.csv",
            "golden/expected.json",
            "golden/image.png",
            "model.keras",
            "out_of_distribution.npz",
        )
    }


def test_the_hash_is_that_of_the_standard(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-4, example B.1
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_bundle_knows_its_files_and_its_card_the_classes(folder):
    bundle = read_bundle(folder)
    assert bundle.model_file == folder / "model.keras"
    assert bundle.model_sha256 == sha256_of(folder / "model.keras")
    assert (bundle.evaluation_file, bundle.ood_file) == (folder / "evaluation.csv", folder / "out_of_distribution.npz")
    card = bundle.card
    assert card.class_names == ("red", "green", "blue")
    assert card.critical == frozenset({"blue"})
    assert (card.display_name("blue"), card.display_name("mauve")) == ("Blue", "mauve")
    assert (card.temperature, dataclasses.replace(card, calibration=None).temperature) == (1.3, 1.0)


def test_an_h5_model_is_a_model(folder):
    (folder / "model.keras").rename(folder / "model.h5")
    write_card(folder, FULL)
    assert read_bundle(folder).model_file.name == "model.h5"


@pytest.mark.parametrize(
    "name", ["model.keras", "evaluation.csv", "out_of_distribution.npz", "golden/image.png", "golden/expected.json"]
)
def test_a_changed_missing_or_unstated_file_is_refused_by_name(folder, name):
    original = (folder / name).read_bytes()
    (folder / name).write_bytes(original + b" ")
    with pytest.raises(BundleError, match=f"{name} of tiny is not the file that the card describes"):
        read_bundle(folder)
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"lacks {name}"):
        read_bundle(folder)
    (folder / name).write_bytes(original)
    edit(folder, lambda fields: fields["sha256"].pop(name) and None)
    with pytest.raises(BundleError, match=f"no SHA-256 for {name}"):
        read_bundle(folder)


def set_field(name, value):
    return lambda fields: fields.update({name: value})


def set_part(name, field, value):
    return lambda fields: fields[name].update({field: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda fields: [1, 2], "does not hold what a card must"),
        (lambda fields: 7, "does not hold what a card must"),
        (lambda fields: "card", "does not hold what a card must"),
        (set_field("schema", 99), "schema 99, where this version reads 1"),
        (lambda fields: fields.pop("schema") and None, "'schema'"),
        (lambda fields: fields.pop("classes") and None, "'classes'"),
        (lambda fields: fields.pop("title") and None, "title"),
        (set_field("surprise", 1), "unknown fields surprise"),
        (set_field("classes", []), "at least two classes, each once; it names \\[\\]"),
        (lambda fields: fields["classes"].append(fields["classes"][0]), "each once"),
        (lambda fields: fields["classes"][0].update(name=""), "each once"),
        (lambda fields: fields["classes"][0].update(name="a|b"), "may not hold"),
        (lambda fields: fields["classes"][0].update(name=5), "name is 5"),
        (lambda fields: fields["classes"][0].update(name=["a"]), "name is"),
        (lambda fields: fields["classes"][0].update(critical="no"), "critical is 'no'"),
        (set_field("classes", "red green"), "does not hold what a card must"),
        (set_part("input", "scaling", "imagenet"), "scaling must be one of"),
        (set_part("input", "height", "224"), "does not hold what a card must"),
        (set_part("input", "height", 224.5), "height is 224.5"),
        (set_part("input", "rotate", True), "rotate"),
        (set_part("calibration", "temperature", 0), "temperature of tiny must be positive; it is 0"),
        (set_part("calibration", "temperature", -1.5), "must be positive"),
        (set_part("calibration", "temperature", float("nan")), "temperature is nan"),
        (set_part("calibration", "temperature", float("inf")), "temperature is inf"),
        (set_part("calibration", "temperature", "1.0"), "temperature is '1.0'"),
        (set_part("calibration", "temperature", True), "temperature is True"),
        (set_part("prediction_set", "threshold", float("nan")), "threshold is nan"),
        (set_part("out_of_distribution", "threshold", None), "threshold is None"),
        (set_part("quality", "colour_low", [1, 2]), "colour_low is"),
        (set_part("quality", "colour_low", 7), "does not hold what a card must"),
        (set_field("unidentified_below", 1.5), r"must be in \[0, 1\]; it is 1.5"),
        (set_field("unidentified_below", "0.5"), "unidentified_below is '0.5'"),
        (set_field("title", None), "title is None"),
        (set_field("training", [1]), r"training is \[1\]"),
        (set_field("known_limits", [1]), "known_limits is"),
        (set_field("sha256", ["model.keras"]), "sha256 is"),
        (set_part("input", "glass", [254, 228]), "glass is"),
        (set_part("input", "glass", [254, 228, "203"]), "glass is"),
        (set_part("input", "glass", 254), "does not hold what a card must"),
        (set_field("second_look", 0.7), "does not hold what a card must"),
        (set_field("second_look", ["0.7"]), "second_look is"),
        (set_field("second_look", [0.7, 0]), r"sizes from 0\.34 to 1; it holds \[0\.7, 0\]"),
        (set_field("second_look", [1.5]), r"sizes from 0\.34 to 1"),
        (set_field("id", "../../etc"), "lower-case letters"),
        (set_part("sha256", "/etc/passwd", "0"), "'/etc/passwd', which is outside its folder"),
        (set_part("sha256", "../other/model.keras", "0"), "outside its folder"),
        (set_part("sha256", "a\0b", "0"), "cannot be read"),
        (set_part("sha256", "x" * 5000, "0"), "cannot be read"),
        (set_part("sha256", "golden", "0"), "lacks golden"),
    ],
    ids=range(49),
)
def test_a_wrong_card_is_refused_with_a_sentence(folder, change, message):
    edit(folder, change)
    with pytest.raises(BundleError, match=message) as refused:
        read_bundle(folder)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"null", bytes(100)])
def test_a_card_that_is_no_json_object_is_refused(folder, data):
    (folder / "card.json").write_bytes(data)
    with pytest.raises(BundleError, match=r"card\.json of tiny"):
        read_card(folder)


def test_a_folder_without_a_card_or_a_model_is_refused(folder):
    (folder / "model.keras").unlink()
    with pytest.raises(BundleError, match=r"lacks model\.keras"):
        read_bundle(folder)
    (folder / "card.json").unlink()
    with pytest.raises(BundleError, match=r"no readable card\.json"):
        read_bundle(folder)


def test_a_model_that_is_a_link_to_elsewhere_is_refused(folder, tmp_path):
    (folder / "model.keras").rename(tmp_path / "elsewhere.keras")
    (folder / "model.keras").symlink_to(tmp_path / "elsewhere.keras")
    with pytest.raises(BundleError, match=r"'model\.keras', which is outside its folder"):
        read_bundle(folder)


def test_the_store_lists_what_is_there_and_why_the_rest_is_none(tmp_path):
    for name in ("b-whole", "a-altered", "c-empty", ".packing-x"):
        make(tmp_path / name, dataclasses.replace(FULL, id=name.strip(".")))
    (tmp_path / "a-altered" / "model.keras").write_bytes(b"other")
    (tmp_path / "c-empty" / "card.json").unlink()
    (tmp_path / "README.md").write_text("not a folder")
    whole = {status.id: status.bundle is not None for status in list_bundles(tmp_path)}
    assert whole == {"a-altered": False, "b-whole": True, "c-empty": False}
    assert list(whole) == sorted(whole)
    assert all(bool(status.problem) != (status.bundle is not None) for status in list_bundles(tmp_path))


def test_an_empty_or_missing_store_lists_nothing(tmp_path):
    assert list_bundles(tmp_path) == []
    assert list_bundles(tmp_path / "none") == []


def test_a_bundle_is_found_by_id_or_by_folder(folder):
    assert find_bundle("tiny", folder.parent).folder == folder
    assert find_bundle(str(folder), folder.parent / "none").folder == folder


@pytest.mark.parametrize("model", ["none", "", "..", "../tiny", "a\0b", "x" * 5000])
def test_an_unknown_model_is_refused_with_those_there_are(folder, model):
    with pytest.raises(BundleError, match=r"There is no model .*Bundles in the model store: tiny\."):
        find_bundle(model, folder.parent)


@pytest.mark.parametrize("identifier", ["a", "pbc8-mobilenetv2", "v1.2_x", "0" * 64])
def test_a_safe_id_is_taken(identifier):
    assert check_id(identifier) == identifier


@pytest.mark.parametrize("identifier", ["", "A", ".hidden", "-x", "a/b", "..", "a b", "ä", "0" * 65, "a\n"])
def test_an_unsafe_id_is_refused(identifier):
    with pytest.raises(BundleError, match="lower-case letters"):
        check_id(identifier)


def test_writing_a_card_again_leaves_out_hidden_files_and_keeps_the_rest(folder):
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "MODEL_CARD.md").write_text("words")
    written = write_card(folder, dataclasses.replace(read_card(folder), title="Another"))
    assert ("MODEL_CARD.md" in written.sha256, ".DS_Store" in written.sha256) == (True, False)
    assert read_bundle(folder).card == written


def test_a_wrong_card_is_not_written(folder):
    before = (folder / "card.json").read_bytes()
    with pytest.raises(BundleError, match="temperature"):
        write_card(folder, dataclasses.replace(FULL, calibration=Calibration(float("nan"), "x", 1, "x")))
    assert (folder / "card.json").read_bytes() == before


def test_a_card_that_the_disk_refuses_leaves_the_old_one(folder, monkeypatch):
    import resource

    before = (folder / "card.json").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(StorageError, match=r"card\.json could not be saved"):
            write_card(folder, FULL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (folder / "card.json").read_bytes() == before
    assert not [name for name in os.listdir(folder) if name.startswith(".")]  # noqa: PTH208


def test_the_store_of_the_app_lies_in_the_project():
    assert Path(bundles.__file__).parent.parent / "model_store" == bundles.MODEL_STORE


def test_the_default_model_is_listed_first(tmp_path):
    for name in ("a-model", bundles.DEFAULT_MODEL, "z-model"):
        (tmp_path / name).mkdir()
    assert [status.id for status in bundles.list_bundles(tmp_path)] == [bundles.DEFAULT_MODEL, "a-model", "z-model"]
