"""When a Customer.io profile last changed, by its attributes and by the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.landing import RecordShape, land_records
from connectors.vendors.customerio.profiles import dated

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AN_HOUR_AGO = NOW - timedelta(hours=1)
SHAPE = RecordShape("", "id")


def stamp(timestamps: Any, logged: datetime | None = None) -> datetime | None:
    rows = land_records([json.dumps({"id": "a", "timestamps": timestamps}).encode()], SHAPE).table
    moment: datetime | None = dated(rows, {"a": logged} if logged else {}, NOW)["source_updated_at"][0].as_py()
    return moment


@pytest.mark.parametrize("timestamps", [None, {}, [], 5, {"email": "soon"}, {"email": True}, {"email": 0}])
def test_a_profile_without_times_has_none(timestamps: Any) -> None:
    assert stamp(timestamps) is None


def test_the_newest_attribute_has_the_word() -> None:
    assert stamp({"email": 1_700_000_000, "plan": 1_700_000_500.5, "odd": None}) == datetime.fromtimestamp(
        1_700_000_500.5, UTC
    )


def test_a_change_without_an_attribute_has_the_time_of_the_log() -> None:
    assert stamp({"email": 1_700_000_000}, AN_HOUR_AGO) == AN_HOUR_AGO


def test_a_time_that_has_not_come_hides_no_later_change() -> None:
    assert stamp({"email": AN_HOUR_AGO.timestamp(), "trial_ends": 4_000_000_000}) == AN_HOUR_AGO
