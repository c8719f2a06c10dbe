"""A sync's own scratch directory: made empty, never shared, gone at the end, and swept when its process died."""

from __future__ import annotations

import fcntl
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.removal import Removed
from gtm_pipelines.warehouse import WarehouseBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HELD = ".held"
_BEING_MADE = "."
_SETTLED = 60  # seconds after which a directory that is still being made belongs to nobody


@contextmanager
def run_directory(root: Path, run_id: str, tenant: str) -> Iterator[Path]:
    """Hold ``root/<run_id>`` for the block. The lock in it ends with the process, however that ends.

    The directory takes its name only once it is locked, so that a sweep never finds it unlocked.
    """
    root.mkdir(parents=True, exist_ok=True)
    sweep(root)
    made, directory = root / f"{_BEING_MADE}{run_id}", root / run_id
    made.mkdir()
    with (made / _HELD).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(tenant)  # whose records will be in here
        held.flush()
        made.rename(directory)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def sweep(root: Path) -> int:
    """Remove the directories of dead processes and return how many there were."""
    return sum(_remove_if_orphan(directory) for directory in root.iterdir() if directory.is_dir())


def erase_runs(root: Path, tenant: str) -> list[Removed]:
    """Remove what ended syncs of a tenant left; raise WarehouseBusyError when one of them still runs."""
    if not root.exists():
        return []
    count = size = 0
    for directory in [each for each in root.iterdir() if each.is_dir() and _owner(each) == tenant]:
        held = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
        if not _remove_if_orphan(directory) and directory.exists():
            raise WarehouseBusyError(
                f"the sync {directory.name} of {tenant} is still running: wait for it or end it, then give the same "
                "command again; nothing was erased"
            )
        count, size = count + 1, size + held
    sweep(root)  # a directory of an older version does not say whose it was
    return [Removed("folders of ended syncs", count, size)] if count else []


def _owner(directory: Path) -> str:
    try:
        return (directory / _HELD).read_text()
    except FileNotFoundError:
        return ""


def _remove_if_orphan(directory: Path) -> bool:
    try:
        if directory.name.startswith(_BEING_MADE) and time.time() - directory.stat().st_mtime < _SETTLED:
            return False
        with (directory / _HELD).open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
    except (BlockingIOError, FileNotFoundError):  # alive, or just removed by its owner or by another sweep
        return False
    return True
