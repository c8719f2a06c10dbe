"""What needs no server: the form of the queries setting, GitHub's limits, and the ways a credential travels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from connectors.connector import ConnectorContext, Mode, Page, SyncOptions
from connectors.errors import Deferred, Stop
from connectors.runtime.classification import Do
from connectors.runtime.messages import Request, Response
from connectors.vendors.graphql.answers import classify
from connectors.vendors.graphql.queries import Query, read_queries
from connectors.vendors.graphql.source import GraphqlConnector
from connectors.vendors.graphql.walking import Step, Walk
from tests.stand_ins import MemoryStore, offline_context

_TEXT = "query ($first: Int!, $after: String) { people { id } }"
_GOOD: dict[str, Any] = {"query": _TEXT, "items": "data.people.nodes"}


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"content-type": "application/json", **named}, msgspec.json.encode(body), "")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"since": "since"}, "'since' needs 'timestamp'"),
        ({"since": "since", "timestamp": "updatedAt"}, "declares no $since"),
        ({"since": "first", "timestamp": "updatedAt", "lag": 0}, "needs a 'lag'"),
        ({"deletes": "both"}, "needs 'deleted'"),
        ({"items": "data.people.list"}, "paging.page_info"),
        ({"paging": {"kind": "offset"}}, "declares no $limit"),
        ({"paging": {"kind": "cursor"}}, "queries:1: people.paging.kind"),
        ({"itmes": "x"}, "people.itmes"),
        ({"query": "# all of them\n mutation Purge($first: Int!, $after: String) { purge { id } }"}, "only a query"),
        ({"items": "data..x"}, "is not a path"),
    ],
)
def test_a_query_that_cannot_work_is_refused_with_its_name_and_key(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(Stop) as caught:
        read_queries(msgspec.json.encode({"people": {**_GOOD, **changed}}).decode())
    assert caught.value.code == "bad_setting"
    assert said in caught.value.message
    assert "people" in caught.value.message


@pytest.mark.parametrize("text", ["", "people", "[]", "{}", "a: {query: 'x'}", "1a: {}", "{people: *x}"])
def test_text_that_holds_no_queries_is_refused(text: str) -> None:
    with pytest.raises(Stop):
        read_queries(text)


@pytest.mark.parametrize(
    ("given", "do", "code"),
    [
        (answer({"data": {"a": 1}}), Do.ACCEPT, "ok"),
        (answer({"data": {"a": [{"errors": "a field of that name"}]}}), Do.ACCEPT, "ok"),
        (answer({"data": {"a": 1}, "errors": []}), Do.ACCEPT, "ok"),
        (answer({"data": {"a": None}, "errors": [{"message": "x", "path": ["a"]}]}), Do.RETRY, "partial_data"),
        (answer({"data": None, "errors": [{"message": "x", "path": ["a"]}]}), Do.RETRY, "vendor_unavailable"),
        (answer({"errors": [{"message": "Syntax Error"}]}), Do.STOP, "bad_query"),
        (answer({"errors": "a text"}), Do.STOP, "bad_query"),
        (answer({"errors": [{"type": "RATE_LIMITED"}]}), Do.RETRY, "rate_limited"),
        (answer({"errors": [{"extensions": {"code": "THROTTLED"}}]}, 429), Do.RETRY, "rate_limited"),
        (answer({"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}), Do.REAUTHORISE, "unauthorised"),
        (answer({"data": {"a": 1}, "errors": [{"type": "FORBIDDEN", "path": ["a"]}]}), Do.STOP, "permission_denied"),
        (answer({"errors": [{"message": "Variable"}]}, 400), Do.STOP, "bad_query"),
        (answer({"message": "limit"}, 403, x_ratelimit_remaining="0"), Do.DEFER, "quota_spent"),
    ],
)
def test_what_an_answer_means_is_told_by_its_structure(given: Response, do: Do, code: str) -> None:
    verdict = classify(given)
    assert verdict is not None
    assert (verdict.do, verdict.code) == (do, code)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_ratelimit_reset": "1772323260"}, 60),
        ({"x_ratelimit_reset": "1772323260000"}, 60),
        ({"x_ratelimit_reset": "2026-03-01T00:01:00Z"}, 60),
        ({"x_ratelimit_reset": "60"}, 60),
        ({"x_ratelimit_requests_remaining": "0", "x_ratelimit_requests_reset": "1772323260000"}, 60),
        ({"x_ratelimit_complexity_remaining": "900", "x_ratelimit_complexity_reset": "1772323260000"}, None),
        ({"x_ratelimit_reset": "nan"}, None),
        ({"x_ratelimit_reset": "9" * 30}, None),
    ],
)
def test_a_reset_is_understood_in_each_of_the_ways_apis_write_it(headers: dict[str, str], seconds: int | None) -> None:
    """Read as seconds, milliseconds meant a wait of 56,000 years, which no clock can hold."""
    limited = answer({"errors": [{"type": "RATELIMITED"}]}, 400, date="Sun, 01 Mar 2026 00:00:00 GMT", **headers)
    verdict = classify(limited)
    assert verdict is not None
    assert (verdict.code, verdict.wait) == ("rate_limited", seconds)


def test_githubs_reset_is_read_against_its_own_clock() -> None:
    headers = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1767226200", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    verdict = classify(answer({}, 403, **headers))
    assert verdict is not None
    assert verdict.wait == 600


def test_githubs_points_end_the_walk_politely_before_they_are_overdrawn() -> None:
    limit = {"cost": 2, "remaining": 1, "resetAt": "2026-01-01T01:00:00Z"}
    body = {"data": {"people": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "a"}}, "rateLimit": limit}}
    walk = Walk(Query.model_validate(_GOOD), lambda _: answer(body), {}, size=10, most_points=None)
    with pytest.raises(Deferred) as caught:
        list(walk.pages())
    assert caught.value.resume_at == datetime(2026, 1, 1, 1, tzinfo=UTC)


def numbered(ids: list[str], *, cap: int = 1_000) -> Any:
    """Play an API that answers pages by number out of ``ids``, at most ``cap`` of them."""

    def ask(variables: Mapping[str, Any]) -> Response:
        start, size = variables["offset"], min(variables["limit"], cap)
        return answer({"data": {"people": [{"id": each} for each in ids[start : start + size]]}})

    return ask


def ids_of(step: Step) -> set[str]:
    return {str(each) for each in step.landed.table["external_id"].to_pylist()}


_NUMBERED = Query.model_validate(
    {"query": "query ($limit: Int, $offset: Int) { x }", "items": "data.people", "paging": {"kind": "offset"}}
)


@pytest.mark.parametrize("total", [0, 1, 2, 3, 9, 10, 11, 37])
def test_pages_by_number_end_where_the_records_end_whatever_the_server_caps(total: int) -> None:
    ids = [f"r{number}" for number in range(total)]
    walk = Walk(_NUMBERED, numbered(ids, cap=4), {}, size=10, most_points=None)
    assert {row for step in walk.pages() for row in ids_of(step)} == set(ids)


def test_a_record_that_moves_up_across_a_page_boundary_is_not_lost() -> None:
    ids = [f"r{number:02d}" for number in range(40)]
    walk = Walk(_NUMBERED, numbered(ids), {}, size=5, most_points=None)
    seen: set[str] = set()
    for number, step in enumerate(walk.pages()):
        seen |= ids_of(step)
        if number < 4:
            del ids[:3]
    assert set(ids) <= seen


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"auth": "none"}, "Authorization", None),
        ({}, "Authorization", "Bearer t0ken"),
        ({"auth": "header", "header_name": "X-Access-Token"}, "X-Access-Token", "t0ken"),
        ({"auth": "header", "header_name": "Authorization", "header_prefix": "Token"}, "Authorization", "Token t0ken"),
        ({"auth": "basic"}, "Authorization", "Basic dTpw"),
    ],
)
def test_the_credential_travels_as_the_settings_say(settings: dict[str, str], header: str, value: str | None) -> None:
    chosen = {"endpoint": "https://api.example.com/graphql", **settings}
    context = offline_context(datetime(2026, 1, 1, tzinfo=UTC), chosen, token="t0ken", username="u", password="p")
    auth = GraphqlConnector(context).authenticate().auth
    request = next(auth.sync_auth_flow(httpx.Request("POST", "https://api.example.com/graphql")))
    assert request.headers.get(header) == value


@pytest.mark.parametrize("settings", [{"auth": "magic"}, {"auth": "header"}, {"auth": "header", "header_name": "a b"}])
def test_a_way_of_authenticating_that_there_is_not_is_refused(settings: dict[str, str]) -> None:
    context = offline_context(datetime(2026, 1, 1, tzinfo=UTC), {"endpoint": "https://a.example.com/", **settings})
    with pytest.raises(Stop, match="bad_setting"):
        GraphqlConnector(context).authenticate()


class _Scripted:
    """Stands where the transport does: one answer after the other, and what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []

    def send(self, request: Request, _auth: Any, _classify: Any) -> Response:
        body: Any = request.json
        self.asked.append(body["variables"])
        return answer(self.answers.pop(0))


