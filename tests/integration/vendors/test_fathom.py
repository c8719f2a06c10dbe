"""The Fathom connector over real HTTP against the sandbox's Fathom, well and ailing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector, Mode
from connectors.errors import Stop
from connectors.vendors.fathom.source import _Answers
from connectors.vendors.fathom.transcripts import cut
from gtm_pipelines import sandbox
from tests.contract.sandboxed import NOW, Sandboxed
from tests.worlds import put_world

FAST = {"requests_per_minute": 100_000, "heavy_per_minute": 100_000}
HISTORY = 100
ENTITIES = ["meetings", "participants", "transcripts"]
World = Callable[[], Sandboxed]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Make worlds that only Fathom knows."""
    directory: Path = tmp_path_factory.mktemp("fathom")
    made: list[Sandboxed] = []
    put_world(directory, "still", size=1_000, seed=13, vendors=("fathom",))
    with sandbox.running(directory) as url:

        def make(tenant: str = "still") -> Sandboxed:
            if tenant != "still":
                put_world(directory, tenant, size=1_000, seed=13, vendors=("fathom",))
            made.append(Sandboxed(url, tenant, "fathom", {"history_days": HISTORY}))
            return made[-1]

        yield lambda: make(f"moving_{len(made)}") if made else make()
        for each in made:
            each.close()


@pytest.fixture(scope="module")
def still(worlds: World) -> Sandboxed:
    """A world that no test changes."""
    return worlds()


@pytest.fixture
def fathom(still: Sandboxed) -> Iterator[Sandboxed]:
    with still.suffering(**FAST):
        still.clear_ledger()
        yield still


@pytest.fixture
def moving(still: Sandboxed, worlds: World) -> Iterator[Sandboxed]:
    del still  # made first: it is the one that stays
    vendor = worlds()
    with vendor.suffering(**FAST):
        yield vendor


