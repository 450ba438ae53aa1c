"""A bundle becomes a classifier, or one sentence says why not."""

import dataclasses
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from dashboard import images
from dashboard.bundles import ClassInfo, OutOfDistributionRule, read_bundle, read_card, write_card
from dashboard.classifier import BATCH, Classifier, bare_classifier, golden_logits, load_classifier
from dashboard.errors import BundleError, ExplanationError
from dashboard.out_of_distribution import load_statistics
from dashboard.preprocessing import InputSpec, prepare, shrunk
from tests.planted import flat_classifier
from tests.small_bundle import CARD, SIDE, network, pictures


@pytest.fixture(scope="module")
def classifier(small_bundle):
    return load_classifier(small_bundle)


@pytest.fixture
def copy(small_store: Path, tmp_path: Path) -> Path:
    """A bundle that a test may damage."""
    return Path(shutil.copytree(small_store / "small", tmp_path / "small"))


def repacked(folder: Path, **changes) -> Path:
    """Write the card anew, so that every hash is right whatever was done to the files."""
    write_card(folder, dataclasses.replace(read_card(folder), **changes))
    return folder


def prepared(count: int, seed: int = 3) -> np.ndarray:
    return np.stack([prepare(pixels, CARD.input) for pixels in pictures(count, seed)])


def test_logits_are_those_of_the_network_on_the_scaled_input(classifier):
    batch = prepared(5)
    expected = network()(batch.astype(np.float32) / 127.5 - 1, training=False).numpy()
    logits = classifier.logits(batch)
    assert (logits.dtype, logits.shape) == (np.float32, (5, 8))
    np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("scaling", "application"),
    [("minus_one_to_one", "mobilenet_v2"), ("caffe", "vgg16"), ("torch", "densenet"), ("none", "efficientnet")],
)
def test_every_scaling_feeds_the_network_as_keras_applications_would(scaling, application):
    image = keras.Input((16, 16, 3))
    colours = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))  # the logits are the mean colours
    card = dataclasses.replace(
        CARD, classes=tuple(ClassInfo(name, name) for name in "rgb"), input=InputSpec(16, 16, scaling=scaling)
    )
    batch = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    scaled = getattr(keras.applications, application).preprocess_input(batch.astype(np.float32))
    np.testing.assert_allclose(bare_classifier(colours, card).logits(batch), scaled.mean(axis=(1, 2)), atol=1e-3)


def test_a_batch_gives_what_each_image_gives_alone(classifier):
    batch = prepared(BATCH + 5)
    together, scores = classifier.outputs(batch)
    alone = [classifier.outputs(one[None]) for one in batch[-7:]]
    np.testing.assert_allclose(together[-7:], np.concatenate([logits for logits, _ in alone]), atol=1e-4)
    np.testing.assert_allclose(scores[-7:], np.concatenate([score for _, score in alone]), rtol=1e-3)


def test_no_images_give_empty_outputs_of_the_right_shape(classifier):
    logits, scores = classifier.outputs(np.zeros((0, SIDE, SIDE, 3), np.uint8))
    assert (logits.shape, scores.shape) == ((0, 8), (0,))
    assert len(classifier.classify([])) == 0


def test_scores_are_those_of_the_statistics_on_the_features(classifier, small_bundle):
    batch = prepared(6)
    features = classifier.features(batch, ["features"])
    expected = load_statistics(small_bundle.ood_file).scores(features)
    np.testing.assert_allclose(classifier.outputs(batch)[1], expected, rtol=1e-4)


def test_features_are_averaged_over_places_and_joined_in_order(classifier):
    batch = prepared(2)
    scaled = batch.astype(np.float32) / 127.5 - 1
    second = keras.Model(classifier.model.inputs[0], classifier.model.get_layer("second").output)(scaled).numpy()
    features = classifier.features(batch, ["logits", "second"])
    np.testing.assert_allclose(features[:, :8], classifier.logits(batch), atol=1e-4)
    np.testing.assert_allclose(features[:, 8:], second.mean(axis=(1, 2)), atol=1e-4)


