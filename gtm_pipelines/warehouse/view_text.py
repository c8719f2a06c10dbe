"""The SQL text of a typed view: which columns, what they are called, how each is read from the payload.

A key at the top is a column under its own name. What stands within an object is called by its path, joined with ``_``:
``properties.email`` is ``properties_email``. Names that differ only in case, or are made twice, get a number; whoever
was there first keeps the plain one. Objects that are columns key by key, and the whole payload, come last as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.observed import keys_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TYPES = {
    "boolean": "BOOLEAN",
    "number": "DOUBLE",
    "timestamp": "TIMESTAMPTZ",
    "local_time": "TIMESTAMP",
    "date": "DATE",
}
_BEFORE = ("external_id", "source_updated_at", "is_deleted", "synced_at")
_AFTER = "payload"
_EPOCH_MS = 100_000_000_000
"""A number from here on is milliseconds; as seconds it would be after the year 5000."""


def view_text(connection: str, entity: str, kinds: Mapping[str, str]) -> str:
    """Return the statement that makes the view of an entity with these kinds of values, by JSON pointer."""
    columns = [_beside(name) for name in _BEFORE]
    called = _names(kinds)
    columns += [f"{_expression(place, kinds[place])} AS {names.quote(called[place])}" for place in _order(kinds)]
    view = f"{names.quote(names.view_schema(connection))}.{names.quote(names.entity_table(entity))}"
    listed = ",\n  ".join([*columns, _beside(_AFTER)])
    return f"CREATE OR REPLACE VIEW {view} AS SELECT\n  {listed}\nFROM {names.raw_table(connection, entity)}"


def _beside(name: str) -> str:
    return f"{name} AS {names.quote('_' + name)}"


def _names(kinds: Mapping[str, str]) -> dict[str, str]:
    taken = {"_" + name for name in (*_BEFORE, _AFTER)}
    called = {}
    for place in kinds:
        called[place] = _free("_".join(keys_at(place)) or "_empty", taken)
        taken.add(called[place].lower())
    return called


def _free(name: str, taken: set[str]) -> str:
    """Return ``name``, or with the first number that makes it differ from those taken in more than case."""
    candidate, number = name, 2
    while candidate.lower() in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _order(kinds: Mapping[str, str]) -> Iterator[str]:
    """Yield the places as they are shown: what is within an object where the object would be, the object at the end."""
    within: dict[str, list[str]] = {}
    for place in kinds:
        within.setdefault("/" + place.split("/")[1], []).append(place)
    for top, places in within.items():
        yield from (place for place in places if place != top or len(places) == 1)
    yield from (top for top, places in within.items() if len(places) > 1 and top in kinds)


def _expression(place: str, kind: str) -> str:
    pointer = names.literal(place)
    if kind in {"json", "object"}:
        return f"nullif(json_extract(payload, {pointer}), 'null')"
    text = f"json_extract_string(payload, {pointer})"
    if kind == "integer":  # a cast alone would round
        return f"if(TRY_CAST({text} AS DOUBLE) % 1 = 0, TRY_CAST({text} AS BIGINT), NULL)"
    if kind == "epoch":
        number = f"TRY_CAST({text} AS DOUBLE)"
        moment = f"TRY(to_timestamp({number} / if(abs({number}) >= {_EPOCH_MS}, 1000, 1)))"
        return f"coalesce({moment}, TRY_CAST({text} AS TIMESTAMPTZ))"
    return f"TRY_CAST({text} AS {_TYPES[kind]})" if kind in _TYPES else text
