"""The Delivr.ai connector over real HTTP against the sandbox's Delivr.ai, well and ailing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector, Mode
from connectors.errors import Deferred, Reauthorise, Retry, Stop
from connectors.landing import RecordShape, land_slices
from connectors.runtime.messages import Response
from connectors.vendors.delivr.records import beside, scoped
from gtm_pipelines import sandbox
from tests.contract.sandboxed import NOW, Sandboxed, Send, between
from tests.worlds import put_world

HISTORY = 13
ENTITIES = ["pixel_events", "visitors", "intent_signals", "audiences", "audience_members"]
HOUR_MS = 3_600_000
World = Callable[[], Sandboxed]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Make worlds that only Delivr.ai knows."""
    directory: Path = tmp_path_factory.mktemp("delivr")
    made: list[Sandboxed] = []
    with sandbox.running(directory) as url:

        def make() -> Sandboxed:
            tenant = f"world_{len(made)}"
            put_world(directory, tenant, size=300, seed=7, vendors=("delivr",))
            made.append(Sandboxed(url, tenant, "delivr", {"history_days": HISTORY}))
            return made[-1]

        yield make
        for each in made:
            each.close()


@pytest.fixture(scope="module")
def still(worlds: World) -> Sandboxed:
    """A world that no test changes."""
    return worlds()


@pytest.fixture
def delivr(still: Sandboxed) -> Sandboxed:
    still.clear_ledger()
    return still


@pytest.fixture
def moving(worlds: World) -> Sandboxed:
    return worlds()


def taken(connector: Connector, entity: str = "pixel_events", **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def rows(done: Read) -> list[dict[str, Any]]:
    return [row for page in done.pages for row in page.rows.to_pylist()]


def payloads(done: Read) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: json.loads(row["payload"]) for row in rows(done)}


def whole(done: Read) -> set[str]:
    return {scope for page in done.pages for scope in page.seen_whole}


def charged(vendor: Sandboxed) -> int:
    notes = [entry["note"] for entry in vendor.ledger()]
    return sum(int(note.removeprefix("charged ")) for note in notes if note.startswith("charged "))


def windows(vendor: Sandboxed) -> list[tuple[int, int]]:
    asked = [entry["query"] for entry in vendor.ledger() if "start_ms" in entry["query"]]
    return sorted({(int(query["start_ms"]), int(query["end_ms"])) for query in asked})


def test_an_audience_that_is_gone_is_remembered_until_its_members_could_be_called_gone(delivr: Sandboxed) -> None:
    """A member without a key lets no absence be concluded, so the news of it must come again."""
    connector = delivr.connect()
    builds = (taken(connector, "audience_members").cursor or {})["builds"]
    known = {"builds": {**builds, next(iter(builds)): "before", "gone": "once"}}

    def nameless(request: httpx.Request, send: Send) -> Response:
        answer = send(request)
        return replace(answer, content=answer.content.replace(b'"hem":"', b'"hem":null,"was":"', 1))

    between(connector, nameless)
    unclear = taken(connector, "audience_members", cursor=known)
    assert any(each.external_id is None for page in unclear.pages for each in page.unreadable)
    assert "gone" in (unclear.cursor or {})["builds"]
    clear = taken(delivr.connect(), "audience_members", cursor=unclear.cursor)
    assert "gone:" in {prefix for page in clear.pages for prefix in page.seen_whole}
    assert (clear.cursor or {})["builds"] == builds


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_entity_is_read_whole(delivr: Sandboxed, entity: str) -> None:
    done = taken(delivr.connect(), entity, mode=Mode.FULL)
    checks.check_ends(done)
    checks.check_complete(done, Truth(*delivr.truth(entity)))


