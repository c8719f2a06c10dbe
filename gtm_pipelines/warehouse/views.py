"""Typed views over raw JSON: ``<connection>.<entity>`` with a column per key, for people who read SQL and not JSON.

Keys within an object are columns too: one level deep where they are only observed, and as deep as the vendor's
catalogue knows them. Types come from the catalogue where it knows a field, and from observed values elsewhere; texts
that are all dates or all times become dates or times. A value that does not fit its column's type is null there; the
column ``_payload`` always has the whole record. Any key that a vendor may use works as a column.

Work is in proportion to what was loaded since the last build. Views of connections and tables that are gone go too.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.observed import Loaded, merge_kinds, pointer
from gtm_pipelines.warehouse.protocol import Dialect
from gtm_pipelines.warehouse.view_text import functions, view_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from connectors.connector import FieldMapping
    from gtm_pipelines.warehouse.protocol import Warehouse

Kinds = dict[str, str]
"""Kind by JSON pointer."""

MOST_COLUMNS = 1_000
"""Observed columns of one view; keys met after that many stay in ``_payload``. The catalogue's fields come on top."""

_RULES = 2
"""The version of how columns are learned from payloads. Raise it with the rules: views made by others are made anew."""


def build_typed_views(
    warehouse: Warehouse,
    catalogue: Mapping[str, Sequence[FieldMapping]] | None = None,
    connections: Collection[str] | None = None,
) -> list[tuple[str, str]]:
    """Bring the views up to date with what was loaded; return (connection, entity) of those that were rebuilt.

    ``catalogue`` has each connection's fields, as its connector's manifest types them. Views are made for
    ``connections`` and dropped for all others; left out, they are made for every connection with raw tables.
    """
    warehouse.ensure_tables()
    wanted = _wanted(warehouse, connections)
    for gone in _built(warehouse) - set(wanted):
        _drop(warehouse, *gone)
    rebuilt = []
    for connection, entity in wanted:
        known = _catalogued(entity, (catalogue or {}).get(connection, ()))
        if _build(warehouse, connection, entity, known):
            rebuilt.append((connection, entity))
    return rebuilt


def typed_views_are_current(warehouse: Warehouse, connections: Collection[str] | None = None) -> bool:
    """Tell whether there is a view by this release's rules for each raw table, and none besides."""
    wanted = set(_wanted(warehouse, connections))
    return _built(warehouse) == wanted == _built(warehouse, f"{_RULES}:")


def _wanted(warehouse: Warehouse, connections: Collection[str] | None) -> list[tuple[str, str]]:
    return [each for each in warehouse.raw_entities() if connections is None or each[0] in connections]


def _built(warehouse: Warehouse, rules: str = "") -> set[tuple[str, str]]:
    found = warehouse.rows("SELECT connection, entity FROM raw.typed_view WHERE starts_with(hash, ?)", [rules])
    return {(str(connection), str(entity)) for connection, entity in found}


def _drop(warehouse: Warehouse, connection: str, entity: str) -> None:
    """Drop a view and what was learned for it, and the connection's schema with its last view."""
    schema, served = names.view_schema(connection), warehouse.served
    with warehouse.transaction():
        served.execute(f"DROP VIEW IF EXISTS {names.quote_table(schema, names.entity_table(entity))}")
        for table in ("raw.field", "raw.typed_view"):
            warehouse.execute(f"DELETE FROM {table} WHERE connection = ? AND entity = ?", [connection, entity])
        if not served.catalogue([schema]):
            served.execute(f"DROP SCHEMA IF EXISTS {names.quote(schema)}")