def taken(connector: Connector, entity: str = "meetings", **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def payloads(done: Read) -> dict[str, dict[str, Any]]:
    rows = [row for page in done.pages for row in page.rows.to_pylist()]
    return {row["external_id"]: json.loads(row["payload"]) for row in rows}


def asked(vendor: Sandboxed, what: str) -> list[dict[str, Any]]:
    return [entry for entry in vendor.ledger() if entry["path"].endswith(what)]


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_entity_is_read_whole(fathom: Sandboxed, entity: str) -> None:
    done = taken(fathom.connect(), entity, mode=Mode.FULL)
    checks.check_ends(done)
    checks.check_complete(done, Truth(*fathom.truth(entity)))


def test_every_page_is_asked_for_with_an_end_that_lies_before_the_read(fathom: Sandboxed) -> None:
    taken(fathom.connect())
    listed = asked(fathom, "/meetings")
    assert listed
    assert all(entry["query"]["created_before"] <= fathom.now().isoformat() for entry in listed)
    assert all("created_after" in entry["query"] for entry in listed)


def test_meetings_made_during_a_walk_do_not_shift_its_pages(moving: Sandboxed) -> None:
    before, _ = moving.truth("meetings")
    with moving.suffering(arrive_next=100):
        done = taken(moving.connect())
    keys = [row["external_id"] for page in done.pages for row in page.rows.to_pylist()]
    assert set(keys) == before
    assert len(keys) == len(set(keys))
    assert len(moving.truth("meetings")[0]) > len(before), "no meeting arrived: nothing is proven"


def test_a_page_served_twice_changes_nothing_after_one_more_read(moving: Sandboxed) -> None:
    with moving.suffering(duplicate_page=1):
        base = taken(moving.connect())
    more = taken(moving.connect(), mode=Mode.FULL)
    checks.check_complete(Read([*base.pages, *more.pages]), Truth(*moving.truth("meetings")))


def test_late_content_of_young_meetings_is_read_again_and_old_meetings_are_not(moving: Sandboxed) -> None:
    base = taken(moving.connect())
    moving.advance(4)
    change = taken(moving.connect(), cursor=base.cursor)
    before, after = payloads(base), payloads(change)
    ticked = [key for key in after if key in before and after[key]["action_items"] != before[key]["action_items"]]
    told = [
        key for key in after if key in before and not before[key]["default_summary"] and after[key]["default_summary"]
    ]
    assert ticked
    assert told
    oldest = min(each["created_at"] for each in after.values())
    assert oldest[:10] >= "2025-12-17"
    assert len(after) < len(before)


def test_how_long_meetings_are_read_again_is_a_setting(moving: Sandboxed) -> None:
    base = taken(moving.connect())
    wide = taken(moving.connect(reread_days=30), cursor=base.cursor)
    narrow = taken(moving.connect(reread_days=3), cursor=base.cursor)
    assert len(narrow.versions()) < len(wide.versions())
    refused = taken(moving.connect(reread_days="soon"))
    assert isinstance(refused.error, Stop)
    assert refused.error.code == "bad_setting"


def test_nothing_is_ever_deleted(moving: Sandboxed) -> None:
    base = taken(moving.connect())
    moving.advance(2)
    for entity in ENTITIES:
        done = taken(moving.connect(), entity, cursor=base.cursor if entity == "meetings" else None)
        assert not any(is_deleted for is_deleted, _ in done.versions().values())
        assert not any(page.seen_whole for page in done.pages)


@pytest.mark.parametrize("missing", [200, 404])
def test_a_transcript_is_asked_for_until_it_has_come_and_never_again(moving: Sandboxed, missing: int) -> None:
    with moving.suffering(missing_transcript_status=missing):
        base = taken(moving.connect(), "transcripts")
        meetings, _ = moving.truth("meetings")
        waiting = meetings - base.versions().keys()
        assert waiting
        moving.clear_ledger()
        again = taken(moving.connect(), "transcripts", cursor=base.cursor)
        assert not again.versions()
        young = {entry["path"].split("/")[-2] for entry in asked(moving, "/transcript")}
        assert young <= waiting
        moving.advance(4)
        moving.clear_ledger()
        late = taken(moving.connect(), "transcripts", cursor=again.cursor)
    assert waiting & late.versions().keys()
    assert not {entry["path"].split("/")[-2] for entry in asked(moving, "/transcript")} & base.versions().keys()
    checks.check_complete(Read([*base.pages, *late.pages]), Truth(*moving.truth("transcripts")))


def test_a_recording_that_refuses_its_transcript_keeps_no_other_from_being_read(fathom: Sandboxed) -> None:
    with fathom.suffering(missing_transcript_status=403):
        base = taken(fathom.connect(), "transcripts")
        again = taken(fathom.connect(), "transcripts", cursor=base.cursor)
    checks.check_complete(base, Truth(*fathom.truth("transcripts")))
    assert again.error is None
    for done in (base, again):
        assert "Fathom refuses the transcripts of " in "".join(each for page in done.pages for each in page.notices)


def test_a_key_that_may_read_no_transcript_at_all_is_an_error() -> None:
    refused = Stop("permission_denied", "no transcripts in this plan", status=403)
    answers = _Answers(is_any=False)
    answers.refuse("1", refused)
    with pytest.raises(Stop, match="no transcripts in this plan"):
        answers.notices()


def test_a_long_transcript_is_several_records_of_bounded_size(fathom: Sandboxed) -> None:
    found = payloads(taken(fathom.connect(), "transcripts"))
    parts = {key: each for key, each in found.items() if each["parts"] > 1}
    assert parts
    assert max(len(json.dumps(each, ensure_ascii=False).encode()) for each in found.values()) < 1024 * 1024
    one = next(each["recording_id"] for each in parts.values())
    whole = sorted((each for each in parts.values() if each["recording_id"] == one), key=lambda each: each["part"])
    assert [each["id"] for each in whole] == [str(one), *(f"{one}:{part}" for part in range(2, len(whole) + 1))]
    assert len([line for each in whole for line in each["transcript"]]) == 4100


def test_one_transcript_at_a_time_is_held(fathom: Sandboxed) -> None:
    done = taken(fathom.connect(), "transcripts")
    for page in done.pages:
        keys: list[Any] = page.rows["external_id"].to_pylist()
        assert len({key.partition(":")[0] for key in keys}) <= 1


def test_participants_are_addresses_each_once_in_lower_case(fathom: Sandboxed) -> None:
    done = taken(fathom.connect(), "participants")
    found = payloads(done)
    assert all(key == key.lower() == each["email"] for key, each in found.items())
    invited = [each for meeting in payloads(taken(fathom.connect())).values() for each in meeting["calendar_invitees"]]
    assert {each["email"].lower() for each in invited if each["email"]} == set(found)
    assert any(each["email"] is None for each in invited)
    assert {each["is_external"] for each in found.values()} == {True, False}


def test_a_spent_minute_is_waited_for_as_long_as_the_vendor_says(fathom: Sandboxed) -> None:
    waited_before = fathom.waiting.slept
    with fathom.suffering(heavy_per_minute=1):
        taken(fathom.connect())
    longest = max(fathom.waiting.sleeps)
    assert fathom.waiting.slept > waited_before
    assert 1 < longest <= 62


def test_the_cursor_of_transcripts_stays_small() -> None:
    from datetime import timedelta

    from connectors.connector import SyncOptions
    from connectors.vendors.fathom.transcripts import Remembered

    known = Remembered.of(None, SyncOptions("transcripts", Mode.INCREMENTAL, NOW))
    for number in range(5_000):
        known.add(str(8_589_934_592 + number), NOW - timedelta(minutes=number))
    place = known.cursor({"watermark": NOW.isoformat()}, timedelta(days=14))
    assert len(json.dumps(place)) < 32_768
    resumed = Remembered.of(place, SyncOptions("transcripts", Mode.INCREMENTAL, NOW))
    assert not resumed.lacks("8589934592", NOW)
    assert not resumed.lacks(str(8_589_934_592 + 4_000), NOW - timedelta(minutes=4_000)), "too old to be asked again"
    assert resumed.lacks("1", NOW)


@pytest.mark.parametrize(("key", "recording"), [("123", 123), ('rec-"1"', 'rec-"1"')])
def test_a_transcript_is_whole_json_whatever_its_meetings_id_is(key: str, recording: Any) -> None:
    (record,) = cut(key, NOW, [msgspec.Raw(b'{"text":"hello"}')])
    told = json.loads(record)
    assert (told["id"], told["recording_id"], told["transcript"]) == (key, recording, [{"text": "hello"}])
