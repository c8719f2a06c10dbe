"""Salesforce answering what it should not, and settings and cursors as people and time leave them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read
from connectors.connector import Connector, Mode
from connectors.errors import ConnectorError, Deferred, Resync, Retry, Stop
from connectors.runtime.messages import Response
from tests.contract.sandboxed import NOW, Sandboxed, Send, between

STAMP = {"name": "SystemModstamp", "type": "datetime"}
LAST_WEEK = "2025-12-25T00:00:00.000Z"  # less than the fifteen days before the world's present that the log keeps


@pytest.fixture
def salesforce(cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    vendor = Sandboxed(cloud[1], "still", "salesforce")
    vendor.clear_ledger()
    yield vendor
    vendor.close()


def answering(connector: Connector, at: str, body: Any, status: int = 200) -> Connector:
    """Have every request whose address holds ``at`` answered with ``body``."""

    def answer(request: httpx.Request, send: Send) -> Response:
        if at not in str(request.url):
            return send(request)
        text = b"" if body is None else json.dumps(body).encode()
        return Response(status, {"content-type": "application/json"}, text, str(request.url))

    between(connector, answer)
    return connector


def dated(connector: Connector, moment: datetime) -> None:
    """Have every answer carry this time of the vendor's clock."""

    def answer(request: httpx.Request, send: Send) -> Response:
        response = send(request)
        return dataclasses.replace(response, headers={**response.headers, "date": format_datetime(moment)})

    between(connector, answer)


def taken(connector: Connector, **options: Any) -> Read:
    return checks.read(connector, options.pop("entity", "Contact"), started_at=NOW, **options)


def failed(done: Read) -> ConnectorError:
    assert isinstance(done.error, ConnectorError), done.error
    return done.error


@pytest.mark.parametrize(
    ("status", "body"), [(200, []), (200, "odd"), (200, 3), (204, None), (200, {"error": "odd"}), (200, {"done": True})]
)
def test_an_answer_that_is_no_page_of_a_query_is_a_typed_error_and_no_rows(
    salesforce: Sandboxed, status: int, body: Any
) -> None:
    done = taken(answering(salesforce.connect(), "/queryAll", body, status))
    assert (type(failed(done)), failed(done).code) == (Stop, "malformed_page")
    assert not done.versions()


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [("REQUEST_LIMIT_EXCEEDED", Deferred, "quota_spent"), ("QUERY_TIMEOUT", Retry, "query_timeout")],
)
def test_an_error_under_a_good_status_means_what_it_says(
    salesforce: Sandboxed, code: str, kind: type[ConnectorError], said: str
) -> None:
    error = failed(taken(answering(salesforce.connect(), "/queryAll", [{"errorCode": code, "message": "odd"}])))
    assert (type(error), error.code) == (kind, said)


def test_a_session_refused_as_soon_as_it_was_renewed_is_trouble_and_no_reason_to_ask_for_a_person(
    salesforce: Sandboxed,
) -> None:
    """Only the login may say that the grant is dead; a pause would not end when the trouble does."""
    connector = answering(salesforce.connect(), "/queryAll", [{"errorCode": "INVALID_SESSION_ID"}], 401)
    error = failed(taken(connector))
    assert (type(error), error.code) == (Retry, "session_refused")
    logins = [entry for entry in salesforce.ledger() if entry["path"].endswith("oauth2/token")]
    assert 1 <= len(logins) <= 3


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Contact", "fields": []},
        {"name": "Contact", "fields": [STAMP]},
        {"name": "Contact", "fields": [{"name": "Id"}]},
        {"name": "Contact", "fields": ["Id"]},
        {"fields": [{"name": "Id", "type": "id"}]},
    ],
)
def test_a_description_nobody_can_read_by_is_a_typed_error(salesforce: Sandboxed, body: Any) -> None:
    assert failed(taken(answering(salesforce.connect(), "/describe", body))).code == "malformed_page"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"deletedRecords": [], "latestDateCovered": "soon"},
        {"deletedRecords": [{"id": None}], "latestDateCovered": LAST_WEEK},
        {"deletedRecords": [{"deletedDate": LAST_WEEK}], "latestDateCovered": LAST_WEEK},
        {"deletedRecords": [{"id": "003A", "deletedDate": "soon"}], "latestDateCovered": LAST_WEEK},
        {"deletedRecords": [], "latestDateCovered": LAST_WEEK, "earliestDateAvailable": "soon"},
    ],
)
def test_a_delete_log_nobody_can_read_moves_no_cursor_and_deletes_nothing(salesforce: Sandboxed, body: Any) -> None:
    done = taken(answering(salesforce.connect(), "/deleted/", body), cursor={"deleted_until": LAST_WEEK})
    assert failed(done).code == "malformed_page"
    assert done.cursor is None
    assert not done.versions()