class TestWindows:
    def test_windows_of_at_most_25_hours_follow_each_other_without_gap_or_overlap(self, delivr: Sandboxed) -> None:
        taken(delivr.connect())
        asked = windows(delivr)
        assert max(end - start for start, end in asked) < 25 * HOUR_MS
        assert all(after == end + 1 for (_, end), (after, _) in pairwise(asked))
        assert asked[0][0] == _ms(delivr.now() - timedelta(days=HISTORY))

    @pytest.mark.parametrize("minutes", [15, 240])
    def test_only_windows_that_closed_long_enough_ago_are_read(self, delivr: Sandboxed, minutes: int) -> None:
        done = taken(delivr.connect(settle_minutes=minutes))
        closed = delivr.now() - timedelta(minutes=minutes)
        assert windows(delivr)[-1][1] == _ms(closed) - 1
        assert done.cursor == {"watermark": closed.isoformat()}

    def test_every_event_is_paid_for_once(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        assert charged(moving) == len(rows(base)) == len(base.versions())
        moving.clear_ledger()
        taken(moving.connect(), cursor=base.cursor)
        assert charged(moving) == 0
        moving.advance()
        change = taken(moving.connect(), cursor=base.cursor)
        assert not base.versions().keys() & change.versions().keys()
        assert charged(moving) == len(change.versions()) > 0

    def test_a_read_that_stops_between_windows_pays_for_no_window_twice(self, delivr: Sandboxed) -> None:
        whole = taken(delivr.connect())
        places = [page.cursor for page in whole.pages if page.cursor]
        delivr.clear_ledger()
        rest = taken(delivr.connect(), cursor=places[len(places) // 2])
        assert windows(delivr)[0][0] == _ms(datetime.fromisoformat(places[len(places) // 2]["watermark"]))
        assert len(rest.versions()) < len(whole.versions())

    def test_an_event_that_arrives_during_a_walk_moves_no_other_out_of_it(self, moving: Sandboxed) -> None:
        before, _ = moving.truth("pixel_events")
        with moving.suffering(drift_next=3):
            done = taken(moving.connect(), page_size=4)
        after, _ = moving.truth("pixel_events")
        assert len(after - before) == 3
        checks.check_ends(done)
        checks.check_complete(done, Truth(after))

    def test_a_page_served_again_in_place_of_another_is_noticed(self, delivr: Sandboxed) -> None:
        with delivr.suffering(duplicate_page=1):
            done = taken(delivr.connect(), page_size=4)
        checks.check_complete(done, Truth(*delivr.truth("pixel_events")))

    def test_a_window_that_never_comes_to_rest_is_left_with_the_place_kept(self, moving: Sandboxed) -> None:
        with moving.suffering(drift_next=10_000):
            done = taken(moving.connect(), page_size=4)
        assert isinstance(done.error, Retry)
        assert done.error.code == "window_moves"

    def test_a_vendor_that_ignores_the_offset_is_left(self, delivr: Sandboxed) -> None:
        with delivr.suffering(duplicate_page=100_000):
            done = taken(delivr.connect(), page_size=4)
        assert isinstance(done.error, Stop)
        assert done.error.code == "pagination_loop"


class TestEvents:
    def test_an_events_id_is_the_hash_of_its_named_columns(self, delivr: Sandboxed) -> None:
        columns = ["pixel_id", "event_timestamp", "event_type", "url", "visitor_id", "hem"]
        for key, event in payloads(taken(delivr.connect())).items():
            named = json.dumps([event[name] for name in columns], separators=(",", ":"), ensure_ascii=False)
            assert key == sha256(named.encode()).hexdigest()

    def test_the_columns_that_make_the_id_are_a_setting(self, delivr: Sandboxed) -> None:
        usual = taken(delivr.connect())
        other = taken(delivr.connect(key_columns="event_timestamp event_type session_id"))
        assert len(other.versions()) == len(usual.versions())
        assert not other.versions().keys() & usual.versions().keys()

    @pytest.mark.parametrize("tier", ["web_event", "resolution_hem", "resolution_full_profile"])
    def test_the_tier_is_a_setting_and_decides_the_columns(self, delivr: Sandboxed, tier: str) -> None:
        event = next(iter(payloads(taken(delivr.connect(tier=tier))).values()))
        assert ("hem" in event, "email" in event) == (tier != "web_event", tier == "resolution_full_profile")
        assert {entry["path"] for entry in delivr.ledger() if "events" in entry["path"]} == {f"api/v3/events/{tier}"}

    def test_a_tier_that_was_not_bought_asks_for_a_person(self, delivr: Sandboxed) -> None:
        with delivr.suffering(tier="resolution_hem"):
            done = taken(delivr.connect())
        assert isinstance(done.error, Stop)
        assert done.error.code == "permission_denied"

    def test_events_that_know_nobody_have_no_visitors(self, delivr: Sandboxed) -> None:
        done = taken(delivr.connect(tier="web_event"), "visitors")
        checks.check_ends(done)
        assert "visitors" in done.pages[0].notices[0]
        assert charged(delivr) == 0

    def test_an_event_without_a_time_is_set_aside_and_said(self, delivr: Sandboxed) -> None:
        with delivr.suffering(poison_next=["null_id"]):
            done = taken(delivr.connect())
        assert [each.reason for page in done.pages for each in page.unreadable] == ["bad_key"]
        checks.check_complete(done, Truth(*delivr.truth("pixel_events")))

    def test_without_a_project_nothing_is_asked(self, delivr: Sandboxed) -> None:
        done = taken(delivr.connect(project_id=""))
        assert isinstance(done.error, Stop)
        assert done.error.code == "bad_setting"
        assert not delivr.ledger()


class TestBills:
    @pytest.mark.parametrize("entity", ["pixel_events", "visitors", "intent_signals", "audience_members"])
    def test_spent_credits_stop_the_read_politely(self, delivr: Sandboxed, entity: str) -> None:
        with delivr.suffering(credits_spent=True):
            done = taken(delivr.connect(), entity)
        assert isinstance(done.error, Deferred)
        assert done.error.code == "credits_spent"
        assert done.error.resume_at == NOW + timedelta(hours=6)

    def test_a_topic_is_paid_for_once_a_day(self, moving: Sandboxed) -> None:
        base = taken(moving.connect(), "intent_signals")
        assert charged(moving) == len(base.versions()) > 0
        moving.clear_ledger()
        again = taken(moving.connect(), "intent_signals", cursor=base.cursor)
        assert (charged(moving), rows(again)) == (0, [])
        moving.advance()
        taken(moving.connect(), "intent_signals", cursor=base.cursor)
        assert charged(moving) > 0

    def test_a_topic_added_today_is_read_today(self, delivr: Sandboxed) -> None:
        base = taken(delivr.connect(), "intent_signals")
        more = taken(delivr.connect(topics=["4eyes_100101", "4eyes_100103"]), "intent_signals", cursor=base.cursor)
        assert {each["topic_id"] for each in payloads(more).values()} == {"4eyes_100101", "4eyes_100103"}

    def test_without_topics_no_intent_is_bought(self, delivr: Sandboxed) -> None:
        done = taken(delivr.connect(topics=""), "intent_signals")
        assert "topics" in done.pages[0].notices[0]
        assert not delivr.ledger()


class TestAudiences:
    def test_members_are_read_once_for_each_build_and_say_who_left(self, moving: Sandboxed) -> None:
        base = taken(moving.connect(), "audience_members")
        moving.clear_ledger()
        assert not rows(taken(moving.connect(), "audience_members", cursor=base.cursor))
        assert charged(moving) == 0
        before, _ = moving.truth("audience_members")
        moving.advance(3)
        after, _ = moving.truth("audience_members")
        assert before - after
        change = taken(moving.connect(), "audience_members", cursor=base.cursor)
        assert change.versions().keys() == after
        assert {scope for page in change.pages for scope in page.seen_whole} == {"101:", "102:", "103:"}

    def test_an_audience_rebuilt_during_the_walk_is_read_again_and_no_other(self, delivr: Sandboxed) -> None:
        with delivr.suffering(cursor_stale_next=1):
            done = taken(delivr.connect(), "audience_members", page_size=15)
        checks.check_ends(done)
        checks.check_complete(done, Truth(*delivr.truth("audience_members")))
        first_pages = [entry["path"] for entry in delivr.ledger() if _is_first_page(entry)]
        assert sorted(first_pages.count(f"api/v1/audiences/{each}/records") for each in (101, 102, 103)) == [1, 1, 2]

    def test_an_audience_that_is_always_being_rebuilt_is_left_for_later(self, delivr: Sandboxed) -> None:
        with delivr.suffering(cursor_stale_next=1000):
            done = taken(delivr.connect(), "audience_members", page_size=15)
        assert isinstance(done.error, Retry)
        assert done.error.code == "cursor_stale"

    def test_an_audience_that_is_being_built_waits_and_the_others_are_read(self, delivr: Sandboxed) -> None:
        everyone, _ = delivr.truth("audience_members")
        with delivr.suffering(not_ready=["102"]):
            done = taken(delivr.connect(), "audience_members")
            checks.check_ends(done)
        assert {key for key in everyone if not key.startswith("102:")} == done.versions().keys()
        assert any("102" in notice for page in done.pages for notice in page.notices)
        assert not any(scope == "102:" for page in done.pages for scope in page.seen_whole)
        later = taken(delivr.connect(), "audience_members", cursor=done.cursor)
        assert later.versions().keys() == {key for key in everyone if key.startswith("102:")}

    def test_a_spoiled_member_is_known_by_the_id_its_row_is_stored_under(self) -> None:
        """What is set aside is not absent, so its row must be found beside those that were read."""
        landed = scoped(land_slices([b'{"hem": 1}', b'{"hem": "1"}'], RecordShape("results", "hem", None)), "101")
        assert [each.external_id for each in landed.unreadable] == ["101:1"]

    @pytest.mark.parametrize("odd", [b"null", b"5", b'[{"hem":"1"}]'])
    def test_a_member_that_is_no_object_is_set_aside_as_it_came(self, odd: bytes) -> None:
        members = [beside(each, audience_id="101") for each in (odd, b'{"hem":"1"}')]
        landed = land_slices(members, RecordShape("results", "hem", None))
        assert landed.table["payload"].to_pylist() == ['{"audience_id":"101","hem":"1"}']
        assert [(each.reason, each.raw) for each in landed.unreadable] == [("malformed", odd.decode())]

    def test_a_full_read_proves_that_audiences_it_did_not_meet_are_gone(self, delivr: Sandboxed) -> None:
        """It has no memory of the audiences of earlier reads, so it speaks of all members there are."""
        assert "" in whole(taken(delivr.connect(), "audience_members", mode=Mode.FULL))
        with delivr.suffering(not_ready=["102"]):
            assert "" not in whole(taken(delivr.connect(), "audience_members", mode=Mode.FULL))
        with delivr.suffering(poison_next=["not_an_object"]):
            assert "" not in whole(taken(delivr.connect(), "audience_members", mode=Mode.FULL))

    def test_busy_is_waited_for_as_long_as_it_says(self, delivr: Sandboxed) -> None:
        slept = delivr.waiting.slept
        with delivr.suffering(busy_next=1):
            done = taken(delivr.connect(), "audience_members")
        checks.check_ends(done)
        assert delivr.waiting.slept - slept > 1.9

    def test_which_audiences_are_read_is_a_setting(self, delivr: Sandboxed) -> None:
        done = taken(delivr.connect(audiences=["103"]), "audience_members")
        assert {key.partition(":")[0] for key in done.versions()} == {"103"}
        gone = taken(delivr.connect(audiences=["101"]), "audience_members", cursor=done.cursor)
        assert {scope for page in gone.pages for scope in page.seen_whole} == {"101:", "103:"}


class TestTheOtherApi:
    @pytest.fixture
    def signals(self, delivr: Sandboxed) -> Connector:
        return delivr.connect(api="signals")

    def test_signals_are_read_with_the_key_alone(self, signals: Connector, delivr: Sandboxed) -> None:
        done = taken(signals, "intent_signals", page_size=10)
        checks.check_ends(done)
        found = payloads(done)
        assert len(found) > 10
        assert all(key == each["id"] for key, each in found.items())
        assert {entry["path"] for entry in delivr.ledger()} == {"v1/health", "v1/intent-signals"}
        again = taken(signals, "intent_signals", cursor=done.cursor)
        assert len(again.versions()) < len(found)

    def test_whoever_left_a_signal_is_a_visitor(self, signals: Connector) -> None:
        people = payloads(taken(signals, "visitors"))
        left = {each["personId"] for each in payloads(taken(signals, "intent_signals")).values()}
        assert people.keys() == left

    def test_what_it_does_not_have_is_empty_and_says_so(self, signals: Connector, delivr: Sandboxed) -> None:
        for entity in ("pixel_events", "audiences", "audience_members"):
            done = taken(signals, entity)
            checks.check_ends(done)
            assert entity in done.pages[0].notices[0]
        assert not delivr.ledger()

    def test_its_health_is_its_own(self, signals: Connector, delivr: Sandboxed) -> None:
        assert signals.health_check(signals.authenticate()).ok
        assert [entry["path"] for entry in delivr.ledger()] == ["v1/health"]

    def test_its_path_is_a_setting(self, delivr: Sandboxed) -> None:
        done = taken(delivr.connect(api="signals", signals_path="/v2/signals"), "intent_signals")
        assert isinstance(done.error, Stop)
        assert done.error.code == "stream_gone"
        assert delivr.ledger()[-1]["path"] == "v2/signals"

    def test_a_refused_key_asks_for_a_person(self, delivr: Sandboxed) -> None:
        done = taken(delivr.connect(wrong={"api_key": "of-nobody"}, api="signals"), "intent_signals")
        assert isinstance(done.error, Reauthorise)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _is_first_page(entry: dict[str, Any]) -> bool:
    return entry["path"].endswith("/records") and entry["status"] == 200 and "cursor" not in entry["query"]
