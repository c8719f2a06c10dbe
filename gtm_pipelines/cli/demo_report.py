"""What the demo says at its end, and whether all of it held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gtm_pipelines.cli.output import table
from gtm_pipelines.cli.why import show_why
from gtm_pipelines.resolution import why
from gtm_pipelines.warehouse import open_published

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from gtm_pipelines.cli.demo import Story
    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.resolution import Why
    from gtm_pipelines.settings import Settings

COUNTS = ("created", "updated", "deleted", "unchanged", "rejected")
KINDS = ("person", "account", "activity")


@dataclass
class DemoReport:
    """Everything that is printed."""

    first: list[dict[str, Any]]
    second: list[dict[str, Any]]
    sizes: list[dict[str, Any]]
    merged: Why | None
    merged_tenant: str
    seconds: dict[str, float]
    faults: list[str] = field(default_factory=list)


def build_report(settings: Settings, control: ControlPlane, tenants: list[str], story: Story) -> DemoReport:
    """Read the ledger and the published copies, and judge what they say."""
    first = _syncs(control, tenants, story.first_began, story.second_began)
    second = _syncs(control, tenants, story.second_began, None)
    sizes = [_sizes(settings, tenant) for tenant in tenants]
    shown = tenants[-1]
    merged = most_merged(settings, shown)
    report = DemoReport(first, second, sizes, merged, shown, story.seconds, list(story.faults))
    report.faults += list(_judge(report))
    return report


def _syncs(control: ControlPlane, tenants: list[str], since: datetime, until: datetime | None) -> list[dict[str, Any]]:
    """Return the last sync of every connection in a span of time, its entities added up."""
    found = []
    for tenant in tenants:
        for connection in control.list_connections(tenant):
            records = [
                record
                for record in control.last_syncs(tenant, connection.name, limit=20)
                if record.started_at >= since and (until is None or record.started_at < until)
            ]
            counts = dict.fromkeys(COUNTS, 0)
            if records:
                for part in records[0].report["entities"].values():
                    for name in COUNTS:
                        counts[name] += part.get(name, 0)
            status = records[0].status if records else "not run"
            found.append({"tenant": tenant, "connection": connection.name, "status": status, **counts})
    return found


def _sizes(settings: Settings, tenant: str) -> dict[str, Any]:
    """Return how many live rows canonical and golden have of each kind."""
    with open_published(settings, tenant) as warehouse:
        return {"tenant": tenant} | {
            f"{layer} {kind}": int(warehouse.rows(f"SELECT count(*) FROM {layer}.{kind} WHERE NOT is_deleted")[0][0])
            for kind in KINDS
            for layer in ("canonical", "golden")
        }


def most_merged(settings: Settings, tenant: str) -> Why | None:
    """Return the person made of the most sources by the most rules, explained; of equals one with some four records."""
    with open_published(settings, tenant) as warehouse:
        found = warehouse.rows(
            "SELECT person_id FROM golden.person JOIN golden.person_link USING (person_id)"
            " WHERE NOT is_deleted AND email IS NOT NULL GROUP BY person_id"
            " ORDER BY count(DISTINCT source) DESC, count(DISTINCT rule) DESC, abs(count(*) - 4), person_id LIMIT 1"
        )
        return why(warehouse, str(found[0][0])) if found else None


def _judge(report: DemoReport) -> list[str]:
    """Return what did not hold, in sentences."""
    faults = [
        f"{each['tenant']}/{each['connection']}: the {which} sync ended {each['status']}"
        for which, syncs in (("full", report.first), ("incremental", report.second))
        for each in syncs
        if each["status"] != "ok"
    ]
    if not any(each["created"] or each["unchanged"] for each in report.first):
        faults.append("the full sync read nothing")
    if not any(each["created"] or each["updated"] or each["deleted"] for each in report.second):
        faults.append("the incremental sync found no change, though the worlds moved on")
    faults += [
        f"{sizes['tenant']}: {sizes[f'golden {kind}']} golden of {sizes[f'canonical {kind}']} {kind} rows"
        for sizes in report.sizes
        for kind in KINDS
        if not 0 < sizes[f"golden {kind}"] <= sizes[f"canonical {kind}"]
    ]
    if report.merged is None or len({record.source for record in report.merged.records}) < 2:  # noqa: PLR2004  several
        faults.append("nobody was merged from several sources")
    return faults


def show_report(out: Console, report: DemoReport) -> None:
    """Print the report for a person."""
    for title, syncs in (("First full sync", report.first), ("Three days later: incremental sync", report.second)):
        columns = ["tenant", "connection", "status", *(f"#{name}" for name in COUNTS)]
        out.print(table(columns, [list(each.values()) for each in syncs], title=title))
    columns = ["tenant", *(f"#{name}" for name in list(report.sizes[0])[1:])]
    out.print(table(columns, [list(each.values()) for each in report.sizes], title="Records, and who they really are"))
    if report.merged is not None:
        out.print(f"One person of {report.merged_tenant}, put together from several sources", style="bold")
        show_why(out, report.merged)
    out.print(table(["part", "#seconds"], list(report.seconds.items()), title="How long it took"))
    for fault in report.faults:
        out.print(f"did not hold: {fault}", style="red", markup=False)
    if not report.faults:
        person = report.merged.person_id if report.merged is not None else "PERSON_ID"
        tenant = report.merged_tenant
        out.print("[bold]What to do next[/bold]   (gtm is in .venv/bin)")
        for command, meaning in (
            ("make ui", "the runs above, the asset graph, schedules and sensors: http://127.0.0.1:3000"),
            (f'gtm query {tenant} "select * from marts.person_360 limit 1"', "an analyst's view"),
            (f"gtm why {tenant} {person}", "why this person is one person"),
            ("gtm status", "what is fresh, what failed, what is due"),
            ("gtm --help", "everything else"),
        ):
            out.print(f"  {command:<55} {meaning}", markup=False)
