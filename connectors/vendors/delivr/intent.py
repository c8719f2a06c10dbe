"""Intent on the public API: who researches a topic, as of the last day that is ready.

The vendor keeps no moments here, only each day's standing, and bills every person it names. So a topic is read once for
each day, which is asked for first and costs nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

from connectors.connector import Mode, Page
from connectors.declarative.words import Endpoint
from connectors.landing import RAW_SCHEMA, RecordShape, land_slices, slice_records
from connectors.runtime import paths
from connectors.runtime.pagination import follow_token
from connectors.vendors.delivr.records import beside, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.connector import Cursor
    from connectors.declarative.account import Account
    from connectors.landing import Landed

_AVAILABLE = Endpoint(path="/api/v1/audiences/availability")
_PEOPLE = "/api/v1/intent/people"
_PER_PAGE = 500
_SHAPE = RecordShape("$", "id", "observed_on")
_NO_TOPICS = "no intent is read: name the topics in the connection's settings"


def read_topics(account: Account, topics: Sequence[str], cursor: Cursor | None) -> Iterator[Page]:
    """Yield the people of every topic, unless the newest day was read before with the same topics."""
    if not topics:
        yield Page(RAW_SCHEMA.empty_table(), None, has_more=False, notices=(_NO_TOPICS,))
        return
    day = _newest_day(account)
    place = {"watermark": day.isoformat(), "topics": _digest(topics)} if day else None
    if day is None or (account.options.mode is not Mode.FULL and place == dict(cursor or {})):
        yield Page(RAW_SCHEMA.empty_table(), None, has_more=False)
        return
    for topic in topics:
        for landed in _people(account, topic, day):
            yield Page(landed.table, None, has_more=True, unreadable=landed.unreadable)
    yield Page(RAW_SCHEMA.empty_table(), place, has_more=False)


def _newest_day(account: Account) -> datetime | None:
    response = account.send(account.build(_AVAILABLE, {}))
    day = paths.read(response.content, "latest_available")
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) if isinstance(day, str) and day else None


def _people(account: Account, topic: str, day: datetime) -> Iterator[Landed]:
    size = min(account.options.page_size or _PER_PAGE, _PER_PAGE)
    asked = Endpoint(path=_PEOPLE, method="POST", body={"topic_id": topic, "page_size": size, "resolve": True})
    known = {"topic_id": topic, "observed_on": day.date().isoformat()}
    for response in follow_token(
        account.send,
        account.build(asked, {}),
        at="response.next_cursor",
        body_path="cursor",
    ):
        records = [bytes(each) for each in slice_records(response.content, "response.results")]
        named = [(each, text_at(each, "hem")) for each in records]
        yield land_slices(
            [beside(each, **({"id": f"{topic}:{hem}"} if hem else {}), **known) for each, hem in named], _SHAPE
        )


def _digest(topics: Sequence[str]) -> str:
    return blake2b("\n".join(sorted(topics)).encode(), digest_size=8).hexdigest()
