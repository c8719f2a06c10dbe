"""Every identifier and file name of a tenant's warehouse is made here and nowhere else.

What does not belong here: SQL, and any opinion about what a table holds. A name is either a constant, or a validated
:class:`~gtm_pipelines.tenancy.TenantId` / ``ConnectionName`` put into a fixed pattern, or a vendor's entity name folded
by :func:`entity_table`. Each fold is a fixed point of dlt's own normalisation, so that dlt never renames what we ask
for (it makes one schema of ``acme-eu``, ``Acme_EU`` and ``acme__eu``).
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from gtm_pipelines.tenancy import ConnectionName, InvalidNameError, TenantId

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_pipelines.settings import Settings

LAYERS = ("raw", "canonical", "golden", "marts", "quality")
"""The schemas every tenant has, beside those of its connections."""

LONGEST_TABLE = 60
"""Postgres cuts identifiers at 63 bytes; three are left for dlt's own suffixes."""

STAGING_LAYOUT = "_staging_%s"
"""Where dlt stages a merge. dlt's own ``%s_staging`` would be the raw schema of a connection called ``x_staging``; no
connection's name starts with an underscore."""

ALIAS = "warehouse"
"""The catalog a published file is attached as. Not the tenant's name, which one of its schemas may have too: DuckDB
cannot tell a catalog and a schema of one name apart."""

_LONGEST_SCHEMA = 63 - len(STAGING_LAYOUT.replace("%s", ""))  # of Postgres
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*(?:__[A-Za-z])?")
_RAW_PREFIX = "raw_"
_STAGING = re.compile(r"_staging_raw_.+|raw_raw_.+_staging")  # the second as older files have it; no connection may


def quote(identifier: str) -> str:
    """Return ``identifier`` as a quoted SQL identifier, whatever it holds."""
    if not identifier or "\x00" in identifier:
        raise InvalidNameError(f"{identifier!r} cannot be an SQL identifier")
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as an SQL string literal, for the few statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def raw_schema(connection: str) -> str:
    """Name the schema (dlt: dataset) of a connection's raw tables."""
    return _RAW_PREFIX + ConnectionName(connection)


def is_raw(schema: str) -> bool:
    """Tell whether a schema holds a connection's raw tables."""
    return schema.startswith(_RAW_PREFIX)


def view_schema(connection: str) -> str:
    """Name the schema of a connection's typed views: the connection's own name."""
    return ConnectionName(connection)


def is_staging(schema: str) -> bool:
    """Tell whether a schema is one that dlt stages a connection's merges in."""
    return _STAGING.fullmatch(schema) is not None


def pipeline_name(tenant: str, connection: str) -> str:
    """Name the dlt pipeline of a connection; its state is found again by this name, so it never changes."""
    return f"{TenantId(tenant)}__{ConnectionName(connection)}"


def entity_table(entity: str) -> str:
    """Fold a vendor's entity name into a table name: ``Contact`` is ``contact``, ``Invoice__c`` is ``invoice_c``.

    Only the case and the doubled underscore of a Salesforce suffix are dropped silently; a name that loses more
    carries a hash of the original, so that two entities do not become one table.
    """
    folded = re.sub(r"[^a-z0-9]+", "_", entity.lower()).strip("_")
    if _PLAIN.fullmatch(entity) and len(folded) <= LONGEST_TABLE:
        return folded
    digest = blake2b(entity.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    stem = folded if folded[:1].isalpha() else f"e_{folded}".rstrip("_")
    return f"{stem[: LONGEST_TABLE - 10].rstrip('_')}_{digest}"


def raw_table(connection: str, entity: str) -> str:
    """Return the quoted, schema-qualified raw table of an entity."""
    return f"{quote(raw_schema(connection))}.{quote(entity_table(entity))}"


def quote_table(schema: str, table: str) -> str:
    """Return a quoted, schema-qualified table."""
    return f"{quote(schema)}.{quote(table)}"


def tenant_schema(tenant: str, schema: str) -> str:
    """Name one of a tenant's schemas in Postgres; ``__`` is in no tenant's id, so that no two can meet.

    A name that would leave no room for :data:`STAGING_LAYOUT` is cut and carries a hash of the whole.
    """
    whole = f"{TenantId(tenant)}__{schema}"
    if len(whole.encode()) <= _LONGEST_SCHEMA:
        return whole
    return f"{whole[: _LONGEST_SCHEMA - 9]}_{blake2b(whole.encode(), digest_size=4).hexdigest()}"


def tenant_role(tenant: str, database: str, kind: str) -> str:
    """Name a tenant's ``writer`` or ``reader`` in Postgres. A server's databases share its roles: each gets its own."""
    return f"{TenantId(tenant)}__{kind}_{blake2b(database.encode(), digest_size=4).hexdigest()}"


def number(text: str) -> int:
    """Return a signed 64-bit number that stands for a text, as Postgres wants for its advisory locks."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def warehouse_file(settings: Settings, tenant: str) -> Path:
    """Path of the private file. Its stem is DuckDB's catalog name, which no schema can equal (``__`` is refused)."""
    return settings.warehouse_dir / f"{TenantId(tenant)}__private.duckdb"


def spill_directory(settings: Settings, tenant: str) -> Path:
    """Where DuckDB spills for this tenant; only the holder of the file writes there."""
    return settings.warehouse_dir / f"{TenantId(tenant)}__spill"


def published_file(settings: Settings, tenant: str) -> Path:
    """Path of the read-only copy analysts open."""
    return settings.published_dir / f"{TenantId(tenant)}.duckdb"
