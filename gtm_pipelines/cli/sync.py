"""``gtm sync`` and ``gtm refine``: the functions Dagster calls, called without Dagster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtm_pipelines.cli.exits import UsageError, outcome_of
from gtm_pipelines.cli.output import Json, emit, progress, table
from gtm_pipelines.cli.session import open_session
from gtm_pipelines.cli.ui import silence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from gtm_pipelines.cli.session import Session
    from gtm_pipelines.control_plane import Connection
    from gtm_pipelines.ingest import Progress, SyncReport
    from gtm_pipelines.refine.report import RefineReport
    from gtm_pipelines.refresh import RefreshReport

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")]


def sync(
    tenant: Tenant,
    connection: Annotated[
        str | None, typer.Argument(metavar="CONNECTION", help="Only this connection; all active ones if left out.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything and find deletes.")] = False,
    entities: Annotated[
        list[str] | None, typer.Option("--entity", help="Only this entity; may be repeated.", metavar="ENTITY")
    ] = None,
    allow_shrink: Annotated[
        bool, typer.Option("--allow-shrink", help="With --full: believe it even when most records are gone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read a tenant's sources, without Dagster.

    gtm sync acme                      everything that is active
    gtm sync acme salesforce --full    read all again, and notice deletions
    gtm sync acme salesforce --entity Contact

    Exit code 3 when only a part could be read, 4 when another sync is running or the vendor said to come back later.
    """
    from connectors.connector import Mode
    from gtm_pipelines.ingest import Limits, sync_connection

    if allow_shrink and not full:
        raise UsageError("only a full read notices that records are gone: give --full with --allow-shrink")
    with open_session() as session:
        found = _chosen(session, tenant, connection)
        reports: list[SyncReport] = []
        for each in found:
            with progress(f"syncing {each.tenant}/{each.name}", quiet=as_json) as say:
                reports.append(
                    sync_connection(
                        session.settings,
                        session.control,
                        each.tenant,
                        each.name,
                        mode=Mode.FULL if full else None,
                        entities=entities or None,
                        on_progress=lambda at: say(_line(at)),
                        limits=Limits(shrink_share=1.0) if allow_shrink else None,
                    )
                )
    _emit_sync(tenant, reports, session.settings.sandbox_url, as_json=as_json)
    raise typer.Exit(outcome_of([report.status for report in reports]))


def _chosen(session: Session, tenant: str, connection: str | None) -> list[Connection]:
    """Return the connections to sync: the one that was named whatever its status, or all active ones."""
    found = session.connections(tenant, connection)
    if not found:
        raise UsageError(f"{tenant} has no connection; add one: gtm connections add {tenant} CONNECTOR")
    if connection is None:
        others = ", ".join(f"{each.name} is {each.status}" for each in found)
        found = [each for each in found if each.status == "active"]
        if not found:
            raise UsageError(f"{tenant} has no active connection: {others}; gtm status {tenant} shows why")
    for each in found:
        if each.status == "paused":
            typer.echo(f"{each.tenant}/{each.name} is paused; it is synced because it was named", err=True)
    return found


def _emit_sync(tenant: str, reports: list[SyncReport], sandbox: str | None, *, as_json: bool) -> None:
    """Print what the syncs came to and what to do next."""

    def show(out: Console) -> None:
        out.print(sync_table(reports))
        show_faults(out, reports)
        if any(report.status == "failed" for report in reports) and (silence := silence_of(sandbox)):
            out.print(silence)
        if any(part.rejected for report in reports for part in report.entities.values()):
            out.print(f"what was rejected, and why: gtm quarantine list {tenant}")
        if any(report.changed for report in reports):
            out.print(f"next: gtm refine {tenant}")

    emit(reports, as_json=as_json, show=show)


def refine(
    tenant: Tenant,
    full: Annotated[bool, typer.Option("--full", help="Work through everything again, not only what changed.")] = False,
    as_json: Json = False,
) -> None:
    """Make canonical rows, golden people and marts of what was read, and publish them, without Dagster.

    gtm refine acme
    """
    from gtm_pipelines.refresh import refresh_tenant

    with open_session() as session, progress(f"refining {tenant}", quiet=as_json) as say:
        report = refresh_tenant(session.settings, session.control, tenant, full=full, on_stage=say)
    emit_refresh(report, as_json=as_json)


