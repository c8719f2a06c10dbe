"""Typed views over raw JSON: ``<connection>.<entity>`` with a column per key, for people who read SQL and not JSON.

Types come from the vendor's catalogue where it knows a field, and from observed values elsewhere; texts that are all
dates or all times become such. Work is in proportion to
what was loaded since the last build: keys are collected from every new row, types from a sample. A value that does not
fit its column's type is null there and stands in ``_payload``, which is always beside. No key a vendor thinks of may
break a view: each is taken as it is written, and where two differ only in case the later one gets a number.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names, sql_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.connector import FieldMapping
    from gtm_pipelines.warehouse.protocol import Warehouse

Catalogue = dict[str, str]
"""Kind by field name."""

_COLUMN_TYPES = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "timestamp": "TIMESTAMPTZ",
    "local_time": "TIMESTAMP",
    "date": "DATE",
}
_OBSERVED = {
    "NULL": "null",
    "BOOLEAN": "boolean",
    "BIGINT": "integer",
    "UBIGINT": "integer",
    "DOUBLE": "number",
    "VARCHAR": "string",
}
_BESIDE = ("external_id", "source_updated_at", "is_deleted", "synced_at", "payload")
_EPOCH_MS = 100_000_000_000
"""A number from here on is milliseconds; as seconds it would be after the year 5000."""


def build_typed_views(
    warehouse: Warehouse, catalogue: Mapping[str, Sequence[FieldMapping]] | None = None
) -> list[tuple[str, str]]:
    """Bring the views up to date with what was loaded; return (connection, entity) of those that were rebuilt.

    ``catalogue`` holds a connection's fields as its connector's ``get_schema`` gives them.
    """
    warehouse.ensure_tables()
    rebuilt = []
    for connection, entity in warehouse.raw_entities():
        known = _catalogued(entity, (catalogue or {}).get(connection, ()))
        if _build(warehouse, connection, entity, known):
            rebuilt.append((connection, entity))
    return rebuilt


def _build(warehouse: Warehouse, connection: str, entity: str, known: Catalogue) -> bool:
    key, table = [connection, entity], warehouse.raw_table(connection, entity)
    built = warehouse.rows("SELECT load_id, hash FROM raw.typed_view WHERE connection = ? AND entity = ?", key)
    since, old = built[0] if built else ("", "")
    newest = warehouse.rows(f"SELECT max(_dlt_load_id) FROM {table}")[0][0] or since
    with warehouse.transaction():
        if newest > since:
            _learn(warehouse, connection, entity, since)
        fields = dict(
            warehouse.rows(
                "SELECT field, kind FROM raw.field WHERE connection = ? AND entity = ? ORDER BY position", key
            )
        )
        text = view_text(connection, entity, {**fields, **_settled(known, fields)})
        new = blake2b(text.encode(), digest_size=16).hexdigest()
        stands = warehouse.has_table(names.view_schema(connection), names.entity_table(entity))
        if new != old or not stands:
            warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {names.quote(names.view_schema(connection))}")
            warehouse.execute(text)
        if (newest, new) != (since, old):
            warehouse.execute("INSERT OR REPLACE INTO raw.typed_view VALUES (?, ?, ?, ?)", [*key, newest, new])
    return new != old or not stands


def view_text(connection: str, entity: str, fields: Mapping[str, str]) -> str:
    """Return the statement that makes the view of an entity with these fields and kinds."""
    columns = [f"{name} AS {names.quote('_' + name)}" for name in _BESIDE]
    taken = {"_" + name for name in _BESIDE}
    for field, kind in fields.items():
        name = _free(field or "_empty", taken)
        taken.add(name.lower())
        columns.append(f"{_expression(field, kind)} AS {names.quote(name)}")
    view = f"{names.quote(names.view_schema(connection))}.{names.quote(names.entity_table(entity))}"
    listed = ",\n  ".join(columns)
    return f"CREATE OR REPLACE VIEW {view} AS SELECT\n  {listed}\nFROM {names.raw_table(connection, entity)}"


def _expression(field: str, kind: str) -> str:
    pointer = names.literal(_pointer(field))
    if kind == "json":
        return f"json_extract(payload, {pointer})"
    text = f"json_extract_string(payload, {pointer})"
    if kind == "epoch":
        number = f"TRY_CAST({text} AS DOUBLE)"
        moment = f"TRY(to_timestamp({number} / if(abs({number}) >= {_EPOCH_MS}, 1000, 1)))"
        return f"coalesce({moment}, TRY_CAST({text} AS TIMESTAMPTZ))"
    return f"TRY_CAST({text} AS {_COLUMN_TYPES[kind]})" if kind in _COLUMN_TYPES else text


def _pointer(field: str) -> str:
    """Return the JSON pointer of a key; pointers take any key, the empty one too, and paths do not."""
    return "/" + field.replace("~", "~0").replace("/", "~1")


def _free(name: str, taken: set[str]) -> str:
    """Return ``name``, or with the first number that makes it differ from those taken in more than case."""
    candidate, number = name, 2
    while candidate.lower() in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _learn(warehouse: Warehouse, connection: str, entity: str, since: str) -> None:
    """Take the keys and kinds of rows loaded after ``since`` into ``raw.field``."""
    table, after = warehouse.raw_table(connection, entity), {"since": since}
    keys_seen = warehouse.rows(sql_files.load("warehouse/observed_keys.sql").format(table=table), after)
    keys = [str(key) for (key,) in keys_seen]
    seen = _kinds(warehouse.rows(sql_files.load("warehouse/observed_structure.sql").format(table=table), after))
    texts = _texts(warehouse, table, since, [key for key in keys if seen.get(key) == "string"])
    known = warehouse.rows(
        "SELECT field, kind, position FROM raw.field WHERE connection = ? AND entity = ?", [connection, entity]
    )
    before = {str(field): (str(kind), int(position)) for field, kind, position in known}
    for key in keys:
        if "\x00" in key:
            continue
        kind = texts.get(key, seen.get(key, "string"))
        old, position = before.get(key, (kind, len(before)))
        before[key] = (merge_kinds(old, kind), position)
        warehouse.execute(
            "INSERT OR REPLACE INTO raw.field VALUES (?, ?, ?, ?, ?)",
            [connection, entity, key, position, before[key][0]],
        )


def _texts(warehouse: Warehouse, table: str, since: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the kind of each key of texts: date, timestamp, local_time when all sampled ones are, else string."""
    named = [key for key in keys if "\x00" not in key]
    if not named:
        return {}
    found = warehouse.rows(
        sql_files.load("warehouse/observed_texts.sql").format(table=table),
        {"since": since, "pointers": [_pointer(key) for key in named]},
    )
    return {named[number - 1]: str(kind) for number, kind in found}


