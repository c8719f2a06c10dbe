"""The HubSpot connector over real HTTP against the sandbox: found, made whole, gone, changed without a date."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Mode
from tests.contract.sandboxed import Sandboxed
from tests.integration.vendors import hubspot_portal as portal
from tests.integration.vendors.hubspot_portal import RECORDS, asked, payloads, since, taken, whole

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    with portal.served(tmp_path_factory.mktemp("portals")) as found:
        yield found


@pytest.fixture
def hubspot(portals: tuple[Path, str]) -> Iterator[Sandboxed]:
    """A portal whose world stands still."""
    with portal.unlimited(portals[1], "still") as vendor:
        yield vendor


@pytest.fixture
def moving(portals: tuple[Path, str]) -> Iterator[Sandboxed]:
    """A portal of a test's own."""
    with portal.new_world(*portals) as vendor:
        yield vendor


@pytest.mark.parametrize("entity", [*RECORDS, "owners", "associations"])
def test_every_entity_is_read_whole(hubspot: Sandboxed, entity: str) -> None:
    whole(hubspot, taken(hubspot.connect(), entity), entity)


@pytest.mark.parametrize(
    ("entity", "modified"), [(name, "hs_lastmodifieddate") for name in RECORDS[1:]] + [("contacts", "lastmodifieddate")]
)
def test_a_search_goes_by_the_modified_date_of_its_object(hubspot: Sandboxed, entity: str, modified: str) -> None:
    """A wrong name would be refused, or would find everything."""
    done = taken(hubspot.connect(), entity, cursor=since(hubspot, 200))
    checks.check_ends(done)
    stamps = [each["properties"][modified] for each in payloads(done).values()]
    assert stamps
    assert min(stamps) >= (hubspot.now() - timedelta(days=200)).strftime("%Y-%m-%d")
    assert 0 < len(stamps) < len(hubspot.truth(entity)[0])


def test_a_record_has_the_same_payload_whichever_way_it_was_found(hubspot: Sandboxed) -> None:
    """Else each refresh would load again what each search loaded."""
    listed = taken(hubspot.connect()).versions()
    searched = taken(hubspot.connect(), cursor=since(hubspot, 1100)).versions()
    assert len(searched) > 100
    assert searched.items() <= listed.items()


def test_every_property_of_the_account_is_read_however_many_there_are(hubspot: Sandboxed) -> None:
    names = {item.source for item in hubspot.connect().get_schema(hubspot.connect().authenticate())}
    record = next(iter(payloads(taken(hubspot.connect())).values()))
    assert {"customerio_id", "num_associated_deals", "hs_merged_object_ids"} <= record["properties"].keys()
    assert {f"properties.{name}" for name in record["properties"]} <= names
    longest = max(len(json.dumps(entry["query"])) for entry in hubspot.ledger())
    assert longest < 200, "names of properties travel in bodies, which have no such limit as addresses have"


def test_a_property_the_account_loses_is_simply_not_there(hubspot: Sandboxed) -> None:
    with hubspot.suffering(hide_property=["contacts.phone"]):
        done = taken(hubspot.connect())
    whole(hubspot, done)
    assert all("phone" not in record["properties"] for record in payloads(done).values())


