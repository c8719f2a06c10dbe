"""``gtm status``: is the data fresh, what failed, and when is the next sync due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtm_pipelines.cli.exits import Exit
from gtm_pipelines.cli.output import Json, ago, emit, table
from gtm_pipelines.cli.session import open_session, utc_now
from gtm_pipelines.cli.sync import shared_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from gtm_pipelines.control_plane import Connection, ControlPlane

_LOOKED_BACK = 10  # syncs: those that another one kept away are recorded too


def status(
    tenant: Annotated[str | None, typer.Argument(metavar="TENANT", help="Only this tenant.")] = None,
    as_json: Json = False,
) -> None:
    """Show each connection's last sync, freshness, failures with their reason, and next due time.

    gtm status
    gtm status acme --json

    Exit code 3 when a connection is failing or waits for a person.
    """
    now = utc_now()
    with open_session() as session:
        found = [
            connection
            for owner in session.tenants([tenant] if tenant else None)
            for connection in session.control.list_connections(owner)
        ]
        tenants = {connection.tenant for connection in found} if session.settings.warehouse_url is None else set()
        published = {name: session.settings.published_dir / f"{name}.duckdb" for name in tenants}
        data = [describe(connection, now, last_faults(session.control, connection)) for connection in found]

    def show(out: Console) -> None:
        if not data:
            out.print("nothing is connected yet: gtm connections add TENANT CONNECTOR, or try gtm demo")
            return
        columns = ["connection", "status", "last sync", "fresh as of", "#failures", "next due", "quota left", "remark"]
        out.print(table(columns, [[*_row(entry, now)] for entry in data]))
        for name, path in sorted(published.items()):
            made = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
            out.print(f"published for analysts: {name} {ago(made, now)}")

    emit(data, as_json=as_json, show=show)
    raise typer.Exit(Exit.PARTIAL if any(entry["needs_attention"] for entry in data) else Exit.OK)


def last_faults(control: ControlPlane, connection: Connection) -> list[str]:
    """Return what went wrong in a connection's last sync, a sentence for each kind of fault."""
    from gtm_pipelines.ingest import SyncReport

    if connection.last_sync_status in {None, "ok"}:
        return []
    syncs = control.last_syncs(connection.tenant, connection.name, limit=_LOOKED_BACK)
    record = next((each for each in syncs if each.status == connection.last_sync_status), None)
    if record is None:
        return []
    report = SyncReport.model_validate(record.report)
    whole = [f"{fault.code}: {fault.message}" for fault in report.errors]
    return whole + [f"{text} [{', '.join(entities)}]" for text, entities in shared_faults(report).items()]


def describe(connection: Connection, now: datetime, faults: list[str]) -> dict[str, Any]:
    """Return what an operator wants to know of one connection."""
    from gtm_pipelines.control_plane.schedule import due_at

    is_active = connection.status == "active"
    return {
        "tenant": connection.tenant,
        "connection": connection.name,
        "connector": connection.connector,
        "status": connection.status,
        "reason": connection.status_reason,
        "last_sync_status": connection.last_sync_status,
        "last_sync_at": connection.last_sync_finished_at,
        "last_success_at": connection.last_success_at,
        "last_sync_faults": faults,
        "failures": connection.failures,
        "resume_at": connection.resume_at,
        "quota": connection.quota,
        "next_due_at": due_at(connection, now) if is_active else None,
        "needs_attention": bool(connection.failures) or connection.status == "reauth_required",
    }


def _row(entry: dict[str, Any], now: datetime) -> list[Any]:
    remark = entry["reason"] or "; ".join(entry["last_sync_faults"])
    if entry["status"] == "reauth_required":
        remark = f"gtm connections credentials {entry['tenant']} {entry['connection']}: {remark}"
    last = f"{entry['last_sync_status'] or '-'}, {ago(entry['last_sync_at'], now)}"
    due = (
        "-"
        if entry["next_due_at"] is None
        else "now"
        if entry["next_due_at"] <= now
        else ago(entry["next_due_at"], now)
    )
    place = f"{entry['tenant']}/{entry['connection']}"
    left = _quota(entry["quota"], now)
    return [place, entry["status"], last, ago(entry["last_success_at"], now), entry["failures"], due, left, remark]


def _quota(quota: Mapping[str, Any] | None, now: datetime) -> str | None:
    """Say what the vendor still allowed when last seen, and what of it is the customer's own."""
    if quota is None:
        return None
    limit = f" of {quota['limit']:,}" if quota.get("limit") else ""
    kept = f", {quota['left_to_customer']:,} left to others" if quota.get("left_to_customer") else ""
    resets = datetime.fromisoformat(quota["resets_at"]) if quota.get("resets_at") else None
    until = f", anew {ago(resets, now)}" if resets is not None and resets > now else ""
    return f"{quota['remaining']:,}{limit}{kept}{until}"
