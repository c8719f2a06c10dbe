"""Customer.io answering what it should not, and settings and cursors as people and time leave them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read
from connectors.connector import Connector, Mode
from connectors.errors import Resync, Stop
from connectors.runtime.messages import Response
from tests.contract.sandboxed import NOW, Sandboxed, Send, between

SINCE = datetime(2025, 12, 31, 20, tzinfo=UTC)
NEW, OLD = int(SINCE.timestamp()) + 600, int(SINCE.timestamp()) - 7200
PRESENT = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
CURSOR = {"watermark": SINCE.isoformat()}


@pytest.fixture
def customerio(cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    vendor = Sandboxed(cloud[1], "still", "customerio")
    with vendor.suffering(requests_per_second=100_000):
        yield vendor
    vendor.close()


def entry(number: int, timestamp: Any, **also: Any) -> dict[str, Any]:
    known = {"id": f"a{number}", "type": "attribute_change", "customer_identifiers": {"cio_id": f"c{number}"}}
    return {**known, "timestamp": timestamp, **also}


def of(ids: list[str]) -> dict[str, Any]:
    """Answer a question for attributes: everybody is known."""
    return {"customers": [{"identifiers": {"cio_id": each}, "timestamps": {}} for each in ids]}


def scripted(connector: Connector, pages: list[list[Any]] | None = None, **bodies: Any) -> Connector:
    """Have the log answered with ``pages``, and a path's last word with a body."""

    def answer(request: httpx.Request, send: Send) -> Response:
        where = urlsplit(str(request.url))
        word = where.path.rpartition("/")[2]
        if word == "activities" and pages is not None:
            at = int(parse_qs(where.query).get("start", ["0"])[0])
            body = {"activities": pages[at], "next": str(at + 1) if at + 1 < len(pages) else ""}
        elif word == "attributes" and word not in bodies:
            body = of(json.loads(request.content)["ids"])
        elif word in bodies:
            body = bodies[word]
        else:
            return send(request)
        told = {"content-type": "application/json", "date": format_datetime(PRESENT, usegmt=True)}
        return Response(200, told, json.dumps(body).encode(), str(request.url))

    between(connector, answer)
    return connector


def taken(connector: Connector, entity: str = "people", **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def ids(done: Read) -> set[str]:
    checks.check_ends(done)
    return set(done.versions())


ODD_ENTRIES = [
    entry(2, 0),
    entry(2, 5),
    entry(2, None),
    entry(2, "soon"),
    entry(2, NEW * 1000),
    entry(2, 10**30),
    {"type": "attribute_change", "customer_identifiers": {"cio_id": "c2"}},
    entry(2, NEW, type=None),
    entry(2, NEW, customer_identifiers=[]),
]


@pytest.mark.parametrize("odd", ODD_ENTRIES)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("entity", ["people", "activities"])
def test_an_odd_entry_of_the_log_hides_nothing_that_stands_behind_it(
    customerio: Sandboxed, entity: str, place: int, odd: dict[str, Any]
) -> None:
    first: list[Any] = [entry(1, NEW + 9), entry(3, NEW + 7)]
    first.insert(place, {"id": "a2", **odd})
    log = [first, [entry(4, NEW)], [entry(5, OLD), entry(6, OLD - 1)], [entry(7, OLD - 2)]]
    found = ids(taken(scripted(customerio.connect(), log), entity, cursor=CURSOR))
    letter = "c" if entity == "people" else "a"
    assert {f"{letter}{number}" for number in (1, 3, 4)} <= found
    assert f"{letter}7" not in found


def test_a_change_without_a_time_is_read_and_is_not_older_than_what_stands_above_it(customerio: Sandboxed) -> None:
    log = [[entry(1, NEW), entry(2, None)], [entry(5, OLD), entry(6, OLD)]]
    done = taken(scripted(customerio.connect(), log), cursor=CURSOR)
    stamps = {row["external_id"]: row["source_updated_at"] for page in done.pages for row in page.rows.to_pylist()}
    assert stamps["c2"] == datetime.fromtimestamp(NEW, UTC)


@pytest.mark.parametrize("days", [28, 29.5])
def test_a_workspace_where_nothing_happens_for_weeks_is_not_read_in_full_time_and_again(
    customerio: Sandboxed, days: float
) -> None:
    """The place would stay at the last entry until the log forgets it, and be a gap from then on."""
    quiet = [entry(1, int(PRESENT.timestamp() - days * 86_400))]
    connector = scripted(customerio.connect(), [quiet], customers={"identifiers": [{"cio_id": "c1"}], "next": ""})
    cursor = taken(connector).cursor
    assert cursor is not None
    assert PRESENT - datetime.fromisoformat(cursor["watermark"]) < timedelta(days=8)
    again = taken(connector, cursor=cursor)
    assert again.error is None
    assert again.cursor == cursor


def test_a_deletion_in_the_far_future_has_the_present_as_its_time(customerio: Sandboxed) -> None:
    log = [[entry(1, 32_503_680_000, type="profile_delete")], [entry(5, OLD), entry(6, OLD)]]
    done = taken(scripted(customerio.connect(), log), cursor=CURSOR)
    (row,) = [row for page in done.pages for row in page.rows.to_pylist()]
    assert row["is_deleted"]
    assert row["source_updated_at"] == PRESENT


def test_a_list_of_people_without_people_in_it_is_a_broken_answer_and_not_an_empty_workspace(
    customerio: Sandboxed,
) -> None:
    """Taken for the whole, it would say of everyone stored that they are gone."""
    bodies: list[Any] = [{}, {"errors": [{"detail": "odd", "status": "429"}]}, []]
    for body in bodies:
        error = taken(scripted(customerio.connect(), customers=body)).error
        assert isinstance(error, Stop)
        assert error.code == "malformed_page"
    assert ids(taken(scripted(customerio.connect(), customers={"identifiers": None, "next": ""}))) == set()


def test_someone_without_the_id_we_go_by_is_reported_and_the_others_are_read(customerio: Sandboxed) -> None:
    listed = [{"cio_id": "c1"}, {"cio_id": None, "email": "a@b.co"}, {"id": "4"}, {"cio_id": 7}]
    done = taken(scripted(customerio.connect(), customers={"identifiers": listed, "next": ""}))
    assert ids(done) == {"c1", "7"}
    unreadable = [each for page in done.pages for each in page.unreadable]
    assert [each.reason for each in unreadable] == ["bad_key", "bad_key"]
    assert json.loads(unreadable[0].raw)["email"] == "a@b.co"


@pytest.mark.parametrize("watermark", ["yesterday", 5, None, "0001-01-01T00:00:00+00:00"])
@pytest.mark.parametrize("entity", ["people", "activities", "messages"])
def test_a_cursor_that_is_no_time_costs_a_full_read_of_the_entity(
    customerio: Sandboxed, entity: str, watermark: Any
) -> None:
    error = taken(customerio.connect(), entity, cursor={"watermark": watermark}).error
    assert isinstance(error, Resync)
    assert error.code == "cursor_unreadable"
    assert taken(customerio.connect(), entity, cursor={"watermark": watermark}, mode=Mode.FULL).error is None


@pytest.mark.parametrize("days", ["99999999", 5_000_000, "-1"])
def test_a_history_longer_than_time_is_a_wrong_setting(customerio: Sandboxed, days: Any) -> None:
    error = taken(customerio.connect(history_days=days), "messages").error
    assert isinstance(error, Stop)
    assert error.code == "bad_setting"
