"""How a tenant's tables stand in Postgres: derived from their definition in DuckDB, which is the only one.

Types, and which columns rows are looked up by. What does not belong here: rows, roles, and what a table is for.
Lookups are by equality alone, so the indexes are hash indexes: a vendor's id may be longer than a B-tree takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.protocol import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES = {
    "VARCHAR": 'text COLLATE "C"',  # compared byte by byte, as DuckDB does
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "BOOLEAN": "boolean",
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "DOUBLE": "double precision",
    "JSON": "json",  # as it was written: what is compared with it later is text
    "VARCHAR[]": 'text[] COLLATE "C"',
}
_LOCAL = {
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
    "boolean": "BOOLEAN",
    "bigint": "BIGINT",
    "integer": "INTEGER",
    "double precision": "DOUBLE",
    "json": "JSON",
    "jsonb": "JSON",
    "text[]": "VARCHAR[]",
}
_PAYLOAD = "jsonb"

_LOOKED_UP_BY = {
    "canonical": {
        "person": ("external_id", "_record_id", "account_external_id"),
        "account": ("external_id", "_record_id"),
        "activity": ("external_id", "_record_id", "person_external_id", "account_external_id"),
        "pending": ("external_id",),
    },
    "golden": {
        **{f"{kind}_key": ("external_id", "value") for kind in ("person", "account")},
        **{f"{kind}_link": ("external_id", f"{kind}_id") for kind in ("person", "account")},
        **{f"{kind}_identity": ("external_id", f"{kind}_id", "merged_into") for kind in ("person", "account")},
        "person": ("person_id", "account_id"),
        "account": ("account_id",),
        "activity": ("external_id", "person_id", "account_id"),
    },
    "quality": {
        "quarantine": ("record_id",),
        "unmapped": ("record_id",),
        "shared_claim": ("record_id", "external_id"),
    },
}


def local_type(kind: str) -> str | None:
    """Return DuckDB's type for one of Postgres'; None for those that we never make."""
    return _LOCAL.get(kind)


def create(tenant: str, table: tuple[str, str], columns: Mapping[str, str], required: set[str]) -> list[str]:
    """Return the statements that make a table of these columns, given by DuckDB's types, and its indexes."""
    schema, name = table
    listed = [
        f"{names.quote(column)} {stored_type(table, column, kind)}{' NOT NULL' if column in required else ''}"
        for column, kind in columns.items()
    ]
    there = names.quote_table(names.tenant_schema(tenant, schema), name)
    made = [f"CREATE TABLE {there} ({', '.join(listed)})"]
    looked_up = ("external_id",) if names.is_raw(schema) else _LOOKED_UP_BY.get(schema, {}).get(name, ())
    made += [f"CREATE INDEX ON {there} USING hash ({names.quote(column)})" for column in looked_up if column in columns]
    if names.is_raw(schema) and "_dlt_load_id" in columns:
        made.append(f"CREATE INDEX ON {there} (_dlt_load_id)")  # a tree: the newest and the distinct ones are asked for
    return made


def stored_type(table: tuple[str, str], column: str, kind: str) -> str:
    """Return Postgres' type for a column of one of DuckDB's; raise WarehouseError for one that we never make."""
    if names.is_raw(table[0]) and column == "payload":
        return _PAYLOAD
    if kind not in _TYPES:
        raise WarehouseError(
            f"{'.'.join((*table, column))} is of type {kind}, which is not kept in a warehouse on Postgres;"
            f" make it one of {', '.join(_TYPES)}"
        )
    return _TYPES[kind]


def selected(columns: Mapping[str, str]) -> str:
    """Return the list that selects a table's columns for DuckDB: JSON travels as text."""
    return ", ".join(
        f"t.{names.quote(column)}::text AS {names.quote(column)}" if kind == "JSON" else f"t.{names.quote(column)}"
        for column, kind in columns.items()
    )
