"""What an incremental read asks for, and what it may remember once its pages are stored. Pure.

A watermark only ever takes the vendor's own timestamps, never moves back, and never passes the sync's start less the
entity's settle time. It moves on the last page, or page by page where the vendor promises order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from connectors.connector import Cursor, Mode, SyncOptions
from connectors.declarative.model import DeltaCursor, DeltaToken, SinceId, TimestampFilter
from connectors.errors import Resync
from connectors.runtime import paths

if TYPE_CHECKING:
    import pyarrow as pa

    from connectors.manifest import EntitySpec
    from connectors.runtime.messages import Response


class Progress:
    """One entity's read: where it starts, and where the next one may."""

    def __init__(self, spec: EntitySpec, delta: Any, cursor: Cursor | None, options: SyncOptions) -> None:
        self._spec = spec
        self._delta = delta
        self._options = options
        self._cursor = dict(cursor or {}) if options.mode is Mode.INCREMENTAL else {}
        self._watermark = self._stored_watermark()
        self._seen_id: str | None = self._cursor.get("since_id")
        self._token: str | None = self._cursor.get("token")

    def values(self) -> dict[str, Any]:
        """Return the placeholders of this read; those without a value are left out of the request."""
        if isinstance(self._delta, TimestampFilter):
            since = self._watermark and self._watermark - max(self._spec.lag, self._spec.reread)
            until = self._options.started_at
            return {"delta.since": _write(since, self._delta.format), "delta.until": _write(until, self._delta.format)}
        if isinstance(self._delta, SinceId):
            return {"delta.since_id": self._seen_id}
        return {"delta.token": self._token}

    def params(self) -> dict[str, str]:
        """Return the query parameters that the delta names itself."""
        values = self.values()
        named = {getattr(self._delta, "until_param", None): values.get("delta.until")}
        first = next((value for name, value in values.items() if name != "delta.until"), None)
        named[getattr(self._delta, "param", None)] = first
        return {name: str(value) for name, value in named.items() if name and value is not None}

    @property
    def link(self) -> str | None:
        """The stored URL to start from, for vendors whose delta is a link."""
        return self._token if isinstance(self._delta, DeltaToken) and self._delta.link else None

    def after(self, rows: pa.Table, response: Response, *, last: bool) -> Cursor | None:
        """Take in one page; return the cursor that is safe once it is stored, or None."""
        if isinstance(self._delta, TimestampFilter):
            self._advance(rows)
            reached = self._watermark.isoformat() if self._watermark else None
            return self._cursor_of("watermark", reached, safe=last or self._delta.ordered)
        if isinstance(self._delta, SinceId):
            self._seen_id = _highest([self._seen_id, *rows["external_id"].to_pylist()])
            return self._cursor_of("since_id", self._seen_id, safe=last)
        if isinstance(self._delta, DeltaCursor | DeltaToken):
            token = paths.read(response.content, self._delta.token_path) if response.content else None
            self._token = str(token) if token not in (None, "") else self._token
            return self._cursor_of("token", self._token, safe=last or isinstance(self._delta, DeltaCursor))
        return None

    def _cursor_of(self, name: str, value: str | None, *, safe: bool) -> Cursor | None:
        return {name: value} if safe and value is not None else None

    def _advance(self, rows: pa.Table) -> None:
        newest = pc.max(rows["source_updated_at"]).as_py() if rows.num_rows else None
        limit = self._options.started_at - self._spec.settle
        if newest is not None:
            newest = min(newest.astimezone(UTC), limit)
            self._watermark = newest if self._watermark is None else max(self._watermark, newest)

    def _stored_watermark(self) -> datetime | None:
        stored = self._cursor.get("watermark")
        if stored is None:
            return None
        try:
            return datetime.fromisoformat(str(stored)).astimezone(UTC)
        except ValueError:
            raise Resync("cursor_unreadable", "the stored cursor is not a time; the entity is read in full") from None


def _write(moment: datetime | None, form: str) -> str | int | None:
    """Return a time as the vendor's filter takes it, rounded down so that nothing falls between."""
    if moment is None:
        return None
    if form == "iso8601":
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    return int(moment.timestamp()) if form == "epoch_s" else int(moment.timestamp() * 1000)


def _highest(ids: list[str | None]) -> str | None:
    """Return the greatest id, as numbers where both are numbers; no order is assumed between pages."""
    best: str | None = None
    for value in ids:
        if value is not None and (best is None or _order(value) > _order(best)):
            best = value
    return best


def _order(value: str) -> tuple[int, str]:
    return (len(value.lstrip("0")), value.lstrip("0")) if value.isascii() and value.isdigit() else (0, value)
