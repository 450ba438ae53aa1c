"""Many files → one table: decoding overlaps with the forward pass, and memory does not grow with the batch."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from dashboard import images
from dashboard.cases import Case
from dashboard.errors import CaseError, ImageError, SecondReadError
from dashboard.predictions import predictions, probability_columns
from dashboard.quality import quality_warnings
from dashboard.sources import Item, Source, open_paths

if TYPE_CHECKING:
    from dashboard.bundles import Card
    from dashboard.classifier import Classifier

BATCH = 32
WORKERS = 2
THUMBNAIL_SIDE = 96  # pixels

_FIRST_COLUMNS = (
    *("image_id", "file_name", "status", "reason"),
    *("predicted", "confidence", "prediction_set", "ood_score"),
)

Keep = Callable[[Item, images.SmearImage], None]


@dataclass(frozen=True)
class _Prepared:
    name: str
    reason: str = ""
    image_id: str = ""
    quality: str = ""
    pixels: np.ndarray | None = None  # as the model takes them


def result_columns(card: Card) -> list[str]:
    """Name the columns of a batch's table, in order."""
    probabilities = probability_columns(card.class_names)
    return [*_FIRST_COLUMNS, *probabilities, "margin", "unidentified", "out_of_distribution", "quality"]


def classify_items(
    items: Iterable[Item],
    classifier: Classifier,
    batch: int = BATCH,
    keep: Keep | None = None,
    seen: dict[str, str] | None = None,
) -> Generator[pd.DataFrame, None, None]:
    """Classify files as they are read.

    Parameters
    ----------
    items : iterable of Item
        Read lazily, at most three batches ahead.
    classifier : Classifier
    batch : int
        Images in one forward pass.
    keep : callable, optional
        Called with every readable item and its decoded image, in worker threads; a SecondReadError stops the batch.
    seen : dict of str to str, optional
        image_id → file name of pictures that came before these items.

    Yields
    ------
    pandas.DataFrame
        One row an item, in order; columns `result_columns`. image_id str ("" if rejected), status "ok" or "rejected",
        reason (why rejected; or that the same picture came before, and is counted once), the columns of
        `predictions.predictions` (rejected: "", NaN and False), quality (sentences; "" if nothing was found).
    """
    seen = {} if seen is None else dict(seen)
    for chunk in _chunks(_prepared(items, classifier, batch, keep), batch):
        yield _table(chunk, classifier, seen)


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes
    ----------
    done, total : int
        Files; those done before an interruption count.
    seconds_left : float or None
        Estimate; None before the first chunk.
    finished : bool
        The job's thread has ended: all done, cancelled or failed.
    error : str
        Why it stopped; "" if nothing is wrong.
    """

    done: int
    total: int
    seconds_left: float | None
    finished: bool
    error: str


class BatchJob:
    """Classifies a case's sources in a background thread and appends the results as they come.

    Files already in the results are skipped, so that an interrupted or cancelled case can be taken up again.

    Parameters
    ----------
    case : Case
        With its sources.
    load : callable
        Gives the classifier; called in the thread, because loading takes seconds.
    """

    def __init__(self, case: Case, load: Callable[[], Classifier], batch: int = BATCH) -> None:
        self._case = case
        self._load = load
        self._batch = batch
        self._cancelled = threading.Event()
        self._begun_at: float | None = None
        self._begun_with = case.done
        self._error = ""
        self._thread = threading.Thread(target=self._run, name=f"batch {case.id}", daemon=True)

    @property
    def case(self) -> Case:
        """The case with its latest counts."""
        return self._case

    def start(self) -> BatchJob:
        """Begin; returns at once."""
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Stop after the batch at hand; what is done stays."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; False if it did not come in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def progress(self) -> Progress:
        """Tell how far the job is; never waits."""
        case, begun = self._case, self._begun_at
        here = case.done - self._begun_with
        left = None
        if begun is not None and here > 0:
            left = (time.monotonic() - begun) / here * (case.total - case.done)
        finished = self._thread.ident is not None and not self._thread.is_alive()
        return Progress(case.done, case.total, left, finished, self._error)

    def _run(self) -> None:
        try:
            with self._case.lock():
                self._classify()
        except SecondReadError as error:
            self._error = str(error)
        except Exception as error:
            logging.getLogger(__name__).exception("The batch %s failed", self._case.id)
            self._error = f"The batch stopped: {type(error).__name__}: {error}. What was done is kept; start it again."

    def _classify(self) -> None:
        source = open_paths(self._case.sources)
        results = self._case.results()
        done = dict(zip(results["file_name"], results["image_id"], strict=True))
        # The results are the truth: case.json may be one chunk behind after a crash.
        rejected = int((results["status"] == "rejected").sum())
        self._case = self._case.update(state="running", total=len(source), done=len(done), rejected=rejected)
        self._begun_with = len(done)
        classifier = self._load()
        self._begun_at = time.monotonic()
        self._append_all(source, done, classifier)
        if self._cancelled.is_set() and self._case.done < self._case.total:
            self._case = self._case.update(state="cancelled")
        else:
            self._case = self._case.finish()

    def _append_all(self, source: Source, done: dict[str, str], classifier: Classifier) -> None:
        seen = {image_id: name for name, image_id in done.items()}
        chunks = classify_items(source.items(skip=done), classifier, self._batch, self._keep, seen)
        for rows in chunks:
            self._case = self._case.append(rows)
            if self._cancelled.is_set():
                chunks.close()
                return

    def _keep(self, item: Item, image: images.SmearImage) -> None:
        assert item.data is not None
        buffer = io.BytesIO()
        Image.fromarray(images.thumbnail(image.pixels, THUMBNAIL_SIDE)).save(buffer, "JPEG", quality=85)
        self._case.keep_image(image.image_id, item.name, item.data, buffer.getvalue())


def check_resumable(case: Case, model_sha256: str) -> None:
    """Refuse to go on with another model than the case was begun with.

    Raises
    ------
    CaseError
        The model's file has another hash: its numbers would not belong with those already there.
    """
    if case.model_sha256 != model_sha256:
        raise CaseError(f"The case was begun with another file of {case.model_id}; start a new case with this one.")


def _prepared(items: Iterable[Item], classifier: Classifier, batch: int, keep: Keep | None) -> Iterator[_Prepared]:
    """Decode in threads, keep the order, and stay a bounded number of images ahead."""
    waiting: deque[Future[_Prepared]] = deque()
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="decode")
    try:
        for item in items:
            waiting.append(pool.submit(_prepare, item, classifier, keep))
            if len(waiting) >= 3 * batch:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare(item: Item, classifier: Classifier, keep: Keep | None) -> _Prepared:
    if item.data is None:
        return _Prepared(item.name, item.reason)
    try:
        image = images.decode(item.data)
    except ImageError as error:
        return _Prepared(item.name, str(error))
    if keep is not None:
        keep(item, image)
    sentences = [*image.notes, *quality_warnings(image.pixels, classifier.card)]
    return _Prepared(
        item.name, "", image.image_id, " ".join(dict.fromkeys(sentences)), classifier.prepare(image.pixels)
    )


def _chunks(prepared: Iterable[_Prepared], batch: int) -> Iterator[list[_Prepared]]:
    """Cut so that each chunk has `batch` readable images; rejected files ride along, within reason."""
    chunk: list[_Prepared] = []
    readable = 0
    for one in prepared:
        chunk.append(one)
        readable += one.pixels is not None
        if readable == batch or len(chunk) == 16 * batch:
            yield chunk
            chunk, readable = [], 0
    if chunk:
        yield chunk


def _table(chunk: list[_Prepared], classifier: Classifier, seen: dict[str, str]) -> pd.DataFrame:
    card = classifier.card
    pixels = [one.pixels for one in chunk if one.pixels is not None]
    empty = np.zeros((0, card.input.height, card.input.width, 3), np.uint8)
    logits, ood_scores = classifier.outputs(np.stack(pixels) if pixels else empty)
    table = pd.DataFrame(
        {
            "image_id": [one.image_id for one in chunk],
            "file_name": [one.name for one in chunk],
            "status": ["rejected" if one.pixels is None else "ok" for one in chunk],
            "reason": [one.reason or _seen_before(one, seen) for one in chunk],
            "quality": [one.quality for one in chunk],
        },
        dtype="str",
    )
    read = predictions(logits, card, ood_scores)
    read.index = table.index[table["status"] == "ok"]
    table = table.join(read)
    for name in ("predicted", "prediction_set"):
        table[name] = table[name].fillna("").astype("str")
    for name in ("unidentified", "out_of_distribution"):
        table[name] = table[name].eq(True)
    return table[result_columns(card)]


def _seen_before(one: _Prepared, seen: dict[str, str]) -> str:
    first = seen.setdefault(one.image_id, one.name) if one.image_id else one.name
    return "" if first == one.name else f"The same picture as {first}; counted once."
