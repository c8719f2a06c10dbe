"""The credential fields of one connection: sealed in the database, Secrets in memory, nothing in between.

A row's version is the number of the audit entry that recorded its write. The version is sealed in, so an old ciphertext
under the new version does not open; and an old row put back whole disagrees with the audit log, so it is refused too.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import delete, func, insert, literal, select, update

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import audit
from gtm_pipelines.control_plane.errors import InvalidInputError, TamperedError, no_such_connection
from gtm_pipelines.control_plane.leases import REFRESH, wait_for_lease
from gtm_pipelines.control_plane.schema import audit_log, connection, credential
from gtm_pipelines.control_plane.vault import registry
from gtm_pipelines.control_plane.vault.envelope import Place, kid_of, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Row, Select

    from gtm_pipelines.control_plane.database import Database, Transaction
    from gtm_pipelines.control_plane.vault.keys import KeyRing, RingSource
    from gtm_pipelines.tenancy import ConnectionName, TenantId

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LONGEST = 65_536  # bytes of one field
LOCK_TTL, LOCK_WAIT = 60.0, 90.0  # seconds: how long the refresh lock outlives its holder, and how long to wait for it


class VaultStore:
    """One connection's credentials; keeps the protocol ``connectors.connector.CredentialStore``."""

    def __init__(self, database: Database, ring: RingSource, tenant: TenantId, name: ConnectionName) -> None:
        self._database = database
        self._ring = ring
        self._tenant = tenant
        self._name = name

    def read(self) -> Mapping[str, Secret]:
        """Return the fields as stored now; fail closed on the first that cannot be trusted."""
        with self._database.read(self._tenant) as open_connection:
            return read_fields(open_connection, self._ring, self._tenant, self._name)

    def write(self, changed: Mapping[str, Secret]) -> None:
        """Store changed fields, durable on return; the others stay."""
        with self._database.mutate(self._tenant) as work:
            require_connection(work.connection, self._tenant, self._name)
            write_fields(work, self._ring, self._tenant, self._name, changed)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the one refresh of this connection across threads and processes; a dead holder is passed over."""
        with wait_for_lease(
            self._database, self._tenant, self._name, REFRESH, owner="refresh", ttl=LOCK_TTL, wait=LOCK_WAIT
        ):
            yield

    def __repr__(self) -> str:
        return f"VaultStore({self._tenant}/{self._name})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential store is not pickled: open the control plane in the process that needs it")


def as_secrets(fields: Mapping[str, str | Secret]) -> dict[str, Secret]:
    """Wrap the values at once and refuse nothing yet, so that no traceback from below has plain text in its frames.

    What is not text becomes empty, which is refused when it is written.
    """
    return {
        name: value if isinstance(value, Secret) else Secret(value if isinstance(value, str) else "")
        for name, value in fields.items()
    }


def _check(secrets: Mapping[str, Secret]) -> None:
    for name, secret in secrets.items():
        if not _FIELD.fullmatch(name):
            raise InvalidInputError("a credential field's name is lower-case letters, digits and underscores, up to 60")
        if not secret.reveal().strip():
            raise InvalidInputError(f"credential {name!r} is empty, or not text")
        if len(secret.reveal().encode("utf-8", "surrogatepass")) > _LONGEST:
            raise InvalidInputError(f"credential {name!r} is longer than 64 KiB")
        if not _is_text(secret):
            raise InvalidInputError(f"credential {name!r} is not valid Unicode text")


def read_fields(
    open_connection: Connection, ring: RingSource, tenant: TenantId, name: ConnectionName
) -> dict[str, Secret]:
    """Unseal all fields of one connection. A connection without credentials needs no key."""
    require_connection(open_connection, tenant, name)
    rows = open_connection.execute(_rows(tenant, name)).all()
    if not rows:
        return {}
    keys = ring()
    registry.prove(open_connection, keys)
    return {row.field: _unseal_row(row, keys) for row in rows}


def write_fields(
    work: Transaction, ring: RingSource, tenant: TenantId, name: ConnectionName, secrets: Mapping[str, Secret]
) -> None:
    """Seal fields in the caller's transaction, each with an audit entry of its own."""
    _check(secrets)
    if not secrets:
        return
    keys = ring()
    registry.count_sealing(work, keys, len(secrets))
    stored = {row.field for row in work.connection.execute(_rows(tenant, name))}
    for field, secret in secrets.items():
        action = "credential.replaced" if field in stored else "credential.added"
        _seal_row(work, keys, Place(tenant, name, field, 0), secret, action)


