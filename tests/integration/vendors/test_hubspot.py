"""The HubSpot connector over real HTTP against the sandbox's HubSpot, well and ailing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import registry
from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector, Mode
from connectors.errors import Deferred, Reauthorise, Retry, Stop
from gtm_pipelines import sandbox
from tests.contract.sandboxed import NOW, Sandboxed

UNLIMITED = {"requests_per_ten_seconds": 1_000_000, "searches_per_second": 1_000_000}
RECORDS = ["contacts", "companies", "deals", "calls", "emails", "meetings", "notes", "tasks"]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    directory = tmp_path_factory.mktemp("portals")
    sandbox.create_world(directory, "still", size=400, seed=7, vendors=("hubspot",))
    with sandbox.running(directory) as url:
        yield directory, url


@pytest.fixture
def hubspot(portals: tuple[Path, str]) -> Iterator[Sandboxed]:
    """A portal whose world stands still."""
    vendor = Sandboxed(portals[1], "still", "hubspot")
    with vendor.suffering(**UNLIMITED):
        vendor.clear_ledger()
        yield vendor
        vendor.close()


@pytest.fixture
def moving(portals: tuple[Path, str]) -> Iterator[Sandboxed]:
    """A portal of a test's own."""
    directory, url = portals
    tenant = f"moving_{len(list(directory.iterdir()))}"
    sandbox.create_world(directory, tenant, size=200, seed=15, vendors=("hubspot",))
    vendor = Sandboxed(url, tenant, "hubspot")
    with vendor.suffering(**UNLIMITED):
        yield vendor
        vendor.close()


def taken(connector: Connector, entity: str = "contacts", *, later: timedelta = timedelta(0), **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW + later, **options)


def whole(vendor: Sandboxed, done: Read, entity: str = "contacts") -> None:
    """Judge a read that should be complete in spite of everything."""
    checks.check_ends(done)
    checks.check_rows(done)
    checks.check_complete(done, Truth(*vendor.truth(entity)))


def payloads(done: Read) -> dict[str, dict[str, Any]]:
    return {
        row["external_id"]: json.loads(row["payload"])
        for page in done.pages
        for row in page.rows.to_pylist()
        if row["payload"]
    }


def asked(vendor: Sandboxed, end: str) -> list[dict[str, Any]]:
    return [entry for entry in vendor.ledger() if entry["path"].endswith(end)]


def since(vendor: Sandboxed, days: float) -> dict[str, str]:
    """Return a cursor of some days ago, as if nothing had been read since."""
    moment = (vendor.now() - timedelta(days=days)).isoformat()
    return {"watermark": moment, "slow": moment, "refreshed": NOW.isoformat()}


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
        assert any(entry["status"] == 400 for entry in asked(hubspot, "search")), "the cap was met"

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


class TestConnecting:
    """One credential or the other, and what refuses them."""

    def test_a_private_apps_token_needs_no_login(self, hubspot: Sandboxed) -> None:
        hubspot.store = type(hubspot.store)(private_app_token="pat-na1-sandbox-still")
        whole(hubspot, taken(hubspot.connect(), "deals"), "deals")
        assert not asked(hubspot, "token")

    def test_a_session_that_ends_is_renewed_once_within_the_read(self, hubspot: Sandboxed) -> None:
        connector = hubspot.connect()
        connector.authenticate()
        hubspot.clear_ledger()
        with hubspot.suffering(expire_session_after=3):
            done = taken(connector)
        whole(hubspot, done)
        assert len(asked(hubspot, "token")) == 1

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"refresh_token": "of-nobody"}, "invalid_grant"),
            ({"client_secret": "of-nobody"}, "invalid_client"),
            ({"private_app_token": "pat-na1-of-nobody"}, "unauthorised"),
            ({"private_app_token": "not a token"}, "token_malformed"),
            ({"refresh_token": ""}, "credential_missing"),
        ],
    )
    def test_a_refused_credential_asks_for_a_person(self, hubspot: Sandboxed, wrong: dict[str, str], code: str) -> None:
        refused = taken(hubspot.connect(wrong=wrong), "deals").error
        assert isinstance(refused, Reauthorise)
        assert refused.code == code

    def test_an_uninstalled_app_asks_for_a_person(self, hubspot: Sandboxed) -> None:
        fresh = hubspot.connect(wrong={})
        with hubspot.suffering(revoke_refresh=True), pytest.raises(Reauthorise):
            fresh.authenticate()

    @pytest.mark.parametrize("version", ["2026-03", "2026-09"])
    def test_the_version_of_the_api_is_a_setting(self, hubspot: Sandboxed, version: str) -> None:
        connector = hubspot.connect(api_version=version)
        assert connector.health_check(connector.authenticate()).ok
        whole(hubspot, taken(connector, "deals"), "deals")
        assert {part for entry in hubspot.ledger() for part in entry["path"].split("/") if part[:2] == "20"} == {
            version
        }

    def test_a_version_there_is_not_is_said(self, hubspot: Sandboxed) -> None:
        connector = hubspot.connect(api_version="2031-03")
        assert not connector.health_check(connector.authenticate()).ok


