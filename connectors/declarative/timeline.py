"""Reading what changed by time: span after span, each page with the place that is safe once it is stored.

The watermark becomes the newest timestamp of the vendor's rows, or the end of a window that has passed by the vendor's
clock. It never moves back, and never passes the read's start less the settle time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from connectors.declarative.parts import Part, with_last
from connectors.declarative.searches import Search
from connectors.declarative.spans import Marks, Span, plan
from connectors.errors import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from connectors.connector import Cursor
    from connectors.declarative.account import Account, Way
    from connectors.declarative.changes import TimestampFilter
    from connectors.manifest import EntitySpec


class Timeline:
    """One entity's read by time. Its spans are fixed when it is made, so that many parents share them."""

    def __init__(self, account: Account, spec: EntitySpec, delta: TimestampFilter, cursor: Cursor) -> None:
        self._account = account
        self._spec = spec
        self._delta = delta
        self.marks = Marks.of(cursor)
        needs_clock = delta.window is not None or delta.second_pass is not None
        present = account.present if needs_clock else account.horizon
        until = present - spec.settle if delta.window is not None else account.options.started_at
        start = delta.first if delta.history is None else present - self._history(delta.history)
        again = max(spec.lag, spec.reread)
        self._spans = plan(delta, self.marks, again=again, start=start, bounds=(until, present))
        self._present = present
        self._newest: datetime | None = None

    def pages(self, way: Way, values: Mapping[str, Any]) -> Iterator[Part]:
        """Yield the pages of every span; the last of each carries its place."""
        if not self._spans:
            yield Part(place=self.marks.as_place())
        search = Search(self._account, self._spec, way, self._delta, values)
        for span in self._spans:
            is_ended = False
            for step, is_ended in with_last(search.steps(span, self.bound)):
                self._see(step.landed.table)
                if self._delta.ordered and step.reached is not None:
                    self.marks = span.moved(self.marks, min(step.reached, self.bound), step.tie)
                if is_ended:
                    self._finish(span)
                is_place = is_ended or (self._delta.ordered and step.reached is not None)
                yield Part.of(step.landed, self.marks.as_place() if is_place else None)
            if not is_ended:
                self._finish(span)
                yield Part(place=self.marks.as_place())

    @property
    def bound(self) -> datetime:
        """The latest moment that may become a watermark now."""
        return self._account.horizon - self._spec.settle

    def whole(self, rows: pa.Table) -> None:
        """Take note of rows of a read that had no span, because the entity was read whole."""
        self._see(rows)

    def end_of_whole(self) -> dict[str, Any]:
        """Return the place after a whole read: the newest timestamp seen, and what the second pass may take as read."""
        if self._newest is not None:
            self._forward(min(self._newest, self.bound))
        if self._delta.second_pass is not None:
            behind = self._present - self._delta.second_pass.behind
            self.marks = Marks(self.marks.watermark, max(self.marks.slow or behind, behind))
        return self.marks.as_place()

    def _see(self, rows: pa.Table) -> None:
        newest = pc.max(rows["source_updated_at"]).as_py() if rows.num_rows else None
        if newest is not None:
            self._newest = newest if self._newest is None else max(self._newest, newest)

    def _finish(self, span: Span) -> None:
        """Move the marks to the end of a span that was read to its end."""
        if span.is_window:
            self.marks = span.moved(self.marks, span.until)
            return
        if span.slow_end is not None:
            self.marks = Marks(self.marks.watermark, span.slow_end, self.marks.tie)
        if span.fast and self._newest is not None:
            self._forward(min(self._newest, self.bound))

    def _forward(self, reached: datetime) -> None:
        if self.marks.watermark is None or reached > self.marks.watermark:
            self.marks = Marks(reached, self.marks.slow)

    def _history(self, declared: timedelta) -> timedelta:
        name = self._delta.history_setting
        days = self._account.settings.get(name) if name else None
        if days in (None, ""):
            return declared
        if isinstance(days, bool) or not str(days).isdecimal():
            raise Stop("bad_setting", f"the setting {name!r} must be a number of days")
        return timedelta(days=int(str(days)))
