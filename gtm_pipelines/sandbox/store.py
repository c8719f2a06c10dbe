"""Where worlds live on disk and how they are opened.

A tenant's home holds one database file and ``CURRENT``, the name of that file: a new world is written beside the old
one and takes over when ``CURRENT`` is replaced. DuckDB lets one process hold a file, so a second process that wants a
world the server holds gets :class:`WorldBusyError` and asks the server instead (see ``remote.py``).
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from gtm_pipelines.tenancy import TenantId

_MEMORY = "512MB"
_SMALL = 32 * 1024 * 1024  # bytes: of a smaller file a second thread gets nothing to do, and costs CPU to keep
_THREADS = 2


class NoWorldError(LookupError):
    """The tenant has no world yet; the message says how to make one."""


class WorldBusyError(RuntimeError):
    """Another process holds the world's file."""


def home(directory: Path, tenant: TenantId) -> Path:
    """Return the tenant's folder below ``directory``."""
    return directory.absolute() / tenant


def new_file(home: Path) -> Path:
    """Return a name no file of ``home`` has, making the folder if need be."""
    home.mkdir(parents=True, exist_ok=True)
    return home / f"world-{secrets.token_hex(4)}.duckdb"


def current(home: Path) -> Path:
    """Return the file that is the tenant's world now; raise NoWorldError when there is none."""
    try:
        return home / (home / "CURRENT").read_text(encoding="ascii")
    except FileNotFoundError:
        raise NoWorldError(
            f"tenant {home.name!r} has no world in {home.parent}; make one with `gtm sandbox create {home.name}`"
        ) from None


def make_current(home: Path, path: Path) -> None:
    """Let ``path`` be the tenant's world from now on, and forget older files."""
    pointer = home / f"CURRENT.{path.stem}"
    pointer.write_text(path.name, encoding="ascii")
    pointer.replace(home / "CURRENT")
    for stale in home.glob("world-*.duckdb*"):
        if not stale.name.startswith(path.name):
            stale.unlink(missing_ok=True)


def open_file(path: Path, memory: str = _MEMORY) -> duckdb.DuckDBPyConnection:
    """Open a world's file for reading and writing; raise WorldBusyError when another process has it."""
    import duckdb

    scratch = path.with_suffix(f".{os.getpid()}.tmp")
    is_small = not path.exists() or path.stat().st_size <= _SMALL
    try:
        return duckdb.connect(
            str(path),
            config={
                "memory_limit": memory,
                "threads": "1" if is_small else str(_THREADS),
                "temp_directory": str(scratch),
                "autoinstall_known_extensions": "false",
                "late_materialization_max_rows": "2001",  # a page is sorted by its key alone, then fetched
            },
        )
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise WorldBusyError(f"{path} is held by another process: {error}") from None
        raise


def widen(world: duckdb.DuckDBPyConnection) -> None:
    """Let several threads work on a world whose file is small still."""
    world.execute(f"SET threads = {_THREADS}")


@contextmanager
def opened(path: Path, memory: str = _MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a world's file for the length of a ``with`` block."""
    world = open_file(path, memory)
    try:
        yield world
    finally:
        world.close()


def replace(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old one or the new one, never half."""
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    scratch.write_bytes(content)
    scratch.replace(path)
