"""The sync ledger: one row per sync with its whole report, and per connection what the scheduler needs to know."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, insert, select, update

from connectors.runtime.redaction import redact
from gtm_pipelines.control_plane import audit, connections
from gtm_pipelines.control_plane.errors import InvalidInputError
from gtm_pipelines.control_plane.records import SyncRecord
from gtm_pipelines.control_plane.schedule import CLOCK_SLACK, due_at
from gtm_pipelines.control_plane.schema import sync_run, sync_state
from gtm_pipelines.control_plane.vault.store import require_connection
from gtm_pipelines.tenancy import ConnectionName, TenantId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection as Session
    from sqlalchemy import Row

    from gtm_pipelines.control_plane.database import Transaction
    from gtm_pipelines.control_plane.records import Connection

_SUCCESS = frozenset({"ok", "partial"})
_FAILURE = frozenset({"failed"})
_NO_ATTEMPT = frozenset({"skipped_locked"})  # another worker was at it: says nothing about the connection
_REQUIRED = ("tenant", "connection", "connector", "run_id", "mode", "status", "started_at")

Due = tuple[TenantId, ConnectionName, str]
"""A connection to sync: tenant, name, connector."""


def tenant_of(report: Mapping[str, Any]) -> TenantId:
    """Return whose sync a report is about; raise InvalidInputError when it lacks something essential."""
    missing = [name for name in _REQUIRED if not report.get(name)]
    if missing:
        raise InvalidInputError(f"a sync report lacks {', '.join(missing)}")
    return TenantId(str(report["tenant"]))


def record(work: Transaction, report: Mapping[str, Any]) -> None:
    """Store a SyncReport. Recording the same run again replaces it; the schedule looks at the latest start only."""
    run = _run(report)
    tenant, name = run["tenant_id"], ConnectionName(run["connection"])
    require_connection(work.connection, tenant, name)
    key = {column: run[column] for column in ("tenant_id", "connection", "run_id")}
    replaced = work.connection.execute(update(sync_run).filter_by(**key).values(**run)).rowcount
    if not replaced:
        work.connection.execute(insert(sync_run).values(**run))
    if run["status"] not in _NO_ATTEMPT:
        _advance(work, run, report.get("quota"))
    after = {"run_id": run["run_id"], "mode": run["mode"], "status": run["status"]}
    audit.append(work, "sync.recorded", f"sync:{name}", tenant=tenant, after=after)


def forget(work: Transaction, tenant: TenantId, before: datetime) -> int:
    """Delete a tenant's runs that began before ``before``, but the newest of each connection; return how many."""
    newest = (
        select(sync_run.c.connection, func.max(sync_run.c.started_at).label("at"))
        .where(sync_run.c.tenant_id == tenant)
        .group_by(sync_run.c.connection)
        .subquery()
    )
    is_newest = (newest.c.connection == sync_run.c.connection) & (newest.c.at == sync_run.c.started_at)
    old = (sync_run.c.tenant_id == tenant) & (sync_run.c.started_at < before) & ~exists().where(is_newest)
    forgotten = int(work.connection.execute(delete(sync_run).where(old)).rowcount)
    if forgotten:
        audit.append(
            work, "sync.forgotten", "syncs", tenant=tenant, after={"runs": forgotten, "before": before.isoformat()}
        )
    return forgotten


def latest(session: Session, tenant: TenantId, name: ConnectionName | None, limit: int) -> list[SyncRecord]:
    """List a tenant's newest runs first, of one connection or of all; runs of removed connections included."""
    query = select(sync_run).where(sync_run.c.tenant_id == tenant)
    if name is not None:
        query = query.where(sync_run.c.connection == name)
    rows = session.execute(query.order_by(sync_run.c.started_at.desc(), sync_run.c.run_id).limit(limit))
    return [as_record(row) for row in rows]


def due(session: Session, now: datetime) -> list[Due]:
    """List the active connections whose schedule, deferral and back-off say now, longest overdue first."""
    waiting = [(due_at(one, now), one) for one in connections.active(session)]
    ready = [(when, one) for when, one in waiting if when <= now]
    return [_due(one) for _, one in sorted(ready, key=lambda pair: (pair[0], pair[1].tenant, pair[1].name))]


def unsynced(session: Session) -> list[Due]:
    """List the active connections that no sync has ever brought anything for: they want their first full one."""
    return [_due(one) for one in connections.active(session) if one.last_success_at is None]


def _advance(work: Transaction, run: dict[str, Any], quota: Mapping[str, Any] | None) -> None:
    """Move the connection's state on, unless a later sync was recorded before this one."""
    where = {"tenant_id": run["tenant_id"], "connection": run["connection"]}
    state = work.connection.execute(select(sync_state).filter_by(**where).with_for_update()).one()
    believed = state.last_started_at is not None and state.last_started_at <= work.clock() + CLOCK_SLACK
    if believed and run["started_at"] < state.last_started_at:
        return
    again = run["started_at"] == state.last_started_at and run["status"] == state.last_status
    failures = state.failures if run["status"] not in _SUCCESS else 0
    values = {
        "last_status": run["status"],
        "last_started_at": run["started_at"],
        "last_finished_at": run["finished_at"],
        "resume_at": run["resume_at"],
        "failures": failures + (run["status"] in _FAILURE and not again),
    }
    if run["status"] in _SUCCESS:
        values["last_success_at"] = run["finished_at"] or run["started_at"]
    if quota is not None:
        values["quota"] = json.dumps(quota, default=_plain, sort_keys=True)
    work.connection.execute(update(sync_state).filter_by(**where).values(**values))


def _run(report: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a report what has a column; the whole of it is kept as redacted JSON."""
    return {
        "tenant_id": tenant_of(report),
        "connection": str(report["connection"]),
        "run_id": str(report["run_id"]),
        "connector": str(report["connector"]),
        "mode": str(report["mode"]),
        "status": str(report["status"]),
        "started_at": _time(report["started_at"]),
        "finished_at": _time(report.get("finished_at")),
        "resume_at": _resume_at(report),
        "report": json.dumps(_scrubbed(json.loads(json.dumps(report, default=_plain))), sort_keys=True),
    }


def _resume_at(report: Mapping[str, Any]) -> datetime | None:
    """When the vendor's quota is back: stated for the sync, or the latest that one of its entities states."""
    entities = report.get("entities") or {}
    stated = [report.get("resume_at"), *(entity.get("resume_at") for entity in entities.values())]
    return max((time for time in map(_time, stated) if time is not None), default=None)


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise InvalidInputError("times in a sync report are ISO 8601") from None
    if time.tzinfo is None:
        raise InvalidInputError("times in a sync report need a zone")
    return time.astimezone(UTC)


def _scrubbed(value: Any) -> Any:
    """Take revealed secrets out of every string; in the JSON text a number could be hit and the text broken."""
    if isinstance(value, dict):
        return {key: _scrubbed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_scrubbed(inner) for inner in value]
    return redact(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _due(one: Connection) -> Due:
    return one.tenant, one.name, one.connector


def as_record(row: Row[Any]) -> SyncRecord:
    """Return a row of the ledger as it is handed out."""
    return SyncRecord(
        tenant=TenantId(row.tenant_id),
        connection=ConnectionName(row.connection),
        connector=row.connector,
        run_id=row.run_id,
        mode=row.mode,
        status=row.status,
        started_at=row.started_at,
        finished_at=row.finished_at,
        resume_at=row.resume_at,
        report=json.loads(row.report),
    )
