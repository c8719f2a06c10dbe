"""The one function that syncs a connection, called by the CLI and by Dagster alike.

It holds what a sync must hold: the lease, the scratch directory, the connector, and an orderly end when the process is
told to stop. A kill at any instant loses nothing that was reported, and the next sync needs no hand.
"""

from __future__ import annotations

import secrets
import signal
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from connectors.connector import Mode
from gtm_pipelines.control_plane import LeaseLostError
from gtm_pipelines.ingest.connections import open_connector
from gtm_pipelines.ingest.flush import Target
from gtm_pipelines.ingest.limits import Limits
from gtm_pipelines.ingest.report import Fault, Status, SyncReport
from gtm_pipelines.ingest.run_directory import run_directory
from gtm_pipelines.ingest.session import Progress, Session, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from connectors.connector import Clock, Connector
    from gtm_pipelines.control_plane import Connection, ControlPlane
    from gtm_pipelines.settings import Settings

_TERMINATED = 128 + signal.SIGTERM


def utc_now() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


def sync_connection(  # noqa: PLR0913  the one entrance of ingest: what to sync, how, and the seams tests need
    settings: Settings,
    control: ControlPlane,
    tenant: str,
    connection: str,
    *,
    mode: Mode | str | None = None,
    entities: Sequence[str] | None = None,
    clock: Clock = utc_now,
    on_progress: Callable[[Progress], None] | None = None,
    limits: Limits | None = None,
    opener: Callable[..., AbstractContextManager[Connector]] = open_connector,
) -> SyncReport:
    """Read what changed at the vendor (all of it with ``mode`` full), store it, and say what happened.

    Vendor faults, spent quota, a busy warehouse and a refused shrink are outcomes in the report, not exceptions. Raises
    NotFoundError for an unknown connection, UnknownEntityError, and ManifestError for a connector that is gone.
    """
    found = control.get_connection(tenant, connection)
    wanted = None if mode is None else Mode(mode)
    bounds = limits or Limits()
    report = _new_report(found, wanted or Mode.INCREMENTAL, clock())
    lease = control.acquire_lease(tenant, connection, owner=report.run_id, ttl=bounds.lease_seconds)
    if lease is None:
        report.status, report.finished_at = Status.SKIPPED_LOCKED, clock()
        return report
    with _terminable(), lease, run_directory(settings.runs_dir, report.run_id, tenant) as directory:
        target = Target(settings, found, lease, bounds)
        try:
            with opener(settings, control, tenant, connection, clock) as connector:
                Session(Work(target, control, connector, directory, report, clock, on_progress)).run(wanted, entities)
        except LeaseLostError as error:  # whoever holds the lease now keeps the ledger too
            report.status, report.errors = Status.FAILED, [Fault(code="lease_lost", message=str(error))]
            report.finished_at = clock()
            return report
        report.finished_at = clock()
        control.record_sync(report.model_dump(mode="json"))
    return report


def _new_report(found: Connection, mode: Mode, now: datetime) -> SyncReport:
    return SyncReport(
        tenant=found.tenant,
        connection=found.name,
        connector=found.connector,
        run_id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        mode=mode,
        started_at=now,
    )


@contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an exception inside the block, so that lease and directory are given back.

    Only where nobody else handles it: Dagster has its own way, and handlers belong to the main thread.
    """
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(_TERMINATED)
