"""Customer.io's App API as the vendor describes it: envelopes, pager, bounds, limit and oddities."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from gtm_pipelines import sandbox
from tests.integration.sandbox.outsiders import Served

EVERYONE = {"filter": {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}}


def walk(client: httpx.Client, path: str, **params: str | int) -> Iterator[dict[str, Any]]:
    """Follow ``next`` to its end."""
    start = ""
    while True:
        page = client.get(path, params={**params, "start": start}).raise_for_status().json()
        yield page
        start = page["next"]
        if not start:
            return


def everyone(client: httpx.Client) -> list[dict[str, Any]]:
    found, start = [], ""
    while True:
        page = client.post("/customers", params={"limit": 1000, "start": start}, json=EVERYONE).json()
        found += page["identifiers"]
        start = page["next"]
        if not start:
            return found


def test_everyone_is_enumerated_once(served: Served, customerio: httpx.Client) -> None:
    ids = [each["cio_id"] for each in everyone(customerio)]
    records = sandbox.truth(served.directory, "acme").records.to_pylist()
    assert len(ids) > 1000
    assert len(ids) == len(set(ids))
    assert set(ids) == {
        each["external_id"] for each in records if each["entity"] == "people" and each["connector"] == "customerio"
    }


def test_identifiers_may_be_null(customerio: httpx.Client) -> None:
    people = everyone(customerio)
    assert any(each["id"] is None for each in people)
    assert any(each["email"] is None for each in people)


def test_attributes_are_texts_and_unknown_ids_are_left_out(customerio: httpx.Client) -> None:
    ids = [each["cio_id"] for each in everyone(customerio)[:99]]
    answer = customerio.post("/customers/attributes", params={"id_type": "cio_id"}, json={"ids": [*ids, "nobody"]})
    people = answer.json()["customers"]
    assert {each["identifiers"]["cio_id"] for each in people} == set(ids)
    assert {type(value) for each in people for value in each["attributes"].values()} == {str}
    assert all(each["attributes"].keys() == each["timestamps"].keys() for each in people)
    too_many = customerio.post("/customers/attributes", json={"ids": ["1"] * 101})
    assert too_many.status_code == 400


def test_activities_come_newest_first_and_reach_back_thirty_days(served: Served, customerio: httpx.Client) -> None:
    pages = list(walk(customerio, "/activities", limit=100))
    times = [each["timestamp"] for page in pages for each in page["activities"]]
    ids = [each["id"] for page in pages for each in page["activities"]]
    now = int(sandbox_now(served))
    assert times == sorted(times, reverse=True)
    assert len(ids) == len(set(ids)) > 100
    assert now - 30 * 86_400 <= times[-1] <= times[0] <= now


def test_activities_can_be_asked_for_by_type(customerio: httpx.Client) -> None:
    found = customerio.get("/activities", params={"type": "opened_email", "limit": 10}).json()["activities"]
    assert {each["type"] for each in found} == {"opened_email"}


def test_bounds_of_messages_are_inclusive(customerio: httpx.Client) -> None:
    created = sorted(each["created"] for page in walk(customerio, "/messages") for each in page["messages"])
    low, high = created[10], created[-10]
    found = [
        each["created"]
        for page in walk(customerio, "/messages", start_ts=low, end_ts=high)
        for each in page["messages"]
    ]
    assert sorted(found) == [each for each in created if low <= each <= high]


def test_an_empty_page_of_messages_is_not_the_end(customerio: httpx.Client) -> None:
    sizes = [len(page["messages"]) for page in walk(customerio, "/messages", limit=500)]
    assert 0 in sizes[:-1]
    assert sizes[-1] > 0


def test_metrics_ripen_after_the_message_was_read(served: Served, customerio: httpx.Client) -> None:
    def seen() -> dict[str, dict[str, Any]]:
        return {each["id"]: each for page in walk(customerio, "/messages") for each in page["messages"]}

    before = seen()
    sandbox.advance(served.directory, "acme", steps=2)
    after = seen()
    ripened = [key for key, each in before.items() if len(after[key]["metrics"]) > len(each["metrics"])]
    assert ripened
    assert all(after[key]["deduplicate_id"] != before[key]["deduplicate_id"] for key in ripened)
    assert before.keys() < after.keys()


def test_an_empty_segment_has_null_and_no_empty_list(customerio: httpx.Client) -> None:
    assert customerio.get("/segments/4/membership").json() == {"identifiers": None, "ids": None, "next": ""}
    assert customerio.get("/segments/1/membership", params={"limit": 5}).json()["next"]


def test_an_id_left_bare_in_the_path_finds_nobody(customerio: httpx.Client) -> None:
    person = next(each for each in everyone(customerio) if each["email"] and "+" in each["email"])
    email = person["email"]
    params = {"id_type": "email"}
    assert customerio.get(f"/customers/{email}/activities", params=params).json() == {"activities": []}
    found = customerio.get(f"/customers/{quote(email, safe='')}/attributes", params=params).json()["customer"]
    assert found["identifiers"]["cio_id"] == person["cio_id"]


def test_a_deleted_person_leaves_only_an_activity(served: Served, customerio: httpx.Client) -> None:
    before = {each["cio_id"] for each in everyone(customerio)}
    sandbox.advance(served.directory, "acme")
    gone = before - {each["cio_id"] for each in everyone(customerio)}
    told = customerio.get("/activities", params={"type": "profile_delete"}).json()["activities"]
    assert gone
    assert gone <= {each["customer_identifiers"]["cio_id"] for each in told}
    assert told[0]["customer_identifiers"]["email"] is None
    merged = customerio.get("/activities", params={"type": "profile_merge"}).json()["activities"]
    assert merged[0]["data"]["secondary"]["cio_id"] in gone


@pytest.mark.parametrize("path", ["/campaigns", "/segments", "/newsletters", "/broadcasts", "/workspaces"])
def test_what_was_set_up_is_listed_whole(customerio: httpx.Client, path: str) -> None:
    assert list(customerio.get(path).json()) == [path[1:]]


def test_eleven_requests_at_once_are_one_too_many(served: Served, customerio: httpx.Client) -> None:
    served.faults(customerio={})
    answers = [customerio.get("/segments") for _ in range(11)]
    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["errors"][0]["status"] == "429"


@pytest.mark.usefixtures("customerio")
def test_a_wrong_key_is_refused(served: Served) -> None:
    url = f"{served.url}/acme/customerio/v1/segments"
    assert httpx.get(url, headers={"authorization": "Bearer sandbox-cio-globex"}).status_code == 401
    assert httpx.get(url).status_code == 401


def sandbox_now(served: Served) -> float:
    return datetime.fromisoformat(httpx.get(f"{served.url}/acme/_now").json()["now"]).timestamp()
