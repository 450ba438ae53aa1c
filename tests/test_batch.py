"""Many files → one table, with a real (small) network."""

import io
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from dashboard import batch
from dashboard.batch import BatchJob, check_resumable, classify_items, result_columns
from dashboard.cases import create_case, open_case
from dashboard.errors import CaseError, StorageError
from dashboard.sources import Item, open_paths
from tests.tiny_bundle import CLASSES, make_bundle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    from dashboard.classifier import load_classifier

    return load_classifier(make_bundle(tmp_path_factory.mktemp("store") / "tiny"))


def picture(number, suffix="PNG"):
    pixels = np.random.default_rng(number).integers(0, 100, (24, 20, 3), np.uint8)
    pixels[..., number % 3] += 120
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, suffix)
    return buffer.getvalue()


def items(count):
    return [Item(f"{number:03d}.png", picture(number)) for number in range(count)]


def classify(given, classifier, **options):
    import pandas as pd

    return pd.concat(classify_items(given, classifier, **options), ignore_index=True)


def folder_of(path, count):
    path.mkdir()
    for item in items(count):
        (path / item.name).write_bytes(item.data)
    return path


def test_the_table_is_that_of_classifying_one_by_one(classifier):
    from dashboard import images

    table = classify(items(11), classifier, batch=4)
    alone = classifier.classify([images.decode(item.data).pixels for item in items(11)])
    assert list(table.columns) == result_columns(classifier.card)
    assert list(table["file_name"]) == [item.name for item in items(11)]
    assert list(table["predicted"]) == [CLASSES[number % 3] for number in range(11)]
    for name in ("confidence", "margin", "p_red", "p_green", "p_blue"):
        assert table[name].to_numpy() == pytest.approx(alone[name].to_numpy(), abs=1e-6)
    assert list(table["image_id"]) == [images.decode(item.data).image_id for item in items(11)]


def test_every_rejected_file_is_a_row_in_its_place_and_costs_nothing_else(classifier):
    given = [
        Item("no.png", None, "The file is encrypted."),
        Item("0.png", picture(0)),
        Item("empty.png", b""),
        Item("text.png", b"not an image"),
        Item("cut.png", picture(1)[:300]),
        Item("1.png", picture(1)),
    ]
    table = classify(given, classifier)
    assert list(table["status"]) == ["rejected", "ok", "rejected", "rejected", "rejected", "ok"]
    assert all(reason.endswith(".") for reason in table.loc[table["status"] == "rejected", "reason"])
    rejected = table[table["status"] == "rejected"]
    assert (rejected["image_id"] == "").all()
    assert (rejected["predicted"] == "").all()
    assert rejected["confidence"].isna().all()
    assert not rejected["unidentified"].any()
    assert list(table.loc[table["status"] == "ok", "predicted"]) == ["red", "green"]


def test_a_batch_of_rejected_files_alone_has_the_same_columns(classifier):
    table = classify([Item("a.png", b"")], classifier)
    assert list(table.columns) == result_columns(classifier.card)
    assert table["confidence"].dtype == float
    assert table["unidentified"].dtype == bool


def test_no_items_give_no_chunks(classifier):
    assert list(classify_items([], classifier)) == []


def test_the_same_picture_again_is_noted(classifier):
    jpeg = picture(2, "BMP")  # another file of the same pixels
    table = classify([Item("a.png", picture(2)), Item("b.bmp", jpeg)], classifier)
    assert list(table["reason"]) == ["", "The same picture as a.png; counted once."]
    assert table["image_id"].nunique() == 1


def test_notes_and_quality_warnings_stand_in_their_column(classifier):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 20), np.uint8)).resize((40, 40)).save(buffer, "PNG")
    table = classify([Item("grey.png", buffer.getvalue()), Item("a.png", picture(0))], classifier)
    assert "greyscale" in table["quality"][0]
    assert table["quality"][1] == ""


def test_items_are_read_only_a_few_batches_ahead(classifier):
    read = []

    def reading():
        for item in items(60):
            read.append(item.name)
            yield item

    chunks = classify_items(reading(), classifier, batch=4)
    next(chunks)
    assert len(read) <= 3 * 4 + 4
    chunks.close()


def test_each_full_chunk_is_one_full_batch(classifier):
    mixed = [
        item for pair in zip(items(10), [Item(f"x{n}", None, "No.") for n in range(10)], strict=True) for item in pair
    ]
    sizes = [int((chunk["status"] == "ok").sum()) for chunk in classify_items(mixed, classifier, batch=4)]
    assert sizes == [4, 4, 2]


def finished(job, seconds=60):
    assert job.wait(seconds)
    return job.progress()


