"""The decisions of one case, followed as the audit log grows.

Reading a whole log for each decision would make the page slower with every row; this reads each row once.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO

import pandas as pd

from dashboard.audit_log import COLUMNS, current_decisions
from dashboard.audit_log.rows import decode
from dashboard.errors import StorageError

_CASE = COLUMNS.index("case_id")
_CHUNK = 4 * 2**20  # bytes


class CaseDecisions:
    """What readers have decided about the images of one case. Safe for several threads.

    Parameters
    ----------
    log_file : path
        The audit log; it need not exist yet.
    case_id : str
        Only this case's rows are kept in memory; "" stands for cells that were read without a case.
    """

    def __init__(self, log_file: Path | str, case_id: str) -> None:
        self._file = Path(log_file)
        self._case_id = case_id
        self._lock = threading.Lock()
        self._forget()

    def standing(self) -> pd.DataFrame:
        """Return the standing decisions, reading only what was added since the last call.

        Returns
        -------
        pandas.DataFrame
            As `audit_log.current_decisions`: all str, in order of time, one row an image and reviewer. No rows if
            there is no log.

        Raises
        ------
        StorageError
            The log cannot be read.
        """
        with self._lock:
            if self._read_on():
                self._standing = current_decisions(pd.DataFrame(self._rows, columns=list(COLUMNS), dtype="str"))
            return self._standing

    def _forget(self) -> None:
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._rows: list[list[str]] = []
        self._standing = pd.DataFrame(columns=list(COLUMNS), dtype="str")

    def _read_on(self) -> bool:
        """Read the lines added; True if any of them is of this case, or the log was replaced."""
        try:
            with open(self._file, "rb") as log:
                status = self._file.stat()
                identity = (status.st_dev, status.st_ino)
                replaced = identity != self._identity or status.st_size < self._offset
                if replaced:
                    self._forget()
                    self._identity = identity
                log.seek(self._offset)
                added = self._own_rows(log)
        except FileNotFoundError:
            changed = self._identity is not None
            self._forget()
            return changed
        except OSError as error:
            raise StorageError(f"{self._file.name} cannot be read: {error.strerror or error}.") from error
        self._rows += added
        return replaced or bool(added)

    def _own_rows(self, log: IO[bytes]) -> list[list[str]]:
        own = []
        while lines := log.readlines(_CHUNK):
            whole = [line for line in lines if line.endswith(b"\n")]  # the last may be torn, or being written
            self._offset += sum(map(len, whole))
            own += [row for row in decode([line[:-1] for line in whole]) if row[_CASE] == self._case_id]
        return own
