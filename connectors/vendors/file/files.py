"""Which files belong to an entity, and whether one of them is still the file that was read.

Only names, sizes and digests live here; nothing looks inside a record. A pattern can never leave its folder: one
tenant's connection must not reach another tenant's exports through ``..`` or a symbolic link.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from connectors.errors import Retry, Stop

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


def matching(folder: Path, pattern: str) -> list[SourceFile]:
    """List the readable files a pattern names, oldest change first, so that the newest export has the last word."""
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        raise Stop("bad_setting", f"the pattern {pattern!r} must stay inside the folder: no '..' and no leading '/'")
    found: list[SourceFile] = []
    for path in folder.glob(pattern):
        target = path.resolve()
        if path.suffix.lower() in SUFFIXES and target.is_file() and target.is_relative_to(folder):
            found.append(_as_found(path.relative_to(folder).as_posix(), target))
    return sorted(found, key=lambda file: (file.modified_ns, file.name))


def _as_found(name: str, target: Path) -> SourceFile:
    status = target.stat()
    return SourceFile(name, target, status.st_size, status.st_mtime_ns)


def digest(file: SourceFile) -> str:
    """Return size and content hash, the identity of a file's content; modification times lie, bytes do not."""
    hasher = blake2b(digest_size=16)
    with file.path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hasher.update(chunk)
    return f"{file.size}:{hasher.hexdigest()}"


def check_untouched(file: SourceFile) -> None:
    """Raise Retry when the file changed while it was read: what was read may be half of two exports."""
    if _as_found(file.name, file.path) != file:
        raise Retry("file_changed", f"{file.name} changed while it was read; the next sync reads it again")


def settled_time(file: SourceFile, now_ns: int) -> int | None:
    """Return the modification time if it may stand for the content from now on, else None.

    A file written within the clock's resolution of being read may be written again without its time moving; only
    its digest can be trusted then.
    """
    return file.modified_ns if file.modified_ns < now_ns - _SETTLED_NS else None
