"""Connections: one tenant's configured account at one vendor, its status and schedule, always read by its tenant."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, select, update

from connectors.runtime.redaction import Secret, redact
from gtm_pipelines.control_plane import audit, leases
from gtm_pipelines.control_plane.errors import AlreadyExistsError, InvalidInputError, no_such_connection
from gtm_pipelines.control_plane.records import Connection, ConnectionStatus
from gtm_pipelines.control_plane.schedule import check_schedule
from gtm_pipelines.control_plane.schema import connection, credential, sync_state
from gtm_pipelines.control_plane.vault import store
from gtm_pipelines.tenancy import ConnectionName, TenantId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Row, Select
    from sqlalchemy import Connection as Session

    from gtm_pipelines.control_plane.database import Transaction

_CONNECTOR = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_SETTINGS, _LONGEST_REASON = 65_536, 500  # characters
_TELLING = 12  # characters: a shorter credential value may stand in a URL by chance


def add(
    work: Transaction,
    key: tuple[TenantId, ConnectionName],
    connector: str,
    settings: Mapping[str, Any],
    schedule: str,
    secrets: Mapping[str, Secret],
) -> None:
    """Add a connection and its leases, which nobody holds yet.

    The caller seals its ``secrets`` in the same transaction; here they are only looked for among the settings.
    """
    tenant, name = key
    if not _CONNECTOR.fullmatch(connector):
        raise InvalidInputError(f"{connector!r} is not a connector's id; `gtm connectors list` shows them")
    if _find(work.connection, tenant, name) is not None:
        raise AlreadyExistsError(f"tenant {tenant} has a connection {name} already; give this one another --name")
    now = work.clock()
    row = {
        "connector": connector,
        "settings": _settings_text(settings, secrets),
        "schedule": check_schedule(schedule),
        "status": ConnectionStatus.ACTIVE.value,
        "status_reason": "",
    }
    work.connection.execute(
        insert(connection).values(tenant_id=tenant, name=name, created_at=now, updated_at=now, **row)
    )
    work.connection.execute(insert(sync_state).values(tenant_id=tenant, connection=name, failures=0))
    leases.create(work, tenant, name)
    after = {"connector": connector, "settings": dict(settings), "schedule": row["schedule"]}
    audit.append(work, "connection.added", f"connection:{name}", tenant=tenant, after=after)


def change(
    work: Transaction,
    tenant: TenantId,
    name: ConnectionName,
    settings: Mapping[str, Any] | None,
    schedule: str | None,
) -> None:
    """Replace a connection's settings, its schedule, or both."""
    found = get(work.connection, tenant, name)
    chosen = dict(found.settings if settings is None else settings)
    before = {"settings": dict(found.settings), "schedule": found.schedule}
    after = {"settings": chosen, "schedule": found.schedule if schedule is None else check_schedule(schedule)}
    if before != after:
        _update(work, found, {"settings": _settings_text(chosen, {}), "schedule": after["schedule"]})
        audit.append(work, "connection.changed", f"connection:{name}", tenant=tenant, before=before, after=after)


def set_status(
    work: Transaction, tenant: TenantId, name: ConnectionName, status: ConnectionStatus, reason: str
) -> None:
    """Set the status; the same status and reason again is no change."""
    found = get(work.connection, tenant, name)
    said = plain_line(reason)
    if (found.status, found.status_reason) == (status, said):
        return
    _update(work, found, {"status": status.value, "status_reason": said})
    if status is ConnectionStatus.ACTIVE:  # whoever resumes it has mended it: start afresh, without back-off
        fresh = update(sync_state).where(sync_state.c.tenant_id == tenant, sync_state.c.connection == name)
        work.connection.execute(fresh.values(failures=0, resume_at=None))
    audit.append(
        work,
        f"connection.{status.value}",
        f"connection:{name}",
        tenant=tenant,
        before={"status": found.status.value, "reason": found.status_reason},
        after={"status": status.value, "reason": said},
    )


def remove(work: Transaction, tenant: TenantId, name: ConnectionName) -> None:
    """Drop a connection with its credentials, overrides and leases, so that a running sync stops; the ledger stays."""
    found = get(work.connection, tenant, name)
    store.remove_fields(work, tenant, name)
    work.connection.execute(delete(connection).where(_is(tenant, name)))
    before = {"connector": found.connector, "settings": dict(found.settings), "schedule": found.schedule}
    audit.append(work, "connection.removed", f"connection:{name}", tenant=tenant, before=before)


