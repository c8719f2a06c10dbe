"""One entity's read from its first page to its last: whole or by its changes, and what is read beside them.

Each reader changes its own members of the cursor; here they are put together, and the last page is marked as such.
Members that a page does not change stay as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.connector import Mode, Page
from connectors.declarative import fanout
from connectors.declarative.changes import Events, TimestampFilter, TokenDelta
from connectors.declarative.events import EventLog
from connectors.declarative.gone import absorbed, refuse_gaps, told_elsewhere
from connectors.declarative.parts import Part, with_last
from connectors.declarative.spans import moment
from connectors.declarative.timeline import Timeline
from connectors.declarative.tokens import Tokens, member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import timedelta

    from connectors.connector import Cursor
    from connectors.declarative.account import Account
    from connectors.declarative.changes import Delta
    from connectors.manifest import EntitySpec


def read_entity(account: Account, spec: EntitySpec, cursor: Cursor | None) -> Iterator[Page]:
    """Yield the pages of one read; an empty entity is one empty page."""
    is_full = account.options.mode is Mode.FULL
    state: dict[str, Any] = {} if is_full else dict(cursor or {})
    for part, is_last in with_last(_parts(account, spec, state, is_full=is_full)):
        if part.place is not None:
            state = {name: value for name, value in {**state, **part.place}.items() if value is not None}
        moved = state if part.place is not None and state else None
        yield Page(part.rows, moved, not is_last, part.unreadable, part.notices, part.seen_whole)


def main(account: Account, spec: EntitySpec, cursor: Cursor) -> Iterator[Part]:
    """Yield an entity's records, or its changes since ``cursor``, and nothing that is read beside them."""
    delta = spec.delta or account.shared.delta
    pages = _fanned_out(account, spec, delta, cursor) if spec.parent else _plain(account, spec, delta, cursor)
    for part in pages:
        yield absorbed(part, spec.merged_ids)


def _parts(account: Account, spec: EntitySpec, cursor: Mapping[str, Any], *, is_full: bool) -> Iterator[Part]:
    now = (account.options.started_at - spec.settle).isoformat()
    if spec.sweep is not None:
        yield from _sweep(account, spec, cursor, now, is_full=is_full)
        return
    marks = cursor.get("deletes") or {}
    if spec.deletes:
        refuse_gaps(account, spec, marks)
    yield from main(account, spec, {} if is_full else cursor)
    if spec.deletes:
        yield from told_elsewhere(account, spec, marks, is_full=is_full)
    if spec.refresh is not None:  # last: it is long, and where a quota never lets it end, the deletes are known still
        if is_full or "refreshed" not in cursor:
            yield Part(place={"refreshed": now})
        elif _is_due(account, cursor, "refreshed", spec.refresh.every):
            for part in main(account, spec, {}):
                yield part.at(None)
            yield Part(place={"refreshed": now})


def _plain(account: Account, spec: EntitySpec, delta: Delta | None, cursor: Cursor) -> Iterator[Part]:
    """Read an entity without parents."""
    if isinstance(delta, Events):
        log = EventLog(account, spec, delta, cursor)
        if cursor:
            yield from log.pages({})
        else:
            for part in _whole(account, spec):
                yield log.dated(part)
            yield Part(place=log.place)
    elif isinstance(delta, TimestampFilter):
        timeline = Timeline(account, spec, delta, cursor)
        if cursor or delta.endpoint is None:
            way = account.way(
                delta.endpoint or spec.endpoint, delta.pagination or spec.pagination, delta.items or spec.items
            )
            yield from timeline.pages(way, {})
        else:
            for part in _whole(account, spec):
                timeline.whole(part.rows)
                yield part
            yield Part(place=timeline.end_of_whole())
    elif delta is not None:
        yield from Tokens(account, spec, delta, cursor.get(member(delta))).pages(account.whole(spec), {})
    else:
        yield from _whole(account, spec)


def _whole(account: Account, spec: EntitySpec, values: Mapping[str, Any] | None = None) -> Iterator[Part]:
    """Read an entity by its own endpoint to the end, without a place."""
    way = account.whole(spec)
    for response in account.walk(way, values or {}):
        yield Part.of(way.land(response, spec))


def _fanned_out(account: Account, spec: EntitySpec, delta: Delta | None, cursor: Cursor) -> Iterator[Part]:
    """Read an entity once per parent. Parents are read whole: an old parent may have new children."""
    parent = spec.parent
    if parent is None:
        return
    above = account.manifest.spec(parent.entity)
    tally = fanout.Tally(is_apart=parent.own_cursor and account.options.mode is not Mode.FULL)
    read, end = _reader(account, spec, delta, cursor)
    scopes = (
        fanout.Scopes.of(account, spec, delta, cursor) if parent.own_cursor and isinstance(delta, TokenDelta) else None
    )
    reached: dict[str, Any] = dict(cursor.get("parent") or {})
    for part in main(account, above, reached if parent.changed_only else {}):
        for one in fanout.each(account, parent, part):
            pages = scopes.read(one, tally) if scopes else fanout.read_one(spec, one, read, tally)
            for page in pages:
                yield page if scopes else page.at(None)
        if parent.changed_only and part.place is not None and not tally.skipped:
            reached = {name: value for name, value in {**reached, **part.place}.items() if value is not None}
            yield Part(place={"parent": reached})
    tally.settle()
    if scopes:
        yield Part(place=scopes.place(is_all=True))
    else:
        yield Part(place=None if tally.skipped else end())


def _reader(
    account: Account, spec: EntitySpec, delta: Delta | None, cursor: Cursor
) -> tuple[fanout.Read, Callable[[], Mapping[str, Any]]]:
    """Return how one parent's records are read, and the function that gives the place once every parent was read."""
    way = account.whole(spec)
    if isinstance(delta, TimestampFilter):
        timeline = Timeline(account, spec, delta, cursor)

        def end() -> Mapping[str, Any]:
            return timeline.marks.as_place()  # asked at the end: they move meanwhile

        return lambda values: timeline.pages(way, values), end
    return lambda values: _whole(account, spec, values), dict


def _sweep(account: Account, spec: EntitySpec, cursor: Mapping[str, Any], now: str, *, is_full: bool) -> Iterator[Part]:
    """Read an entity whole when that is due; in between say that nothing was read."""
    if not is_full and "swept" in cursor and spec.sweep and not _is_due(account, cursor, "swept", spec.sweep.every):
        yield Part(place={})
        return
    is_proof = not is_full and spec.delete_detection.proves_absence
    for part in main(account, spec, {}):
        is_proof = is_proof and all(each.external_id is not None for each in part.unreadable)
        yield part.at(None)
    yield Part(place={"swept": now}, seen_whole=("",) if is_proof else ())


def _is_due(account: Account, cursor: Mapping[str, Any], name: str, every: timedelta) -> bool:
    last = moment(cursor, name)
    return last is None or account.options.started_at - last >= every
