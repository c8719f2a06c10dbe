"""Vendors' timestamps to UTC microseconds, a column at a time; single values are parsed only when a column resists."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

TimestampFormat = Literal["iso8601", "epoch_s", "epoch_ms"]
TimeValue = str | int | float | None

_TYPE = pa.timestamp("us", tz="UTC")
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"-?\d{1,17}(?:\.\d{1,9})?", re.ASCII)
_EMPTY = re.compile(r"\s*|0000-00-00(?:[T ]00:00:00(?:\.0+)?Z?)?")  # MySQL's way of writing null
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def to_arrow(values: Sequence[TimeValue], form: TimestampFormat) -> tuple[pa.Array[Any], tuple[int, ...]]:
    """Return the column in UTC and the positions that hold something that is no time.

    A moment outside the years 1 to 9999 is none either: not everybody who reads the column could hold it.
    """
    try:
        column = _whole(values, form)
        if _is_within_years(column):
            return column, ()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        pass
    parsed: list[datetime | None] = []
    bad: list[int] = []
    for at, value in enumerate(values):
        try:
            parsed.append(parse(value, form))
        except (ValueError, OverflowError):
            parsed.append(None)
            bad.append(at)
    return pa.array(parsed, _TYPE), tuple(bad)


def parse(value: TimeValue, form: TimestampFormat) -> datetime | None:
    """Return one value as an aware UTC time, None for an empty one; raise ValueError for anything else.

    A time without a zone is UTC; second 60 is the next minute.
    """
    if value is None or (isinstance(value, str) and _EMPTY.fullmatch(value)):
        return None
    if form != "iso8601":
        if isinstance(value, bool) or not _NUMBER.fullmatch(str(value)):
            raise ValueError("not a number of seconds")
        seconds = float(value) if form == "epoch_s" else float(value) / 1000.0
        return _EPOCH + timedelta(microseconds=round(seconds * 1_000_000))
    match = _ISO.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("not an ISO 8601 time")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micros = int((match[7] or "").ljust(6, "0")[:6])
    moment = datetime(year, month, day, hour, minute, min(second, 59), micros, _zone(match[8]))
    return (moment + timedelta(seconds=second // 60)).astimezone(UTC)


def _whole(values: Sequence[TimeValue], form: TimestampFormat) -> pa.Array[Any]:
    if form == "iso8601":
        return pa.array(values, pa.string()).cast(_TYPE)
    numbers = pa.array(values, pa.int64())
    scale = 1_000_000 if form == "epoch_s" else 1_000
    return pc.multiply_checked(numbers, pa.scalar(scale, pa.int64())).cast(_TYPE)


def _is_within_years(column: pa.Array[Any]) -> bool:
    numbers = column.view(pa.int64())  # as moments, Python could not hold the ones looked for
    first, last = pc.min(numbers).as_py(), pc.max(numbers).as_py()
    return first is None or last is None or _FIRST <= first <= last <= _LAST


def _zone(text: str | None) -> timezone:
    if text is None or text.upper() in {"Z", "UTC"}:
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
