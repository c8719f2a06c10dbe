"""What a trial's processes do: the same calls the command and Dagster make, in a process that may be killed.

Processes are forked from a server that has imported everything once, so that a kill lands in the work and not in the
interpreter's start.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
from collections.abc import Mapping
from typing import Any

from gtm_pipelines.settings import Settings
from tests.faults.stage import CONNECTIONS, TENANT

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "tests.faults.actors",
        "dlt",
        "dlt.destinations",
        "duckdb",
        "polars",
        "pandera.polars",
        "sqlalchemy",
        "gtm_pipelines.ingest",
        "gtm_pipelines.refresh",
    ]
)


def sync_all(settings: Settings, modes: Mapping[str, str] | None = None) -> list[str]:
    """Sync every connection of the tenant, some in a mode of their own; return each one's status."""
    from gtm_pipelines.control_plane import open_control_plane
    from gtm_pipelines.ingest import sync_connection

    with open_control_plane(settings, actor="trial") as control:
        return [
            str(sync_connection(settings, control, TENANT, each, mode=(modes or {}).get(each)).status)
            for each in CONNECTIONS
        ]


def refresh(settings: Settings) -> None:
    """Refine, resolve, build marts and publish."""
    from gtm_pipelines.control_plane import open_control_plane
    from gtm_pipelines.refresh import refresh_tenant

    with open_control_plane(settings, actor="trial") as control:
        refresh_tenant(settings, control, TENANT)


def sync_and_refresh(settings: Settings) -> None:
    """A whole turn: what a schedule does for one tenant."""
    sync_all(settings)
    refresh(settings)


def settle(settings: Settings) -> None:
    """A whole turn that sees every delete: files tell theirs only when they are read in full."""
    sync_all(settings, {"file": "full"})
    refresh(settings)


def sync_once(settings: Settings, connection: str, statuses: Any) -> None:
    """One sync of one connection; its status goes to the queue ``statuses``."""
    from gtm_pipelines.control_plane import open_control_plane
    from gtm_pipelines.ingest import sync_connection

    with open_control_plane(settings, actor="trial") as control:
        statuses.put(str(sync_connection(settings, control, TENANT, connection).status))


def start(work: Any, *arguments: Any) -> multiprocessing.process.BaseProcess:
    """Start ``work`` in a process of its own and return it."""
    process = _context.Process(target=work, args=arguments)
    process.start()
    return process


def queue() -> Any:
    """Return a queue that started processes can answer on."""
    return _context.Queue()
