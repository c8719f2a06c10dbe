"""The SQL text of a typed view: which columns, what they are called, how each is read from the payload.

A key at the top is a column under its own name. What stands within an object is called by its path, joined with ``_``:
``properties.email`` is ``properties_email``. Names that differ only in case, or are made twice, get a number; whoever
was there first keeps the plain one. Objects that are columns key by key, and the whole payload, come last as JSON.

Postgres reads the payload by functions of ours (:func:`functions`), for it has no cast that gives null. It cuts names
at 63 bytes and views at 1,600 columns, so there a longer name carries a hash, and later columns are left to the JSON.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names, sql_files
from gtm_pipelines.warehouse.observed import keys_at
from gtm_pipelines.warehouse.protocol import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gtm_pipelines.warehouse.protocol import Served

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

_READ_BY = {  # the functions of sql/warehouse/reading_postgres.sql
    "boolean": "as_truth",
    "number": "as_number",
    "integer": "as_whole",
    "timestamp": "as_moment",
    "local_time": "as_local",
    "date": "as_day",
    "epoch": "as_epoch",
}
_FUNCTIONS = "raw"  # the layer whose schema they are in
_LONGEST_NAME = 63  # bytes of an identifier, on Postgres
_MOST_ON_POSTGRES = 1_600  # columns of a view


def view_text(served: Served, connection: str, entity: str, kinds: Mapping[str, str]) -> str:
    """Return the query that is the view of an entity with these kinds of values, by JSON pointer."""
    is_postgres = served.dialect is Dialect.POSTGRES
    if is_postgres:
        kinds = dict(islice(kinds.items(), _MOST_ON_POSTGRES - len(_BEFORE) - 1))
    called = _names(kinds, _LONGEST_NAME if is_postgres else None)
    read = _PostgresReading(served).expression if is_postgres else _expression
    columns = [_beside(name) for name in _BEFORE]
    columns += [f"{read(place, kinds[place])} AS {names.quote(called[place])}" for place in _order(kinds)]
    listed = ",\n  ".join([*columns, _beside(_AFTER)])
    return f"SELECT\n  {listed}\nFROM {names.raw_table(connection, entity)}"


def functions(served: Served) -> str:
    """Return the statements that make the functions views on Postgres read payloads by."""
    text = sql_files.load("warehouse/reading_postgres.sql")
    return text.replace("HERE", _functions_schema(served)).replace("EPOCH_MS", str(_EPOCH_MS))


def _beside(name: str) -> str:
    return f"{name} AS {names.quote('_' + name)}"


def _names(kinds: Mapping[str, str], longest: int | None) -> dict[str, str]:
    taken = {"_" + name for name in (*_BEFORE, _AFTER)}
    called = {}
    for place in kinds:
        called[place] = _free("_".join(keys_at(place)) or "_empty", taken, longest)
        taken.add(called[place].lower())
    return called


def _free(name: str, taken: set[str], longest: int | None) -> str:
    """Return ``name``, or with the first number that makes it differ from those taken in more than case."""
    candidate, number = _short(name, longest), 2
    while candidate.lower() in taken:
        candidate, number = _short(f"{name}_{number}", longest), number + 1
    return candidate


def _short(name: str, longest: int | None) -> str:
    """Return a name of at most ``longest`` bytes: the beginning of one that is longer, and a hash of the whole."""
    whole = name.encode()
    if longest is None or len(whole) <= longest:
        return name
    return f"{whole[: longest - 9].decode(errors='ignore')}_{blake2b(whole, digest_size=4).hexdigest()}"


def _order(kinds: Mapping[str, str]) -> Iterator[str]:
    """Yield the places in the order of columns: keys within an object come in the object's place, and it comes last."""
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


def _functions_schema(served: Served) -> str:
    return names.quote(names.tenant_schema(served.tenant, _FUNCTIONS))


class _PostgresReading:
    """How one tenant's views read a place of a payload on Postgres."""

    def __init__(self, served: Served) -> None:
        self._functions = _functions_schema(served)

    def expression(self, place: str, kind: str) -> str:
        """Return what reads the value at a place as a kind."""
        keys = f"ARRAY[{', '.join(names.literal(key) for key in keys_at(place))}]"
        if kind in {"json", "object"}:
            return f"nullif(payload #> {keys}, 'null')"
        if kind in _READ_BY:
            return f"{self._functions}.{_READ_BY[kind]}(payload #>> {keys})"
        return f'(payload #>> {keys}) COLLATE "C"'
