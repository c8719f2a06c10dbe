"""When a connection is due: a five-field cron in UTC, quota deferrals, and back-off after failures. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from gtm_pipelines.control_plane.errors import InvalidInputError

if TYPE_CHECKING:
    from gtm_pipelines.control_plane.records import Connection

_FIELD = r"(?:[0-9*/,\-]|[A-Za-z]{3}){1,60}"  # digits, ranges, steps and names; none of croniter's own additions
_FIELDS = re.compile(f"{_FIELD}(?: {_FIELD}){{4}}")
FIRST_BACK_OFF = timedelta(minutes=5)
LONGEST_BACK_OFF = timedelta(hours=6)
LONGEST_DEFERRAL = timedelta(days=7)
CLOCK_SLACK = timedelta(hours=1)
"""A recorded start that is further in the future than this came from a wrong clock, and is not believed."""


def check_schedule(schedule: str) -> str:
    """Return the cron with single spaces; raise InvalidInputError when it can never fire or is not five fields."""
    tidy = " ".join(schedule.split())
    if not _FIELDS.fullmatch(tidy):
        raise InvalidInputError(
            f"{schedule!r} is not a schedule: give five cron fields in UTC, as in '*/15 * * * *' or '0 6 * * 1-5'"
        )
    next_fire(tidy, datetime(2026, 1, 1, tzinfo=UTC))
    return tidy


@lru_cache(maxsize=4096)
def next_fire(schedule: str, after: datetime) -> datetime:
    """Return the first time of ``schedule`` strictly after ``after``."""
    from croniter import CroniterError, croniter  # type: ignore[import-untyped]

    try:
        return datetime.fromtimestamp(croniter(schedule, after.astimezone(UTC)).get_next(float), tz=UTC)
    except (CroniterError, KeyError, ValueError) as error:
        raise InvalidInputError(f"{schedule!r} is not a schedule that ever fires: {error}") from None


def due_at(connection: Connection, now: datetime) -> datetime:
    """Return when ``connection`` is next due, whatever its status: by its cron after the last start, or creation.

    A deferral moves it to when the vendor's quota is back, a week at most; failures move it on, from 5 minutes doubling
    to 6 hours.
    """
    last = connection.last_sync_started_at or connection.created_at
    if last > now + CLOCK_SLACK:
        return now
    due = next_fire(connection.schedule, last)
    if connection.resume_at is not None:
        due = max(due, min(connection.resume_at, last + LONGEST_DEFERRAL))
    if connection.failures:
        wait = FIRST_BACK_OFF * 2 ** min(connection.failures - 1, 10)
        due = max(due, min(connection.last_sync_finished_at or last, now) + min(wait, LONGEST_BACK_OFF))
    return due
