"""A query's values are written so that they can be read, and given back, as they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from gtm_pipelines.cli.values import csv_value, json_value, screen_value

HOUR = 3_600 * 10**9
UNZONED = datetime.fromisoformat("2026-01-01T10:00:00")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, "true"),
        (2026, "2026"),
        (0.00412, "0.00412"),
        (1e300, "1e+300"),
        (Decimal("3.14000"), "3.14000"),
        (UNZONED, "2026-01-01 10:00:00"),
        (datetime(2026, 1, 1, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-01 08:00:00.000005Z"),
        (date(2026, 1, 1), "2026-01-01"),
        (time(10, 0), "10:00:00"),
        (["a", None, 2], "a, -, 2"),
        ({"a": 1, "b": None}, '{"a": 1, "b": null}'),
        (b"\xaa", "aa"),
    ],
)
def test_a_person_reads_a_value_as_it_is(value: Any, shown: str | None) -> None:
    assert screen_value(value) == shown


def test_a_time_without_a_zone_is_not_moved_into_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import time as clock

    monkeypatch.setenv("TZ", "America/New_York")
    clock.tzset()
    try:
        assert screen_value(UNZONED) == "2026-01-01 10:00:00"
        assert screen_value(datetime(2026, 1, 1, 10, tzinfo=UTC)) == "2026-01-01 10:00:00Z"
    finally:
        monkeypatch.undo()
        clock.tzset()


@pytest.mark.parametrize(
    ("months", "days", "nanoseconds", "words"),
    [
        (0, 61, 22 * HOUR + 36_915 * 10**8, "61 days 23:01:31.5"),
        (14, 1, 0, "1 year 2 months 1 day"),
        (-1, -3, -HOUR, "-1 month -3 days -01:00:00"),
        (0, 0, 0, "00:00:00"),
    ],
)
def test_a_span_of_time_is_told_in_words(months: int, days: int, nanoseconds: int, words: str) -> None:
    span = pa.scalar((months, days, nanoseconds), type=pa.month_day_nano_interval())
    assert json_value(span.as_py()) == words


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ([float("inf")], ["Infinity"]),
        (Decimal(1295), 1295),
        (Decimal("655.5"), 655.5),
        (Decimal("0.12345678901234567890"), "0.12345678901234567890"),
        ({"a": b"\xaa"}, {"a": "aa"}),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
    ],
)
def test_json_is_what_any_program_reads(value: Any, written: Any) -> None:
    assert json_value(value) == written


@pytest.mark.parametrize(
    ("value", "field"),
    [(None, None), (True, "true"), (["a", 1], '["a", 1]'), (Decimal("655.50"), "655.50"), ("a\nb", "a\nb")],
)
def test_csv_spells_values_as_sql_does(value: Any, field: str | None) -> None:
    assert csv_value(value) == field
