"""The Customer.io connector. Code, for three entities that cannot be described.

People are enumerated in one call and read, a hundred at a time, in another; afterwards only those are read again that
the activity log names. Activities come newest first without a time filter. Messages take windows of at most thirty days
and are read again for as long as their metrics may change. Campaigns and segments are described in connector.yml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from connectors import registry
from connectors.connector import Mode, Page
from connectors.declarative.engine import GenericConnector
from connectors.errors import Resync, Stop
from connectors.landing import RAW_SCHEMA, Landed, RecordShape, land, tombstones
from connectors.vendors.customerio.profiles import dated
from connectors.vendors.customerio.workspace import (
    ACTIVITIES_PER_PAGE,
    IDS_PER_PAGE,
    MESSAGES_PER_PAGE,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from connectors.connector import Credentials, Cursor, Entity, SyncOptions
    from connectors.manifest import EntitySpec, Manifest

_LOG_REACH = timedelta(days=29)  # activities are kept for about thirty days; a day is left for doubt
_WINDOW = timedelta(days=30)  # the longest span one question for messages may cover
_HISTORY_DAYS = 180
_GONE = "profile_delete"
_MERGED = "profile_merge"
_CHANGES = ("attribute_change", "profile_create", "device_change", "unsubscribed_email", _MERGED, _GONE)


class CustomerioConnector(GenericConnector):
    """Reads one Customer.io workspace through its App API."""

    manifest: ClassVar[Manifest] = registry.manifest("customerio")
    mapping: ClassVar[Path] = registry.mapping_path("customerio")

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read one entity; those without code of their own are read as described."""
        known = None if options.mode is Mode.FULL else cursor
        workspace = Workspace(self.context.transport, credentials)
        if options.entity == "people":
            yield from self._people(workspace, known, options)
        elif options.entity == "activities":
            yield from self._activities(workspace, known, options)
        elif options.entity == "messages":
            yield from self._messages(workspace, known, options)
        else:
            yield from super().sync(credentials, cursor, options)

    def _people(self, workspace: Workspace, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read everyone, or those whom the activity log names since the cursor."""
        entity = self.manifest.spec("people").entity()
        since = _since(cursor, entity)
        changed = _Changes.since(workspace, since)
        now = workspace.vendor_time or options.started_at
        if since is not None and now - since > _LOG_REACH:
            raise Resync("activities_gap", "the activity log no longer reaches back to the last read of people")
        bound = min(now, options.started_at) - entity.settle
        reached = _held_back(changed.newest or bound, cursor, bound)
        if since is None:
            for ids, more in workspace.everyone(limit=min(options.page_size or IDS_PER_PAGE, IDS_PER_PAGE)):
                landed = self._profiles(workspace, ids, {}, now)
                yield Page(landed.table, None if more else reached, has_more=more, unreadable=landed.unreadable)
            return
        gone = tombstones(sorted(changed.gone.items()))
        landed = self._profiles(workspace, sorted(changed.ids.keys() - changed.gone.keys()), changed.ids, now)
        rows = pa.concat_tables([gone, landed.table])
        yield Page(rows, reached, has_more=False, unreadable=landed.unreadable)

    def _profiles(self, workspace: Workspace, ids: list[str], logged: Mapping[str, datetime], now: datetime) -> Landed:
        shape = _shape(self.manifest.spec("people"))
        parts = [land(body, shape) for body in workspace.attributes(ids)]
        tables = [RAW_SCHEMA.empty_table(), *(part.table for part in parts)]
        rows = dated(pa.concat_tables(tables), logged, _later(workspace.vendor_time, now) or now)
        return Landed(rows, tuple(each for part in parts for each in part.unreadable))

    def _activities(self, workspace: Workspace, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read the log from its newest entry down to the cursor; it may be resumed only once that is reached."""
        spec = self.manifest.spec("activities")
        since = _since(cursor, spec.entity())
        bound = options.started_at - spec.settle
        newest: datetime | None = None
        limit = min(options.page_size or ACTIVITIES_PER_PAGE, ACTIVITIES_PER_PAGE)
        for body, more in workspace.activities(limit=limit):
            landed = land(body, _shape(spec))
            newest = _later(newest, _newest(landed.table, bound))
            oldest = pc.min(landed.table["source_updated_at"]).as_py()
            last = not more or (since is not None and oldest is not None and oldest < since)
            place = _held_back(newest, cursor, bound) if last else None
            yield Page(landed.table, place, has_more=not last, unreadable=landed.unreadable)
            if last:
                return

    def _messages(self, workspace: Workspace, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read deliveries in windows, oldest first, from a trailing stretch before the cursor on."""
        spec = self.manifest.spec("messages")
        next(workspace.activities(limit=1))  # for the vendor's clock: windows end at its present, not at ours
        now = workspace.vendor_time or options.started_at
        bound = min(now, options.started_at) - spec.settle
        start = _since(cursor, spec.entity()) or now - timedelta(days=self._history_days())
        newest: datetime | None = None
        limit = min(options.page_size or MESSAGES_PER_PAGE, MESSAGES_PER_PAGE)
        while start <= now:
            end = min(start + _WINDOW, now)
            for body, more in workspace.messages(start, end, limit=limit):
                landed = land(body, _shape(spec))
                newest = _later(newest, _newest(landed.table, bound))
                whole = not more
                last = whole and end == now
                place = _held_back(newest, cursor, bound) if whole else None
                yield Page(landed.table, place, has_more=not last, unreadable=landed.unreadable)
            if end == now:
                return
            start = end

    def _history_days(self) -> int:
        days = self.context.settings.get("history_days") or _HISTORY_DAYS
        if not str(days).isdecimal():
            raise Stop("bad_setting", "the setting 'history_days' must be a number of days")
        return int(days)


class _Activity(msgspec.Struct):
    """What of an activity tells that a profile changed."""

    type: str = ""
    timestamp: float = 0
    customer_identifiers: dict[str, Any] | None = None

    @property
    def cio_id(self) -> str | None:
        found = (self.customer_identifiers or {}).get("cio_id")
        return str(found) if found else None


class _Log(msgspec.Struct):
    activities: list[_Activity] | None = None


@dataclass
class _Changes:
    """Whose profiles changed since a moment, and who is gone, by the activity log."""

    newest: datetime | None = None
    ids: dict[str, datetime] = field(default_factory=dict)
    gone: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def since(cls, workspace: Workspace, since: datetime | None) -> _Changes:
        """Look at the newest page of the log, and into each kind of change where that page does not reach back."""
        found = cls()
        body, more = next(workspace.activities())
        reached = found.take(body, since) or not more
        if since is None:
            return found
        walks = [] if reached else [workspace.activities(kind) for kind in _CHANGES]
        for walk in [*walks, workspace.activities(_GONE, of_deleted=True)]:
            for page, _ in walk:
                if found.take(page, since):
                    break
        return found

    def take(self, body: bytes, since: datetime | None) -> bool:
        """Note one page; return whether it reaches back beyond ``since``."""
        try:
            log = msgspec.json.decode(body, type=_Log).activities or []
        except msgspec.DecodeError as error:
            raise Stop("malformed_page", "the activity log is not in its usual form") from error
        for each in log:
            moment = datetime.fromtimestamp(each.timestamp, UTC)
            self.newest = _later(self.newest, moment)
            if each.cio_id is None or each.type not in _CHANGES or (since is not None and moment < since):
                continue
            self.ids[each.cio_id] = max(moment, self.ids.get(each.cio_id, moment))
            if each.type == _GONE:
                self.gone[each.cio_id] = moment
        return bool(log) and since is not None and log[-1].timestamp < since.timestamp()


def _shape(spec: EntitySpec) -> RecordShape:
    return RecordShape(spec.items, spec.key, spec.timestamp, spec.timestamp_format, spec.deleted)


def _since(cursor: Cursor | None, entity: Entity) -> datetime | None:
    """Return the moment an incremental read starts at: the watermark less what is read again."""
    if not cursor or "watermark" not in cursor:
        return None
    return datetime.fromisoformat(cursor["watermark"]).astimezone(UTC) - entity.lag


def _held_back(newest: datetime | None, cursor: Cursor | None, bound: datetime) -> Cursor | None:
    """Return the cursor for what was read: never past ``bound``, never behind the one there was, None for neither."""
    before = datetime.fromisoformat(cursor["watermark"]) if cursor else None
    reached = _later(before, newest and min(newest, bound))
    return None if reached is None else {"watermark": reached.astimezone(UTC).isoformat(timespec="seconds")}


def _newest(rows: pa.Table, bound: datetime) -> datetime | None:
    """Return the newest timestamp of some rows; one later than ``bound`` is no place to go on from."""
    stamps = rows["source_updated_at"]
    moment: datetime | None = pc.max(stamps.filter(pc.less_equal(stamps, pa.scalar(bound, stamps.type)))).as_py()
    return moment


def _later(left: datetime | None, right: datetime | None) -> datetime | None:
    return max((moment for moment in (left, right) if moment is not None), default=None)


CONNECTOR = CustomerioConnector
