"""One mailbox, or one folder of it, read by delta rounds: from its own link on, or whole when it has none.

The links of all scopes make the cursor. A link that Graph lost (410) costs that scope one whole read and no other. What
a record of a collection becomes, and what a removed one is, each collection knows itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pyarrow as pa

from connectors.connector import UNREADABLE_CHARS, Page, Unreadable
from connectors.errors import Resync, Stop
from connectors.landing import RAW_SCHEMA, RecordShape, land_slices, tombstones
from connectors.vendors.microsoft365.people import OddRecordError, members, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.connector import Cursor
    from connectors.vendors.microsoft365.graph import Graph
    from connectors.vendors.microsoft365.mailboxes import Mailbox
    from connectors.vendors.microsoft365.people import Members

_SHAPE = RecordShape("value", "id", "lastModifiedDateTime")


class Collection(Protocol):
    """One delta collection of one mailbox."""

    mailbox: Mailbox

    @property
    def key(self) -> str:
        """What its link is kept under."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def proves(self) -> tuple[str, ...]:
        """The prefixes of ids that a whole read has seen all of."""

    def first(self) -> tuple[str, dict[str, Any]]:
        """Return URL and parameters of a first round."""

    def beyond(self) -> Iterator[list[msgspec.Raw]]:
        """Yield records that a first round does not reach."""

    def kept(self, raw: msgspec.Raw) -> Members | None:
        """Return what is kept of a record, None for one that is not read."""

    def look_up(self, key: str) -> msgspec.Raw | None:
        """Return a record that left the collection, None when it is gone for good."""


@dataclass(slots=True)
class Links:
    """Where each scope goes on. ``fresh`` are the scopes of this read, ``known`` those of the read before it.

    ``marks`` say what the links hold for: a link of another window or another choice of fields is not followed.
    """

    base: str
    known: dict[str, list[str]] = field(default_factory=dict)
    fresh: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, base: str, cursor: Cursor | None) -> Links:
        """Take up the links of a cursor."""
        return cls(base, dict((cursor or {}).get("scopes") or {}))

    def link(self, key: str, marks: Sequence[str]) -> str | None:
        """Return the link that continues a scope, None when there is none or it means something else."""
        held = self.known.get(key)
        if held is None or held[1:] != list(marks):
            return None
        return self.base + held[0]

    def marks(self, key: str) -> list[str]:
        """Return what the stored link of a scope holds for."""
        return self.known.get(key, [""])[1:]

    def keep(self, key: str, link: str, marks: Sequence[str]) -> None:
        """Remember where a scope goes on; Graph's own address is left out, for it is always the same."""
        if not link.startswith(self.base):
            raise Stop("foreign_link", "Graph's delta link leads to another host, which is never followed")
        self.fresh[key] = [link.removeprefix(self.base), *marks]

    def retain(self, key: str) -> None:
        """Keep the link of a scope that could not be read this time."""
        if key in self.known:
            self.fresh[key] = self.known[key]

    def cursor(self, *, is_all: bool) -> Cursor:
        """Return the cursor; once every scope was visited, those that are no more are left out."""
        return {"scopes": dict(self.fresh) if is_all else {**self.known, **self.fresh}}


def read_scope(graph: Graph, scope: Collection, links: Links, marks: Sequence[str], size: int) -> Iterator[Page]:
    """Yield the pages of one scope; the cursor moves with the last of them."""
    link = links.link(scope.key, marks)
    notices: tuple[str, ...] = ()
    if link is not None:
        try:
            yield from _round(graph, scope, link, links, marks, size)
        except Resync:
            notices = (f"{scope.name} is read anew: Graph no longer knew where the last read had ended",)
        else:
            return
    try:
        yield from _round(graph, scope, None, links, marks, size, notices)
    except Resync as error:
        raise Stop(error.code, f"Graph loses its place in a first read of {scope.name}", status=error.status) from error


def _round(
    graph: Graph,
    scope: Collection,
    link: str | None,
    links: Links,
    marks: Sequence[str],
    size: int,
    notices: tuple[str, ...] = (),
) -> Iterator[Page]:
    url, params = scope.first() if link is None else (link, None)
    is_readable, following = True, None
    for page in graph.pages(url, params, size=size):
        made = _landed(scope, page.records, notices)
        notices, following = (), page.delta_link
        is_readable = is_readable and all(each.external_id for each in made.unreadable)
        yield made
    if following is None:
        raise Stop("malformed_page", f"the last page of {scope.name} has no delta link")
    if link is None:
        for records in scope.beyond():
            yield _landed(scope, records)
    links.keep(scope.key, following, marks)
    proven = scope.proves if link is None and is_readable else ()
    yield Page(RAW_SCHEMA.empty_table(), links.cursor(is_all=False), has_more=True, seen_whole=proven)


def _landed(scope: Collection, records: list[msgspec.Raw], notices: tuple[str, ...] = ()) -> Page:
    """Turn records into rows. One that was removed is looked up: gone for good, or only out of sight."""
    kept: list[bytes] = []
    gone: list[tuple[str, None]] = []
    odd: list[Unreadable] = []
    for raw in records:
        removed = _removed(raw)
        found = raw if removed is None else scope.look_up(removed)
        if found is None:
            gone.append((f"{scope.mailbox.id}:{removed}", None))
            continue
        try:
            wanted = scope.kept(found)
            if wanted is not None:
                kept.append(msgspec.json.encode(wanted))
        except OddRecordError as error:
            odd.append(_shown(scope, error.kept))
        except msgspec.DecodeError:
            kept.append(bytes(found))  # no object, so it has no body either; landing says so
    landed = land_slices(kept, _SHAPE)
    keys = [f"{scope.mailbox.id}:{key}" for key in landed.table["external_id"].to_pylist()]
    rows = landed.table.set_column(0, RAW_SCHEMA.field(0), pa.array(keys, pa.string()))
    unreadable = (*(each.under(scope.mailbox.id) for each in landed.unreadable), *odd)
    return Page(pa.concat_tables([rows, tombstones(gone)]), None, has_more=True, unreadable=unreadable, notices=notices)


def _removed(raw: msgspec.Raw) -> str | None:
    """Return the id of a record that says it was removed, None for any other."""
    if b"@removed" not in bytes(raw):
        return None
    try:
        known = members(raw)
        return text_of(known, "id") if "@removed" in known else None
    except msgspec.DecodeError:
        return None


def _shown(scope: Collection, kept: Members) -> Unreadable:
    text = msgspec.json.encode(kept).decode("utf-8", "replace")[:UNREADABLE_CHARS]
    return Unreadable("malformed", text, text_of(kept, "id")).under(scope.mailbox.id)
