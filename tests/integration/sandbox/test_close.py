"""Close's own Python client judges the sandbox's Close: what this client cannot use is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import closeio_api
import pytest
from closeio_api import API, APIError, ValidationError

from gtm_pipelines import sandbox
from tests.integration.sandbox.outsiders import Served
from tests.worlds import put_world


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sandbox with one tenant known to Close alone."""
    directory = tmp_path_factory.mktemp("close")
    put_world(directory, "acme", size=1200, seed=7, vendors=("close",))
    with sandbox.running(directory) as url:
        yield Served(directory, url)


@pytest.fixture(autouse=True)
def unlimited(organisation: Served) -> None:
    faults(organisation)


def faults(organisation: Served, **switched: Any) -> None:
    organisation.faults(close={"requests_per_second": 100_000, **switched})


@pytest.fixture
def client(organisation: Served) -> Any:
    return connected(organisation)


def connected(organisation: Served, key: str = "api_sandbox.acme", retries: int = 1) -> Any:
    made = API(f"{organisation.url}/acme/close/api/v1/", key, max_retries=retries)
    made.session.trust_env = False
    return made


def truth(organisation: Served, entity: str) -> set[str]:
    rows = sandbox.truth(organisation.directory, "acme").records.to_pylist()
    return {row["external_id"] for row in rows if row["entity"] == entity}


def skipped(client: Any, path: str, **params: Any) -> list[dict[str, Any]]:
    """Read a list the way the client's own examples do: by ``_skip`` until there is no more."""
    found: list[dict[str, Any]] = []
    while True:
        answer = client.get(path, params={"_skip": len(found), "_limit": 100, **params})
        found += answer["data"]
        if not answer["has_more"]:
            assert answer["total_results"] == len(found)
            return found


def question(kind: str, since: str | None = None, **more: Any) -> dict[str, Any]:
    field = {"type": "regular_field", "object_type": kind, "field_name": "date_updated"}
    queries: list[dict[str, Any]] = [{"type": "object_type", "object_type": kind}]
    if since:
        bound = {"type": "moment_range", "on_or_after": {"type": "fixed_utc", "value": since}}
        queries.append({"type": "field_condition", "field": field, "condition": bound})
    return {
        "query": {"type": "and", "queries": queries},
        "_fields": {kind: ["id", "name", "date_updated"]},
        "_limit": 50,
        "sort": [{"direction": "asc", "field": field}],
        **more,
    }


