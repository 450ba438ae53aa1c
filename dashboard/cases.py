"""A case on disk: one batch of images with its results, kept so that a reload or a crash loses nothing.

records/cases/<case_id>/
    case.json                      title, model, sources, state and counts
    results.csv                    one row a file, appended and fsynced a chunk at a time
    images/<image_id><suffix>      the original bytes, each picture once
    thumbnails/<image_id>.jpg
    incoming/                      uploads that are not yet all read; a case can so be resumed after a crash
    lock                           held while a job writes
"""

from __future__ import annotations

import dataclasses
import fcntl
import io
import json
import os
import re
import secrets
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pandas as pd

from dashboard import records
from dashboard.errors import CaseError, StorageError
from dashboard.images import SUFFIXES

SCHEMA = 1
STATES = ("running", "done", "cancelled")
TEXT_COLUMNS = ("image_id", "file_name", "status", "reason", "predicted", "prediction_set", "quality")
FLAG_COLUMNS = ("unidentified", "out_of_distribution")

_CASE_ID = re.compile(r"\d{8}-[0-9a-f]{16}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_TRASH = ".trash"


@dataclass(frozen=True)
class Case:
    """What case.json says; a change gives a new record.

    Attributes
    ----------
    id : str
        Date and 64 random bits; safe as a folder name.
    created : str
        ISO 8601, UTC.
    sources : tuple of str
        Paths that the images come from: the case's own incoming/ for uploads.
    state : {"running", "done", "cancelled"}
        "running" without a job that holds the lock means interrupted: see `interrupted`.
    total, done, rejected : int
        Files in the sources; rows in results; of those, rejected.
    """

    id: str
    title: str
    model_id: str
    model_sha256: str
    created: str
    sources: tuple[str, ...] = ()
    state: str = "running"
    total: int = 0
    done: int = 0
    rejected: int = 0
    schema: int = SCHEMA

    @property
    def folder(self) -> Path:
        """The case's folder."""
        return records.cases_folder() / self.id

    @property
    def interrupted(self) -> bool:
        """True if the case was never finished and no job is at work on it."""
        return self.state == "running" and not self._locked()

    def update(self, **changes: Any) -> Case:
        """Change fields and save; the record as saved."""
        case = dataclasses.replace(self, **changes)
        text = json.dumps(dataclasses.asdict(case), indent=2, ensure_ascii=False) + "\n"
        records.write_atomically(self.folder / "case.json", text.encode("utf-8"))
        return case

    def keep_uploads(self, uploads: Iterable[tuple[str, bytes]]) -> Case:
        """Write uploads to incoming/ before anything is read, so that a crash loses none; the case with its sources.

        ZIP archives are kept as they are; all other files go, not compressed, into one archive.

        Raises
        ------
        StorageError
            The disk is full or read-only.
        """
        folder = self.folder / "incoming"
        archives: list[Path] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            loose = folder / "files.zip"
            with zipfile.ZipFile(loose, "w") as together:
                for name, data in uploads:
                    if name.lower().endswith(".zip"):
                        archives.append(folder / str(len(archives) + 1) / (PurePosixPath(name).name or "archive.zip"))
                        records.write_atomically(archives[-1], data)
                    else:
                        together.writestr(_free_name(together, name), data)
                if together.infolist():
                    archives.insert(0, loose)
        except OSError as error:
            raise StorageError(_not_saved("The uploads", error)) from error
        return self.update(sources=tuple(map(str, archives)))

    def finish(self) -> Case:
        """Bring everything to the disk, mark the case done, and only then remove incoming/."""
        os.sync()
        case = self.update(state="done")
        shutil.rmtree(self.folder / "incoming", ignore_errors=True)
        return case

    def remove(self) -> None:
        """Remove a case that never began, for good."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def append(self, rows: pd.DataFrame) -> Case:
        """Append rows to results.csv, fsynced before this returns; the case with its new counts.

        Raises
        ------
        StorageError
            The disk refused; results.csv is as it was.
        """
        file = self.folder / "results.csv"
        try:
            with open(file, "ab") as handle:
                size = _whole_rows(file)
                _write_whole(handle, size, rows.to_csv(header=size == 0, index=False, lineterminator="\n").encode())
        except OSError as error:
            raise StorageError(_not_saved("The results", error)) from error
        rejected = int((rows["status"] == "rejected").sum())
        return self.update(done=self.done + len(rows), rejected=self.rejected + rejected)

    def results(self) -> pd.DataFrame:
        """Read the results so far.

        Returns
        -------
        pandas.DataFrame
            Columns as `batch.classify_items`; rejected files have NaN. A torn last line is left out. Without results,
            no rows and the text columns.

        Raises
        ------
        CaseError
            The file cannot be read as results.
        """
        try:
            data = (self.folder / "results.csv").read_bytes()
        except FileNotFoundError:
            data = b""
        except OSError as error:
            raise CaseError(f"The results of case {self.id} cannot be read: {error.strerror or error}.") from error
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:
            return pd.DataFrame({name: pd.Series(dtype="str") for name in TEXT_COLUMNS})
        try:
            return _typed(pd.read_csv(io.BytesIO(whole), dtype=str, keep_default_na=False))
        except (ValueError, KeyError) as error:
            raise CaseError(f"results.csv of case {self.id} is damaged: {error}.") from error

    def keep_image(self, image_id: str, name: str, data: bytes, thumbnail: bytes) -> None:
        """Keep a picture's original bytes and its small JPEG, once; StorageError if the disk refuses.

        Not synced one by one, which would cost more than to classify: `finish` does it before the sources may go.
        """
        suffix = PurePosixPath(name).suffix.lower()
        original = self.folder / "images" / f"{_checked(image_id)}{suffix if suffix in SUFFIXES else '.image'}"
        if not original.exists():
            records.write_atomically(original, data, sync=False)
        small = self.folder / "thumbnails" / f"{image_id}.jpg"
        if not small.exists():
            records.write_atomically(small, thumbnail, sync=False)

    def image(self, image_id: str) -> bytes:
        """Return the original bytes of a picture; CaseError if the case does not hold it."""
        return self._read(next((self.folder / "images").glob(f"{_checked(image_id)}.*"), None), image_id)

    def thumbnail(self, image_id: str) -> bytes:
        """Return the small JPEG of a picture; CaseError if the case does not hold it."""
        return self._read(self.folder / "thumbnails" / f"{_checked(image_id)}.jpg", image_id)

    def _read(self, file: Path | None, image_id: str) -> bytes:
        try:
            if file is not None:
                return file.read_bytes()
        except OSError:
            pass
        raise CaseError(f"The case must hold the image {image_id[:12]}…; its file is missing.")

    @contextmanager
    def lock(self, patience: float = 1.0) -> Iterator[None]:
        """Hold the case while writing; the operating system lets go if the process dies.

        Waits `patience` seconds for another holder: who only asks whether a case is locked holds it for an instant.

        Raises
        ------
        CaseError
            Another job is at work on it.
        """
        deadline = time.monotonic() + patience
        with _open_lock(self.folder) as handle:
            while not _try_lock(handle):
                if time.monotonic() >= deadline:
                    raise CaseError(f"The case {self.title!r} is being worked on; wait until that is done.")
                time.sleep(0.02)
            yield

    def _locked(self) -> bool:
        try:
            with _open_lock(self.folder) as handle:
                return not _try_lock(handle)
        except StorageError:
            return False


@dataclass(frozen=True)
class CaseStatus:
    """One folder of the cases: a case, or the sentence that says why it cannot be opened."""

    id: str
    case: Case | None
    problem: str = ""


def create_case(
    title: str, model_id: str, model_sha256: str, sources: Iterable[Path | str] = (), total: int = 0
) -> Case:
    """Make a new case, in state "running" and without results.

    Raises
    ------
    StorageError
        The disk is full or read-only; no case was made.
    """
    now = datetime.now(UTC)
    identifier = f"{now:%Y%m%d}-{secrets.token_hex(8)}"
    title = " ".join(title.split()) or f"Case of {now:%Y-%m-%d %H:%M} UTC"
    paths = tuple(str(Path(path).resolve()) for path in sources)
    case = Case(identifier, title, model_id, model_sha256, now.isoformat(timespec="seconds"), paths, total=total)
    try:
        return case.update()
    except StorageError:
        case.remove()
        raise


def open_case(case_id: str) -> Case:
    """Open a case by its id.

    Raises
    ------
    CaseError
        Not a case id, no such case, or its case.json is damaged.
    """
    if not _CASE_ID.fullmatch(case_id):
        raise CaseError(f"A case id looks like 20260131-0123456789abcdef; got {case_id[:40]!r}.")
    try:
        fields = json.loads((records.cases_folder() / case_id / "case.json").read_text("utf-8"))
        case = Case(**{**fields, "sources": tuple(fields["sources"])})
    except FileNotFoundError as error:
        raise CaseError(f"There is no case {case_id}; it may have been deleted.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CaseError(f"case.json of case {case_id} is damaged and cannot be read.") from error
    if case.id != case_id or case.state not in STATES or case.schema != SCHEMA:
        raise CaseError(f"case.json of case {case_id} does not describe this case.")
    return case


def list_cases() -> list[CaseStatus]:
    """List all cases, newest first; a damaged one with its problem, after the others."""
    folder = records.cases_folder()
    names = [path.name for path in folder.glob("*") if not path.name.startswith(".")] if folder.is_dir() else []
    statuses = []
    for name in names:
        try:
            statuses.append(CaseStatus(name, open_case(name)))
        except CaseError as error:
            statuses.append(CaseStatus(name, None, str(error)))
    return sorted(statuses, key=lambda status: (status.case.created if status.case else "", status.id), reverse=True)


def rename_case(case: Case, title: str) -> Case:
    """Give a case another title; StorageError if the disk refuses."""
    return case.update(title=" ".join(title.split()) or case.title)


def delete_case(case: Case) -> None:
    """Move a case to the trash; `restore_case` brings it back.

    Raises
    ------
    CaseError
        A job is at work on it.
    StorageError
        The disk refused.
    """
    with case.lock():
        _move(case.folder, records.cases_folder() / _TRASH / case.id)


def restore_case(case_id: str) -> Case:
    """Bring a deleted case back; CaseError if it is not in the trash."""
    trashed = records.cases_folder() / _TRASH / case_id
    if not _CASE_ID.fullmatch(case_id) or not trashed.is_dir():
        raise CaseError(f"There is no case {case_id[:40]!r} in the trash.")
    _move(trashed, records.cases_folder() / case_id)
    return open_case(case_id)


def _move(old: Path, new: Path) -> None:
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
    except OSError as error:
        raise StorageError(_not_saved("The case", error)) from error


def _checked(image_id: str) -> str:
    if not _IMAGE_ID.fullmatch(image_id):
        raise CaseError(f"An image id has 64 hexadecimal digits; got {image_id[:70]!r}.")
    return image_id


def _free_name(archive: zipfile.ZipFile, name: str) -> str:
    path, number = PurePosixPath(name), 1
    while name in archive.NameToInfo:
        number += 1
        name = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
    return name


def _open_lock(folder: Path) -> IO[bytes]:
    try:
        return open(folder / "lock", "ab")
    except OSError as error:
        raise StorageError(_not_saved("The case", error)) from error


def _try_lock(handle: IO[bytes]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _whole_rows(file: Path) -> int:
    """Cut a torn last line off; the size in bytes that remains."""
    with open(file, "r+b") as handle:
        size = handle.seek(0, os.SEEK_END)
        if size:
            handle.seek(size - 1)
        if not size or handle.read(1) == b"\n":
            return size
        handle.seek(0)
        whole = handle.read().rfind(b"\n") + 1
        handle.truncate(whole)
    return whole


def _write_whole(handle: IO[bytes], size: int, data: bytes) -> None:
    try:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    except OSError:
        os.ftruncate(handle.fileno(), size)
        raise


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    for name in table.columns:
        if name in FLAG_COLUMNS:
            table[name] = table[name] == "True"
        elif name not in TEXT_COLUMNS:
            table[name] = table[name].replace("", "nan").astype(float)
    return table


def _not_saved(what: str, error: OSError) -> str:
    return f"{what} could not be saved: {error.strerror or error}. Free some space or choose a writable folder."
