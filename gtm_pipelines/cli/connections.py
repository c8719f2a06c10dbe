"""``gtm connections``: a tenant's accounts at vendors, their credentials and their health."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli import secrets
from gtm_pipelines.cli.connection_settings import read_settings
from gtm_pipelines.cli.connectors import find_manifest
from gtm_pipelines.cli.exits import Exit, UsageError
from gtm_pipelines.cli.output import Json, ago, emit, progress, table
from gtm_pipelines.cli.removing import ask_before
from gtm_pipelines.cli.session import open_session, utc_now

if TYPE_CHECKING:
    from rich.console import Console

    from connectors.connector import HealthStatus
    from gtm_pipelines.cli.session import Session
    from gtm_pipelines.control_plane import Connection

app = typer.Typer(help="Connect sources to a tenant, test, pause and remove them.", no_args_is_help=True)

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")]
Name = Annotated[
    str, typer.Argument(metavar="CONNECTION", help="The connection's name: its connector's id unless it was named.")
]
SecretsFile = Annotated[
    Path | None,
    typer.Option("--secrets-file", help="Credentials as JSON or name=value lines; - reads stdin.", metavar="FILE"),
]
_WHEN = "When to sync: five cron fields, UTC."
Pairs = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting, not a secret; may be repeated.")
]
FromEnv = Annotated[bool, typer.Option("--from-env", help="Take credentials from GTM_<CONNECTOR>_<FIELD> variables.")]


@app.command("add")
def add(
    tenant: Tenant,
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="The connector's id: `gtm connectors list`.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The connection's name; the connector's id if left out.")
    ] = None,
    settings: Pairs = None,
    schedule: Annotated[str, typer.Option("--schedule", help=_WHEN)] = "*/15 * * * *",
    secrets_file: SecretsFile = None,
    from_env: FromEnv = False,
    as_json: Json = False,
) -> None:
    """Connect a source to a tenant. Credentials are asked for, or come from a file, stdin or the environment.

    gtm connections add acme salesforce
    gtm connections add acme salesforce < salesforce.json
    gtm connections add acme customerio --from-env
    gtm connections add acme file --set folder=/data/exports --name exports

    What could never work is refused, and nothing is stored: a credential or setting that is missing, a host that is not
    the vendor's, a folder that is not there.
    """
    manifest = find_manifest(connector)
    with open_session() as session:
        owner = session.control.get_tenant(tenant).id
        wanted = read_settings(manifest, settings or [], sandbox_origin=session.settings.sandbox_url)
        made = session.control.add_connection(
            owner,
            name or connector,
            connector,
            settings=wanted,
            credentials=secrets.collect(manifest, source=secrets_file, from_env=from_env),
            schedule=schedule,
        )

        def show(out: Console) -> None:
            out.print(f"connected {manifest.name} to {owner} as {made.name}")
            out.print(f"next: gtm connections test {owner} {made.name}; gtm sync {owner} {made.name}")

        emit(made, as_json=as_json, show=show)


@app.command("set")
def change(
    tenant: Tenant,
    name: Name,
    settings: Pairs = None,
    schedule: Annotated[str | None, typer.Option("--schedule", help=_WHEN)] = None,
    secrets_file: SecretsFile = None,
    from_env: FromEnv = False,
    as_json: Json = False,
) -> None:
    """Change a connection's settings, schedule or credentials; what is not named stays, and KEY= takes a setting away.

    gtm connections set acme salesforce --set objects=Subscription__c,Invoice__c
    gtm connections set acme exports --set folder=/data/new --schedule '0 * * * *'
    gtm connections set acme salesforce --secrets-file salesforce.json
    """
    from gtm_pipelines.control_plane.schedule import check_schedule

    with open_session() as session:
        found = session.control.get_connection(tenant, name)
        manifest = find_manifest(found.connector)
        wanted = read_settings(
            manifest, settings or [], sandbox_origin=session.settings.sandbox_url, stored=found.settings
        )
        if schedule is not None:
            check_schedule(schedule)  # before anything is stored
        given: dict[str, str] = {}
        if secrets_file is not None or from_env:
            given = secrets.collect(manifest, source=secrets_file, from_env=from_env, stored=found.credential_fields)
        if not given and settings is None and schedule is None:
            raise UsageError("nothing to change: give --set KEY=VALUE, --schedule, --secrets-file or --from-env")
        if given:
            _store(session, found, given)
        made = session.control.change_connection(
            found.tenant, found.name, settings=wanted if settings else None, schedule=schedule
        )

        def show(out: Console) -> None:
            out.print(f"changed {made.tenant}/{made.name}")
            out.print(f"next: gtm connections test {made.tenant} {made.name}")

        emit(made, as_json=as_json, show=show)


def _store(session: Session, found: Connection, given: dict[str, str]) -> None:
    """Seal changed credentials; a connection the vendor had refused is back on schedule, one paused by hand is not."""
    from connectors.runtime.redaction import Secret

    store = session.control.credential_store(found.tenant, found.name)
    store.write({field: Secret(value) for field, value in given.items()})
    if found.status == "reauth_required":
        session.control.resume_connection(found.tenant, found.name)


@app.command("credentials")
def credentials(tenant: Tenant, name: Name, secrets_file: SecretsFile = None, from_env: FromEnv = False) -> None:
    """Give a connection new credentials, and let it be synced again if the vendor had refused the old ones.

    gtm connections credentials acme salesforce --secrets-file salesforce.json
    """
    from connectors.runtime.redaction import Secret

    with open_session() as session:
        found = session.control.get_connection(tenant, name)
        fields = secrets.collect(find_manifest(found.connector), source=secrets_file, from_env=from_env)
        store = session.control.credential_store(found.tenant, found.name)
        store.write({field: Secret(value) for field, value in fields.items()})
        session.control.resume_connection(found.tenant, found.name)
        typer.echo(f"stored the credentials of {found.tenant}/{found.name}")


@app.command("list")
def list_(
    tenant: Annotated[str | None, typer.Argument(metavar="TENANT", help="Only this tenant.")] = None,
    as_json: Json = False,
) -> None:
    """List connections with their status and last sync."""
    with open_session() as session:
        names = session.tenants([tenant] if tenant else None)
        found = [connection for owner in names for connection in session.control.list_connections(owner)]
        now = utc_now()

        def show(out: Console) -> None:
            if not found:
                out.print("nothing is connected yet: gtm connections add TENANT CONNECTOR (gtm connectors list)")
                return
            rows = [
                [
                    c.tenant,
                    c.name,
                    c.connector,
                    c.status,
                    c.schedule,
                    ago(c.last_sync_finished_at, now),
                    c.status_reason,
                ]
                for c in found
            ]
            out.print(table(["tenant", "connection", "connector", "status", "schedule", "last sync", "reason"], rows))

        emit(found, as_json=as_json, show=show)


@app.command("test")
def probe(tenant: Tenant, name: Name, as_json: Json = False) -> None:
    """Call the vendor once with the stored credentials and say what it answered.

    gtm connections test acme salesforce
    """
    with open_session() as session:
        connection = session.control.get_connection(tenant, name)
        with progress(f"asking {connection.connector}", quiet=as_json):
            health = _probe(session, connection)

        def show(out: Console) -> None:
            out.print(f"{'ok' if health.ok else 'failed'}: {health.detail}")

        emit(health, as_json=as_json, show=show)
        raise typer.Exit(Exit.OK if health.ok else Exit.FAILED)


def _probe(session: Session, connection: Connection) -> HealthStatus:
    from gtm_pipelines.ingest.connections import open_connector

    with open_connector(session.settings, session.control, connection.tenant, connection.name, utc_now) as connector:
        return connector.health_check(connector.authenticate())


@app.command("pause")
def pause(
    tenant: Tenant,
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")] = "paused by hand",
) -> None:
    """Stop syncing a connection until it is resumed."""
    with open_session() as session:
        session.control.pause_connection(tenant, name, reason)
        typer.echo(f"paused {tenant}/{name}; gtm connections resume {tenant} {name} starts it again")


@app.command("resume")
def resume(tenant: Tenant, name: Name) -> None:
    """Sync a paused connection again."""
    with open_session() as session:
        session.control.resume_connection(tenant, name)
        typer.echo(f"resumed {tenant}/{name}")


@app.command("remove")
def remove(tenant: Tenant, name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove a connection and its credentials; what it landed stays."""
    with open_session() as session:
        found = session.control.get_connection(tenant, name)
        ask_before(f"remove {found.tenant}/{found.name} and its credentials?", yes=yes)
        session.control.remove_connection(found.tenant, found.name)
        typer.echo(f"removed {found.tenant}/{found.name}")
