"""Reading an entity once per record of another: notes of a person, events of a mailbox.

Parents are read first and never all held. A parent that is gone meanwhile, or may not be read, is left out with a
notice; when none of them answers, that is an error and not an empty entity. Where one may not be read, nothing counts
as absent, and no mark that it shares with others moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from connectors.connector import UNREADABLE_CHARS, Unreadable
from connectors.declarative import template
from connectors.declarative.parts import Part, scoped
from connectors.declarative.tokens import Tokens
from connectors.errors import Resync, SkipRecord, Stop
from connectors.runtime import paths

if TYPE_CHECKING:
    from connectors.connector import Cursor
    from connectors.declarative.account import Account
    from connectors.declarative.changes import Parent, TokenDelta
    from connectors.manifest import EntitySpec

Values = Mapping[str, Any]
Read = Callable[[Values], Iterator[Part]]
"""Reads the entity for one parent's values."""


@dataclass(frozen=True, slots=True)
class One:
    """One walk: the values its requests are filled with, and the scope that its tokens and ids are kept under."""

    values: Values
    scope: str | None = None


@dataclass(slots=True)
class Tally:
    """How many parents answered, and how many were left out."""

    answered: int = 0
    skipped: int = 0
    missing: Stop | None = None
    is_apart: bool = False  # each has its own place and proof, so that one left out says nothing about the others

    def skip(self, error: SkipRecord, said: str) -> Part:
        """Return the part that says a parent was left out; the first of them takes away the proof of what is absent."""
        self.skipped += 1
        if error.code != "bad_path_value" and (self.is_apart or self.skipped > 1):
            return Part(notices=(said,))
        return Part(unreadable=(Unreadable("bad_key", said[:UNREADABLE_CHARS]),), notices=(said,))

    def settle(self) -> None:
        """Raise what the parents raised when not one of them answered."""
        if self.missing is not None and not self.answered:
            raise self.missing


def each(account: Account, parent: Parent, part: Part) -> Iterator[One]:
    """Yield the walks that one page of parents asks for."""
    live = part.rows.filter(pc.invert(part.rows["is_deleted"]))
    found = [
        one
        for payload in live["payload"].to_pylist()
        if payload is not None and (parent.where is None or parent.where.takes(payload.encode()))
        for one in _of_record(account, parent, payload.encode())
    ]
    if parent.batch is None:
        yield from found
        return
    members = [template.render_body({"one": parent.batch.member}, one.values)["one"] for one in found]
    for start in range(0, len(members), parent.batch.size):
        yield One({f"parent.{parent.batch.name}": members[start : start + parent.batch.size]})


def read_one(spec: EntitySpec, one: One, read: Read, tally: Tally) -> Iterator[Part]:
    """Yield the pages of one walk, with ids within its scope; a parent that cannot be read is said."""
    scope_ids = spec.parent is not None and spec.parent.scope_ids
    try:
        for part in read(one.values):
            yield scoped(part, one.scope if scope_ids else None)
        tally.answered += 1
    except SkipRecord as error:
        yield tally.skip(error, f"{spec.name} of {one.scope or 'a parent'} cannot be read ({error.code})")
    except Stop as error:
        if error.code != "stream_gone":
            raise
        tally.missing = error
        yield Part(notices=(f"{spec.name} of {one.scope or 'a parent'} is not there",) if one.scope else ())


@dataclass(slots=True)
class Scopes:
    """The tokens of many parents: ``known`` from before, ``fresh`` of this read."""

    account: Account
    spec: EntitySpec
    delta: TokenDelta
    known: Mapping[str, str]
    fresh: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, account: Account, spec: EntitySpec, delta: TokenDelta, cursor: Cursor) -> Scopes:
        """Take up the tokens of a cursor."""
        return cls(account, spec, delta, dict(cursor.get("scopes") or {}))

    def read(self, one: One, tally: Tally) -> Iterator[Part]:
        """Read one parent from its own token; one whose token is lost is read from its beginning, and only that."""
        scope = str(one.scope)
        token = self.known.get(scope)
        if token is not None:
            self.fresh[scope] = token
        try:
            yield from self._from(one, token, tally)
        except Resync:
            self.fresh.pop(scope, None)
            try:
                yield from self._from(one, None, tally)
            except Resync as error:
                message = f"the vendor drops the place even in a first read of {self.spec.name} of {scope}"
                raise Stop(error.code, message, status=error.status) from error
        yield Part(place=self.place(is_all=False))

    def place(self, *, is_all: bool) -> dict[str, Any]:
        """Return the tokens; once all parents were read, those of parents that are no more are dropped."""
        return {"scopes": dict(self.fresh) if is_all else {**self.known, **self.fresh}}

    def _from(self, one: One, token: str | None, tally: Tally) -> Iterator[Part]:
        tokens = Tokens(self.account, self.spec, self.delta, token)
        before, is_readable = tally.answered, True
        way = self.account.whole(self.spec)
        for part in read_one(self.spec, one, lambda values: tokens.pages(way, values), tally):
            is_readable = is_readable and all(each.external_id is not None for each in part.unreadable)
            yield part.at(None)
        if tally.answered == before:
            return
        if tokens.mark is not None:
            self.fresh[str(one.scope)] = tokens.mark
        if token is None and is_readable and self.spec.parent is not None and self.spec.parent.scope_ids:
            yield replace(Part(), seen_whole=(f"{one.scope}:",))


def _of_record(account: Account, parent: Parent, raw: bytes) -> Iterator[One]:
    """Yield the walks of one parent's record: one, or one for each word of a setting."""
    values = {f"parent.{name}": paths.find_one(raw, path) for name, path in parent.values.items()}
    key = values.get(f"parent.{parent.scope_key}") if parent.scope_key else None
    scope = None if key is None else _as_part(key)
    if not parent.each:
        yield One(values, scope)
        return
    ((name, setting),) = parent.each.items()
    words = account.settings.get(setting.partition(".")[2]) or []
    for word in words if isinstance(words, list) else [words]:
        yield One({**values, f"parent.{name}": word}, None if scope is None else f"{scope}:{_as_part(word)}")


def _as_part(value: Any) -> str:
    """Write a value as one part of a scope: without a colon of its own, so that no scope is another's beginning."""
    return str(value).replace("%", "%25").replace(":", "%3A")
