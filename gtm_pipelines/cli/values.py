"""How the values of a query are written: to be read on a screen, as CSV, and as JSON that any program takes.

A value is written so that it can be given back to SQL: no thousands separators, nothing rounded, moments in UTC and
times without a zone as they stand. How our own reports are drawn is in output.py.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from pyarrow import MonthDayNano

_UNITS = (("year", 12), ("month", 1))
_NANOSECONDS = 1_000_000_000


def json_value(value: Any) -> Any:
    """Return what stands for a value in JSON; what JSON has no word for, as infinity, is text."""
    if isinstance(value, MonthDayNano):  # a tuple too
        return _interval(value)
    if isinstance(value, dict):
        return {str(name): json_value(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(each) for each in value]
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value if value is None or isinstance(value, (bool, int, float)) else _text(value)


def csv_value(value: Any) -> str | None:
    """Return a value as a field of CSV: lists and structs as JSON, truths as SQL spells them, null as nothing."""
    if isinstance(value, Decimal):
        return format(value, "f")
    written = json_value(value)
    return written if isinstance(written, str) or written is None else json.dumps(written, ensure_ascii=False)


def screen_value(value: Any) -> str | None:
    """Return a value as a person reads it: as in CSV, but for lists, which stand without their brackets."""
    if isinstance(value, list):
        return ", ".join("-" if each is None else str(screen_value(each)) for each in value)
    if isinstance(value, datetime):
        return _text(value).replace("T", " ")
    return csv_value(value)


def _number(value: Decimal) -> int | float | str:
    """Return a decimal as the number it is, or as text where a program that reads JSON would round it."""
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else format(value, "f")


def _text(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    return str(value)


def _interval(value: MonthDayNano) -> str:
    """Return a span of time in SQL's words, as ``1 month 3 days 04:05:06``."""
    parts, months = [], value.months
    for unit, size in _UNITS:
        count = int(months / size)  # towards zero: a span back in time is negative in every part
        months -= count * size
        parts.append((count, unit))
    words = [
        f"{count} {unit}{'' if abs(count) == 1 else 's'}" for count, unit in [*parts, (value.days, "day")] if count
    ]
    if value.nanoseconds or not words:
        words.append(_clock(value.nanoseconds))
    return " ".join(words)


def _clock(nanoseconds: int) -> str:
    seconds, rest = divmod(abs(nanoseconds), _NANOSECONDS)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    sign = "-" if nanoseconds < 0 else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"