def page(stamps: list[str], end: str | int | None = None) -> Any:
    nodes = [{"id": stamp, "updatedAt": f"2026-01-{stamp}T00:00:00Z"} for stamp in stamps]
    return {"data": {"people": {"nodes": nodes, "pageInfo": {"hasNextPage": end is not None, "endCursor": end}}}}


def scripted(*answers: Any) -> tuple[list[Page], _Scripted]:
    text = "query ($first: Int!, $after: String, $since: DateTime) { people { id } }"
    query = {**_GOOD, "query": text, "timestamp": "updatedAt", "since": "since", "ordered": True}
    vendor: Any = _Scripted(*answers)
    settings = {"endpoint": "https://api.example.com/", "queries": msgspec.json.encode({"people": query}).decode()}
    now = datetime(2026, 3, 1, tzinfo=UTC)
    connector = GraphqlConnector(ConnectorContext(settings, vendor, MemoryStore(token="t"), lambda: now))
    options = SyncOptions("people", Mode.INCREMENTAL, now, 2)
    return list(connector.sync(connector.authenticate(), None, options)), vendor


def test_a_query_that_claims_an_order_it_has_not_is_said_and_no_page_but_the_last_is_a_place_to_go_on_from() -> None:
    """Newest first is what many APIs do by themselves: to go on from the first page would lose all the others."""
    pages, _ = scripted(page(["09", "08"], "a"), page(["07", "06"]))
    assert [each.cursor is not None for each in pages] == [False, True]
    assert pages[0].notices == ("records of people do not come oldest first: 'ordered' is not heeded",)
    mixed, _ = scripted(page(["08", "09"], "a"), page(["06", "07"], "b"), page(["10"]))
    assert [each.cursor is not None for each in mixed] == [True, False, True]
    good, _ = scripted(page(["06", "07"], "a"), page(["07", "09"]))
    assert [each.cursor is not None for each in good] == [True, True]


def test_a_cursor_that_is_a_number_is_sent_as_one() -> None:
    pages, vendor = scripted(page(["06"], 2), page(["07"]))
    assert len(pages) == len(vendor.asked)
    assert [asked["after"] for asked in vendor.asked] == [None, 2]
