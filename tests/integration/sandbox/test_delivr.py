"""Delivr.ai's APIs by their published contract: windows, tiers, envelopes, builds and bills.

Delivr.ai's own client is under a licence that grants nobody its use, so it is no dependency here, and a plain HTTP
client asks what the published description says.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import httpx
import pytest

from gtm_pipelines import sandbox
from tests.integration.sandbox.outsiders import Served
from tests.worlds import put_world

HOUR_MS = 3_600_000
PRESENT_MS = 1_767_225_600_000
PROFILE = "/api/v3/events/resolution_full_profile"


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("delivr")
    put_world(directory, "acme", size=300, seed=7, vendors=("delivr",))
    with sandbox.running(directory) as url:
        yield Served(directory, url)


@pytest.fixture
def api(organisation: Served) -> Iterator[httpx.Client]:
    organisation.faults(delivr={})
    account = sandbox.accounts(organisation.url, "acme")["delivr"]
    headers = {"x-api-key": account.credentials["api_key"], "x-api-secret": account.credentials["api_secret"]}
    project = {"project_id": account.settings["project_id"]}
    with httpx.Client(base_url=account.settings["base_url"], headers=headers, params=project) as made:
        yield made


def window(hours: float = 25, ago: float = 25, **more: Any) -> dict[str, Any]:
    start = PRESENT_MS - int(ago * HOUR_MS)
    return {"start_ms": start, "end_ms": start + int(hours * HOUR_MS), **more}


def test_who_we_are_is_free_and_names_the_projects(api: httpx.Client) -> None:
    said = api.get("/api/v1/whoami").json()["response"]
    assert {"api_client_id", "organization", "projects"} <= said.keys()
    assert said["projects"][0]["project_id"] == api.params["project_id"]


@pytest.mark.parametrize("header", ["x-api-key", "x-api-secret"])
def test_key_and_secret_are_both_needed(api: httpx.Client, header: str) -> None:
    refused = api.get("/api/v1/whoami", headers={header: "of-nobody"})
    assert (refused.status_code, refused.json()) == (401, {"error": "unauthorized"})


def test_an_answer_of_events_has_the_published_envelope(api: httpx.Client) -> None:
    page = api.get(PROFILE, params=window(limit=5)).json()
    assert {"index_name", "index_value", "start_ms", "end_ms", "limit", "offset", "rows", "meta"} == page.keys()
    assert len(page["rows"]) == 5
    assert {"files_scanned", "buckets_scanned", "took_ms"} == page["meta"].keys()


def test_a_window_is_at_most_25_hours_unless_cold_storage_is_asked_for(api: httpx.Client) -> None:
    assert api.get(PROFILE, params=window(25)).status_code == 200
    assert api.get(PROFILE, params=window(25.1, ago=30)).status_code == 400
    assert api.get(PROFILE, params=window(48, ago=48, include_cold="true")).status_code == 200


def test_both_ends_of_a_window_are_inclusive(api: httpx.Client) -> None:
    rows = api.get(PROFILE, params=window(ago=60, limit=1000)).json()["rows"]
    from datetime import datetime

    at = round(datetime.fromisoformat(rows[3]["event_timestamp"]).timestamp() * 1000)
    found = api.get(PROFILE, params={"start_ms": at, "end_ms": at}).json()["rows"]
    assert rows[3] in found


def test_offsets_page_through_a_window_to_an_empty_page(api: httpx.Client) -> None:
    whole = api.get(PROFILE, params=window(ago=60, limit=1000)).json()["rows"]
    paged: list[dict[str, Any]] = []
    while rows := api.get(PROFILE, params=window(ago=60, limit=7, offset=len(paged))).json()["rows"]:
        paged += rows
    assert paged == whole


def test_a_field_above_the_tier_is_refused_with_the_tier_that_has_it(api: httpx.Client) -> None:
    refused = api.get("/api/v3/events/web_event", params=window(select="event_type,hem"))
    assert refused.status_code == 400
    assert "resolution_hem" in refused.json()["error"]
    plain = api.get("/api/v3/events/web_event", params=window()).json()["rows"][0]
    assert "hem" not in plain
    known = [each["name"] for each in api.get("/api/v3/events/web_event/schema").json()["columns"]]
    assert set(known) == plain.keys()


def test_a_tier_that_was_not_bought_is_forbidden(organisation: Served, api: httpx.Client) -> None:
    organisation.faults(delivr={"tier": "resolution_hem"})
    assert api.get(PROFILE, params=window()).status_code == 403
    assert api.get("/api/v3/events/resolution_hem", params=window()).status_code == 200


def test_a_hash_is_that_of_the_address_in_lower_case(api: httpx.Client) -> None:
    rows = api.get(PROFILE, params=window()).json()["rows"]
    assert all(each["hem"] == sha256(each["email"].lower().encode()).hexdigest() for each in rows)


def test_distinct_leaves_one_row_for_each_value(api: httpx.Client) -> None:
    rows = api.get(PROFILE, params=window(limit=1000, distinct="hem")).json()["rows"]
    every = api.get(PROFILE, params=window(limit=1000)).json()["rows"]
    assert len(rows) < len(every)
    assert sorted(each["hem"] for each in rows) == sorted({each["hem"] for each in every})


def test_a_dry_run_tells_the_cost_and_is_not_charged(organisation: Served, api: httpx.Client) -> None:
    httpx.delete(f"{organisation.url}/acme/_ledger")
    preview = api.get(PROFILE, params=window(dry_run="true")).json()
    assert preview["dry_run"] is True
    assert preview["records_to_charge"] > 0
    rows = api.get(PROFILE, params=window()).json()["rows"]
    assert [each["note"] for each in organisation.ledger(vendor="delivr")] == ["", f"charged {len(rows)}"]


def test_members_come_by_cursor_and_a_cursor_belongs_to_one_build(organisation: Served, api: httpx.Client) -> None:
    first = api.get("/api/v1/audiences/101/records", params={"page_size": 10}).json()
    second = api.get("/api/v1/audiences/101/records", params={"page_size": 10, "cursor": first["next_cursor"]}).json()
    assert first["count"] > 20
    assert not {each["hem"] for each in first["results"]} & {each["hem"] for each in second["results"]}
    organisation.faults(delivr={"cursor_stale_next": 1})
    stale = api.get("/api/v1/audiences/101/records", params={"cursor": first["next_cursor"]})
    assert (stale.status_code, stale.json()["error"]) == (409, "cursor_stale")


def test_an_audience_that_is_being_built_or_busy_says_so_by_code(organisation: Served, api: httpx.Client) -> None:
    waiting = api.get("/api/v1/audiences/104/records")
    assert (waiting.status_code, waiting.json()["error"]) == (409, "not_ready")
    organisation.faults(delivr={"busy_next": 1})
    busy = api.get("/api/v1/audiences/101/records")
    assert (busy.status_code, busy.json()["error"], busy.headers["retry-after"]) == (503, "busy", "2")


def test_people_on_a_topic_come_keenest_first(api: httpx.Client) -> None:
    asked = {"topic_id": "4eyes_100101", "page_size": 3, "resolve": True}
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.post("/api/v1/intent/people", json=asked | ({"cursor": cursor} if cursor else {})).json()["response"]
        found += page["results"]
        cursor = page.get("next_cursor")
    scores = [each["perc_score"] for each in found]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) > 3
    assert all(each["hem"] == sha256(each["seen_email"].encode()).hexdigest() for each in found)
    assert api.post("/api/v1/intent/people", json={"topic_id": "nothing"}).status_code == 422


def test_the_other_api_takes_the_key_alone_and_gives_signals_since_a_moment(organisation: Served) -> None:
    account = sandbox.accounts(organisation.url, "acme")["delivr"]
    with httpx.Client(
        base_url=account.settings["base_url"], headers={"x-api-key": account.credentials["api_key"]}
    ) as api:
        assert api.get("/v1/health").json() == {"status": "ok"}
        first = api.get("/v1/intent-signals", params={"limit": 5}).json()
        rest = api.get("/v1/intent-signals", params={"limit": 999, "cursor": first["nextCursor"]}).json()
        since = rest["data"][-3]["occurredAt"]
        late = api.get("/v1/intent-signals", params={"since": since, "limit": 100}).json()["data"]
    assert {"id", "personId", "accountDomain", "contentUrl", "contentTopic", "occurredAt"} <= first["data"][0].keys()
    assert rest["nextCursor"] is None
    assert len(late) == 3
