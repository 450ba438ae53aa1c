"""What is kept between reruns. Every cache is bounded and shared by all sessions of the process."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import bundles as store
from dashboard import records
from dashboard.audit_log import AuditLog
from dashboard.bundles import Bundle, BundleStatus
from dashboard.case_decisions import CaseDecisions
from dashboard.cases import Case
from dashboard.errors import BundleError
from dashboard.images import SmearImage, decode
from dashboard.ui.kept_explanations import KeptExplanations
from dashboard.ui.model_loader import ModelLoader

if TYPE_CHECKING:
    from dashboard.classifier import Classifier


def bundles() -> list[BundleStatus]:
    """Return every bundle of the model store, verified again within 2 s of a change to its files."""
    folder = str(store.MODEL_STORE)
    return _bundles(folder, _stamp(folder))


def bundle(model_id: str) -> Bundle:
    """Return one verified bundle.

    Raises
    ------
    BundleError
        The model store has no such bundle, or it has a problem.
    """
    status = next((status for status in bundles() if status.id == model_id), None)
    if status is None:
        raise BundleError(f"The model store must hold {model_id!r}; it does not. Choose another model.")
    if status.bundle is None:
        raise BundleError(status.problem)
    return status.bundle


def classifier(model_id: str) -> Classifier:
    """Return a loaded model; waits until it is loaded, once a process.

    Raises
    ------
    BundleError
        As `bundle`; also when the model does not load or fails its golden image.
    """
    return model_loader().get(bundle(model_id))


def classifier_ready(model_id: str) -> bool:
    """Tell whether `classifier` would return at once."""
    return model_loader().ready(bundle(model_id))


@st.cache_data(max_entries=256, max_size="512MB", show_spinner=False)
def decoded(data: bytes) -> SmearImage:
    """Decode the bytes of an image file once; ImageError as `images.decode`."""
    return decode(data)


def classified(model_id: str, image: SmearImage) -> dict[str, Any]:
    """Classify one image once: a row of `predictions.predictions` by column name."""
    model = bundle(model_id)
    return _classified(model.model_sha256, repr(model.card), image.image_id, model, image.pixels)


@st.cache_data(max_entries=4096, show_spinner=False)
def _classified(model_sha256: str, card: str, image_id: str, _bundle: Bundle, _pixels: np.ndarray) -> dict[str, Any]:  # noqa: ARG001
    table = model_loader().get(_bundle).classify([_pixels])
    return {str(column): value for column, value in table.iloc[0].items()}


@st.cache_resource(max_entries=1, show_spinner=False)
def model_loader() -> ModelLoader:
    """Return the loader of this process."""
    return ModelLoader()


@st.cache_resource(max_entries=1, show_spinner=False)
def kept_explanations() -> KeptExplanations:
    """Return the explanations that this process keeps."""
    return KeptExplanations()


@st.cache_resource(max_entries=4, show_spinner=False)
def audit_log(path: str) -> AuditLog:
    """Return the log at `path`, one object for all sessions."""
    return AuditLog(Path(path))


def decisions(case_id: str) -> CaseDecisions:
    """Return the follower of one case's decisions in the records folder; "" for cells without a case."""
    return _decisions(str(records.audit_log_file()), case_id)


@st.cache_resource(max_entries=16, show_spinner=False)
def _decisions(log_file: str, case_id: str) -> CaseDecisions:
    return CaseDecisions(log_file, case_id)


def results(case: Case) -> pd.DataFrame:
    """Return the results of a case, read again only when they have grown; do not change the table.

    Raises
    ------
    CaseError
        As `Case.results`.
    """
    try:
        status = (case.folder / "results.csv").stat()
    except OSError:
        return case.results()
    return _results(str(case.folder), status.st_size, status.st_mtime_ns, case)


@st.cache_resource(max_entries=4, show_spinner=False)
def _results(folder: str, size: int, changed: int, _case: Case) -> pd.DataFrame:  # noqa: ARG001
    return _case.results()


@st.cache_data(max_entries=4, ttl=2.0, show_spinner=False)
def _stamp(folder: str) -> str:
    """Digest of name, size and time of change of every file that a card vouches for."""
    files = sorted(file for file in Path(folder).glob("*/**/*") if file.is_file())
    found = [(str(file), file.stat()) for file in files]
    states = [(name, status.st_size, status.st_mtime_ns) for name, status in found]
    return hashlib.sha256(repr(states).encode()).hexdigest()


@st.cache_resource(max_entries=4, show_spinner=False)
def _bundles(folder: str, stamp: str) -> list[BundleStatus]:  # noqa: ARG001
    return store.list_bundles(Path(folder))