def of_tenant(session: Session, tenant: TenantId) -> list[Connection]:
    """List one tenant's connections by name."""
    fields = _fields(session, tenant)
    rows = session.execute(_joined().where(connection.c.tenant_id == tenant)).all()
    return [_connection(row, fields.get(row.name, ())) for row in rows]


def active(session: Session) -> list[Connection]:
    """List the active connections of all tenants, without credential names: for the scheduler and nothing else."""
    rows = session.execute(_joined().where(connection.c.status == ConnectionStatus.ACTIVE.value))
    return [_connection(row, ()) for row in rows]


def get(session: Session, tenant: TenantId, name: ConnectionName) -> Connection:
    """Return one connection of this tenant; raise NotFoundError otherwise."""
    row = session.execute(_joined().where(_is(tenant, name))).one_or_none()
    if row is None:
        raise no_such_connection(tenant, name)
    return _connection(row, _fields(session, tenant).get(name, ()))


def plain_line(text: str) -> str:
    """Make foreign text safe to store and print: one line, no control characters, no known secret, bounded."""
    line = "".join(character if character.isprintable() else " " for character in redact(text))
    return line.strip()[:_LONGEST_REASON]


def _find(session: Session, tenant: TenantId, name: ConnectionName) -> Row[Any] | None:
    return session.execute(select(connection.c.name).where(_is(tenant, name))).one_or_none()


def _is(tenant: TenantId, name: ConnectionName) -> ColumnElement[bool]:
    return and_(connection.c.tenant_id == tenant, connection.c.name == name)


def _update(work: Transaction, found: Connection, values: dict[str, Any]) -> None:
    where = _is(found.tenant, found.name)
    work.connection.execute(update(connection).where(where).values(**values, updated_at=work.clock()))


def _joined() -> Select[Any]:
    state = and_(sync_state.c.tenant_id == connection.c.tenant_id, sync_state.c.connection == connection.c.name)
    columns = [column for column in sync_state.c if column.name not in {"tenant_id", "connection"}]
    return select(connection, *columns).outerjoin(sync_state, state).order_by(connection.c.tenant_id, connection.c.name)


def _fields(session: Session, tenant: TenantId) -> dict[str, tuple[str, ...]]:
    """Return the names of the stored credential fields by connection; never their values."""
    fields: dict[str, tuple[str, ...]] = {}
    query = select(credential.c.connection, credential.c.field).where(credential.c.tenant_id == tenant)
    for row in session.execute(query.order_by(credential.c.field)):
        fields[row.connection] = (*fields.get(row.connection, ()), row.field)
    return fields


def _connection(row: Row[Any], credential_fields: tuple[str, ...]) -> Connection:
    return Connection(
        tenant=TenantId(row.tenant_id),
        name=ConnectionName(row.name),
        connector=row.connector,
        settings=json.loads(row.settings),
        schedule=row.schedule,
        status=ConnectionStatus(row.status),
        status_reason=row.status_reason,
        credential_fields=credential_fields,
        created_at=row.created_at,
        last_sync_status=row.last_status,
        last_sync_started_at=row.last_started_at,
        last_sync_finished_at=row.last_finished_at,
        last_success_at=row.last_success_at,
        resume_at=row.resume_at,
        failures=row.failures or 0,
        quota=None if row.quota is None else json.loads(row.quota),
    )


def _settings_text(settings: Mapping[str, Any], secrets: Mapping[str, Secret]) -> str:
    """Write settings as JSON; refuse a credential's value among them, since settings are stored in clear."""
    try:
        text = json.dumps(dict(settings), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"the connection's settings cannot be stored as JSON: {error}") from None
    if len(text) > _LONGEST_SETTINGS:
        raise InvalidInputError(
            "the connection's settings are longer than 64 KiB: put what is long into a file and name that, where the "
            "connector takes one"
        )
    if any(
        len(value) >= _TELLING and json.dumps(value)[1:-1] in text for value in map(Secret.reveal, secrets.values())
    ):
        raise InvalidInputError("a credential's value stands among the settings, which are stored in clear: remove it")
    return text
