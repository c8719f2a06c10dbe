"""Moments written as vendors' filters take them, always rounded down so that nothing falls between two reads. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.declarative.words import WrittenTime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: dict[str, timedelta] = {
    "iso8601": timedelta(milliseconds=1),
    "iso8601_s": timedelta(seconds=1),
    "iso8601_us": timedelta(microseconds=1),
    "epoch_s": timedelta(seconds=1),
    "epoch_ms": timedelta(milliseconds=1),
    "date": timedelta(days=1),
}


def unit(form: WrittenTime) -> timedelta:
    """Return the shortest time that ``form`` can tell apart."""
    return _UNITS[form]


def floor(moment: datetime, form: WrittenTime) -> datetime:
    """Return the last moment, not after ``moment``, that ``form`` can write."""
    since = moment.astimezone(UTC) - _EPOCH
    return _EPOCH + (since // unit(form)) * unit(form)


def write(moment: datetime | None, form: WrittenTime) -> str | int | None:
    """Return a moment as the vendor's filter takes it; None for none."""
    if moment is None:
        return None
    whole = floor(moment, form)
    if form in ("epoch_s", "epoch_ms"):
        return (whole - _EPOCH) // unit(form)
    if form == "date":
        return whole.date().isoformat()
    fraction = {"iso8601_s": "", "iso8601": f".{whole.microsecond // 1000:03d}"}.get(form, f".{whole.microsecond:06d}")
    return f"{whole:%Y-%m-%dT%H:%M:%S}{fraction}Z"
