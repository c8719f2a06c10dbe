"""Vendors' times become UTC, or are refused; none is guessed (FAULTS P14)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.runtime.timestamps import parse, to_arrow

MARCH = datetime(2026, 3, 2, 8, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T08:15:30.000+0000", MARCH),
        ("2026-03-02T08:15:30Z", MARCH),
        ("2026-03-02 09:15:30+01:00", MARCH),
        ("2026-03-02T08:15:30", MARCH),
        ("2026-03-02T08:15:30.123456789Z", MARCH.replace(microsecond=123456)),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        ("2026-12-31T23:59:60Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("0000-00-00", None),
        ("", None),
        (None, None),
    ],
)
def test_iso_times_in_every_usual_spelling(text: Any, expected: Any) -> None:
    assert parse(text, "iso8601") == expected
    column, bad = to_arrow([text, "odd"], "iso8601")
    assert (column.to_pylist()[0], bad) == (expected, (1,))


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "yesterday", "2026-03-02T25:00:00Z", "٢٠٢٦-03-02", "12"])
def test_what_is_no_time_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text, "iso8601")


@pytest.mark.parametrize(
    ("value", "form"),
    [(1772439330, "epoch_s"), ("1772439330", "epoch_s"), (1772439330000, "epoch_ms"), (1772439330.0, "epoch_s")],
)
def test_epochs_are_numbers_or_their_text(value: Any, form: Any) -> None:
    assert parse(value, form) == MARCH
    assert to_arrow([value], form)[0].to_pylist() == [MARCH]


@pytest.mark.parametrize("value", [True, "soon", "2026-03-02", 10**16])
def test_an_impossible_epoch_is_set_aside(value: Any) -> None:
    assert to_arrow([value], "epoch_s")[1] == (0,)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1772439330000, "epoch_s"),  # milliseconds where seconds belong: the year 58136
        (-(10**11), "epoch_s"),
        (10**16, "epoch_ms"),
        ("9999-12-31T23:59:59-05:00", "iso8601"),
        ("0001-01-01T00:00:00+05:00", "iso8601"),
    ],
)
def test_a_moment_no_calendar_holds_is_set_aside_whatever_stands_beside_it(value: Any, form: Any) -> None:
    """Alone such a column is read in one go, beside nonsense value by value: both ways find the same."""
    assert to_arrow([value], form)[1] == (0,)
    assert to_arrow([value, "soon"], form)[1] == (0, 1)
    assert to_arrow([value], form)[0].to_pylist() == [None]


def test_the_first_and_the_last_moment_there_are_stay() -> None:
    edges = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"]
    assert to_arrow(edges, "iso8601")[1] == ()
    assert to_arrow([], "iso8601")[1] == ()