class TestFailing:
    """What HubSpot answers when it has enough."""

    def test_the_day_is_spent_and_the_sync_stops_politely(self, hubspot: Sandboxed) -> None:
        with hubspot.suffering(quota_spent=True):
            done = taken(hubspot.connect())
        assert isinstance(done.error, Deferred)
        assert done.error.code == "quota_spent"
        assert done.error.resume_at == NOW + timedelta(hours=1)
        assert len([entry for entry in hubspot.ledger() if entry["status"] == 429]) == 1, "it is not asked again"

    @pytest.mark.parametrize(
        "fault",
        [
            {"rate_limit_next": 3, "retry_after": None},
            {"migrating_next": 2},
            {"server_error_next": 3, "server_error_status": 502},
            {"server_error_next": 2, "server_error_status": 524},
            {"truncate_next": 2},
            {"reset_next": 2},
        ],
        ids=lambda fault: next(iter(fault)),
    )
    def test_what_passes_is_waited_for(self, hubspot: Sandboxed, fault: dict[str, Any]) -> None:
        with hubspot.suffering(**fault):
            done = taken(hubspot.connect())
        whole(hubspot, done)

    def test_searches_beyond_their_limit_are_waited_for(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        moving.advance()
        with moving.suffering(searches_per_second=1):
            done = taken(moving.connect(), cursor=base.cursor)
        assert done.error is None or isinstance(done.error, Retry)

    def test_an_object_without_its_scope_fails_by_itself(self, hubspot: Sandboxed) -> None:
        with hubspot.suffering(forbid_object=["deals"]):
            refused = taken(hubspot.connect(), "deals")
            whole(hubspot, taken(hubspot.connect(), "companies"), "companies")
        assert isinstance(refused.error, Stop)
        assert refused.error.code == "permission_denied"

    def test_what_was_archived_between_list_and_batch_is_left_out(
        self, moving: Sandboxed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The list knew it, the batch no longer does: it is no record with nothing but an id."""
        from connectors.vendors.hubspot.portal import Portal

        gone: list[str] = []
        read = Portal.read

        def late(portal: Portal, kind: str, ids: Any, properties: Any) -> Any:
            if not gone:
                answer = httpx.post(f"{moving.base_url}/{moving.tenant}/_privacy_delete?count=2").json()
                gone.extend(answer["deleted"])
            return read(portal, kind, ids, properties)

        monkeypatch.setattr(Portal, "read", late)
        done = taken(moving.connect())
        whole(moving, done)
        assert len(gone) == 2
        assert not set(gone) & done.versions().keys()

    @pytest.mark.parametrize(
        "poison", ["missing_id", "too_large", "duplicate_key", "lone_surrogate", "type_change", "not_an_object"]
    )
    def test_a_spoiled_record_does_not_take_its_page_down(self, hubspot: Sandboxed, poison: str) -> None:
        with hubspot.suffering(poison_next=[poison]):
            done = taken(hubspot.connect())
        checks.check_ends(done)
        live = {key for key, (is_deleted, _) in done.versions().items() if not is_deleted}
        assert hubspot.truth("contacts")[0] <= live


def test_the_field_catalogue_is_the_accounts_own(hubspot: Sandboxed) -> None:
    connector = hubspot.connect()
    fields = {(item.entity, item.source): item for item in connector.get_schema(connector.authenticate())}
    assert fields["contacts", "properties.email"].field == "email"
    assert fields["contacts", "properties.num_associated_deals"].type == "number"
    assert fields["meetings", "properties.hs_meeting_end_time"].type == "timestamp"


def test_no_search_goes_out_faster_than_a_search_may(hubspot: Sandboxed) -> None:
    """Nothing paces searches but the pace of everything: what lies between them must be enough."""
    rate = registry.manifest("hubspot").rate_limit
    connector = hubspot.connect(rate=rate.limit() if rate else None)
    moments: list[float] = []
    with hubspot.timed(connector) as every:
        exchange = connector.context.transport._exchange
        send = exchange.send

        def noted(request: httpx.Request) -> Any:
            answer = send(request)
            if request.url.path.endswith("search"):
                moments.append(every[-1])
            return answer

        exchange.send = noted  # type: ignore[method-assign]  # the last step before the network
        for entity in RECORDS:
            checks.check_ends(taken(connector, entity, cursor=since(hubspot, 1100)))
    assert len(moments) >= 8
    checks.check_rate(moments, per_second=5, burst=0)