def test_a_job_classifies_a_folder_into_a_case(tmp_path, records, classifier):
    case = create_case("Job", "tiny", "0", [folder_of(tmp_path / "cells", 10)])
    job = BatchJob(case, lambda: classifier, batch=4).start()
    progress = finished(job)
    assert (progress.done, progress.total, progress.finished, progress.error) == (10, 10, True, "")
    case = open_case(case.id)
    assert (case.state, case.done, case.interrupted) == ("done", 10, False)
    table = case.results()
    assert len(table) == 10
    image_id = table["image_id"][3]
    assert case.image(image_id) == picture(3)
    with Image.open(io.BytesIO(case.thumbnail(image_id))) as small:
        assert small.format == "JPEG"
        assert max(small.size) <= batch.THUMBNAIL_SIDE


def test_a_cancelled_job_keeps_what_is_done_and_can_go_on(tmp_path, records, classifier):
    case = create_case("Job", "tiny", "0", [folder_of(tmp_path / "cells", 12)])
    held = threading.Event()

    def load():
        held.wait()
        return classifier

    job = BatchJob(case, load, batch=4).start()
    job.cancel()
    held.set()
    finished(job)
    case = open_case(case.id)
    assert (case.state, case.done) == ("cancelled", 4)
    assert finished(BatchJob(case, lambda: classifier, batch=4).start()).done == 12
    case = open_case(case.id)
    assert case.state == "done"
    assert sorted(case.results()["file_name"]) == [item.name for item in items(12)]


def test_after_a_crash_nothing_is_done_twice_and_nothing_is_missing(tmp_path, records, classifier):
    case = create_case("Job", "tiny", "0", [folder_of(tmp_path / "cells", 10)])
    finished(BatchJob(case, lambda: classifier, batch=4).start())
    file = case.folder / "results.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:5]) + lines[5][:20])  # four rows and a torn one
    case = open_case(case.id).update(state="running", done=8)
    assert case.interrupted
    finished(BatchJob(case, lambda: classifier, batch=4).start())
    names = list(open_case(case.id).results()["file_name"])
    assert names == [item.name for item in items(10)]
    assert open_case(case.id).done == 10


def test_uploads_survive_until_they_are_read_and_are_then_forgotten(records, classifier):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("z.png", picture(1))
    case = create_case("Uploads", "tiny", "0")
    case = case.keep_uploads([("a.png", picture(0)), ("b.png", b"broken"), ("more.zip", inner.getvalue())])
    finished(BatchJob(case, lambda: classifier).start())
    table = open_case(case.id).results()
    assert dict(zip(table["file_name"], table["status"], strict=True)) == {
        "files/a.png": "ok",
        "files/b.png": "rejected",
        "more/z.png": "ok",
    }
    assert not (case.folder / "incoming").exists()


def test_a_source_that_is_gone_is_a_sentence(tmp_path, records, classifier):
    case = create_case("Gone", "tiny", "0", [tmp_path / "gone"])
    progress = finished(BatchJob(case, lambda: classifier).start())
    assert "check the path" in progress.error
    assert open_case(case.id).interrupted


def test_a_full_disk_stops_the_job_with_a_sentence_and_it_can_go_on(tmp_path, records, classifier, monkeypatch):
    case = create_case("Full", "tiny", "0", [folder_of(tmp_path / "cells", 10)])
    kept = type(case).keep_image
    calls = []

    def full(self, *given):
        calls.append(given)
        if len(calls) > 5:
            raise StorageError("The image could not be saved: No space left on device.")
        kept(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(type(case), "keep_image", full)
        progress = finished(BatchJob(case, lambda: classifier, batch=2).start())
    assert "No space left" in progress.error
    assert open_case(case.id).interrupted
    assert finished(BatchJob(open_case(case.id), lambda: classifier).start()).done == 10


def test_an_unexpected_error_becomes_a_sentence(tmp_path, records, caplog):
    case = create_case("Broken", "tiny", "0", [folder_of(tmp_path / "cells", 2)])

    def load():
        raise MemoryError("out of memory")

    progress = finished(BatchJob(case, load).start())
    assert progress.error.startswith("The batch stopped: MemoryError: out of memory.")


def test_two_jobs_do_not_work_on_one_case(tmp_path, records, classifier):
    case = create_case("Twice", "tiny", "0", [folder_of(tmp_path / "cells", 2)])
    with case.lock():
        progress = finished(BatchJob(case, lambda: classifier).start())
    assert "being worked on" in progress.error


def test_a_case_does_not_go_on_with_another_model(records):
    case = create_case("Model", "tiny", "0" * 64)
    check_resumable(case, "0" * 64)
    with pytest.raises(CaseError, match="begun with another file of tiny"):
        check_resumable(case, "1" * 64)


def test_progress_estimates_the_time_left(tmp_path, records, classifier):
    case = create_case("Time", "tiny", "0", [folder_of(tmp_path / "cells", 8)])
    job = BatchJob(case, lambda: classifier, batch=4)
    assert job.progress().seconds_left is None
    assert not job.progress().finished
    finished(job.start())
    assert job.progress().seconds_left == 0


def test_the_same_source_twice_gives_the_same_names(tmp_path):
    folder = folder_of(tmp_path / "cells", 3)
    assert [entry.name for entry in open_paths([folder]).entries] == [
        entry.name for entry in open_paths([folder]).entries
    ]
