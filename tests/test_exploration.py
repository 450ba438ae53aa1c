"""Exploration: what is planted in a labelled folder is found, and what cannot be said is said in a sentence."""

import dataclasses
import html
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dashboard.bundles import Bundle
from dashboard.errors import ExplorationError, LabelsError
from dashboard.exploration import colour, components, duplicates, label_errors, reading
from dashboard.exploration.cross_validation import out_of_sample
from dashboard.exploration.report import report_html
from dashboard.exploration.sections import COLOUR_AND_TEXTURE, SECTIONS, Gallery, Section, study
from dashboard.labels import read_labels
from tests.tiny_bundle import CARD

NO_ROWS = pd.DataFrame(columns=["path", "label", "reason"])
SHAPE = (48, 56, 3)


def cell(kind, site, seed):
    """A disc (or a striped one) on a pale, cloudy ground; the second site's camera is bluer."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:48, :56]
    pixels = 205 + 25 * np.kron(random.uniform(-1, 1, (6, 7, 1)), np.ones((8, 8, 3)))
    inside = (rows - random.uniform(20, 28)) ** 2 + (columns - random.uniform(22, 34)) ** 2 < random.uniform(
        10, 14
    ) ** 2
    pixels[inside] = [110, 40, 130]
    if kind == "striped":
        pixels[inside & (columns % 6 < 3)] = [200, 110, 90]
    pixels += random.normal(0, 3, SHAPE)
    if site == "south":
        pixels -= [35, 20, 0]
    return pixels.clip(0, 255).astype(np.uint8)


def write(folder, name, pixels):
    Image.fromarray(pixels).save(folder / name)


def read(folder, lines):
    """Labels and images of a folder; a line is path,label,split,site,subject."""
    csv = folder / "labels.csv"
    csv.write_text("\n".join(["path,label,split,site,subject", *lines]) + "\n")
    labels = read_labels(csv, folder)
    return reading.read_images(labels.rows.itertuples())


def explored(folder, lines):
    given = study(read(folder, lines), NO_ROWS)
    return {section.title: section for section in (make(given) for make in SECTIONS)}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """160 cells of two classes at two sites, and beside them what the report shall find."""
    folder = tmp_path_factory.mktemp("planted")
    lines = []
    for number in range(160):
        kind, site = ("plain", "striped")[number % 2], ("north", "south")[number // 2 % 2]
        name = f"{number:03d}.png"
        write(folder, name, cell(kind, site, number))
        lines.append(f"{name},{kind},{'test' if number % 5 == 0 else 'train'},{site},")
    lines[6] = "006.png,striped,train,south,"  # a planted label error
    original = cell("plain", "north", 0)
    write(folder, "copy.bmp", original)
    write(folder, "mirrored.jpg", original[:, ::-1])
    write(folder, "odd.png", np.full(SHAPE, (20, 160, 40), np.uint8))
    (folder / "broken.png").write_bytes(b"not an image")
    lines += ["copy.bmp,striped,train,north,", "mirrored.jpg,plain,train,north,"]
    lines += ["odd.png,plain,train,north,", "broken.png,plain,train,north,"]
    return folder, lines


@pytest.fixture(scope="module")
def images(planted):
    return read(*planted)


@pytest.fixture(scope="module")
def groups(images):
    return duplicates.groups(images)


def test_every_channel_of_a_histogram_sums_to_one_and_counts_the_pixels_by_value():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[..., 1] = 255
    pixels[..., 2] = 9
    histogram = reading.colour_histogram(pixels)
    assert histogram.sum(axis=1).tolist() == [1, 1, 1]
    assert [int(row.argmax()) for row in histogram] == [0, 31, 1]


def test_texture_does_not_see_how_bright_an_image_is():
    pixels = cell("striped", "north", 1) // 2
    assert reading.texture(pixels + 40) == pytest.approx(reading.texture(pixels), abs=0.02)
    assert reading.texture(pixels).reshape(2, 10).sum(axis=1) == pytest.approx([1, 1])


def test_a_hash_holds_the_hashes_of_every_turn_and_mirror_image():
    pixels = cell("striped", "north", 2)[:, :48]
    seen = reading.perceptual_hash(pixels)
    for turns in range(4):
        turned = reading.perceptual_hash(np.rot90(pixels, turns))[0]
        mirrored = reading.perceptual_hash(np.rot90(pixels[:, ::-1], turns))[0]
        assert (seen[turns] != turned).sum() <= 4  # shrinking rounds the grey values
        assert (seen[4 + turns] != mirrored).sum() <= 4
    assert seen.shape == (8, reading.HASH_BITS)


@pytest.mark.parametrize("value", [0, 77, 255])
def test_a_blank_image_has_no_bit_set(value):
    assert not reading.perceptual_hash(np.full((40, 50, 3), value, np.uint8)).any()


def test_an_image_that_cannot_be_read_is_named_and_stops_nothing(images):
    assert images.rejected["path"].tolist() == ["broken.png"]
    assert "JPEG" in images.rejected["reason"][0]
    assert len(images.rows) == len(images.colours) == len(images.textures) == len(images.hashes) == 163


def test_a_folder_without_one_readable_image_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(LabelsError, match=r"None of the 1 images.*a\.png"):
        read(tmp_path, ["a.png,x,,,"])


def test_copies_of_an_image_make_a_group_whatever_their_format_or_side(images):
    table = duplicates.duplicates(images)
    assert sorted(table["path"]) == ["000.png", "copy.bmp", "mirrored.jpg"]
    assert set(table["kind"]) == {"near"}
    assert table["conflicting_labels"].all()
    assert table["crosses_splits"].all()  # 000.png is a test image


def test_exact_duplicates_agree_in_every_pixel(tmp_path):
    for name in ("a.png", "b.png"):
        write(tmp_path, name, cell("plain", "north", 1))
    write(tmp_path, "c.png", cell("plain", "north", 2))
    table = duplicates.duplicates(read(tmp_path, ["a.png,x,val,,", "b.png,x,test,,", "c.png,x,,,", "a.png,x,val,,"]))
    assert table["path"].tolist() == ["a.png", "a.png", "b.png"]
    assert set(table["kind"]) == {"exact"}
    assert set(table["group"]) == {1}
    assert not table[["conflicting_labels", "crosses_splits"]].any(axis=None)  # neither of them is learned from


def test_different_images_are_no_duplicates(tmp_path):
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 256, SHAPE, np.uint8)
        write(tmp_path, f"{number}.png", pixels)
    table = duplicates.duplicates(read(tmp_path, [f"{number}.png,x,,," for number in range(5)]))
    assert table.empty
    assert list(table) == duplicates.COLUMNS


def test_the_colours_of_a_site_are_the_mean_of_its_images(images):
    table = colour.colour_table(images, images.rows["site"])
    north = table[(table["site"] == "north") & (table["channel"] == "blue")]
    of_site = (images.rows["site"] == "north").to_numpy()
    assert north["share"].to_numpy() == pytest.approx(images.colours[of_site, 2].mean(axis=0))
    assert north["value"].iloc[[0, -1]].tolist() == [3.5, 251.5]


def test_a_colour_cast_gives_the_site_away(images, groups):
    said = colour.site_from_colour(images, groups)
    share, low, high = said.accuracy()
    assert low > 0.95
    assert low <= share <= high
    assert said.majority == pytest.approx(83 / 163)
    assert colour.site_from_colour_within_classes(images, groups).accuracy()[1] > 0.95


def test_without_a_class_at_two_sites_class_and_site_cannot_be_told_apart(images, groups):
    apart = images.rows.assign(label=images.rows["site"])
    with pytest.raises(ExplorationError, match="cannot be told apart"):
        colour.site_from_colour_within_classes(dataclasses.replace(images, rows=apart), groups)


def test_noise_is_not_told_apart_out_of_sample():
    random = np.random.default_rng(0)
    labels = np.repeat(["a", "b"], 100)
    said = out_of_sample(random.normal(size=(200, 20)), labels, np.arange(200))
    assert said.accuracy()[1] < 0.5 < said.accuracy()[2]
    assert said.probabilities.sum(axis=1) == pytest.approx(np.ones(200))


def test_copies_do_not_answer_for_each_other():
    """Noise in five copies each: learned by heart if they were spread over the folds."""
    random = np.random.default_rng(0)
    features = np.repeat(random.normal(size=(60, 200)), 5, axis=0)
    labels = np.repeat(random.permutation(np.repeat(["a", "b"], 30)), 5)
    apart = out_of_sample(features, labels, np.repeat(np.arange(60), 5))
    together = out_of_sample(features, labels, np.arange(300))
    assert together.accuracy()[0] > 0.9
    assert apart.accuracy()[0] < 0.7


def test_a_class_with_fewer_images_than_folds_is_left_out_and_named():
    features = np.random.default_rng(0).normal(size=(24, 3))
    said = out_of_sample(features, ["a"] * 10 + ["b"] * 10 + ["rare"] * 4, np.arange(24))
    assert said.left_out == ("rare",)
    assert len(said.positions) == 20
    with pytest.raises(ExplorationError, match="a with 20, rare with 4"):
        out_of_sample(features, ["a"] * 20 + ["rare"] * 4, np.arange(24))


def test_principal_components_are_those_of_the_singular_values():
    features = np.random.default_rng(0).normal(size=(30, 4)) @ np.diag([5, 1, 1, 1])
    features[:, 1] += features[:, 0]
    found = components.principal_components(features)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    assert found.shares == pytest.approx(singular**2 / (singular**2).sum())
    assert np.linalg.norm(found.scores, axis=0) == pytest.approx(singular)
    assert (found.scores.max(axis=0) >= -found.scores.min(axis=0)).all()


@pytest.mark.parametrize(("features", "words"), [(np.ones((2, 3)), "three"), (np.ones((9, 3)), "differ")])
def test_components_need_images_that_differ(features, words):
    with pytest.raises(ExplorationError, match=words):
        components.principal_components(features)


def test_the_odd_image_is_the_farthest_outlier(images, groups):
    found = components.principal_components(components.colour_and_texture(images))
    table, too_small = components.outliers(images, found, groups)
    assert table["path"][0] == "odd.png"
    assert (table["distance"] > table["limit"]).all()
    assert table["distance"].is_monotonic_decreasing
    assert too_small == []
    assert list(table) == components.OUTLIER_COLUMNS


def test_a_class_too_small_for_outliers_is_named(images, groups):
    rows = images.rows.assign(label=["rare" if number < 9 else "common" for number in range(163)])
    found = components.principal_components(components.colour_and_texture(images))
    _, too_small = components.outliers(dataclasses.replace(images, rows=rows), found, groups)
    assert too_small == ["rare"]


def test_a_planted_label_error_is_suspected_first(images, groups):
    features = components.colour_and_texture(images)
    said = out_of_sample(features, images.rows["label"], groups)
    table = label_errors.suspected_label_errors(images, [("colour and texture", np.arange(163), said)])
    suspected = table.set_index("path")
    assert "006.png" in set(table["path"].head(3))
    assert suspected.loc["006.png", "suggested"] == "plain"
    assert table["margin"].is_monotonic_decreasing
    assert table["margin"].to_numpy() == pytest.approx((table["p_suggested"] - table["p_label"]).to_numpy())
    assert (table["label"] != table["suggested"]).all()


def test_only_images_that_a_bundle_does_not_list_are_held_out(tmp_path):
    identifiers = pd.Series(["a" * 64, "b" * 64])
    assert not label_errors.held_out(
        identifiers, Bundle(tmp_path, CARD)
    ).any()  # nothing is known, so nothing is held out
    (tmp_path / "training_images.txt").write_text("a" * 64 + "\n")
    assert label_errors.held_out(identifiers, Bundle(tmp_path, CARD)).tolist() == [False, True]


def test_the_features_of_a_model_never_judge_what_it_was_made_with(images):
    """Its features tell every label, as those of a network that has learned its training labels by heart would."""
    by_heart = np.where(images.rows["label"] == "plain", 1.0, -1.0)[:, None] * np.ones((1, 8), np.float32)
    given = study(dataclasses.replace(images, model_features=by_heart), NO_ROWS)
    held_out = np.arange(163) >= 80  # 006.png, the planted error, is a training image
    given = dataclasses.replace(given, model="learned", held_out=held_out)
    section = SECTIONS[-1](given)
    table = section.tables["suspected_label_errors.csv"].set_index("path")
    assert table.loc["006.png", "features"] == COLOUR_AND_TEXTURE
    assert set(table["features"]) == {COLOUR_AND_TEXTURE}  # the model's own find nothing, being right by heart
    assert any("made with 80 of these 163 images" in sentence for sentence in section.sentences)


def test_every_section_of_a_good_folder_has_its_table_and_plots(planted):
    found = explored(*planted)
    assert [name for section in found.values() for name in section.tables] == [
        "classes.csv",
        "sizes.csv",
        "rejected.csv",
        "colours.csv",
        "components.csv",
        "outliers.csv",
        "duplicates.csv",
        "suspected_label_errors.csv",
    ]
    assert found["Classes"].tables["classes.csv"]["count"].sum() == 163
    assert len(found["Classes"].figures) == len(found["Principal components"].figures) == 2
    assert found["Image sizes"].shown.to_numpy().tolist() == [["north", "56 × 48", 83], ["south", "56 × 48", 80]]
    assert "1 row" in found["Images that cannot be read"].sentences[0]
    assert "(9" in found["Colour by site"].sentences[0]
    assert found["Outliers"].galleries[0].pictures[0][0] == "odd.png"
    assert "labels contradict each other" in found["Duplicates"].galleries[0].title


def test_sizes_that_never_meet_give_the_site_away(tmp_path):
    write(tmp_path, "a.png", cell("plain", "north", 1))
    write(tmp_path, "b.png", cell("plain", "south", 2)[:40])
    found = explored(tmp_path, ["a.png,x,,north,", "b.png,x,,south,"])
    assert "image size alone" in found["Image sizes"].sentences[-1]


def test_one_image_still_makes_every_section(tmp_path):
    write(tmp_path, "a.png", cell("plain", "north", 1))
    found = explored(tmp_path, ["a.png,x,,,"])
    assert "two or more" in " ".join(found["Classes"].sentences)
    assert "two sites or more" in found["Colour by site"].sentences[0]
    assert "three images" in found["Principal components"].sentences[0]
    assert "three images" in found["Outliers"].sentences[0]
    assert "two classes" in found["Suspected label errors"].sentences[1]
    assert all(len(table.columns) for section in found.values() for table in section.tables.values())


def test_the_same_image_many_times_still_makes_every_section(tmp_path):
    write(tmp_path, "a.png", cell("plain", "north", 1))
    found = explored(tmp_path, [f"a.png,{'xy'[number % 2]},train,here,s" for number in range(40)])
    assert "differ" in found["Principal components"].sentences[0]
    assert "1 group of exact" in found["Duplicates"].sentences[0]
    assert "x with 1, y with 1" in found["Suspected label errors"].sentences[1]


def test_one_class_at_one_site_still_makes_every_section(tmp_path):
    for number in range(35):
        write(tmp_path, f"{number}.png", cell("plain", "north", number))
    found = explored(tmp_path, [f"{number}.png,x,train,here," for number in range(35)])
    assert "here with 3" in found["Colour by site"].sentences[0]
    assert found["Suspected label errors"].tables["suspected_label_errors.csv"].empty
    assert len(found["Classes"].figures) == 1
    assert "Far is not wrong" in found["Outliers"].sentences[0]


def test_the_report_escapes_what_the_labels_say_and_loads_nothing(tmp_path):
    evil = '<script>alert("x")</script>'
    write(tmp_path, "a.png", cell("plain", "north", 1))
    gallery = Gallery(evil, [("a.png", [evil]), ("gone.png", ["gone"])])
    table = pd.DataFrame({"site": [evil]})
    figures = SECTIONS[0](study(read(tmp_path, [f"a.png,{evil.replace(chr(34), '')},,,"]), NO_ROWS)).figures
    page = report_html(
        evil,
        evil,
        [Section(evil, [evil], figures, table, [gallery])],
        {"a.png": str(tmp_path / "a.png"), "gone.png": ""},
    )
    assert "alert(" not in re.sub(
        re.escape(html.escape(evil, quote=True)).replace("&quot;", "&#34;"), "", page
    ).replace("\\u003cscript\\u003ealert(x)\\u003c\\u002fscript\\u003e", "")
    assert page.count("data:image/jpeg;base64,") == 1
    assert "plotly.js v" in page
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=.?https?:", page.split("</head>")[1])
    assert "not a medical device" in page
