"""A model is loaded once, however many ask, and never keeps a page waiting."""

import threading

import pytest

from dashboard.bundles import read_bundle
from dashboard.ui.model_loader import ModelLoader


@pytest.mark.slow
def test_many_threads_get_one_and_the_same_model(small_bundle):
    loader, got = ModelLoader(), []
    threads = [threading.Thread(target=lambda: got.append(loader.get(small_bundle))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 6
    assert len(set(map(id, got))) == 1


@pytest.mark.slow
def test_starting_does_not_wait(small_bundle):
    loader = ModelLoader()
    future = loader.start(small_bundle, delay=0.2)
    assert not loader.ready(small_bundle)
    assert loader.get(small_bundle) is future.result()
    assert loader.ready(small_bundle)


@pytest.mark.slow
def test_a_model_that_fails_is_tried_again(small_store, tmp_path):
    import shutil

    folder = tmp_path / "small"
    shutil.copytree(small_store / "small", folder)
    bundle, loader = read_bundle(folder), ModelLoader()
    image = bundle.golden_image.read_bytes()
    bundle.golden_image.write_bytes(b"")
    with pytest.raises(Exception, match="golden image"):
        loader.get(bundle)
    bundle.golden_image.write_bytes(image)
    assert loader.get(bundle).card.id == "small"
