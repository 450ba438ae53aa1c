"""The log on disk: append, read, verify, export."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dashboard.audit_log.events import COLUMNS, Event
from dashboard.audit_log.rows import HEADER, START, Seal, decode, encode, mark, read_mark, seal
from dashboard.audit_log.tables import spreadsheet_safe
from dashboard.errors import AuditLogError, StorageError
from dashboard.records import write_atomically

if sys.platform != "win32":
    import fcntl

_TAIL = 16 * 2**10  # bytes read to find the last row; doubled where a row is longer
_ONE_THREAD = threading.Lock()  # for all logs of the process: on network disks a file lock does not part threads


@dataclass(frozen=True)
class Verification:
    """What `AuditLog.verify` found.

    Attributes
    ----------
    rows : int
        Rows whose own hash is right.
    problems : tuple of str
        A sentence each, naming the row; empty for a sound log.
    notes : tuple of str
        What is worth knowing and no damage, such as unfinished rows set aside earlier.
    """

    rows: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


class _End(NamedTuple):
    """Where the log ends: its last row (sequence 0 for none), the bytes to keep, the torn ones, what goes first."""

    last: Seal
    keep: int
    torn: bytes
    prefix: bytes


class AuditLog:
    """An append-only log in one file, safe for several threads and processes on one machine.

    Without `fcntl`, that is on Windows, threads are still kept apart but processes are not: run one server a log there.

    Parameters
    ----------
    path : path
        The CSV; it and its folder are made by the first `append`.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.lock_file = self.path.with_name(f"{self.path.name}.lock")
        self.set_aside_file = self.path.with_name(f"{self.path.name}.set_aside")

    def append(self, event: Event) -> dict[str, str]:
        """Save one event: written in one piece and on the disk when this returns. The cost does not grow with the log.

        A row that a killed writer left unfinished is first moved to `<log>.set_aside`.

        Parameters
        ----------
        event : Event

        Returns
        -------
        dict of str to str
            The row as `read` will give it, keys `COLUMNS`.

        Raises
        ------
        StorageError
            The disk is full, read-only or gone. No row was added.
        AuditLogError
            The file is no audit log, or its last row is damaged. No row was added.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked() as lock, _opened(self.path, os.O_RDWR | os.O_APPEND) as log:
                end = self._end(log)
                self._recover(log, lock, end)
                row, line = encode(event, end.last)
                _write_whole(log, end.prefix + line)
                if end.keep == 0:
                    _sync_folder(self.path.parent)
                with contextlib.suppress(OSError):  # the row is saved; an old mark in the lock file is still true
                    os.lseek(lock, 0, os.SEEK_SET)
                    os.write(lock, mark(Seal(end.last.sequence + 1, "", row["row_hash"])))
                return row
        except OSError as error:
            raise StorageError(
                f"The event was not saved: {self.path.name} could not be written "
                f"({error.strerror or error}). The log keeps every row it had; make room or give write access, then "
                "decide again."
            ) from error

    def read(self) -> pd.DataFrame:
        """Read every whole row as text: `007` stays `007`, `NA` stays `NA`, empty stays empty.

        Rows that a changed byte has made unreadable are left out, and so is a torn last line; `verify` names them.

        Returns
        -------
        pandas.DataFrame
            Columns `COLUMNS`, all str, in the order of the file; no rows if there is no file yet.

        Raises
        ------
        AuditLogError
            The first line is not an audit log's header.
        StorageError
            The file cannot be read.
        """
        header, lines, torn = self._lines()
        if header not in (HEADER, None):
            raise AuditLogError(_foreign(self.path))
        if seal(torn):
            lines.append(torn)
        rows = decode(lines)
        return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")

    def verify(self) -> Verification:
        """Check header, hashes, order and end of the log against the chain and the last row known to be saved.

        Raises
        ------
        StorageError
            The file cannot be read.
        """
        saved = self._saved()  # before the log, which another process may lengthen meanwhile
        header, lines, torn = self._lines()
        problems, start = [], 2
        if header not in (HEADER, None):
            if header and seal(header):
                lines, start = [header, *lines], 1
            problems.append(_foreign(self.path))
        whole = seal(torn)
        found, highest, sound = _check_chain([*lines, torn] if whole else lines, start, saved)
        problems += found
        if saved and highest < saved.sequence:
            problems.append(
                f"Row {saved.sequence} was saved and is missing: the log ends at row {highest}. Restore a copy."
            )
        if whole:
            problems.append(f"Row {whole.sequence}, the last, lacks only its line end; the next save completes it.")
        elif torn:
            problems.append(
                f"The last line, after row {highest}, is torn: {len(torn)} bytes of an unfinished row. The next save "
                f"moves them to {self.set_aside_file.name}; the rows before it are whole."
            )
        return Verification(sound, tuple(problems), self._notes())

    def export(self, out: Path | str) -> int:
        """Write a copy that is safe to open in a spreadsheet, whole or not at all; see `spreadsheet_safe`.

        Returns
        -------
        int
            Rows written.

        Raises
        ------
        AuditLogError
            `out` is the log or one of the files beside it, or the log has a foreign header.
        StorageError
            The log cannot be read or the copy not be written.
        """
        out = Path(out)
        own = (self.path, self.lock_file, self.set_aside_file)
        if any(out.resolve() == file.resolve() or _same(out, file) for file in own):
            raise AuditLogError(f"The export needs a file of its own; {out.name} belongs to the log. Choose another.")
        table = spreadsheet_safe(self.read())
        write_atomically(out, table.to_csv(index=False, lineterminator="\r\n").encode())  # so that a lone CR is quoted
        return len(table)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        with _ONE_THREAD, _opened(self.lock_file, os.O_RDWR) as lock:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed, also by a crash
            yield lock

    def _lines(self) -> tuple[bytes | None, list[bytes], bytes]:
        """Return the first line (None if there is no whole one yet), the others, and what follows the last line end."""
        try:
            *lines, torn = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return None, [], b""
        except OSError as error:
            raise StorageError(f"{self.path.name} cannot be read: {error.strerror or error}.") from error
        if not lines and torn and not HEADER.startswith(torn):
            lines, torn = [torn], b""  # a foreign file of one line
        return (lines[0], lines[1:], torn) if lines else (None, [], torn)

    def _end(self, log: int) -> _End:
        size = os.fstat(log).st_size
        header_line = HEADER + b"\n"
        first = os.read(log, min(size, len(header_line)))
        if first != header_line:
            if size >= len(header_line) or not header_line.startswith(first):
                raise AuditLogError(f"{_foreign(self.path)} Nothing was saved.")
            return _End(START, 0, first, header_line)
        line, torn = _tail(log, size)
        if seal(torn):
            line, torn, prefix = torn, b"", b"\n"
        else:
            prefix = b""
        last = START if line == HEADER else seal(line)
        if last is None:
            raise AuditLogError(
                f"The last row of {self.path.name} was changed after it was saved, so nothing was added. "
                "Run `audit verify`, then restore a copy or move the file away."
            )
        return _End(last, size - len(torn), torn, prefix)

    def _recover(self, log: int, lock: int, end: _End) -> None:
        saved = read_mark(os.read(lock, 100))
        lost = b""
        if saved and saved.sequence > end.last.sequence:
            lost = f"row {saved.sequence} with row_hash {saved.row_hash} was saved and is gone\n".encode()
        if end.torn or lost:
            with _opened(self.set_aside_file, os.O_WRONLY | os.O_APPEND) as side:
                _write_whole(side, lost + (end.torn + b"\n" if end.torn else b""))
            os.ftruncate(log, end.keep)

    def _saved(self) -> Seal | None:
        try:
            return read_mark(self.lock_file.read_bytes())
        except OSError:
            return None  # a copy of the log without its lock file

    def _notes(self) -> tuple[str, ...]:
        try:
            count = self.set_aside_file.read_bytes().count(b"\n")
        except OSError:
            return ()
        return (f"{self.set_aside_file.name} holds {count} line(s) about rows that were torn or lost earlier.",)


def _check_chain(lines: list[bytes], start: int, saved: Seal | None) -> tuple[list[str], int, int]:
    """Follow the chain; return the problems, the highest sequence and the number of sound rows."""
    problems: list[str] = []
    last: Seal | None = START  # None after a damaged line: what came before the next row is then unknown
    highest = sound = 0
    for number, line in enumerate(lines, start):
        found = seal(line)
        if found is None:
            highest, last = highest + 1, None
            problems.append(f"Row {highest} (line {number}) was changed after it was saved: its hash does not match.")
            continue
        sound += 1
        if found.sequence <= highest:
            problems.append(f"Row {found.sequence} stands out of order, on line {number}, after row {highest}.")
            continue
        if found.sequence > highest + 1:
            problems.append(f"{_range(highest + 1, found.sequence - 1)} missing before row {found.sequence}.")
        elif last and found.previous_hash != last.row_hash:
            problems.append(f"Row {found.sequence} does not follow from the row above: one of the two was replaced.")
        if saved and found.sequence == saved.sequence and found.row_hash != saved.row_hash:
            problems.append(f"Row {found.sequence} is not the row that was saved: it was replaced.")
        last, highest = found, found.sequence
    return problems, highest, sound


def _range(first: int, last: int) -> str:
    return f"Row {first} is" if first == last else f"Rows {first} to {last} are"


def _tail(log: int, size: int) -> tuple[bytes, bytes]:
    """Return the last whole line, without its end, and the bytes after it."""
    length = _TAIL
    while True:
        start = max(0, size - length)
        os.lseek(log, start, os.SEEK_SET)
        whole, _, torn = os.read(log, size - start).rpartition(b"\n")
        _, line_end, line = whole.rpartition(b"\n")
        if line_end or start == 0:
            return line, torn
        length *= 2


def _write_whole(file: int, data: bytes) -> None:
    """Write and sync all of the data, or take back what was written and raise."""
    size = os.fstat(file).st_size
    try:
        if os.write(file, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
        raise


@contextlib.contextmanager
def _opened(file: Path, flags: int) -> Iterator[int]:
    handle = os.open(file, flags | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        yield handle
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Make a new file's name as lasting as its content; Windows cannot open folders and needs no such thing."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _foreign(file: Path) -> str:
    return (
        f"{file.name} is no audit log of this schema: its first line must be the header "
        f"{COLUMNS[0]},{COLUMNS[1]},…,{COLUMNS[-1]}. Restore the line from a copy, or choose another file."
    )
