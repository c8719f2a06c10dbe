"""``gtm tenants``: who the data belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.output import Json, emit, table
from gtm_pipelines.cli.session import open_session

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Add, list and remove tenants.", no_args_is_help=True)

Tenant = Annotated[
    str, typer.Argument(metavar="TENANT", help="The tenant's id: lower-case letters, digits, single underscores.")
]


@app.command("add")
def add(
    tenant: Tenant,
    name: Annotated[str, typer.Option("--name", help="The name people know the tenant by.")] = "",
    as_json: Json = False,
) -> None:
    """Add a tenant.

    gtm tenants add acme --name "Acme Inc."
    """
    with open_session() as session:
        made = session.control.add_tenant(tenant, display_name=name)

        def show(out: Console) -> None:
            out.print(f"added {made.id}; next: gtm connections add {made.id} CONNECTOR (gtm connectors list)")

        emit(made, as_json=as_json, show=show)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the tenants and how many connections each has."""
    with open_session() as session:
        found = session.control.list_tenants()
        counts = {tenant.id: len(session.control.list_connections(tenant.id)) for tenant in found}
        data = [
            {
                "tenant": tenant.id,
                "name": tenant.display_name,
                "connections": counts[tenant.id],
                "created_at": tenant.created_at,
            }
            for tenant in found
        ]

        def show(out: Console) -> None:
            if not data:
                out.print("no tenants yet; add one: gtm tenants add acme")
                return
            out.print(table(["tenant", "name", "#connections", "created"], [list(row.values()) for row in data]))

        emit(data, as_json=as_json, show=show)


@app.command("remove")
def remove(
    tenant: Tenant,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a tenant: its connections and credentials are dropped, its data stays on disk.

    gtm tenants remove acme --yes
    """
    with open_session() as session:
        found = session.control.get_tenant(tenant)
        count = len(session.control.list_connections(found.id))
        if not yes and not typer.confirm(f"remove {found.id} with {count} connections and their credentials?"):
            raise UsageError("nothing was removed")
        session.control.remove_tenant(found.id)
        typer.echo(f"removed {found.id}; its warehouse stays in {session.settings.warehouse_dir}")
