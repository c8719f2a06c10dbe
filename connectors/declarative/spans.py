"""Which stretches of time an incremental read asks for, and which mark of the cursor each of them moves. Pure.

The fast pass reads from the watermark to now. Where the vendor's index runs late (``second_pass``), a slow pass reads
the same stretch once more, some time behind. When both would start at much the same moment, one pass does the work of
both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.declarative import times
from connectors.errors import Resync

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.connector import Cursor
    from connectors.declarative.changes import TimestampFilter


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a timestamp delta stands: the fast pass, the slow one, and the last id read at the watermark."""

    watermark: datetime | None = None
    slow: datetime | None = None
    tie: str | None = None

    @classmethod
    def of(cls, cursor: Cursor) -> Marks:
        """Read them from a cursor; raise Resync when a time in it is none."""
        return cls(moment(cursor, "watermark"), moment(cursor, "slow"), str(cursor.get("id") or "") or None)

    def as_place(self) -> dict[str, Any]:
        """Return them as members of a cursor."""
        return {"watermark": _text(self.watermark), "slow": _text(self.slow), "id": self.tie}


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of time to read, and which marks reading it moves."""

    since: datetime | None
    until: datetime
    fast: bool = True  # it moves the watermark
    slow_end: datetime | None = None  # it moves the slow mark, at most to here; None when it does not
    tie: str | None = None  # go on after this id among the rows of ``since``
    is_window: bool = False

    def moved(self, marks: Marks, reached: datetime, tie: str | None = None) -> Marks:
        """Return the marks once everything before ``reached`` is stored, and at ``reached`` the ids up to ``tie``."""
        if self.slow_end is not None:
            marks = replace(marks, slow=min(reached, self.slow_end))
        if self.fast and (marks.watermark is None or reached >= marks.watermark):
            marks = replace(marks, watermark=reached, tie=tie)
        return marks


def plan(
    delta: TimestampFilter, marks: Marks, *, again: timedelta, start: datetime | None, bounds: tuple[datetime, datetime]
) -> list[Span]:
    """Return the spans of a read, oldest first.

    ``again`` is how far behind the watermark a read starts, ``start`` where the very first read does; ``bounds`` are
    the end of the fast pass and the vendor's present. Where the vendor filters by ``>`` and not ``>=``, a span starts
    one unit of its time format before the mark, or the rows at the mark would be left out.
    """
    until, present = bounds
    behind = present - delta.second_pass.behind if delta.second_pass else None
    edge = _edge(delta)
    since = marks.watermark - max(again, edge) if marks.watermark else start
    tie = marks.tie if since == marks.watermark else None
    if behind is None:
        return list(_windows(Span(since, until, tie=tie), delta))
    stood = marks.slow or marks.watermark
    slow = stood - edge if stood else start
    if since is None or slow is None or since <= behind:
        tie = tie if slow == since else None
        return list(_windows(Span(slow, until, slow_end=behind, tie=tie), delta))
    return [
        *_windows(Span(slow, behind, fast=False, slow_end=behind), delta),
        *_windows(Span(since, until, tie=tie), delta),
    ]


def moment(cursor: Mapping[str, Any], name: str) -> datetime | None:
    """Return a moment of a cursor; raise Resync when it is none."""
    stored = cursor.get(name)
    if stored is None:
        return None
    try:
        return datetime.fromisoformat(str(stored)).astimezone(UTC)
    except ValueError:
        raise Resync("cursor_unreadable", "the stored cursor is not a time; the entity is read in full") from None


def _windows(span: Span, delta: TimestampFilter) -> Iterator[Span]:
    """Cut a span into pieces no longer than the window. Where the vendor filters by ``>``, they overlap by a unit."""
    if delta.window is None or span.since is None:
        yield span
        return
    step = _edge(delta)
    since, end = times.floor(span.since, delta.format), times.floor(span.until, delta.format)
    while since < end:
        until = min(since + delta.window, end)
        yield replace(span, since=since, until=until, tie=None, is_window=True)
        if until == end:
            return
        since = until - step


def _edge(delta: TimestampFilter) -> timedelta:
    """Return how far before a moment to ask from, so that rows of that very moment are in the answer."""
    return timedelta(0) if delta.inclusive else times.unit(delta.format)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