def _kinds(structures: Sequence[tuple[str]]) -> dict[str, str]:
    """Turn DuckDB's structures of objects into one kind per key."""
    found: dict[str, str] = {}
    for (text,) in structures:
        structure = json.loads(text)
        for key, value in structure.items() if isinstance(structure, dict) else ():
            kind = _OBSERVED.get(value, "json" if value == "JSON" else "string") if isinstance(value, str) else "json"
            found[key] = merge_kinds(found.get(key, "null"), kind)
    return found


def merge_kinds(one: str, other: str) -> str:
    """Return the narrowest kind that holds values of both."""
    kinds = {one, other} - {"null"}
    if len(kinds) <= 1:
        return kinds.pop() if kinds else "null"
    if "json" in kinds:
        return "json"
    return "number" if kinds == {"integer", "number"} else "string"


def _catalogued(entity: str, fields: Sequence[FieldMapping]) -> Catalogue:
    """Return the vendor's kinds of the fields at the top of a record."""
    return {
        source: field.type
        for field in fields
        if field.entity == entity and (source := field.source.removeprefix("$.")) and not set(source) & set(".[]*@")
    }


def _settled(known: Catalogue, observed: Mapping[str, str]) -> Catalogue:
    """Return the vendor's kinds, telling moments written as numbers from those written as text."""
    numbers = {"integer", "number", "string"}  # string: met as both
    return {
        field: "epoch" if kind == "timestamp" and observed.get(field) in numbers else kind
        for field, kind in known.items()
    }
