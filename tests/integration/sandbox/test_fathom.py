"""fathom-python judges the sandbox's Fathom: what this client cannot use is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fathom_python import Fathom, errors, models

from gtm_pipelines import sandbox
from tests.integration.sandbox.outsiders import Served
from tests.worlds import put_world

UNLIMITED = {"requests_per_minute": 100_000, "heavy_per_minute": 100_000}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("fathom")
    put_world(directory, "acme", size=3_000, seed=13, vendors=("fathom",))
    with sandbox.running(directory) as url:
        yield Served(directory, url)


@pytest.fixture(autouse=True)
def _calm(account: Served) -> None:
    account.faults(fathom=UNLIMITED)


def client(account: Served, key: str = "sandbox-fathom-acme") -> Fathom:
    """The vendor's client, told of another address and of nothing else."""
    return Fathom(
        security=models.Security(api_key_auth=key),
        server_url=f"{account.url}/acme/fathom/external/v1",
        retry_config=None,
    )


@pytest.fixture
def official(account: Served) -> Iterator[Fathom]:
    with client(account) as made:
        yield made


@pytest.fixture
def bare(account: Served) -> Iterator[httpx.Client]:
    headers = {"x-api-key": "sandbox-fathom-acme"}
    with httpx.Client(base_url=f"{account.url}/acme/fathom/external/v1", headers=headers) as made:
        yield made


def everything(official: Fathom, **options: Any) -> list[models.Meeting]:
    found: list[models.Meeting] = []
    page = official.list_meetings(**options)
    while page is not None:
        found += page.result.items
        page = page.next()
    return found


def first_page(official: Fathom) -> models.ListMeetingsResponse:
    page = official.list_meetings()
    assert page is not None
    return page


def live(account: Served, entity: str) -> set[str]:
    records = httpx.get(f"{account.url}/acme/_truth/records").json()
    return {each["external_id"] for each in records if each["entity"] == entity}


def test_the_client_pages_to_the_end(account: Served, official: Fathom) -> None:
    ids = [str(each.recording_id) for each in everything(official)]
    assert len(ids) == len(set(ids)) > 20
    assert set(ids) == live(account, "meetings")


def test_meetings_come_newest_first_with_content_when_asked_for(official: Fathom) -> None:
    found = everything(official, include_summary=True, include_action_items=True, include_crm_matches=True)
    created = [each.created_at for each in found]
    assert created == sorted(created, reverse=True)
    assert any(each.default_summary for each in found)
    assert any(each.action_items for each in found)
    assert any(each.crm_matches and each.crm_matches.companies for each in found)
    assert all(not each.default_summary for each in first_page(official).result.items)


def test_some_meetings_have_no_invitees_and_some_invitees_no_address(official: Fathom) -> None:
    found = everything(official)
    invitees = [invitee for each in found for invitee in each.calendar_invitees]
    assert any(not each.calendar_invitees for each in found)
    assert any(each.email is None for each in invitees)
    assert {each.is_external for each in invitees} == {True, False}


def test_both_bounds_of_creation_leave_their_own_moment_out(official: Fathom) -> None:
    created = sorted({each.created_at for each in everything(official)})
    low, high = created[2], created[-2]
    found = everything(official, created_after=low.isoformat(), created_before=high.isoformat())
    assert {each.created_at for each in found} == set(created[3:-2])


def test_a_transcript_has_lines_of_speakers(official: Fathom) -> None:
    newest = everything(official)[-1]
    said = official.get_recording_transcript(recording_id=newest.recording_id)
    assert isinstance(said, models.GetRecordingTranscriptResponseBody)
    assert said.transcript[0].speaker.display_name
    assert said.transcript[0].timestamp == "00:00:00"


def test_the_cursor_is_a_page_number_and_a_new_meeting_shifts_what_it_means(account: Served, official: Fathom) -> None:
    first = first_page(official)
    account.faults(fathom={**UNLIMITED, "arrive_next": 1})
    second = first.next()
    assert second is not None
    assert first.result.items[-1].recording_id == second.result.items[0].recording_id


def test_teams_are_listed(official: Fathom) -> None:
    page = official.list_teams()
    assert page is not None
    assert [each.name for each in page.result.items] == ["Customer Success", "Sales"]


def test_a_wrong_key_is_the_clients_error(account: Served) -> None:
    with client(account, "nobody") as stranger, pytest.raises(errors.APIError) as refused:
        stranger.list_meetings()
    assert refused.value.status_code == 401


def test_content_has_a_limit_of_its_own_and_every_answer_tells_of_it(account: Served, bare: httpx.Client) -> None:
    account.faults(fathom={"requests_per_minute": 100_000, "heavy_per_minute": 1})
    answers = [bare.get("/meetings", params={"include_summary": "true"}) for _ in range(2)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["ratelimit-remaining"] == "0"
    assert 0 < int(answers[-1].headers["ratelimit-reset"]) <= 60
    assert "retry-after" not in answers[-1].headers
    assert bare.get("/meetings").status_code == 200


def test_days_bring_meetings_late_transcripts_and_ticked_off_items(tmp_path: Path) -> None:
    put_world(tmp_path, "acme", size=3_000, seed=13, vendors=("fathom",))
    with sandbox.running(tmp_path) as url:
        served = Served(tmp_path, url)
        meetings, transcripts = live(served, "meetings"), live(served, "transcripts")
        counts = httpx.post(f"{url}/acme/_advance?steps=4").json()["counts"]
        written = {each for each in live(served, "transcripts") - transcripts if each in meetings}
        assert counts["fathom_meetings_created"] > 0
        assert counts["action_items_completed"] > 0
        assert live(served, "meetings") > meetings
    assert written, "no meeting of before got its transcript late"
