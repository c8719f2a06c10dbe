"""Which files belong to an entity, and whether one of them is still the file that was read.

Only names, sizes and digests live here; nothing looks inside a record. A pattern can never leave its folder: one
tenant's connection must not reach another tenant's exports through ``..`` or a symbolic link.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from connectors.errors import Retry, Stop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
"""File suffix to the reader that understands it; other files of the folder are left alone."""

_CHUNK = 1 << 20
_SETTLED_NS = 2_000_000_000  # coarsest modification time of a common file system (FAT), as git's index assumes


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as it stood when the folder was listed."""

    name: str  # relative to the folder, with slashes: it is what the cursor remembers
    path: Path
    size: int
    modified_ns: int
    changed_ns: int  # of anything about the file: unlike the time of modification, nobody can set it

    @property
    def format(self) -> str:
        """The reader's name: csv, jsonl or parquet."""
        return SUFFIXES[self.path.suffix.lower()]


def folder_of(setting: object) -> Path:
    """Return the folder a connection reads, resolved; raise Stop when it cannot be read."""
    folder = Path(str(setting or ""))
    if not setting or not folder.is_absolute():
        raise Stop("bad_setting", "the setting 'folder' must be an absolute path, as /srv/exports/acme")
    if not folder.is_dir():
        raise Stop("folder_missing", f"{folder} is not a folder; create or mount it, or correct the setting 'folder'")
    return folder.resolve()


@dataclass(frozen=True, slots=True)
class Found:
    """The readable files a pattern names, oldest change first, and what is said of files it names besides."""

    files: list[SourceFile]
    left_out: tuple[str, ...]


def matching(folder: Path, pattern: str) -> Found:
    """List the files a pattern names, so ordered that the newest export has the last word."""
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        raise Stop("bad_setting", f"the pattern {pattern!r} must stay inside the folder: no '..' and no leading '/'")
    files: list[SourceFile] = []
    left_out: list[str] = []
    for path in _globbed(folder, pattern):
        name = path.relative_to(folder).as_posix()
        target = _target(path)
        if target is None or not target.is_file() or not target.is_relative_to(folder):
            continue
        if reason := _unreadable(name):
            left_out.append(f"{name.encode(errors='backslashreplace').decode()} is left unread: {reason}")
        else:
            files.append(_as_found(name, target))
    return Found(sorted(files, key=lambda file: (file.modified_ns, file.name)), tuple(sorted(left_out)))


def _globbed(folder: Path, pattern: str) -> Iterable[Path]:
    try:
        return list(folder.glob(pattern))
    except (ValueError, NotImplementedError, IndexError) as error:
        raise Stop("bad_setting", f"{pattern!r} is no pattern of files, as people*.csv or crm/**/*.jsonl") from error


def _target(path: Path) -> Path | None:
    """Return where a path leads; None for a link that leads in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return None


def _unreadable(name: str) -> str | None:
    """Return what keeps a file of this name from being read, if anything does."""
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        return f"only {', '.join(SUFFIXES)} are read; unpack, convert or rename it"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    return None


def _as_found(name: str, target: Path) -> SourceFile:
    status = target.stat()
    return SourceFile(name, target, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@contextmanager
def being_there() -> Iterator[None]:
    """Give what the file system may say inside the block the type that says what to do about it."""
    try:
        yield
    except FileNotFoundError as error:
        name = Path(str(error.filename or "a file")).name
        raise Retry("file_changed", f"{name} was taken away while it was read; the next sync looks again") from error
    except PermissionError as error:
        name = Path(str(error.filename or "a file")).name
        raise Stop("file_forbidden", f"{name} may not be read: give the pipeline's user the right to") from error
    except OSError as error:
        raise Retry("file_unreadable", f"the folder cannot be read just now ({error.strerror})") from error


def digest(file: SourceFile) -> str:
    """Return size and content hash, the identity of a file's content; times lie, bytes do not."""
    hasher = blake2b(digest_size=16)
    with file.path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hasher.update(chunk)
    return f"{file.size}:{hasher.hexdigest()}"


def check_untouched(file: SourceFile) -> None:
    """Raise Retry when the file changed while it was read: what was read may be half of two exports."""
    now = _as_found(file.name, file.path)
    if (now.size, now.modified_ns) != (file.size, file.modified_ns):
        raise Retry("file_changed", f"{file.name} changed while it was read; the next sync reads it again")


def is_settled(file: SourceFile, now_ns: int) -> bool:
    """Return whether the file's times may stand for its content from now on.

    A file written within the clock's resolution of being read may be written again without its time moving; only
    its digest can be trusted then.
    """
    return file.modified_ns < now_ns - _SETTLED_NS


def times_of(found: Sequence[SourceFile], now_ns: int) -> str | None:
    """Return one digest of all names, sizes and times; None while the times of any may not stand for its content."""
    if not all(is_settled(file, now_ns) for file in found):
        return None
    told = sorted(f"{file.name}\0{file.size}\0{file.modified_ns}\0{file.changed_ns}" for file in found)
    return blake2b("\n".join(told).encode(), digest_size=16).hexdigest()