def emit_refresh(report: RefreshReport, *, as_json: bool) -> None:
    """Print what a refresh did."""

    def show(out: Console) -> None:
        if report.refine is not None and report.refine.entities:
            out.print(refine_table(report.refine))
        elif report.refine is not None:
            out.print("nothing new to refine")
        out.print(refresh_table(report))
        out.print(", ".join(f"{stage} {took:.2f} s" for stage, took in report.seconds.items()))
        if report.published:
            out.print(f"published: {report.published}", markup=False, soft_wrap=True)
        for check in report.failed_checks:
            out.print(
                f"check failed: {check.name}: {check.offending} rows, as {check.samples}", style="red", markup=False
            )

    emit(report, as_json=as_json, show=show)


def _line(at: Progress) -> str:
    return f"{at.tenant}/{at.connection}/{at.entity}: {at.stage}, {at.rows:,} records in {at.pages} pages"


def sync_table(reports: Sequence[SyncReport], *, title: str | None = None) -> Table:
    """Draw what each entity of each sync came to."""
    rows: list[list[Any]] = []
    for report in reports:
        place = f"{report.tenant}/{report.connection}"
        if not report.entities:
            rows.append([place, "", str(report.status), *[None] * 6])
        for name, part in sorted(report.entities.items()):
            counts = [part.created, part.updated, part.deleted, part.unchanged, part.rejected]
            rows.append([place, name, str(part.status), *counts, round(part.seconds, 2)])
    columns = [
        "connection",
        "entity",
        "status",
        "#created",
        "#updated",
        "#deleted",
        "#unchanged",
        "#rejected",
        "#seconds",
    ]
    return table(columns, rows, title=title)


def show_faults(out: Console, reports: Sequence[SyncReport]) -> None:
    """Print every fault, once for all entities that have it, and every notice as a line of its own."""
    for report in reports:
        place = f"{report.tenant}/{report.connection}"
        if report.status == "skipped_locked":
            out.print(f"{place}: another sync of it is running; this one left it alone", style="yellow", markup=False)
        for fault in report.errors:
            out.print(f"{place}: {fault.code}: {fault.message}", style="red", markup=False)
        for text, entities in shared_faults(report).items():
            out.print(f"{place}/{', '.join(entities)}: {text}", style="red", markup=False)
        if any(fault.code == "shrink_refused" for part in report.entities.values() for fault in part.errors):
            again = f"gtm sync {report.tenant} {report.connection} --full --allow-shrink"
            out.print(f"{place}: if they are really gone: {again}", style="red", markup=False)
        for name, part in report.entities.items():
            for notice in part.notices:
                out.print(f"{place}/{name}: {notice}", style="yellow", markup=False)


def shared_faults(report: SyncReport) -> dict[str, list[str]]:
    """Return each fault of a sync's entities, once, with the entities that have it."""
    told: dict[str, list[str]] = {}
    for name, part in report.entities.items():
        for fault in part.errors:
            told.setdefault(f"{fault.code}: {fault.message}", []).append(name)
    return told


def refine_table(report: RefineReport) -> Table:
    """Draw what became of the records that were due, per entity and kind of row."""
    rows: list[list[Any]] = []
    for part in report.entities:
        place = f"{part.connection}/{part.entity}"
        if not part.targets:
            rows.append([place, part.mapped.replace("_", " "), part.read, *[None] * 5])
        for kind, done in part.targets.items():
            rows.append(
                [place, kind, done.read, done.written, done.unchanged, done.deleted, done.rejected, done.unmapped]
            )
    columns = ["records of", "become", "#read", "#written", "#unchanged", "#deleted", "#rejected", "#unmapped"]
    return table(columns, rows)


def refresh_table(report: RefreshReport) -> Table:
    """Draw the size of every table that people read."""
    rows = [[name, count] for name, count in sorted(report.row_counts.items())]
    return table(["table", "#rows"], rows)
