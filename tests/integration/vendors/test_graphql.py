"""The GraphQL connector over real HTTP against the sandbox's GraphQL API, well and ailing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector, Mode, SyncOptions
from connectors.errors import Reauthorise, Retry, Stop
from connectors.runtime.messages import Response
from gtm_pipelines import sandbox
from tests.contract.sandboxed import NOW, Sandboxed, Send, between
from tests.worlds import put_world

_PEOPLE = """
people:
  query: |
    query ($first: Int!, $after: String) {
      people(first: $first, after: $after) { %s pageInfo { hasNextPage endCursor } }
    }
  items: data.people.%s
"""
_NESTED = """
companies:
  query: |
    query ($first: Int!, $after: String, $inner: Int!) {
      companies(first: $first, after: $after) {
        nodes { id people(first: $inner) { nodes { id } pageInfo { hasNextPage } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  items: data.companies.nodes
  variables: {inner: %d}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("graphql")
    for tenant in ("still", "moving"):
        put_world(directory, tenant, size=400, seed=7, vendors=("graphql",))
    with sandbox.running(directory) as url:
        yield url


@pytest.fixture
def api(url: str) -> Iterator[Sandboxed]:
    vendor = Sandboxed(url, "still", "graphql")
    vendor.clear_ledger()
    yield vendor
    vendor.close()


def taken(connector: Connector, entity: str = "people", **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def rows(done: Read) -> list[dict[str, Any]]:
    return [row for page in done.pages for row in page.rows.to_pylist()]


def health(connector: Connector) -> tuple[bool, str]:
    status = connector.health_check(connector.authenticate())
    return status.ok, status.detail


@pytest.mark.parametrize(
    ("selection", "items"), [("nodes { id }", "nodes"), ("edges { node { id } }", "edges[*].node")]
)
def test_a_relay_list_is_read_by_its_nodes_and_by_its_edges(api: Sandboxed, selection: str, items: str) -> None:
    done = taken(api.connect(queries=_PEOPLE % (selection, items)), page_size=30)
    checks.check_ends(done)
    checks.check_complete(done, Truth(*api.truth("people")))
    assert len(done.pages) > 3


def test_an_answer_of_which_a_part_is_missing_is_asked_again_and_never_kept(api: Sandboxed) -> None:
    with api.suffering(partial_next=1):
        done = taken(api.connect(), page_size=50)
    checks.check_ends(done)
    assert all(json.loads(row["payload"])["email"] for row in rows(done))
    with api.suffering(partial_next=1_000):
        failed = taken(api.connect(), page_size=50)
    assert isinstance(failed.error, Retry)
    assert (failed.error.code, failed.pages) == ("partial_data", [])
    assert "people.nodes.*.email" in failed.error.message
    assert "query people" in failed.error.message


def test_throttling_inside_200_waits_as_long_as_the_price_takes_to_come_back(api: Sandboxed) -> None:
    with api.suffering(throttled_next=1, cost_maximum=1_000, cost_restore_rate=100_000):
        before = api.waiting.slept
        done = taken(api.connect(), page_size=100)
    checks.check_ends(done)
    assert 0 < api.waiting.slept - before < 1  # 100 points at 100,000 a second; without the price it were a second


def test_a_rate_limit_inside_200_waits_as_it_is_told(api: Sandboxed) -> None:
    with api.suffering(rate_limited_next=1):
        before = api.waiting.slept
        checks.check_ends(taken(api.connect(), page_size=100))
    assert api.waiting.slept - before > 1.9  # less the moment the exchange took


def test_a_page_that_costs_more_than_is_allowed_is_made_smaller_until_it_does_not(api: Sandboxed) -> None:
    with api.suffering(most_cost=30):
        done = taken(api.connect(), page_size=100)
    checks.check_complete(done, Truth(*api.truth("people")))
    assert max(page.rows.num_rows for page in done.pages) <= 30


def test_a_page_is_cut_to_the_share_of_points_that_is_ours(api: Sandboxed) -> None:
    """The first page tells the price; the next ones keep to it, though the API would allow more."""
    done = taken(api.connect(most_points=40), page_size=100)
    checks.check_complete(done, Truth(*api.truth("people")))
    sizes = [page.rows.num_rows for page in done.pages]
    assert sizes[0] == 100
    assert max(sizes[1:]) <= 40


def test_a_next_page_without_a_cursor_is_an_error_and_no_end(api: Sandboxed) -> None:
    with api.suffering(null_cursor_next=1):
        done = taken(api.connect(), page_size=50)
    checks.check_failure_is_said(done, code="malformed_page", kind=Stop)


def test_an_empty_page_in_the_middle_is_no_end(api: Sandboxed) -> None:
    with api.suffering(empty_page=2):
        done = taken(api.connect(), page_size=50)
    assert [page.rows.num_rows for page in done.pages].count(0) == 2
    checks.check_complete(done, Truth(*api.truth("people")))


@pytest.mark.parametrize("entity", ["people", "accounts"])
def test_an_api_that_ignores_where_we_are_is_left(api: Sandboxed, entity: str) -> None:
    with api.suffering(repeat_token=True):
        done = taken(api.connect(), entity, page_size=10)
    assert isinstance(done.error, Stop)
    assert done.error.code == "pagination_loop"
    assert len(api.ledger()) <= 4


def test_records_with_a_list_that_goes_on_are_read_and_said(api: Sandboxed) -> None:
    done = taken(api.connect(queries=_NESTED % 1), "companies", page_size=20)
    notices = [notice for page in done.pages for notice in page.notices]
    assert len(notices) == 1
    assert "companies" in notices[0]
    assert "only its first part" in notices[0]
    whole = taken(api.connect(queries=_NESTED % 1_000), "companies", page_size=20)
    assert not [notice for page in whole.pages for notice in page.notices]


def test_pages_by_number_survive_records_that_go_while_they_are_read(url: str) -> None:
    """Each day some companies are deleted: those after them move up, across the boundary of a page."""
    vendor = Sandboxed(url, "moving", "graphql")
    connector = vendor.connect()
    options = SyncOptions("accounts", Mode.FULL, NOW, 3)
    done = Read()
    for page in connector.sync(connector.authenticate(), None, options):
        done.pages.append(page)
        if len(done.pages) % 3 == 0:
            vendor.advance(1)
    read = {row["external_id"] for row in rows(done)}
    live, _ = vendor.truth("accounts")
    vendor.close()
    born = {row for row in live if row not in read}
    newest = sorted(int(each.rpartition("/")[2]) for each in born)
    oldest_new = 50  # 400 people have 50 companies; those with higher numbers were founded while we read
    assert all(number >= oldest_new for number in newest)


def test_a_bad_query_is_found_by_the_health_check_and_named(api: Sandboxed) -> None:
    good, detail = health(api.connect())
    assert (good, "people: its records are there" in detail) == (True, True)
    bad, detail = health(api.connect(queries=_PEOPLE % ("nodes { id surname }", "nodes")))
    assert not bad
    assert "query people" in detail
    assert "Cannot query field 'surname'" in detail


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        (_PEOPLE % ("nodes { email }", "nodes"), "no key at id"),
        (_PEOPLE % ("nodes { id }", "nobody.nodes"), "nothing stands at data.people.nobody.nodes"),
        (_PEOPLE.replace("pageInfo { hasNextPage endCursor }", "") % ("nodes { id }", "nodes"), "no hasNextPage"),
    ],
)
def test_a_query_that_does_not_bring_what_its_settings_say_is_named_too(
    api: Sandboxed, queries: str, said: str
) -> None:
    good, detail = health(api.connect(queries=queries))
    assert not good
    assert said in detail
    assert detail.startswith("query people: ")


def test_what_a_query_is_called_is_an_entity_of_the_connection(api: Sandboxed) -> None:
    connector = api.connect(queries=_NESTED % 5)
    assert [entity.name for entity in connector.entities()] == ["companies"]
    fields = {field.source: field.type for field in connector.get_schema(connector.authenticate())}
    assert fields == {"id": "string", "people": "json"}


def test_a_full_read_has_no_upper_bound_that_could_hide_a_record(api: Sandboxed) -> None:
    sent: list[dict[str, Any]] = []
    connector = api.connect()

    def noted(request: httpx.Request, send: Send) -> Response:
        sent.append(json.loads(request.content)["variables"])
        return send(request)

    between(connector, noted)
    done = taken(connector, mode=Mode.FULL, page_size=500)
    taken(connector, cursor=done.cursor, page_size=500)
    assert set(sent[0]) == {"first", "after"}
    assert set(sent[-1]) == {"first", "after", "since", "until"}


def test_queries_may_lie_in_a_file(api: Sandboxed, tmp_path: Path) -> None:
    path = tmp_path / "queries.yml"
    path.write_text(_PEOPLE % ("nodes { id }", "nodes"))
    checks.check_ends(taken(api.connect(queries=str(path))))


def test_a_wrong_token_asks_for_a_person(api: Sandboxed) -> None:
    done = taken(api.connect(wrong={"token": "nobodys"}))
    assert isinstance(done.error, Reauthorise)