@pytest.mark.parametrize(
    ("hours", "gone", "moves"), [(0.25, [], False), (5.5, [], False), (6.5, [], True), (0.25, ["003A"], True)]
)
def test_the_mark_of_a_delete_log_without_deletes_moves_a_few_times_a_day_only(
    salesforce: Sandboxed, hours: float, gone: list[str], *, moves: bool
) -> None:
    """A cursor that moved with every sync would have to be stored by every sync, though nothing came."""
    base = taken(salesforce.connect())
    later = salesforce.now() + timedelta(hours=hours)
    told = {"deletedRecords": [{"id": each} for each in gone], "latestDateCovered": later.isoformat()}
    connector = answering(salesforce.connect(), "/deleted/", told)
    dated(connector, later)
    done = taken(connector, cursor=base.cursor)
    checks.check_ends(done)
    assert done.cursor is not None
    assert base.cursor is not None
    assert (done.cursor["deleted_until"] != base.cursor["deleted_until"]) is moves
    assert moves or done.cursor == base.cursor


def test_a_moment_no_calendar_holds_costs_its_record_and_not_the_object(salesforce: Sandboxed) -> None:
    far = {"Id": "003A", "SystemModstamp": "9999-12-31T23:59:59.999-0500"}
    near = {"Id": "003B", "SystemModstamp": "2025-12-01T00:00:00.000+0000"}
    done = taken(answering(salesforce.connect(), "/queryAll", {"done": True, "records": [far, near]}))
    checks.check_ends(done)
    assert list(done.versions()) == ["003B"]
    assert [each.external_id for page in done.pages for each in page.unreadable] == ["003A"]


def test_an_object_without_a_field_to_go_on_by_leaves_no_cursor_and_is_read_in_full_again(
    salesforce: Sandboxed,
) -> None:
    """A cursor, were it only the delete log's, would make later reads incremental, which prove no row absent."""
    fields = [{"name": "Id", "type": "id"}, {"name": "IsDeleted", "type": "boolean"}]
    connector = answering(salesforce.connect(), "/describe", {"name": "Contact", "fields": fields})
    done = taken(connector)
    checks.check_ends(done)
    assert done.versions()
    assert done.cursor is None
    assert isinstance(taken(connector, cursor={"deleted_until": LAST_WEEK}).error, Resync)


@pytest.mark.parametrize(
    "cursor",
    [
        {"watermark": "yesterday", "id": "003A"},
        {"watermark": LAST_WEEK, "id": ""},
        {"watermark": 5, "id": "003A"},
        {"id": "003A"},
        {"watermark": LAST_WEEK, "id": "003A", "deleted_until": "yesterday"},
    ],
)
def test_a_cursor_that_is_no_place_costs_a_full_read_of_the_object(
    salesforce: Sandboxed, cursor: dict[str, Any]
) -> None:
    assert failed(taken(salesforce.connect(), cursor=cursor)).code == "cursor_unreadable"
    assert taken(salesforce.connect(), cursor=cursor, mode=Mode.FULL).error is None


def test_an_object_named_twice_or_in_another_case_is_one_object(salesforce: Sandboxed) -> None:
    """Two of one name would be two loads into one table, and fail every other object with them."""
    connector = salesforce.connect(objects=["Subscription__c", "subscription__C", "contact", "Subscription__c"])
    named = [entity.name for entity in connector.entities()]
    assert named.count("Subscription__c") == 1
    assert len({name.casefold() for name in named}) == len(named)


@pytest.mark.parametrize("version", ["64", "v64.0", 64])
def test_a_version_is_understood_as_people_write_it(salesforce: Sandboxed, version: Any) -> None:
    assert taken(salesforce.connect(api_version=version)).error is None
