"""Reading what changed by the vendor's event log: which objects it names since the cursor, then those objects.

A log is listed newest first, so nothing may be resumed before it was walked down to the cursor. A row is dated by its
newest event, and in a whole read by the vendor's present, so that the later reading always wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.connector import Unreadable
from connectors.declarative import times
from connectors.declarative.account import Way
from connectors.declarative.gone import id_text, read_time
from connectors.declarative.pages import SinglePage
from connectors.declarative.parts import Part
from connectors.declarative.spans import moment
from connectors.errors import Resync, SkipRecord, Stop
from connectors.landing import RAW_SCHEMA, RecordShape, land_slices, tombstones
from connectors.runtime import paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.connector import Cursor
    from connectors.declarative.account import Account
    from connectors.declarative.changes import Events
    from connectors.manifest import EntitySpec

_AT_ONCE = 100  # changed objects in one page


@dataclass(slots=True)
class _Changed:
    """The objects the log names, each with its newest event."""

    at: dict[str, datetime | None] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    snapshots: dict[str, bytes] = field(default_factory=dict)


class EventLog:
    """One entity's read by event log."""

    def __init__(self, account: Account, spec: EntitySpec, delta: Events, cursor: Cursor) -> None:
        self._account = account
        self._spec = spec
        self._delta = delta
        self._since = moment(cursor, "watermark")
        self._begun = account.present
        if self._since and self._begun - self._since > delta.retention:
            raise Resync("events_gap", f"the vendor's events no longer reach back to the last read of {spec.name}")

    @property
    def place(self) -> dict[str, Any]:
        """Return the place once everything was read: the vendor's present when it began, less the settle time."""
        reached = self._begun - self._spec.settle
        later = reached if self._since is None else max(reached, self._since)
        return {"watermark": later.isoformat()}

    def pages(self, values: Mapping[str, Any]) -> Iterator[Part]:
        """Yield what the log says has changed; only the last part has a place."""
        changed = self._changed(values)
        gone = [(key, changed.at[key]) for key in sorted(changed.gone)]
        yield Part(tombstones(gone))
        alive = [key for key in changed.at if key not in changed.gone]
        for start in range(0, len(alive), _AT_ONCE):
            yield self._objects(alive[start : start + _AT_ONCE], changed, values)
        yield Part(place=self.place)

    def dated(self, part: Part) -> Part:
        """Return a part of a whole read with its rows dated by when the read began."""
        return Part(_dated(part.rows, [self._begun] * part.rows.num_rows), None, part.unreadable)

    def _changed(self, values: Mapping[str, Any]) -> _Changed:
        delta, changed = self._delta, _Changed()
        way = self._account.way(delta.endpoint, delta.pagination, delta.items)
        since = self._since - self._spec.lag if self._since else None
        asked = {**values, "delta.since": times.write(since, delta.format)}
        for response in self._account.walk(way, asked):
            for item in way.slices(response):
                if delta.where is None or delta.where.takes(item):
                    self._take(item, changed)
        return changed

    def _take(self, item: bytes, changed: _Changed) -> None:
        delta = self._delta
        key = id_text(paths.find_one(item, delta.object_id))
        at = read_time(item, delta.at, delta.at_format)
        if key is None:
            raise Stop("malformed_page", f"an event of the vendor's log names no object at {delta.object_id}")
        known = changed.at.get(key)
        if key in changed.at and (at is None or (known is not None and at <= known)):
            if at == known and delta.gone is not None and delta.gone.takes(item) != (key in changed.gone):
                self._doubt(key, changed)
            return
        changed.at[key] = at
        changed.gone.discard(key)
        if delta.gone is not None and delta.gone.takes(item):
            changed.gone.add(key)
        elif delta.snapshot is not None:
            changed.snapshots[key] = b"".join(bytes(each) for each in paths.find(item, delta.snapshot)[:1])
        if len(changed.at) > delta.most_changes:
            raise Resync("too_many_changes", f"more of {self._spec.name} changed than is worth reading one by one")

    def _doubt(self, key: str, changed: _Changed) -> None:
        """Of a deletion and another event of one moment the log tells no order: the object itself is asked for.

        Where it cannot be asked for, the deletion counts as the later.
        """
        if self._delta.fetch is None:
            changed.gone.add(key)
        else:
            changed.gone.discard(key)

    def _objects(self, keys: list[str], changed: _Changed, values: Mapping[str, Any]) -> Part:
        """Read some of the changed objects; one that the vendor no longer has, or calls deleted, is a tombstone."""
        if self._delta.fetch is None:
            return self._landed([changed.snapshots[key] for key in keys], changed)
        records: list[bytes] = []
        gone: list[tuple[str, datetime | None]] = []
        unread: list[Unreadable] = []
        for key in keys:
            try:
                way = Way(self._delta.fetch, SinglePage(type="none"), "$")
                request = self._account.build(self._delta.fetch, {**values, "event.object_id": key})
                records += way.slices(self._account.send(request))
            except SkipRecord as error:
                unread.append(Unreadable("bad_key", f"{self._spec.name}: {error.code}", key))
            except Stop as error:
                if error.code != "stream_gone":
                    raise
                gone.append((key, changed.at[key]))
        part = self._landed(records, changed)
        return Part(pa.concat_tables([tombstones(gone), part.rows]), None, (*part.unreadable, *unread))

    def _landed(self, records: list[bytes], changed: _Changed) -> Part:
        spec = self._spec
        landed = land_slices(records, RecordShape("$", spec.key, spec.timestamp, spec.timestamp_format, spec.deleted))
        times_of = [changed.at.get(str(key), self._begun) for key in landed.table["external_id"].to_pylist()]
        rows = _dated(landed.table, times_of)
        left = rows.filter(pc.invert(rows["is_deleted"]))
        dead = rows.filter(rows["is_deleted"]).select(["external_id", "source_updated_at"]).to_pylist()
        stubs = tombstones([(row["external_id"], row["source_updated_at"]) for row in dead])
        return Part(pa.concat_tables([stubs, left]), None, landed.unreadable)


def _dated(rows: pa.Table, when: list[datetime | None]) -> pa.Table:
    at = RAW_SCHEMA.get_field_index("source_updated_at")
    return rows.set_column(at, RAW_SCHEMA.field(at), pa.array(when, pa.timestamp("us", tz="UTC")))
