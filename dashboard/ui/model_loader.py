"""Models are loaded once a process, one after another, in a thread that no page waits for."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING

from dashboard.bundles import Bundle

if TYPE_CHECKING:
    from dashboard.classifier import Classifier


class ModelLoader:
    """Keeps the last few models, each loaded by one thread however many sessions ask.

    Parameters
    ----------
    keep : int
        How many models stay in memory; the one used longest ago goes first.
    """

    def __init__(self, keep: int = 2) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._models: OrderedDict[str, Future[Classifier]] = OrderedDict()

    def start(self, bundle: Bundle, delay: float = 0.0) -> Future[Classifier]:
        """Begin to load, `delay` seconds from now, unless it is loaded or under way; never waits."""
        with self._lock:
            future = self._models.get(bundle.model_sha256)
            if future is None:
                future = self._models[bundle.model_sha256] = Future()
                timer = threading.Timer(delay, self._load, (bundle, future))
                timer.daemon = True
                timer.start()
            self._models.move_to_end(bundle.model_sha256)
            while len(self._models) > self._keep:
                self._models.popitem(last=False)
            return future

    def get(self, bundle: Bundle) -> Classifier:
        """Return the loaded model; waits for it.

        Raises
        ------
        BundleError
            The model does not load, or fails its golden image. The next call tries again.
        """
        future = self.start(bundle)
        try:
            return future.result()
        except BaseException:
            with self._lock:
                if self._models.get(bundle.model_sha256) is future:
                    del self._models[bundle.model_sha256]
            raise

    def ready(self, bundle: Bundle) -> bool:
        """Tell whether `get` would return, or raise, at once."""
        with self._lock:
            future = self._models.get(bundle.model_sha256)
            return future is not None and future.done()

    def _load(self, bundle: Bundle, future: Future[Classifier]) -> None:
        try:
            with self._one_at_a_time:
                from dashboard.classifier import load_classifier

                classifier = load_classifier(bundle)
                _spare_the_collector()
                future.set_result(classifier)
        except BaseException as error:
            future.set_exception(error)


def _spare_the_collector() -> None:
    """Take TensorFlow's and the model's objects out of the garbage collector's rounds.

    Streamlit collects after every run of a page: among the objects of TensorFlow that took 270 ms of each decision.
    """
    gc.unfreeze()  # what an earlier model left behind may go
    gc.collect()
    gc.freeze()
