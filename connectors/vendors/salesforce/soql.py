"""SOQL as this connector speaks it: field lists, keyset conditions and the length a query may have. Pure text.

The order of a read is (stamp, Id), because a stamp alone is shared by thousands of rows after a mass update: a page
boundary among them would lose the rest of the tie. Which stamp an object has, describe says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")
"""Fields that can drive an incremental read, the best first: only SystemModstamp moves with every change."""

LONGEST_QUERY = 12_000
"""Bytes of an encoded query. Salesforce refuses 16,384 of URI and headers together; the token needs the rest."""

_CLAUSES = 600  # what FROM, WHERE, ORDER BY and LIMIT need of them

_LEFT_OUT = {"address", "location", "base64"}  # compounds repeat their parts; base64 is a link to bytes, not a value
_TYPES = {
    "boolean": "boolean",
    "int": "integer",
    "long": "integer",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "timestamp",
    "address": "json",
    "location": "json",
    "complexvalue": "json",
    "json": "json",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field as describe shows it; ``type`` is already ours."""

    name: str
    label: str
    type: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class SObject:
    """One object as describe shows it to this user: fields hidden from the user are not there, and no error says so."""

    name: str
    fields: tuple[Field, ...]
    stamp: str | None
    has_deletes: bool

    @classmethod
    def from_describe(cls, answer: dict[str, Any]) -> SObject:
        """Read an answer of ``/sobjects/{Object}/describe``."""
        fields = tuple(
            Field(f["name"], f.get("label") or "", _TYPES.get(f["type"], "string"), f["type"] not in _LEFT_OUT)
            for f in answer["fields"]
        )
        names = {f.name for f in fields}
        return cls(
            answer["name"], fields, next((stamp for stamp in STAMPS if stamp in names), None), "IsDeleted" in names
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields every query selects: they order the rows and tell their versions apart."""
        return ("Id",) if self.stamp is None else ("Id", self.stamp)

    def chunks(self) -> list[list[str]]:
        """Split the fields so that each list fits a query of ``LONGEST_QUERY`` bytes; mostly there is one list."""
        keys = [*self.keys, *(["IsDeleted"] if self.has_deletes else [])]
        room = LONGEST_QUERY - _length(keys) - _CLAUSES
        chunks: list[list[str]] = [[]]
        used = 0
        for name in (f.name for f in self.fields if f.is_selected and f.name not in keys):
            if used + _length([name]) > room and chunks[-1]:
                chunks.append([])
                used = 0
            chunks[-1].append(name)
            used += _length([name])
        return [[*keys, *chunk] for chunk in chunks]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the (stamp, Id) order: after the row ``id`` of ``stamp``, or before all of ``stamp`` without one."""

    stamp: datetime | None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The rows from ``after`` (None: the first) up to, not including, ``before`` (None: the last)."""

    after: Position | None = None
    before: datetime | None = None
    upto: Position | None = field(default=None)  # closed end: the last row of a page


def select(sobject: SObject, fields: Sequence[str], span: Span, *, limit: int | None = None) -> str:
    """Build the query that reads ``span`` in keyset order."""
    clauses = [_selected(sobject, fields)]
    if conditions := _conditions(sobject.stamp, span):
        clauses.append(f"WHERE {' AND '.join(conditions)}")
    clauses.append("ORDER BY Id" if sobject.stamp is None else f"ORDER BY {sobject.stamp}, Id")
    if limit:
        clauses.append(f"LIMIT {limit}")
    return " ".join(clauses)


def select_ids(sobject: SObject, fields: Sequence[str], ids: Iterable[str]) -> str:
    """Build the query that reads these rows and no others."""
    listed = ",".join(f"'{checked_id(each)}'" for each in ids)
    return f"{_selected(sobject, fields)} WHERE Id IN ({listed})"


def _selected(sobject: SObject, fields: Sequence[str]) -> str:
    return " ".join(("SELECT", ",".join(fields), "FROM", sobject.name))


def literal(moment: datetime) -> str:
    """Write a moment as SOQL does: unquoted, UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _conditions(stamp: str | None, span: Span) -> list[str]:
    found: list[str] = []
    if span.after is not None:
        found.append(_after(stamp, span.after))
    if span.before is not None and stamp is not None:
        found.append(f"{stamp} < {literal(span.before)}")
    if span.upto is not None and span.upto.id is not None:
        found.append(_upto(stamp, span.upto))
    return found


def _after(stamp: str | None, position: Position) -> str:
    if stamp is None or position.stamp is None:
        return f"Id > '{checked_id(position.id or '')}'"
    moment = literal(position.stamp)
    if position.id is None:
        return f"{stamp} >= {moment}"
    return f"(({stamp} = {moment} AND Id > '{checked_id(position.id)}') OR {stamp} > {moment})"


def _upto(stamp: str | None, position: Position) -> str:
    if stamp is None or position.stamp is None:
        return f"Id <= '{checked_id(position.id or '')}'"
    moment = literal(position.stamp)
    return f"({stamp} < {moment} OR ({stamp} = {moment} AND Id <= '{checked_id(position.id or '')}'))"


def checked_id(record_id: str) -> str:
    """Return an id that may stand between quotes; Salesforce's are 15 or 18 letters and digits."""
    if not (record_id.isascii() and record_id.isalnum()):
        raise ValueError("a Salesforce id holds letters and digits only")
    return record_id


def _length(names: Sequence[str]) -> int:
    return sum(len(quote(name)) + len("%2C") for name in names)