def with_second_look(small_bundle, threshold: float, sizes=(0.7, 0.5)) -> Classifier:
    rule = OutOfDistributionRule("Mahalanobis distance of features", threshold, 0.04)
    card = dataclasses.replace(small_bundle.card, out_of_distribution=rule, second_look=sizes)
    return Classifier(network(), card, load_statistics(small_bundle.ood_file))


def test_a_foreign_image_is_looked_at_again_in_smaller_sizes_and_no_other_is(classifier, small_bundle):
    batch = prepared(BATCH + 4)
    once, scores = classifier.outputs(batch)
    threshold = float(np.median(scores))
    logits, again = with_second_look(small_bundle, threshold).outputs(batch)
    foreign = scores > threshold
    np.testing.assert_allclose(again, scores, rtol=1e-3)  # the score is that of the first look
    np.testing.assert_allclose(logits[~foreign], once[~foreign], atol=1e-4)
    looks = [once, *(classifier.logits(shrunk(batch, size)) for size in (0.7, 0.5))]
    np.testing.assert_allclose(logits[foreign], np.mean(looks, axis=0)[foreign], atol=1e-3)
    assert np.abs(logits[foreign] - once[foreign]).max() > 0.1


@pytest.mark.parametrize(("threshold", "sizes"), [(1e9, (0.7, 0.5)), (-1.0, ())], ids=["none is foreign", "not asked"])
def test_there_is_no_second_look_where_none_is_foreign_or_the_card_asks_for_none(
    classifier, small_bundle, threshold, sizes
):
    batch = prepared(4)
    logits = with_second_look(small_bundle, threshold, sizes).logits(batch)
    np.testing.assert_allclose(logits, classifier.logits(batch), atol=1e-4)


def test_without_statistics_there_is_no_second_look_either():
    card = dataclasses.replace(CARD, second_look=(0.5,))
    np.testing.assert_array_equal(
        bare_classifier(network(), card).logits(prepared(2)), bare_classifier(network(), CARD).logits(prepared(2))
    )


def test_without_statistics_there_is_no_score():
    logits, scores = bare_classifier(network(), CARD).outputs(prepared(2))
    assert logits.shape == (2, 8)
    assert np.isnan(scores).all()


def test_images_of_any_size_are_classified_in_their_order(classifier):
    shown = [*pictures(2), np.full((16, 300, 3), 200, np.uint8)]
    table = classifier.classify(shown)
    for row, pixels in zip(table.itertuples(), shown, strict=True):
        assert row.confidence == pytest.approx(classifier.classify([pixels])["confidence"][0], abs=1e-4)
    assert list(table.filter(like="p_").columns) == [f"p_{name}" for name in CARD.class_names]
    np.testing.assert_allclose(table.filter(like="p_").sum(axis=1), 1)


def test_the_held_out_logits_in_the_bundle_are_those_the_classifier_gives(classifier, small_bundle, small_images):
    import pandas as pd

    rows = pd.read_csv(small_bundle.evaluation_file)
    batch = np.stack([classifier.prepare(images.read(small_images / name).pixels) for name in rows["path"]])
    stated = rows[[f"logit_{name}" for name in CARD.class_names]].to_numpy()
    np.testing.assert_allclose(classifier.logits(batch), stated, atol=1e-3)


def test_the_last_spatial_layer_is_found_or_its_lack_said(classifier):
    assert classifier.last_spatial_layer == "second"
    with pytest.raises(ExplanationError, match="no spatial layer"):
        _ = flat_classifier().last_spatial_layer


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (dataclasses.replace(CARD, classes=CARD.classes[:5]), "names 5 classes; the model gives 8 outputs"),
        (
            dataclasses.replace(CARD, classes=(*CARD.classes, ClassInfo("blast", "Blast"))),
            "names 9 classes; the model gives 8 outputs",
        ),
        (dataclasses.replace(CARD, input=InputSpec(64, 32)), r"input of 64x32; the model's is \(64, 64\)"),
    ],
    ids=["missing class", "extra class", "other size"],
)
def test_a_network_that_does_not_fit_its_card_is_refused(card, message):
    with pytest.raises(BundleError, match=message):
        bare_classifier(network(), card)


