"""The sandbox's GraphQL API, judged by gql, the Python client of the GraphQL community, and by GraphQL's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport

from gtm_pipelines import sandbox
from tests.worlds import put_world

_PEOPLE = """
query People($first: Int!, $after: String) {
  people(first: $first, after: $after, includeDeleted: true) {
    totalCount nodes { id email } pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("graphql")
    put_world(directory, "acme", size=400, seed=7, vendors=("graphql",))
    with sandbox.running(directory) as url:
        yield url


@pytest.fixture(autouse=True)
def calm(url: str) -> None:
    httpx.delete(f"{url}/acme/_faults", trust_env=False).raise_for_status()


@pytest.fixture
def account(url: str) -> sandbox.Account:
    return sandbox.accounts(url, "acme")["graphql"]


@pytest.fixture
def client(account: sandbox.Account) -> Client:
    """Gql, as its manual has it, with the schema fetched by introspection."""
    headers = {"Authorization": f"Bearer {account.credentials['token']}"}
    transport = RequestsHTTPTransport(url=account.settings["endpoint"], headers=headers)
    return Client(transport=transport, fetch_schema_from_transport=True)


def suffer(url: str, **faults: Any) -> None:
    httpx.put(f"{url}/acme/_faults", json={"graphql": faults}, trust_env=False).raise_for_status()


def people(**variables: Any) -> GraphQLRequest:
    return GraphQLRequest(_PEOPLE, variable_values=variables)


def told(error: TransportQueryError) -> tuple[Any, Any, Any]:
    return error.data, error.errors, error.extensions


def ids_in_truth(url: str, entity: str) -> set[str]:
    records = httpx.get(f"{url}/acme/_truth/records", trust_env=False).json()
    return {each["external_id"] for each in records if (each["connector"], each["entity"]) == ("graphql", entity)}


def test_gql_lists_companies_and_what_belongs_to_them(client: Client) -> None:
    found = client.execute(
        gql("{ companyList(limit: 5) { totalCount items { id name people(first: 2) { nodes { email } } } } }")
    )
    assert len(found["companyList"]["items"]) == 5 < found["companyList"]["totalCount"]
    assert any(each["people"]["nodes"] for each in found["companyList"]["items"])


def test_gql_pages_to_the_end_and_meets_everyone_once(client: Client, url: str) -> None:
    seen, after = list[str](), None
    while True:
        page = client.execute(people(first=33, after=after))["people"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert after, "the last page has an end cursor too"
    assert len(seen) == len(set(seen)) == page["totalCount"]
    assert set(seen) == ids_in_truth(url, "people")


def test_gql_finds_a_wrong_field_in_the_schema_before_it_asks(client: Client) -> None:
    with pytest.raises(Exception, match="Cannot query field 'surname'"):
        client.execute(gql("{ people(first: 1) { nodes { surname } } }"))


def test_gql_is_told_an_error_that_came_with_half_the_data(client: Client, url: str) -> None:
    suffer(url, partial_next=1)
    with pytest.raises(TransportQueryError) as caught:
        client.execute(people(first=3))
    data, errors, _ = told(caught.value)
    assert data["people"]["nodes"][0]["email"] is None
    assert errors[0]["path"] == ["people", "nodes", 0, "email"]


def test_gql_reads_the_cost_of_a_throttled_query(client: Client, url: str) -> None:
    suffer(url, throttled_next=1, cost_restore_rate=0.001)
    with pytest.raises(TransportQueryError) as caught:
        client.execute(people(first=3))
    _, errors, extensions = told(caught.value)
    assert errors[0]["extensions"]["code"] == "THROTTLED"
    assert extensions["cost"]["throttleStatus"]["currentlyAvailable"] < 3


def test_what_changed_since_is_what_advance_touched(client: Client, url: str) -> None:
    now = httpx.get(f"{url}/acme/_now", trust_env=False).json()["now"]
    counts = httpx.post(f"{url}/acme/_advance", trust_env=False, timeout=60).json()["counts"]
    query = GraphQLRequest(
        "query ($since: DateTime)"
        " { people(first: 500, updatedSince: $since, includeDeleted: true) { nodes { id deletedAt } } }",
        variable_values={"since": now},
    )
    nodes = client.execute(query)["people"]["nodes"]
    assert len(nodes) >= max(counts["users_changed"], counts["users_imported"]) > 0
    assert counts["users_deleted"] <= sum(node["deletedAt"] is not None for node in nodes)


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), ("application/graphql-response+json", 400)])
def test_a_bad_query_is_answered_by_the_older_and_the_newer_rule(
    account: sandbox.Account, accept: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {account.credentials['token']}", "Accept": accept}
    answer = httpx.post(account.settings["endpoint"], json={"query": "{ nope }"}, headers=headers, trust_env=False)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(accept)
    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "data" not in answer.json()


def test_a_stranger_is_refused(account: sandbox.Account) -> None:
    answer = httpx.post(account.settings["endpoint"], json={"query": "{ __typename }"}, trust_env=False)
    assert answer.status_code == 401


def test_a_query_that_costs_too_much_is_refused_with_its_cost(client: Client, url: str) -> None:
    suffer(url, most_cost=100)
    with pytest.raises(TransportQueryError) as caught:
        client.execute(people(first=200))
    _, errors, extensions = told(caught.value)
    assert errors[0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert extensions["cost"]["requestedQueryCost"] > 200
