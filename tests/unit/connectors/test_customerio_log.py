"""Where a read of Customer.io's activity log may end, whatever stands in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.vendors.customerio.log import reaches_back

SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def at(*minutes: int | None) -> list[datetime | None]:
    return [None if each is None else SINCE + timedelta(minutes=each) for each in minutes]


@pytest.mark.parametrize("page", [(5, -1, -2), (-1,), (-1, -2), (5, None, -1, -2), (-1, -9, -3), (0, -1, -1)])
def test_a_page_that_ends_behind_the_moment_is_the_last_one_needed(page: tuple[int | None, ...]) -> None:
    assert reaches_back(at(*page), SINCE)


@pytest.mark.parametrize(
    "page", [(), (None,), (5, 1), (5, 0, 0), (5, -90, 4), (-90, 5, 4), (5, 4, -90), (5, -90, 4, -1), (9_999, -1, -2, 3)]
)
def test_an_entry_that_stands_where_it_does_not_belong_ends_no_read(page: tuple[int | None, ...]) -> None:
    """What lies behind it would be lost: the cursor has moved past it by then."""
    assert not reaches_back(at(*page), SINCE)