class TestSearching:
    """The cap, ties within a millisecond, an index that lags and an order that is none."""

    @pytest.mark.parametrize("cap", [50, 60, 100])
    def test_a_search_that_shows_so_few_is_asked_again_until_nothing_is_left_out(
        self, hubspot: Sandboxed, cap: int
    ) -> None:
        """A fifth of the contacts share one millisecond, more than a search shows."""
        cursor = since(hubspot, 1100)
        uncapped = taken(hubspot.connect(), cursor=cursor).versions()
        stamps = Counter(each["updatedAt"] for each in payloads(taken(hubspot.connect(), cursor=cursor)).values())
        hubspot.clear_ledger()
        with hubspot.suffering(search_cap=cap):
            done = taken(hubspot.connect(), cursor=cursor, page_size=25)
        checks.check_ends(done)
        assert done.versions() == uncapped
        assert max(stamps.values()) > 40
        assert not any(entry["status"] == 400 for entry in asked(hubspot, "search")), "the cap is never come near"

    @pytest.mark.parametrize("cap", [50, 100])
    def test_every_place_within_ties_may_be_resumed_from(self, hubspot: Sandboxed, cap: int) -> None:
        with hubspot.suffering(search_cap=cap):
            connector = hubspot.connect()
            done = taken(connector, cursor=since(hubspot, 90), page_size=25)
            checks.check_ends(done)
            assert len(done.versions()) > 50
            checks.check_resumable(done, lambda cursor: taken(connector, cursor=cursor, page_size=25))

    def test_what_the_index_shows_late_is_read_an_hour_later(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        moving.advance()
        with moving.suffering(search_lag_s=1_800):
            early = taken(moving.connect(), cursor=base.cursor)
        truth = moving.truth("contacts")
        now = moving.now()
        moved = {key for key, each in payloads(taken(moving.connect())).items() if _late(each, now)}
        assert moved, "a mass update ends each day"
        assert not moved & payloads(early).keys(), "the index knew nothing of it"
        moving.advance()
        later = taken(moving.connect(), cursor=early.cursor)
        assert moved & truth[0] & moving.truth("contacts")[0] <= later.versions().keys()

    def test_a_page_in_no_order_loses_nothing(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        moving.advance(2)
        with moving.suffering(shuffle_search=True, search_cap=50):
            change = taken(moving.connect(), cursor=base.cursor, page_size=10)
        checks.check_incremental(base, change, Truth(*moving.truth("contacts")), ())

    def test_an_idle_sync_asks_little(self, moving: Sandboxed) -> None:
        base = taken(moving.connect(), "notes")
        moving.clear_ledger()
        again = taken(moving.connect(), "notes", cursor=base.cursor)
        checks.check_ends(again)
        paths = [entry["path"].rpartition("/")[2] for entry in moving.ledger()]
        assert paths.count("search") <= 2
        assert len(paths) <= 5, paths


def _late(record: dict[str, Any], now: datetime) -> bool:
    """Say whether a live record changed in the half hour before ``now``."""
    return not record["archived"] and datetime.fromisoformat(record["updatedAt"]) > now - timedelta(seconds=1_800)


class TestGone:
    """Archived, merged, restored and erased records."""

    def test_archived_records_become_deleted_and_restored_ones_live_again(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        moving.advance(12)
        change = taken(moving.connect(), cursor=base.cursor)
        live, archived = moving.truth("contacts")
        together = Read([*base.pages, *change.pages])
        assert archived
        checks.check_deletes(together, Truth(live, archived))
        checks.check_complete(together, Truth(live))

    def test_the_archive_is_looked_into_every_six_hours_and_not_at_each_sync(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        moving.clear_ledger()
        taken(moving.connect(), cursor=base.cursor)
        assert not [entry for entry in moving.ledger() if entry["query"].get("archived") == "true"]
        moving.advance()
        taken(moving.connect(), cursor=base.cursor)
        assert [entry for entry in moving.ledger() if entry["query"].get("archived") == "true"]

    @pytest.mark.parametrize("entity", ["contacts", "companies"])
    def test_who_was_merged_away_is_deleted_and_names_the_survivor(self, moving: Sandboxed, entity: str) -> None:
        base = taken(moving.connect(), entity)
        moving.advance(3)
        change = taken(moving.connect(), entity, cursor=base.cursor)
        live, archived = moving.truth(entity)
        merged = base.versions().keys() - live - archived
        assert merged
        said = payloads(change)
        assert all(change.versions()[key][0] for key in merged)
        assert {said[key]["mergedInto"] for key in merged} <= live | archived | merged
        if entity == "companies":
            assert {said[key]["mergedInto"] for key in merged} & live - base.versions().keys(), "of a new id"

    def test_one_erased_for_good_is_missed_by_the_next_full_read(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        answer = httpx.post(f"{moving.base_url}/{moving.tenant}/_privacy_delete?count=3").json()
        erased = set(answer["deleted"])
        assert not erased & taken(moving.connect(), cursor=base.cursor).versions().keys()
        full = taken(moving.connect(), mode=Mode.FULL)
        whole(moving, full)
        assert not erased & full.versions().keys()


class TestWithoutADate:
    """What changes at HubSpot and touches no modified date."""

    def test_a_contact_put_to_another_company_is_seen_within_a_day(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        moving.advance()
        quick = taken(moving.connect(), cursor=base.cursor)
        truth = payloads(taken(moving.connect()))
        known = payloads(Read([*base.pages, *quick.pages]))
        silent = {key for key in truth.keys() & known.keys() if truth[key] != known[key]}
        assert silent, "associations and calculated properties changed unseen"
        refreshed = taken(moving.connect(), cursor=quick.cursor, later=DAY)
        after = payloads(Read([*base.pages, *quick.pages, *refreshed.pages]))
        assert {key: after[key] for key in silent} == {key: truth[key] for key in silent}

    def test_a_refresh_is_not_made_before_it_is_due_and_costs_no_row_that_is_the_same(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        early = taken(moving.connect(), cursor=base.cursor, later=timedelta(hours=23))
        assert len(early.versions()) < len(base.versions())
        due = taken(moving.connect(), cursor=early.cursor, later=timedelta(hours=25))
        assert due.versions().items() >= base.versions().items()

    def test_associations_are_swept_once_a_day_and_the_sweep_proves_what_is_gone(self, moving: Sandboxed) -> None:
        base = taken(moving.connect(), "associations")
        assert base.pages[-1].seen_whole == ("",)
        moving.clear_ledger()
        idle = taken(moving.connect(), "associations", cursor=base.cursor, later=timedelta(hours=12))
        assert not idle.versions()
        assert not moving.ledger()
        moving.advance()
        swept = taken(moving.connect(), "associations", cursor=idle.cursor, later=timedelta(hours=25))
        assert swept.pages[-1].seen_whole == ("",)
        assert swept.versions().keys() == moving.truth("associations")[0]
        assert base.versions().keys() - swept.versions().keys(), "some ended"

    def test_a_record_with_more_associations_than_a_page_holds_has_them_all(self, hubspot: Sandboxed) -> None:
        with hubspot.suffering(association_page=1):
            done = taken(hubspot.connect(), "associations")
        whole(hubspot, done, "associations")
        with hubspot.suffering(association_page=1):
            meetings = payloads(taken(hubspot.connect(), "meetings"))
        assert any(len(each["associations"]["contacts"]) > 1 for each in meetings.values())

    def test_the_primary_company_comes_first(self, hubspot: Sandboxed) -> None:
        several = [
            each
            for each in payloads(taken(hubspot.connect())).values()
            if len(each["associations"]["companies"]) > 1 and each["properties"]["associatedcompanyid"]
        ]
        assert several
        for each in several:
            assert each["associations"]["companies"][0]["toObjectId"] == each["properties"]["associatedcompanyid"]
