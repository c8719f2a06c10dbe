"""What a trial's processes do: the same calls the command and Dagster make, in a process that may be killed.

Processes are forked from a server that has imported everything once, so that a kill lands in the work and not in the
interpreter's start.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import sys
from collections.abc import Mapping
from typing import Any

from gtm_pipelines.settings import Settings
from tests.faults.stage import TENANT

Process = multiprocessing.process.BaseProcess
SAID = 75
"""The exit code of a turn that ended with an error of ours, made for people."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "tests.faults.actors",
        "adbc_driver_postgresql.dbapi",
        "connectors.dlt_source",
        "connectors.landing",
        "connectors.runtime.transport",
        "connectors.vendors.customerio.source",
        "connectors.vendors.file.source",
        "connectors.vendors.salesforce.source",
        "cryptography.hazmat.primitives.ciphers.aead",
        "dlt",
        "dlt.destinations",
        "dlt.destinations.impl.duckdb.duck",
        "dlt.destinations.impl.postgres.postgres",
        "duckdb",
        "dlt.sources.helpers.requests",
        "gtm_pipelines.control_plane.plane",
        "gtm_pipelines.ingest.connections",
        "gtm_pipelines.ingest.load",
        "gtm_pipelines.ingest.sync",
        "gtm_pipelines.refresh",
        "gtm_pipelines.warehouse.postgres.opening",
        "gtm_pipelines.warehouse.publishing",
        "httpcore",
        "pandera.api.extensions",
        "pandera.backends.polars.base",
        "pandera.strategies.base_strategies",
        "polars",
        "psycopg2.extras",
        "quality.canonical.contract",
        "quality.canonical.models",
        "sqlalchemy.dialects.postgresql",
        "sqlalchemy.dialects.sqlite",
        "tldextract",
    ]
)


def sync_all(settings: Settings, modes: Mapping[str, str] | None = None) -> list[str]:
    """Sync every connection of the tenant, some in a mode of their own; return each one's status."""
    from gtm_pipelines.control_plane import open_control_plane
    from gtm_pipelines.ingest import sync_connection

    with open_control_plane(settings, actor="trial") as control:
        connections = [each.name for each in control.list_connections(TENANT)]
        return [
            str(sync_connection(settings, control, TENANT, each, mode=(modes or {}).get(each)).status)
            for each in connections
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


def disturbed(settings: Settings) -> None:
    """A whole turn that may lose its database: what it then raises must be meant for people."""
    from gtm_pipelines.control_plane import ControlPlaneError
    from gtm_pipelines.refresh import StageFailedError
    from gtm_pipelines.warehouse import WarehouseError

    try:
        sync_and_refresh(settings)
    except (StageFailedError, ControlPlaneError, WarehouseError) as error:
        said = error.__cause__ if isinstance(error, StageFailedError) else error
        if not isinstance(said, ControlPlaneError | WarehouseError):
            raise
        sys.exit(SAID)


def settle(settings: Settings) -> None:
    """A whole turn that must succeed and sees every delete: files tell theirs only when they are read in full."""
    statuses = sync_all(settings, {"file": "full"})
    if set(statuses) != {"ok"}:
        sys.exit(f"the sync after the fault ended {', '.join(statuses)}")
    refresh(settings)


def witness(settings: Settings) -> None:
    """What a twin needs to be compared with: everything synced, and who is who."""
    from gtm_pipelines.control_plane import open_control_plane
    from gtm_pipelines.refresh import Stage, refresh_tenant

    statuses = sync_all(settings)
    if set(statuses) != {"ok"}:
        sys.exit(f"the undisturbed sync ended {', '.join(statuses)}")
    with open_control_plane(settings, actor="trial") as control:
        refresh_tenant(settings, control, TENANT, stages=(Stage.CANONICAL, Stage.GOLDEN))


def sync_once(settings: Settings, connection: str, statuses: Any) -> None:
    """One sync of one connection; its status goes to the queue ``statuses``."""
    from gtm_pipelines.control_plane import open_control_plane
    from gtm_pipelines.ingest import sync_connection

    with open_control_plane(settings, actor="trial") as control:
        statuses.put(str(sync_connection(settings, control, TENANT, connection).status))


def start(work: Any, *arguments: Any) -> Process:
    """Start ``work`` in a process of its own and return it."""
    process = _context.Process(target=work, args=arguments)
    process.start()
    return process


def queue() -> Any:
    """Return a queue that started processes can answer on."""
    return _context.Queue()
