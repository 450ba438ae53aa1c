"""`python -m dashboard explain`: a picture for the eye, a map for the program, refusals in a sentence."""

import argparse

import numpy as np
import pytest
from PIL import Image

from dashboard.commands import explain
from dashboard.errors import BundleError, ExplanationError, ImageError
from tests.tiny_bundle import make_bundle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    make_bundle(folder / "tiny")
    pixels = np.full((30, 50, 3), 20, np.uint8)
    pixels[:, 25:, 0] = 220  # red on the right
    pixels[:, :25, 2] = 160  # blue, darker, on the left
    Image.fromarray(pixels).save(folder / "cell.png")
    return folder


def run(folder, *more, image="cell.png", model="tiny"):
    parser = argparse.ArgumentParser()
    explain.add_arguments(parser)
    explain.run(parser.parse_args([str(folder / image), "--model", str(folder / model), *more]))


def test_it_writes_the_picture_and_the_map_of_the_predicted_class(folder, tmp_path, capsys):
    run(folder, "--method", "grad-cam", "--out", str(tmp_path / "out.png"), "--map", str(tmp_path / "map.npy"))
    values = np.load(tmp_path / "map.npy")
    assert (values.dtype, values.shape) == (np.dtype(np.float32), (30, 50))
    assert values[:, 28:38].mean() > 2 * values[:, 12:22].mean()
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.text["Model"] == "tiny"
        assert picture.text["Class"] == "red"
        assert "not a medical device" in picture.text["Disclaimer"]
    assert capsys.readouterr().out.startswith("Grad-CAM for Red (layer ")


def test_another_class_has_another_map(folder, tmp_path):
    run(
        folder, "--method", "lime", "--samples", "100", "--class", "blue",
        "--out", str(tmp_path / "out.png"), "--map", str(tmp_path / "map.npy"),
    )  # fmt: skip
    values = np.load(tmp_path / "map.npy")
    assert values[:, 12:22].mean() > 2 * values[:, 28:38].mean()


def test_the_same_seed_writes_the_same_bytes(folder, tmp_path):
    for name in ("one", "two"):
        run(
            folder, "--method", "smoothgrad", "--seed", "4",
            "--out", str(tmp_path / f"{name}.png"), "--map", str(tmp_path / f"{name}.npy"),
        )  # fmt: skip
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "two.npy").read_bytes()


@pytest.mark.parametrize(
    ("more", "paths", "error", "message"),
    [
        (["--method", "occlusion"], {}, ExplanationError, "no method 'occlusion'"),
        (["--method", "grad-cam", "--class", "mauve"], {}, ExplanationError, "no class 'mauve'; it has: red, green"),
        (["--method", "grad-cam"], {"image": "none.png"}, ImageError, "cannot be read"),
        (["--method", "grad-cam"], {"model": "none"}, BundleError, "none"),
    ],
)
def test_wrong_requests_write_nothing(folder, tmp_path, more, paths, error, message):  # noqa: PLR0917
    with pytest.raises(error, match=message):
        run(folder, *more, "--out", str(tmp_path / "out.png"), **paths)
    assert not list(tmp_path.iterdir())
