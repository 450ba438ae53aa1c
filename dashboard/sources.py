"""Files, folders, archives and uploads → one stream of image files, read one at a time.

Nothing is ever unpacked to disk, and no single bad file stops the rest: it becomes an item with its reason.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from dashboard.errors import SourceError
from dashboard.images import MAX_BYTES, SUFFIXES

MAX_ENTRIES = 20_000
MAX_RATIO = 100  # declared size over packed size; image files hardly compress, bombs reach 1,000
ARCHIVE_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")

_ENCRYPTED = 0x1
_RATIO_FROM = 2**20  # bytes; a small blank image may well compress a hundredfold
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True)
class Item:
    """One file as it was read: its bytes, or the reason why there are none."""

    name: str
    data: bytes | None
    reason: str = ""


@dataclass(frozen=True)
class Entry:
    """One file that is there to be read, or the reason why it will not be."""

    name: str
    read: Callable[[], bytes] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Source:
    """What a batch is made of; iterating reads one file after the other.

    Attributes
    ----------
    entries : tuple of Entry
        Names are unique, without control characters, and stay the same when the source is opened again.
    """

    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Item]:
        return self.items()

    def items(self, skip: Collection[str] = frozenset()) -> Iterator[Item]:
        """Read the files one by one, without those whose names are in `skip`; never raises for a single file."""
        for entry in self.entries:
            if entry.name not in skip:
                yield _item(entry)


def open_paths(paths: Sequence[Path | str]) -> Source:
    """Open image files, folders (with all below them) and ZIP archives.

    Parameters
    ----------
    paths : sequence of path
        In the order wanted. Names are relative to the folder or archive; with several paths they begin with its name.

    Raises
    ------
    SourceError
        The only path is not there or not readable, or a damaged archive; among several such a path is an entry with
        its reason. More than `MAX_ENTRIES` files, or none.
    """
    entries: list[Entry] = []
    for path in map(Path, paths):
        entries += _entries(path) if len(paths) == 1 else _entries_among_others(path)
        _limit(len(entries), "The selection")
    if not entries:
        raise SourceError(f"There must be at least one image file ({', '.join(SUFFIXES)}); none was found.")
    return Source(tuple(_unique(entries)))


def _entries_among_others(path: Path) -> list[Entry]:
    try:
        entries = _entries(path)
    except SourceError as error:
        return [Entry(path.name, reason=str(error))]
    prefix = "" if path.is_file() and path.suffix.lower() != ".zip" else f"{path.stem}/"
    return [replace(entry, name=prefix + entry.name) for entry in entries]


def _entries(path: Path) -> list[Entry]:
    if path.is_dir():
        return _folder_entries(path)
    if not path.is_file():
        raise SourceError(f"There is no file or folder {str(path)!r}; check the path.")
    if path.suffix.lower() == ".zip":
        return _archive_entries(path)
    return [Entry(path.name, partial(_read_file, path))]


def _folder_entries(folder: Path) -> list[Entry]:
    root = folder.resolve()
    entries = []
    try:
        for directory, folders, files in os.walk(root, onerror=_raise):
            linked = [name for name in folders if (Path(directory) / name).is_symlink()]
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in linked)
            for name in (*linked, *files):
                if not name.startswith("."):
                    path = Path(directory) / name
                    entries.append(_file_entry(path, path.relative_to(root).as_posix(), root))
            _limit(len(entries), f"The folder {folder.name}")
    except OSError as error:
        raise SourceError(f"The folder {folder.name} cannot be read: {error.strerror or error}.") from error
    return sorted(entries, key=lambda entry: entry.name)


def _raise(error: OSError) -> None:
    raise error


def _file_entry(path: Path, name: str, root: Path) -> Entry:
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return Entry(name, reason="A link that leads out of the folder; it was not followed.")
    if path.is_dir():
        return Entry(name, reason="A link to a folder; it was not followed.")
    reason = _suffix_reason(name)
    return Entry(name, reason=reason) if reason else Entry(name, partial(_read_file, path))


def _suffix_reason(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in ARCHIVE_SUFFIXES:
        return "An archive inside a folder or archive is not opened; give it on its own."
    if suffix not in SUFFIXES:
        return f"Not an image file: the name must end in {', '.join(SUFFIXES)}."
    return ""


def _archive_entries(file: Path) -> list[Entry]:
    name = file.name
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise SourceError(f"{name} must be a whole ZIP archive; it is damaged, cut short or no ZIP file.") from error
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror or error}.") from error
    members = [member for member in archive.infolist() if not member.is_dir()]
    _limit(len(archive.infolist()), name)
    entries = [_member_entry(archive, member) for member in members if not _hidden(member.filename)]
    return sorted(entries, key=lambda entry: entry.name)


def _hidden(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or any(part.startswith(".") and part != ".." for part in parts)


def _member_entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Entry:
    reason = _member_reason(member)
    return Entry(member.filename, reason=reason) if reason else Entry(member.filename, partial(_read, archive, member))


def _member_reason(member: zipfile.ZipInfo) -> str:
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name):
        return "The archive gives this file a path outside itself; it was not read."
    if stat.S_ISLNK(member.external_attr >> 16):
        return "A link inside an archive; it was not followed."
    return _suffix_reason(name) or _content_reason(member)


def _content_reason(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & _ENCRYPTED:
        return "The file is encrypted; make the archive without a password."
    if member.file_size > MAX_BYTES:
        return f"An image file may have at most {MAX_BYTES >> 20} MB; this one unpacks to {member.file_size >> 20} MB."
    if member.file_size > max(_RATIO_FROM, MAX_RATIO * member.compress_size):
        ratio = member.file_size // max(member.compress_size, 1)
        return f"The file unpacks to {ratio} times its size, as no real image does; it was not read."
    return ""


def _read_file(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)  # one more than `images.decode` takes, so that it refuses the rest
    except OSError as error:
        raise SourceError(f"The file cannot be read: {error.strerror or error}.") from error


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(MAX_BYTES + 1)  # what is really there counts, not the size the header states
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise SourceError("This file is damaged inside the archive; pack the archive again.") from error
    except OSError as error:
        raise SourceError(f"The archive can no longer be read: {error.strerror or error}.") from error


def _item(entry: Entry) -> Item:
    if entry.read is None:
        return Item(entry.name, None, entry.reason)
    try:
        return Item(entry.name, entry.read())
    except SourceError as error:
        return Item(entry.name, None, str(error))


def _limit(count: int, what: str) -> None:
    if count > MAX_ENTRIES:
        raise SourceError(f"{what} may hold at most {MAX_ENTRIES:,} files; it holds {count:,} or more. Split it.")


def _unique(entries: Iterable[Entry]) -> Iterator[Entry]:
    taken: set[str] = set()
    for entry in entries:
        clean = name = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", entry.name)
        number = 1
        while name in taken:
            number += 1
            name = f"{clean} ({number})"
        taken.add(name)
        yield replace(entry, name=name)
