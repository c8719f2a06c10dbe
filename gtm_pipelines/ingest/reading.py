"""One entity being read: which way it is read, what came so far, and where it may resume once that is stored.

No I/O but the spool. Vendors are asked by the caller, rows are judged and stored elsewhere; here stands only the
bookkeeping that keeps a cursor honest: it never passes what was read, nor the moment up to which a vendor can be
trusted to have shown everything, nor moves back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.connector import Mode
from connectors.errors import Stop
from gtm_pipelines.ingest.report import EntityReport, Fault, Status
from gtm_pipelines.ingest.spool import Spool
from gtm_pipelines.ingest.state import EntityState, FullPending, clamp, is_later_only, watermark

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from connectors.connector import Cursor, Entity, Page, Unreadable
    from gtm_pipelines.ingest.limits import Limits

_FEW = 2_000  # records: reading as many again costs less than storing where one is
_REST = timedelta(hours=6)
_NOTICES = 20


@dataclass(slots=True)
class Reading:
    """The state of one entity's read. ``stored`` is what the warehouse remembers of it now."""

    entity: Entity
    stored: EntityState
    mode: Mode
    spool: Spool
    started_at: datetime
    report: EntityReport
    cursor: Cursor | None = None  # resumes after every page taken so far
    is_complete: bool = False  # the walk ended normally
    cursor_is_lost: bool = False  # the vendor no longer knows the stored cursor
    had_rows: bool = False  # rows were stored before this walk
    is_abandoned: bool = False  # what came since the last batch is not to be trusted
    unreadable: list[Unreadable] = field(default_factory=list)  # of the running batch
    unreadable_ids: set[str] = field(default_factory=set)
    unreadable_without_id: int = 0
    whole: set[str] = field(default_factory=set)  # prefixes of ids that the running batch completes

    @property
    def is_full(self) -> bool:
        """Whether this walk reads everything."""
        return self.mode is Mode.FULL

    @property
    def starts_at(self) -> Cursor | None:
        """The cursor to hand to the connector."""
        return None if self.is_full else self.stored.cursor

    @property
    def proves_absence(self) -> bool:
        """Whether rows this walk did not see are gone at the vendor."""
        return (
            self.is_full
            and self.is_complete
            and self.entity.delete_detection.proves_absence
            and not self.unreadable_without_id
        )

    @property
    def seen_whole(self) -> tuple[str, ...]:
        """Prefixes of ids of which stored rows that this walk did not see are gone; an empty one is all of them."""
        if self.unreadable_without_id:
            return ()
        return ("",) if self.proves_absence else tuple(sorted(self.whole))

    @property
    def has_moved(self) -> bool:
        """Whether there is a state worth a load of its own.

        Time alone moves many a watermark, and the look after one that found nothing new may as well begin where that
        one did. It is stored a few times a day all the same, so that no window grows long.
        """
        reached = self.next_state()
        if reached == self.stored:
            return False
        report, at = self.report, self.stored.stored_at
        found_nothing = (
            self.is_complete
            and not self.is_full
            and is_later_only(reached, self.stored)
            and report.read <= _FEW
            and not (report.created or report.updated or report.deleted or report.rejected)
        )
        return not (found_nothing and at is not None and at <= self.started_at < at + _REST)

    def take(self, page: Page, limits: Limits) -> None:
        """Keep a page; raise Stop when too much of what came is unreadable."""
        self.report.pages += 1
        self.report.read += page.rows.num_rows
        self.report.rejected += len(page.unreadable)
        self.spool.take(page.rows)
        told = self.report.notices
        told += [notice for notice in page.notices if notice not in told][: _NOTICES - len(told)]
        for each in page.unreadable:
            self.unreadable.append(each)
            if each.external_id is None:
                self.unreadable_without_id += 1
            else:
                self.unreadable_ids.add(each.external_id)
        self.whole.update(page.seen_whole)
        if page.cursor is not None:
            self.cursor = page.cursor
        self.is_complete = not page.has_more
        if self.report.rejected > limits.unreadable_rows or self.is_complete:
            self.check_readable(limits)

    def check_readable(self, limits: Limits) -> None:
        """Raise Stop when so much is unreadable that the vendor's format, not a record, is the likely fault."""
        rejected, seen = self.report.rejected, self.report.rejected + self.report.read
        if rejected > limits.unreadable_rows or (
            rejected > limits.unreadable_floor and rejected > limits.unreadable_share * seen
        ):
            self.is_complete = False
            raise Stop(
                "too_many_unreadable",
                f"{rejected:,} of {seen:,} records of {self.entity.name} are unreadable; they are in quarantine with "
                f"their reasons and the cursor is kept",
            )

    def next_state(self) -> EntityState:
        """Return what to remember once everything taken so far is stored."""
        if self.is_abandoned:
            return self.stored
        if not self.is_full:
            pending = self.stored.full_pending
            if self.is_complete and pending is FullPending.RESUME:
                pending = FullPending.OWED
            return EntityState(self._forward(), pending)
        kept = None if self.cursor_is_lost else self.stored.cursor
        reached = self._bounded()
        if self.is_complete:
            return EntityState(kept if reached is None else reached)
        owes = self.entity.delete_detection.proves_absence and (self.had_rows or self.stored.full_pending)
        pending = None
        if owes and self.entity.cursor is not None:
            pending = FullPending.OWED if reached is None else FullPending.RESUME
        return EntityState(kept if reached is None else reached, pending)

    def abandon(self) -> None:
        """Drop the rows of the running batch and keep the stored cursor; unreadable records are still recorded."""
        self.report.read -= self.spool.batch_rows
        self.spool.cut()
        self.whole.clear()
        self.is_abandoned, self.is_complete = True, False

    def fail(self, status: Status, code: str, message: str) -> None:
        """Say in the report why this entity ended early."""
        self.report.status = status
        self.report.errors.append(Fault(code=code, message=message))

    def _bounded(self) -> Cursor | None:
        return None if self.cursor is None else clamp(self.cursor, self.started_at - self.entity.settle)

    def _forward(self) -> Cursor | None:
        """Return the cursor reached, or the stored one where that is further: re-reads begin behind it."""
        reached = self._bounded()
        if reached is None:
            return self.stored.cursor
        new, old = watermark(reached), watermark(self.stored.cursor)
        return self.stored.cursor if new is not None and old is not None and new < old else reached


def plan(entity: Entity, stored: EntityState, wanted: Mode | None, directory: Path, started_at: datetime) -> Reading:
    """Decide how an entity is read: in full when asked, never read, owed a full read, or without a cursor."""
    full = (
        wanted is Mode.FULL or entity.cursor is None or stored.cursor is None or stored.full_pending is FullPending.OWED
    )
    mode = Mode.FULL if full else Mode.INCREMENTAL
    before = None if stored.cursor is None else dict(stored.cursor)
    report = EntityReport(mode=mode, cursor_before=before, cursor_after=before)
    return Reading(entity, stored, mode, Spool(directory), started_at, report)


def in_full(reading: Reading, directory: Path) -> Reading:
    """Begin an entity again from nothing, after the vendor lost its cursor."""
    again = Reading(
        reading.entity,
        reading.stored,
        Mode.FULL,
        Spool(directory),
        reading.started_at,
        reading.report,
        cursor_is_lost=True,
    )
    again.report.mode = Mode.FULL
    again.report.read -= reading.spool.batch_rows  # they come again
    again.report.rejected -= len(reading.unreadable)
    return again
