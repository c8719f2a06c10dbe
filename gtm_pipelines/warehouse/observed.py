"""What raw payloads hold: which keys, and which kind of value at each. What columns they become is decided in views.py.

Keys are collected from every new row, kinds of values from a sample: little work after a small sync, and one pass over
the rows after a first one of millions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_pipelines.warehouse.protocol import Warehouse

_KINDS = {
    "NULL": "null",
    "BOOLEAN": "boolean",
    "BIGINT": "integer",
    "UBIGINT": "integer",
    "DOUBLE": "number",
    "VARCHAR": "string",
    "OBJECT": "object",
    "ARRAY": "json",
}
_SAMPLED_VALUES = 1_000_000  # looked at in a sample
_SAMPLED_RECORDS = (
    1_000,
    10_000,
)  # but never fewer records than the first number, however wide, nor more than the last


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rows of a raw table that came with loads after ``since``."""

    warehouse: Warehouse
    table: str
    since: str

    def keys(self, objects: Sequence[str], most: int) -> list[str]:
        """Return the pointers of all keys of objects, ``most`` at most; "" is the payload itself."""
        found = self._ask("observed_keys", objects=list(objects), most=most)
        return [objects[number - 1] + pointer(key) for number, key in found if _is_usable(key)]

    def order(self, objects: Sequence[str]) -> tuple[list[str], set[str]]:
        """Return the keys in a sample as pointers, in the vendor's order, and which objects are keyed lists.

        An object is a keyed list when its keys are ids, days and the like: many, each in few records.
        """
        found = self._ask("observed_order", objects=list(objects), sample=_SAMPLED_RECORDS[0]) if objects else []
        return (
            [objects[number - 1] + pointer(key) for number, key, _ in found if _is_usable(key)],
            {objects[number - 1] for number, _, is_keyed in found if is_keyed},
        )

    def kinds(self, pointers: Sequence[str]) -> dict[str, str]:
        """Return the kind of value at each place where the sample has any."""
        found: dict[str, str] = {}
        if pointers:
            for number, met in self._ask("observed_types", pointers=list(pointers), sample=_sample(pointers)):
                place = pointers[number - 1]
                found[place] = merge_kinds(found.get(place, "null"), _KINDS.get(met, "string"))
        return found

    def texts(self, pointers: Sequence[str]) -> dict[str, str]:
        """Return the kind of each place of texts: date, timestamp, local_time when all texts are, else string."""
        if not pointers:
            return {}
        found = self._ask("observed_texts", pointers=list(pointers), sample=_sample(pointers))
        return {pointers[number - 1]: str(kind) for number, kind in found}

    def _ask(self, name: str, **params: object) -> list[tuple[Any, ...]]:
        sql = sql_files.load(f"warehouse/{name}.sql").format(table=self.table)
        return self.warehouse.rows(sql, {"since": self.since, **params})


def pointer(*keys: str) -> str:
    """Return the JSON pointer of a place; pointers take any key, the empty one too, and paths do not."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def keys_at(place: str) -> list[str]:
    """Return the keys a pointer is made of."""
    return [key.replace("~1", "/").replace("~0", "~") for key in place.split("/")[1:]]


def merge_kinds(one: str, other: str) -> str:
    """Return the narrowest kind that holds values of both."""
    kinds = {one, other} - {"null"}
    if len(kinds) <= 1:
        return kinds.pop() if kinds else "null"
    if kinds & {"json", "object"}:
        return "json"
    return "number" if kinds == {"integer", "number"} else "string"


def _is_usable(key: str) -> bool:
    return "\x00" not in key  # no identifier may hold it


def _sample(pointers: Sequence[str]) -> int:
    fewest, most = _SAMPLED_RECORDS
    return min(most, max(fewest, _SAMPLED_VALUES // len(pointers)))