def searched(client: Any, asked: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = client.post("data/search", data=asked)
        found += answer["data"]
        if not answer["cursor"]:
            return found
        asked = {**asked, "cursor": answer["cursor"]}


@pytest.mark.parametrize(
    ("path", "entity"),
    [
        ("lead", "leads"),
        ("contact", "contacts"),
        ("opportunity", "opportunities"),
        ("activity", "activities"),
        ("user", "users"),
    ],
)
def test_a_list_is_skipped_through_to_its_end(organisation: Served, client: Any, path: str, entity: str) -> None:
    found = [each["id"] for each in skipped(client, path)]
    assert len(found) == len(set(found))
    assert set(found) == truth(organisation, entity)


def test_a_shared_field_is_in_the_schema_of_leads_and_not_in_their_list(client: Any) -> None:
    own = {each["id"] for each in skipped(client, "custom_field/lead")}
    schema = client.get("custom_field_schema/lead")
    assert {each["id"] for each in schema["fields"]} - own == {
        each["id"] for each in skipped(client, "custom_field/shared")
    }
    assert schema.keys() == {"name", "object_type", "fields"}


def test_a_meeting_names_its_people_as_attendees_and_nowhere_else(client: Any) -> None:
    meeting = next(each for each in skipped(client, "activity") if each["_type"] == "Meeting")
    assert meeting["contact_id"] is None
    assert [bool(each["contact_id"]) for each in meeting["attendees"]] == [False, True]


def test_a_search_is_paged_to_its_end_in_order(organisation: Served, client: Any) -> None:
    found = searched(client, question("contact"))
    assert len(found) > 100
    assert {each["id"] for each in found} == truth(organisation, "contacts")
    stamps = [each["date_updated"] for each in found]
    assert stamps == sorted(stamps)
    assert set(found[0]) == {"__object_type", "id", "name", "date_updated"}


def test_a_search_from_a_moment_on_has_that_moment(client: Any) -> None:
    found = searched(client, question("lead"))
    middle = found[len(found) // 2]["date_updated"]
    assert searched(client, question("lead", middle)) == [each for each in found if each["date_updated"] >= middle]


def test_only_the_id_comes_unless_fields_are_named(client: Any) -> None:
    asked = question("contact")
    del asked["_fields"]
    assert set(client.post("data/search", data=asked)["data"][0]) == {"__object_type", "id"}
    asked["_fields"] = {"contact": ["id", "emails", "phones", "custom.cf_linkedin"]}
    assert "custom.cf_linkedin" in client.post("data/search", data=asked)["data"][0]


def test_a_search_gives_no_more_than_its_cap_and_does_not_say_so(organisation: Served, client: Any) -> None:
    faults(organisation, search_cap=120)
    assert len(searched(client, question("contact"))) == 120
    counted = client.post("data/search", data=question("contact", include_counts=True))["count"]
    assert counted == {"limited": 120, "total": len(truth(organisation, "contacts"))}


def test_a_cursor_dies(organisation: Served, client: Any) -> None:
    cursor = client.post("data/search", data=question("contact"))["cursor"]
    faults(organisation, cursor_seconds=0)
    with pytest.raises(ValidationError) as died:
        client.post("data/search", data=question("contact", cursor=cursor))
    assert died.value.response.json() == {"error": "Expired cursor"}


def test_opportunities_are_filtered_and_ordered_by_their_time(client: Any) -> None:
    every = skipped(client, "opportunity", _order_by="date_updated")
    stamps = [each["date_updated"] for each in every]
    assert stamps == sorted(stamps)
    newer = skipped(client, "opportunity", date_updated__gte=stamps[10])
    assert {each["id"] for each in newer} == {each["id"] for each in every[10:]}
    assert all(isinstance(each["value"], int) for each in every)


def test_activities_are_filtered_by_creation_only_unless_a_lead_is_named(client: Any) -> None:
    every = skipped(client, "activity")
    middle = sorted(each["date_created"] for each in every)[len(every) // 2]
    newer = skipped(client, "activity", date_created__gte=middle)
    assert {each["id"] for each in newer} == {each["id"] for each in every if each["date_created"] >= middle}
    calls = skipped(client, "activity/call")
    assert {each["_type"] for each in calls} == {"Call"}
    with pytest.raises(ValidationError):
        client.get("activity", params={"activity_at__gte": middle})
    with pytest.raises(ValidationError):
        client.get("activity", params={"date_updated__gte": middle})
    lead = every[0]["lead_id"]
    assert skipped(client, "activity", lead_id=lead, activity_at__gte="2001-01-01")


def test_the_event_log_tells_deletes_and_merges_fifty_at_a_time(organisation: Served, client: Any) -> None:
    before = truth(organisation, "leads") | truth(organisation, "contacts") | truth(organisation, "activities")
    counts = sandbox.advance(organisation.directory, "acme", steps=2).counts
    events: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = client.get(
            "event", params={"date_updated__gte": "2026-01-01", **({"_cursor": cursor} if cursor else {})}
        )
        assert len(answer["data"]) <= 50
        events += answer["data"]
        cursor = answer["cursor_next"]
        if cursor is None:
            break
    assert [each["date_updated"] for each in events] == sorted((each["date_updated"] for each in events), reverse=True)
    kinds = Counter((each["object_type"].partition(".")[0], each["action"]) for each in events)
    assert kinds["lead", "merged"] == counts["leads_merged"]
    assert kinds["lead", "deleted"] == counts["leads_deleted"] + counts["leads_merged"]
    gone = {each["object_id"] for each in events if each["action"] == "deleted"}
    now = truth(organisation, "leads") | truth(organisation, "contacts") | truth(organisation, "activities")
    assert before - now <= gone
    assert not gone & now
    merged = next(each for each in events if each["action"] == "merged")
    assert merged["meta"]["merge_source_lead_id"] in gone
    assert merged["meta"]["merge_destination_lead_id"] == merged["object_id"]
    only = client.get("event", params={"object_type": "contact", "action": "deleted"})["data"]
    assert {(each["object_type"], each["action"]) for each in only} == {("contact", "deleted")}


def test_many_contacts_share_one_microsecond_after_a_bulk_edit(organisation: Served, client: Any) -> None:
    sandbox.advance(organisation.directory, "acme")
    stamps = Counter(each["date_updated"] for each in searched(client, question("contact")))
    assert stamps.most_common(1)[0][1] > 10


def test_a_lead_moves_with_its_contacts_without_a_word_in_the_log(organisation: Served, client: Any) -> None:
    before = {each["id"]: each["date_updated"] for each in skipped(client, "lead")}
    now = sandbox.advance(organisation.directory, "acme").now
    day = datetime.fromisoformat(now).strftime("%Y-%m-%d")
    moved = {each["id"] for each in skipped(client, "lead") if before.get(each["id"], "") < each["date_updated"]}
    told = client.get("event", params={"object_type": "lead", "date_updated__lte": day})["data"]
    assert moved - {each["object_id"] for each in told}


def test_a_record_is_read_by_its_id(client: Any) -> None:
    lead = skipped(client, "lead")[0]
    assert client.get(f"lead/{lead['id']}") == lead
    assert client.get("me")["email"].endswith("@seller.example")


def test_errors_are_the_clients_own_kinds(organisation: Served, client: Any) -> None:
    with pytest.raises(APIError) as refused:
        connected(organisation, "api_of_nobody").get("lead")
    assert refused.value.response.status_code == 401
    with pytest.raises(ValidationError) as unknown:
        client.post("data/search", data={**question("contact"), "_fields": {"contact": ["id", "shoe_size"]}})
    assert "_fields" in unknown.value.field_errors
    with pytest.raises(ValidationError, match="object_type"):
        client.post("data/search", data={"query": {"type": "and", "queries": []}})
    faults(organisation, max_skip=50)
    with pytest.raises(ValidationError, match="max_skip = 50"):
        client.get("lead", params={"_skip": 51})
    faults(organisation, forbid=["event"])
    with pytest.raises(APIError) as forbidden:
        client.get("event")
    assert forbidden.value.response.status_code == 403


def test_the_client_waits_as_the_limit_tells_it(organisation: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(closeio_api, "time", SimpleNamespace(sleep=waited.append))
    faults(organisation, requests_per_second=0.5)
    with pytest.raises(APIError) as busy:
        connected(organisation, retries=3).get("me")
    assert busy.value.response.status_code == 429
    assert waited == [1.0, 1.0, 1.0]