def test_reordered_classes_are_refused(copy):
    first, second, *rest = read_card(copy).classes
    with pytest.raises(BundleError, match="stand in another order"):
        load_classifier(repacked(copy, classes=(second, first, *rest)))


def test_renamed_classes_are_refused(copy):
    with pytest.raises(BundleError, match="not those it was packed with"):
        load_classifier(repacked(copy, classes=(ClassInfo("blast", "Blast"), *read_card(copy).classes[1:])))


@pytest.mark.parametrize("scaling", ["zero_to_one", "none", "caffe", "torch"])
def test_another_scaling_is_found_out_by_the_golden_image(copy, scaling):
    spec = dataclasses.replace(read_card(copy).input, scaling=scaling)
    with pytest.raises(BundleError, match="its preprocessing or its weights differ"):
        load_classifier(repacked(copy, input=spec))


def test_other_weights_are_found_out_by_the_golden_image(copy):
    model = network()
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel, bias + np.eye(8, dtype=np.float32)[3]])
    model.save(copy / "model.keras")
    with pytest.raises(BundleError, match=r"off by 1\.00"):
        load_classifier(repacked(copy))


@pytest.mark.parametrize("where", [0, 3, 7])
def test_weights_that_are_not_numbers_are_refused(copy, where):
    model = network()
    kernel, bias = model.layers[-1].get_weights()
    bias[where] = np.nan
    model.layers[-1].set_weights([kernel, bias])
    model.save(copy / "model.keras")
    with pytest.raises(BundleError, match="finite logits; it gives NaN or infinity"):
        load_classifier(repacked(copy))


def with_nan(logits: dict) -> dict:
    return {**logits, "platelet": float("nan")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (list, "no readable golden image"),
        (lambda logits: 5, "no readable golden image"),
        (lambda logits: {**logits, "platelet": "high"}, "no readable golden image"),
        (lambda logits: {**logits, "platelet": None}, "no readable golden image"),
        (with_nan, "off by nan"),
        (lambda logits: {}, "not those it was packed with"),
        (lambda logits: {**logits, "platelet": logits["platelet"] + 0.1}, r"off by 0\.10"),
    ],
    ids=range(7),
)
def test_other_expected_logits_are_refused(copy, change, message):
    file = copy / "golden" / "expected.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    with pytest.raises(BundleError, match=message):
        load_classifier(repacked(copy))


@pytest.mark.parametrize("name", ["image.png", "expected.json"])
@pytest.mark.parametrize("data", [None, b"", b"\xff\x00 neither"])
def test_a_missing_or_damaged_golden_image_is_refused(copy, name, data):
    file = copy / "golden" / name
    file.unlink()
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(BundleError, match="no readable golden image with its logits"):
        load_classifier(repacked(copy))


def test_statistics_of_another_network_are_refused(copy):
    statistics = load_statistics(copy / "out_of_distribution.npz")
    dataclasses.replace(statistics, layers=("no_such_layer",)).save(copy / "out_of_distribution.npz")
    with pytest.raises(BundleError, match="a layer that the model lacks"):
        load_classifier(repacked(copy))
    dataclasses.replace(statistics, layers=("first",)).save(copy / "out_of_distribution.npz")
    with pytest.raises(BundleError, match="of 16 features; the model gives 8"):
        load_classifier(repacked(copy))


def test_a_lambda_layer_is_refused_although_its_hash_is_right(copy):
    image = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Lambda(lambda x: x)(image))
    keras.Model(image, keras.layers.Dense(8)(x)).save(copy / "model.keras")
    with pytest.raises(BundleError, match="Lambda layer, which runs code"):
        load_classifier(repacked(copy))


def test_a_folder_is_verified_before_its_network_is_opened(copy):
    (copy / "model.keras").write_bytes(b"not a network")
    with pytest.raises(BundleError, match="SHA-256 differs"):
        load_classifier(copy)


def test_golden_logits_stand_in_logit_order(small_bundle, classifier):
    pixels = images.read(small_bundle.golden_image).pixels
    logits = golden_logits(classifier, pixels)
    assert tuple(logits) == read_bundle(small_bundle.folder).card.class_names
    np.testing.assert_allclose(list(logits.values()), classifier.logits(classifier.prepare(pixels)[None])[0], atol=1e-5)