def rewrap_field(work: Transaction, keys: KeyRing, place: Place) -> bool:
    """Seal one field anew under the primary key; False when it is gone or already there."""
    one = _rows(place.tenant, place.connection).where(credential.c.field == place.field)
    row = work.connection.execute(one).one_or_none()
    if row is None or kid_of(row.envelope, place) == row.kid == keys.primary.kid:
        return False
    secret = _unseal_row(row, keys)
    registry.count_sealing(work, keys, 1)
    _seal_row(work, keys, place, secret, "credential.rewrapped")
    return True


def remove_fields(work: Transaction, tenant: TenantId, name: ConnectionName) -> None:
    """Delete all fields of a connection, each with an audit entry."""
    for row in work.connection.execute(_rows(tenant, name)).all():
        audit.append(work, "credential.removed", subject(name, row.field), tenant=tenant)
    work.connection.execute(delete(credential).where(credential.c.tenant_id == tenant, credential.c.connection == name))


def subject(name: str, field: str) -> str:
    """Name a credential in the audit log."""
    return f"credential:{name}/{field}"


def require_connection(open_connection: Connection, tenant: TenantId, name: ConnectionName) -> None:
    """Raise NotFoundError unless this tenant has this connection."""
    query = select(connection.c.name).where(connection.c.tenant_id == tenant, connection.c.name == name)
    if open_connection.scalar(query) is None:
        raise no_such_connection(tenant, name)


def _rows(tenant: str, name: str) -> Select[Any]:
    """Select a connection's sealed fields, each with the number of the newest audit entry about it."""
    recorded = select(func.max(audit_log.c.seq)).where(
        audit_log.c.tenant_id == credential.c.tenant_id,
        audit_log.c.subject == literal("credential:") + credential.c.connection + "/" + credential.c.field,
    )
    return select(credential, recorded.scalar_subquery().label("recorded")).where(
        credential.c.tenant_id == tenant, credential.c.connection == name
    )


def _unseal_row(row: Row[Any], keys: KeyRing) -> Secret:
    place = Place(row.tenant_id, row.connection, row.field, row.version)
    if kid_of(row.envelope, place) != row.kid:
        raise TamperedError(f"{place} names two different keys: it was altered; enter the credential again")
    if row.recorded != row.version:
        raise TamperedError(
            f"{place} is not the one the audit log recorded last (stored version {row.version}, recorded "
            f"{row.recorded}): an old row was put back; enter the credential again"
        )
    return unseal(row.envelope, place, keys)


def _seal_row(work: Transaction, keys: KeyRing, place: Place, secret: Secret, action: str) -> None:
    """Record the write, then store the value sealed to the number of that record."""
    after = {"value": audit.MASK, "kid": keys.primary.kid}
    version = audit.append(work, action, subject(place.connection, place.field), tenant=place.tenant, after=after)
    row = {
        "kid": keys.primary.kid,
        "version": version,
        "envelope": seal(secret, replace(place, version=version), keys.primary),
        "updated_at": work.clock(),
    }
    key = {"tenant_id": place.tenant, "connection": place.connection, "field": place.field}
    changed = work.connection.execute(update(credential).filter_by(**key).values(**row))
    if not changed.rowcount:
        work.connection.execute(insert(credential).values(**key, **row))


def _is_text(secret: Secret) -> bool:
    try:
        secret.reveal().encode()
    except UnicodeEncodeError:
        return False
    return True
