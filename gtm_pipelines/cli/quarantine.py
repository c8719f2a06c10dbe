"""``gtm quarantine``: records that were refused, why, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtm_pipelines.cli.exits import CommandError
from gtm_pipelines.cli.mappings import replay_connections
from gtm_pipelines.cli.output import Json, emit, table
from gtm_pipelines.cli.session import open_session

if TYPE_CHECKING:
    from rich.console import Console

    from gtm_pipelines.settings import Settings
    from gtm_pipelines.tenancy import TenantId

app = typer.Typer(help="See what was refused and try it again.", no_args_is_help=True)

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")]

COLUMNS = ("connection", "entity", "record_id", "target", "field", "rule", "value", "severity", "status", "last_seen")
COUNTED = ("connection", "entity", "rule", "severity", "entries")


@app.command("list")
def list_(
    tenant: Tenant,
    connection: Annotated[str | None, typer.Option("--connection", help="Only of this connection.")] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", help="Only this rule, as format or unreadable:malformed.")
    ] = None,
    resolved: Annotated[bool, typer.Option("--resolved", help="Also what has been resolved.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most this many.")] = 50,
    as_json: Json = False,
) -> None:
    """List refused records and values: the rule, the value, and the record's address at the source.

    gtm quarantine list acme
    gtm quarantine list acme --connection salesforce --rule format
    """
    with open_session() as session:
        owner = session.control.get_tenant(tenant).id
        counts, rows = _read(session.settings, owner, connection, rule, resolved=resolved, limit=limit)
        if connection is not None and not counts:
            session.control.get_connection(owner, connection)  # a name that is misspelt is not an empty quarantine
    data = [dict(zip(COLUMNS, row, strict=True)) for row in rows]

    def show(out: Console) -> None:
        if not counts:
            out.print("nothing is in quarantine" if rule is None else f"nothing is in quarantine by the rule {rule}")
            return
        out.print(table([*COUNTED[:-1], "#entries"], counts))
        out.print(table(COLUMNS, rows))
        if sum(count[-1] for count in counts) > len(rows):
            out.print(f"the newest {len(rows)}; --limit shows more")
        out.print("severity row: the record is left out; field: the record is used without this value")
        out.print(f"mend the mapping or the record at its source, then: gtm quarantine replay {tenant}")

    summary = [dict(zip(COUNTED, count, strict=True)) for count in counts]
    emit({"counts": summary, "entries": data}, as_json=as_json, show=show)


@app.command("replay")
def replay(
    tenant: Tenant,
    connection: Annotated[str | None, typer.Option("--connection", help="Only of this connection.")] = None,
    as_json: Json = False,
) -> None:
    """Try refused records again: map the stored records of the connections concerned once more.

    gtm quarantine replay acme
    """
    with open_session() as session:
        owner = session.control.get_tenant(tenant).id
        counts, _ = _read(session.settings, owner, connection, None, resolved=False, limit=1)
        known = {each.name for each in session.control.list_connections(owner)}
        concerned = sorted({row[0] for row in counts} & known)
        if not concerned:
            if connection is not None:
                session.control.get_connection(owner, connection)
            emit(None, as_json=as_json, show=lambda out: out.print("nothing is in quarantine"))
            return
        replay_connections(session, tenant, concerned, as_json=as_json)


def _read(
    settings: Settings, tenant: TenantId, connection: str | None, rule: str | None, *, resolved: bool, limit: int
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return counts per connection, entity and rule, and the newest entries."""
    from gtm_pipelines.warehouse import has_warehouse, open_warehouse

    if not has_warehouse(settings, tenant):
        raise CommandError(f"nothing was landed for {tenant} yet: gtm sync {tenant}")
    chosen = "($1 IS NULL OR connection = $1) AND ($2 IS NULL OR rule = $2) AND ($3 OR status = 'open')"
    with open_warehouse(settings, tenant, wait=15) as warehouse:
        served = warehouse.served
        if not served.has_table("quality", "quarantine"):
            return [], []
        counts = served.rows(
            f"SELECT connection, entity, rule, severity, count(*) FROM quality.quarantine WHERE {chosen}"
            " GROUP BY connection, entity, rule, severity ORDER BY connection, entity, rule, severity",
            [connection, rule, resolved],
        )
        entries = served.rows(
            f"SELECT {', '.join(COLUMNS)} FROM quality.quarantine WHERE {chosen}"
            " ORDER BY last_seen DESC, record_id LIMIT $4",
            [connection, rule, resolved, limit],
        )
    return counts, entries
