"""Where Second Read keeps what people decide: one folder for the audit log and the cases."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from dashboard.errors import StorageError

PROJECT = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Return the records folder: $SECOND_READ_RECORDS, or `records` beside the code."""
    return Path(os.environ.get("SECOND_READ_RECORDS") or PROJECT / "records")


def audit_log_file() -> Path:
    """Return the path of the audit log."""
    return folder() / "audit_log.csv"


def cases_folder() -> Path:
    """Return the folder of the cases."""
    return folder() / "cases"


def write_atomically(file: Path, data: bytes, sync: bool = True) -> None:
    """Write a whole file so that a reader, or a crash, sees the old one or the new one and nothing between.

    Without `sync` a power failure may lose it: for the many files of a batch, whose sources are still there.

    Raises
    ------
    StorageError
        The disk is full or read-only, or the folder may not be written; the old file is untouched.
    """
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as handle:
            handle.write(data)
            handle.flush()
            if sync:
                os.fsync(handle.fileno())
        temporary.replace(file)
    except OSError as error:
        raise StorageError(
            f"{file.name} could not be saved: {error.strerror or error}. Nothing was changed."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
