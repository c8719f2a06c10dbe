"""Moments in filters are written in the vendor's form and only ever rounded down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from connectors.declarative import template, times

AT = datetime(2026, 3, 10, 14, 0, 5, 123_999, timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("form", "written", "whole"),
    [
        ("iso8601", "2026-03-10T12:00:05.123Z", datetime(2026, 3, 10, 12, 0, 5, 123_000, UTC)),
        ("iso8601_s", "2026-03-10T12:00:05Z", datetime(2026, 3, 10, 12, 0, 5, 0, UTC)),
        ("iso8601_us", "2026-03-10T12:00:05.123999Z", AT),
        ("epoch_s", 1773144005, datetime(2026, 3, 10, 12, 0, 5, 0, UTC)),
        ("epoch_ms", 1773144005123, datetime(2026, 3, 10, 12, 0, 5, 123_000, UTC)),
        ("date", "2026-03-10", datetime(2026, 3, 10, tzinfo=UTC)),
    ],
)
def test_each_form_is_written_down_and_down_only(form: Any, written: Any, whole: Any) -> None:
    assert times.write(AT, form) == written
    assert times.floor(AT, form) == whole
    assert times.floor(whole, form) == whole
    assert times.floor(whole + times.unit(form) - timedelta(microseconds=1), form) == whole


def test_no_moment_is_no_value() -> None:
    assert times.write(None, "epoch_s") is None


def test_a_moment_before_the_epoch_is_rounded_down_too() -> None:
    assert times.write(datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC), "epoch_s") == -1


def test_a_list_is_joined_where_there_is_one_value_and_kept_in_a_body() -> None:
    values = {"lookup.names": ["a", True, 3]}
    assert template.render_text("{{lookup.names}}", values) == "a,true,3"
    assert template.render_body({"of": "{{lookup.names}}"}, values) == {"of": ["a", True, 3]}
