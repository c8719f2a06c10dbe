"""Which transcripts were read, and how a long one is cut. Pure.

Nothing says that a transcript has come, so every meeting young enough to still get one is asked until it has; the
cursor remembers who need not be asked. Meetings too old to be asked again are forgotten, so it stays small.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.connector import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from connectors.connector import Cursor, SyncOptions

MOST_LINES = 2_000
MOST_BYTES = 512 * 1024  # half of what a raw record may hold
_MOST_REMEMBERED = 1_500  # some 20 KB of a cursor; meetings older than the newest so many are not asked again


@dataclass
class Remembered:
    """The meetings whose transcripts are read, as far back as meetings are listed again."""

    before: frozenset[str] = frozenset()
    floor: datetime | None = None  # older meetings are not asked again
    _read: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Cursor | None, options: SyncOptions) -> Remembered:
        """Read them from a cursor; a full read knows of none."""
        if not cursor or options.mode is Mode.FULL:
            return cls()
        floor = cursor.get("floor")
        return cls(frozenset(map(str, cursor.get("read") or ())), _moment(floor) if floor else None)

    def lacks(self, key: str, created: datetime) -> bool:
        """Say whether a meeting's transcript is still to be asked for; note it if it is known."""
        if key in self.before:
            self._read[key] = created
        return key not in self._read and (self.floor is None or created >= self.floor)

    def add(self, key: str, created: datetime) -> None:
        """Note that a meeting's transcript was read."""
        self._read[key] = created

    def cursor(self, reached: Cursor, reread: timedelta) -> Cursor:
        """Return the cursor at the end of a window: its place, and the meetings that will be listed again."""
        since = _moment(reached["watermark"]) - reread
        kept = sorted(((created, key) for key, created in self._read.items() if created >= since), reverse=True)
        self._read = {key: created for created, key in kept[:_MOST_REMEMBERED]}
        if len(kept) > _MOST_REMEMBERED:
            self.floor = kept[_MOST_REMEMBERED - 1][0]
        place: dict[str, Any] = {"watermark": reached["watermark"], "read": sorted(self._read)}
        return place if self.floor is None else {**place, "floor": self.floor.isoformat()}


def cut(key: str, created: datetime, lines: Sequence[msgspec.Raw]) -> list[bytes]:
    """Return a transcript as one record, or as several where it is long: ``<meeting>``, ``<meeting>:2`` and so on."""
    pieces = list(_pieces(lines))
    stamp = created.astimezone(UTC).isoformat()
    return [
        b'{"id":%b,"recording_id":%b,"created_at":"%b","part":%d,"parts":%d,"transcript":[%b]}'
        % (
            msgspec.json.encode(key if part == 1 else f"{key}:{part}"),
            key.encode() if key.isdecimal() else msgspec.json.encode(key),
            stamp.encode(),
            part,
            len(pieces),
            b",".join(piece),
        )
        for part, piece in enumerate(pieces, start=1)
    ]


def _pieces(lines: Sequence[msgspec.Raw]) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    size = 0
    for line in map(bytes, lines):
        if piece and (len(piece) >= MOST_LINES or size + len(line) > MOST_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line) + 1
    if piece:
        yield piece


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
