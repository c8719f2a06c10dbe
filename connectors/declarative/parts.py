"""What the readers of a described entity hand on: rows, and the place that is safe once they are stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from connectors.errors import ConnectorError
from connectors.landing import RAW_SCHEMA, Landed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connectors.connector import Unreadable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a read. ``place`` has the members of the cursor that change once they are stored; a None drops one.

    A part without a place changes nothing: a read that stops here is to be repeated from the place before.
    """

    rows: pa.Table = field(default_factory=RAW_SCHEMA.empty_table)
    place: Mapping[str, Any] | None = None
    unreadable: tuple[Unreadable, ...] = ()
    notices: tuple[str, ...] = ()
    seen_whole: tuple[str, ...] = ()

    @classmethod
    def of(cls, landed: Landed, place: Mapping[str, Any] | None = None) -> Part:
        """Make a part of landed rows."""
        return cls(landed.table, place, landed.unreadable)

    def at(self, place: Mapping[str, Any] | None) -> Part:
        """Return the same rows with another place."""
        return replace(self, place=place)


def scoped(part: Part, scope: str | None) -> Part:
    """Return the part with ``scope:`` before each id, for ids that are unique only within one parent."""
    if scope is None:
        return part
    ids = pa.array([f"{scope}:{key}" for key in part.rows["external_id"].to_pylist()], pa.string())
    unreadable = tuple(each.under(scope) for each in part.unreadable)
    return replace(part, rows=part.rows.set_column(0, RAW_SCHEMA.field(0), ids), unreadable=unreadable)


def with_last(items: Iterable[T]) -> Iterator[tuple[T, bool]]:
    """Pair each item with whether it is the last; looks one item ahead, and keeps what it has when that fails."""
    previous: list[T] = []
    try:
        for item in items:
            if previous:
                yield previous.pop(), False
            previous.append(item)
    except ConnectorError:
        if previous:
            yield previous.pop(), False
        raise
    if previous:
        yield previous.pop(), True
