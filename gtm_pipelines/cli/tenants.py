"""``gtm tenants``: who the data belongs to."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli.output import Json, cell, emit, progress, table
from gtm_pipelines.cli.removing import ask_before
from gtm_pipelines.cli.session import open_session

if TYPE_CHECKING:
    from rich.console import Console

    from gtm_pipelines.cli.session import Session

app = typer.Typer(help="Add, list, export, remove and erase tenants.", no_args_is_help=True)

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
    erase: Annotated[
        bool, typer.Option("--erase", help="Erase everything of it, everywhere; also of one removed earlier.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove a tenant: its connections and credentials are dropped, its data stays. With --erase nothing stays.

    gtm tenants remove acme --yes
    gtm tenants remove acme --erase
    """
    with open_session() as session:
        if erase:
            _erase(session, tenant, yes=yes, as_json=as_json)
            return
        found = session.control.get_tenant(tenant)
        count = len(session.control.list_connections(found.id))
        ask_before(f"remove {found.id} with {count} connections and their credentials?", yes=yes)
        session.control.remove_tenant(found.id)

        def show(out: Console) -> None:
            out.print(f"removed {found.id}; its data stays until: gtm tenants remove {found.id} --erase")

        emit({"tenant": found.id, "connections": count}, as_json=as_json, show=show)


def _erase(session: Session, tenant: str, *, yes: bool, as_json: bool) -> None:
    from gtm_pipelines.erasure import erase_tenant

    ask_before(f"erase {tenant}: everything it has, without a way back? (gtm tenants export keeps a copy)", yes=yes)
    done = erase_tenant(session.settings, session.control, tenant)

    def show(out: Console) -> None:
        if not done.removed:
            out.print(f"nothing of {tenant} is left: it was erased at {cell(done.erased_at)}")
            return
        rows = [[each.what, each.count, each.bytes or None] for each in done.removed]
        out.print(table(["removed", "#how many", "#bytes"], rows))
        out.print(
            f"{tenant} is erased; its entries in the audit log stay (gtm audit list {tenant}), and whatever was copied "
            "elsewhere: backups, exports, analysts' files"
        )

    emit(done, as_json=as_json, show=show)


@app.command("export")
def export(
    tenant: Tenant,
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where to; must not be there yet.")],
    as_json: Json = False,
) -> None:
    """Give a tenant everything it has: tables as Parquet, the rest as JSON, without credentials.

    gtm tenants export acme ~/acme-2026-03-01
    """
    from gtm_pipelines.export import export_tenant

    with open_session() as session, progress(f"exporting {tenant}", quiet=as_json):
        done = export_tenant(session.settings, session.control, tenant, directory)

    def show(out: Console) -> None:
        out.print(table(["file", "#rows", "#bytes"], [[each.path, each.rows, each.bytes] for each in done.files]))
        out.print(f"{len(done.files)} files in {done.directory}; README.md says what is what", soft_wrap=True)

    emit(done, as_json=as_json, show=show)
