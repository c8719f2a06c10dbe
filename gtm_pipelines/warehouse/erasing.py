"""Erasing a tenant's warehouse: everything of it that is stored, and nothing of anybody else's.

Whoever erases holds the warehouse first, so that no refinement and no load is in the middle of it. What analysts copied
elsewhere is theirs to erase; one who has the published file open keeps that copy until closing it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.removal import Removed
from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.duck import held
from gtm_pipelines.warehouse.protocol import WarehouseBusyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from gtm_pipelines.settings import Settings


@contextmanager
def hold_for_erasure(settings: Settings, tenant: str) -> Iterator[None]:
    """Keep everyone else off the tenant's warehouse inside the block; raise WarehouseBusyError when someone has it.

    The lock is the one DuckDB itself takes, so that a file which DuckDB can no longer read can still be erased.
    """
    checked, path = TenantId(tenant), names.warehouse_file(settings, tenant)
    with ExitStack() as holding:
        if settings.warehouse_url is not None:
            from gtm_pipelines.warehouse.postgres.erasing import hold

            holding.enter_context(hold(settings, checked))
        holding.enter_context(held(path, 0))
        if path.exists():
            _lock(holding.enter_context(path.open("r+b")), checked)
        yield


def erase_warehouse(settings: Settings, tenant: str) -> list[Removed]:
    """Delete what is stored of a tenant, dlt's state with it, and say what that was; call it while holding it.

    A tenant on Postgres may have files as well, from before.
    """
    removed = [
        erase_paths("warehouse file", _private_files(settings, tenant)),
        erase_paths("published copy", _published_files(settings, tenant)),
    ]
    if settings.warehouse_url is not None:
        from gtm_pipelines.warehouse.postgres.erasing import erase

        removed += erase(settings, TenantId(tenant))
    return [each for each in removed if each.count]


def _lock(file: BinaryIO, tenant: TenantId) -> None:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise WarehouseBusyError(
            f"the warehouse of {str(tenant)!r} is in use by another process, a sync that stores or a refinement: "
            "wait for it or end it, then give the same command again; nothing was erased"
        ) from None


def erase_paths(what: str, paths: Iterable[Path]) -> Removed:
    """Delete files and folders for good and say how many files and bytes they were."""
    count = size = 0
    for path in sorted(paths):
        files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
        count, size = count + len(files), size + sum(each.stat().st_size for each in files)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    os.sync()  # gone after a power cut too
    return Removed(what, count, size)


def _private_files(settings: Settings, tenant: str) -> list[Path]:
    """Return the private file, what DuckDB writes beside it, and where it spills; no other tenant's id has a ``__``."""
    file, spill = names.warehouse_file(settings, tenant), names.spill_directory(settings, tenant)
    return [*file.parent.glob(f"{file.name}*"), *([spill] if spill.exists() else [])]


def _published_files(settings: Settings, tenant: str) -> list[Path]:
    """Return the published copy and what a killed publication left of the next one."""
    file = names.published_file(settings, TenantId(tenant))
    return [each for pattern in (f"{file.name}*", f".{file.name}.*") for each in file.parent.glob(pattern)]
