"""A tenant's two roles and its schemas: who may write them, who may read them, and that nobody else may do either.

The service's own role makes them and belongs to them without inheriting their rights: what it does for a tenant it does
as that tenant's writer, so that no statement can reach another tenant's rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names

if TYPE_CHECKING:
    from gtm_pipelines.warehouse.postgres.store import Store


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of a tenant's roles in one database."""

    writer: str
    reader: str

    @classmethod
    def of(cls, tenant: str, database: str) -> Roles:
        """Return the names of a tenant's roles."""
        return cls(names.tenant_role(tenant, database, "writer"), names.tenant_role(tenant, database, "reader"))


def exist(store: Store, roles: Roles) -> bool:
    """Tell whether both roles are there and the session's own may take them."""
    found = store.execute(
        "SELECT count(*) FROM pg_roles WHERE rolname IN"
        f" ({names.literal(roles.writer)}, {names.literal(roles.reader)})"
        " AND pg_has_role(session_user, oid, 'SET')"
    )
    return int(found[0][0]) == len({roles.writer, roles.reader})


def create(store: Store, tenant: str, roles: Roles) -> None:
    """Create what is missing of a tenant's roles and layers, in one transaction; several may try at once."""
    store.execute(f"SELECT pg_advisory_xact_lock({_lock_of(roles.writer)})")
    for role in (roles.writer, roles.reader):
        if not store.execute(f"SELECT 1 FROM pg_roles WHERE rolname = {names.literal(role)}"):
            store.execute(f"CREATE ROLE {names.quote(role)} NOLOGIN")
        store.execute(f"GRANT {names.quote(role)} TO SESSION_USER WITH INHERIT FALSE, SET TRUE")
    for layer in names.LAYERS:
        create_schema(store, names.tenant_schema(tenant, layer), roles, called=layer)
    store.commit()


def create_schema(store: Store, schema: str, roles: Roles, *, called: str) -> None:
    """Create a schema of the tenant's where it is missing: the writer's own, and readable by the reader.

    ``called``, the name that the stages know it by, becomes its comment, because a long schema name is cut. In raw
    schemas, where dlt keeps tables of its own, the reader sees only the tables it is granted; in staging ones, nothing.
    """
    store.execute("RESET ROLE")
    if not store.execute(f"SELECT 1 FROM pg_namespace WHERE nspname = {names.literal(schema)}"):
        store.execute(f"CREATE SCHEMA {names.quote(schema)} AUTHORIZATION {names.quote(roles.writer)}")
        store.become(roles.writer)
        store.execute(f"COMMENT ON SCHEMA {names.quote(schema)} IS {names.literal(called)}")
        _show(store, schema, roles, called)
    store.become(roles.writer)


def _show(store: Store, schema: str, roles: Roles, called: str) -> None:
    if schema.startswith(names.STAGING_LAYOUT % ""):
        return
    store.execute(f"GRANT USAGE ON SCHEMA {names.quote(schema)} TO {names.quote(roles.reader)}")
    if not names.is_raw(called):
        store.execute(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {names.quote(schema)}"
            f" GRANT SELECT ON TABLES TO {names.quote(roles.reader)}"
        )


def _lock_of(text: str) -> int:
    return names.number(f"roles of {text}")