def _build(warehouse: Warehouse, connection: str, entity: str, known: Kinds) -> bool:
    served, schema, view = warehouse.served, names.view_schema(connection), names.entity_table(entity)
    key, table = [connection, entity], warehouse.raw_table(connection, entity)
    built = warehouse.rows("SELECT load_id, hash FROM raw.typed_view WHERE connection = ? AND entity = ?", key)
    since, old = built[0] if built else ("", "")
    if not old.startswith(f"{_RULES}:"):
        since = ""
    newest = served.rows(f"SELECT max(_dlt_load_id) FROM {table}")[0][0] or since
    with warehouse.transaction():
        if not since:
            warehouse.execute("DELETE FROM raw.field WHERE connection = ? AND entity = ?", key)
        if newest > since:
            warehouse.fetch(table, where=f"_dlt_load_id > {names.literal(since)}")
            _learn(Loaded(warehouse, table, since), connection, entity, known)
        kinds = _learned(warehouse, connection, entity)
        text = view_text(served, connection, entity, {**kinds, **_settled(known, kinds)})
        new = f"{_RULES}:{blake2b(text.encode(), digest_size=16).hexdigest()}"
        stands = served.has_table(schema, view)
        if new != old or not stands:
            served.ensure_schema(schema)
            if served.dialect is Dialect.POSTGRES:
                served.execute(functions(served))
            served.replace_view(schema, view, text)
        if (newest, new) != (since, old):
            warehouse.execute(
                "INSERT OR REPLACE INTO raw.typed_view (connection, entity, load_id, hash) VALUES (?, ?, ?, ?)",
                [*key, newest, new],
            )
    return new != old or not stands


def _learned(warehouse: Warehouse, connection: str, entity: str) -> Kinds:
    found = "SELECT field, kind FROM raw.field WHERE connection = ? AND entity = ? ORDER BY position"
    return {str(place): str(kind) for place, kind in warehouse.rows(found, [connection, entity])}


def _learn(loaded: Loaded, connection: str, entity: str, known: Kinds) -> None:
    """Add the keys of newly loaded rows and the kinds of their values to ``raw.field``; a key keeps its position."""
    before = _learned(loaded.warehouse, connection, entity)
    places, found = _observe(loaded, before, known)
    fresh = [place for place in places if place not in before and place not in known]
    beyond = set(fresh[max(0, MOST_COLUMNS - len(before.keys() - known.keys())) :])
    after = dict(before)
    for place in places:
        if place not in beyond:
            kind = found.get(place, "null" if place in known else "string")
            after[place] = merge_kinds(before.get(place, kind), kind)
    if after != before:
        loaded.warehouse.execute(
            "INSERT OR REPLACE INTO raw.field (connection, entity, field, position, kind)"
            " SELECT ?, ?, unnest(?), unnest(?), unnest(?)",
            [connection, entity, [*after], [*range(len(after))], [*after.values()]],
        )


def _observe(loaded: Loaded, before: Kinds, known: Kinds) -> tuple[list[str], Kinds]:
    """Return the keys in new rows as JSON pointers, in the vendor's order, top-level ones first, and their kinds."""
    top, _ = loaded.order([""])
    found = loaded.kinds(_once(top, known))
    kinds = {place: merge_kinds(before.get(place, "null"), found.get(place, "null")) for place in _once(top, before)}
    objects = [place for place, kind in kinds.items() if kind == "object" and place.count("/") == 1]
    within, keyed = loaded.order(objects)
    found |= dict.fromkeys(keyed, "json")
    objects = [place for place in objects if place not in keyed]
    met = loaded.keys(["", *objects], 10 * MOST_COLUMNS)
    sampled = [place for place in _once(top, within) if place in set(met)]
    places = sorted(_once(sampled, met), key=lambda place: place.count("/"))
    found |= loaded.kinds([place for place in places if place not in found])
    found |= loaded.texts([place for place, kind in found.items() if kind == "string"])
    return _once(places, known), found


def _once(*places: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(chain(*places)))


def _catalogued(entity: str, fields: Sequence[FieldMapping]) -> Kinds:
    """Return the vendor's kinds of the fields that are one value of a record, however deep, and no list of values."""
    return {
        pointer(*source.split(".")): field.type
        for field in fields
        if field.entity == entity and _is_place(source := field.source.removeprefix("$."))
    }


def _is_place(source: str) -> bool:
    return not set(source) & set("[]*@") and all(source.split("."))


def _settled(known: Kinds, observed: Kinds) -> Kinds:
    """Return the vendor's kinds, with ``epoch`` for timestamps that were met as numbers."""
    numbers = {"integer", "number", "string"}  # string: met both as numbers and as texts
    return {
        place: "epoch" if kind == "timestamp" and observed.get(place) in numbers else kind
        for place, kind in known.items()
    }
