"""The Salesforce connector over real HTTP against the sandbox's Salesforce, well and ailing."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.conformance import checks
from connectors.conformance.checks import NotConformant, Read, Truth
from connectors.connector import Connector, Mode
from connectors.errors import ConnectorError, Deferred, Reauthorise, Resync, Retry, Stop
from connectors.vendors.salesforce import reading, soql
from tests.contract.sandboxed import NOW, Sandboxed

STANDARD = ["Contact", "Lead", "Account", "Opportunity", "Task", "Event", "User"]


@pytest.fixture
def salesforce(cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    vendor = Sandboxed(cloud[1], "still", "salesforce")
    vendor.clear_ledger()
    yield vendor
    vendor.close()


def taken(connector: Connector, entity: str = "Contact", **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **{"page_size": 200, **options})


def truth(vendor: Sandboxed, entity: str = "Contact") -> Truth:
    live, gone = vendor.truth(entity)
    return Truth(live, gone)


def whole(vendor: Sandboxed, done: Read, entity: str = "Contact") -> None:
    """Judge a read that should be complete in spite of everything."""
    checks.check_ends(done)
    checks.check_rows(done)
    checks.check_complete(done, truth(vendor, entity))


def payloads(done: Read) -> dict[str, dict[str, Any]]:
    return {
        row["external_id"]: json.loads(row["payload"])
        for page in done.pages
        for row in page.rows.to_pylist()
        if row["payload"]
    }


@pytest.mark.parametrize("entity", [*STANDARD, "Subscription__c"])
def test_every_object_is_read_whole(salesforce: Sandboxed, entity: str) -> None:
    whole(salesforce, taken(salesforce.connect(objects=["Subscription__c"]), entity), entity)


def test_custom_fields_come_without_being_named_and_compounds_do_not(salesforce: Sandboxed) -> None:
    record = next(iter(payloads(taken(salesforce.connect())).values()))
    assert {"Score__c", "Score_Band__c", "MasterRecordId", "SystemModstamp"} <= record.keys()
    assert "MailingAddress" not in record


def test_a_field_the_user_may_not_see_is_left_out_and_the_read_goes_on(salesforce: Sandboxed) -> None:
    with salesforce.suffering(hide_field=["Contact.Phone"]):
        done = taken(salesforce.connect())
    whole(salesforce, done)
    assert all("Phone" not in record for record in payloads(done).values())


def test_pages_of_a_query_are_followed_and_not_asked_for_anew(salesforce: Sandboxed) -> None:
    done = taken(salesforce.connect())
    assert len(done.pages) > 2
    queries = [entry["path"] for entry in salesforce.ledger() if "/query" in entry["path"]]
    assert queries[0].endswith("/queryAll")
    assert len(queries) == len(done.pages)


def test_a_finished_read_costs_one_query_the_next_time(salesforce: Sandboxed) -> None:
    done = taken(salesforce.connect())
    salesforce.clear_ledger()
    again = taken(salesforce.connect(), cursor=done.cursor)
    checks.check_ends(again)
    assert not again.versions()
    asked = [entry["path"].strip("/").rsplit("/", 1)[-1] for entry in salesforce.ledger()]
    assert asked == ["describe", "deleted", "queryAll"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_locator_that_dies_is_replaced_by_a_query_from_the_last_safe_place(salesforce: Sandboxed, times: int) -> None:
    connector = salesforce.connect()
    with salesforce.suffering(expire_locator=times):
        done = taken(connector)
    assert any(entry["note"] == "INVALID_QUERY_LOCATOR" for entry in salesforce.ledger())
    whole(salesforce, done)


def test_locators_that_always_die_at_one_place_end_in_an_error_not_in_a_circle(salesforce: Sandboxed) -> None:
    with salesforce.suffering(expire_locator=1_000):
        done = taken(salesforce.connect(), page_size=200)
    assert done.error is None or isinstance(done.error, Retry)
    assert len(salesforce.ledger()) < 60


@pytest.mark.parametrize("times", [1, 3, 6])
def test_a_query_that_takes_too_long_is_asked_in_smaller_windows(salesforce: Sandboxed, times: int) -> None:
    with salesforce.suffering(query_timeout_next=times):
        done = taken(salesforce.connect())
    whole(salesforce, done)
    windows = [
        entry["query"]["q"] for entry in salesforce.ledger() if "SystemModstamp <" in entry["query"].get("q", "")
    ]
    assert windows


def test_a_query_that_always_takes_too_long_is_an_error_and_no_end_of_data(salesforce: Sandboxed) -> None:
    with salesforce.suffering(query_timeout_next=10_000):
        done = taken(salesforce.connect())
    checks.check_failure_is_said(done, code="query_timeout", kind=Retry)
    assert len(salesforce.ledger()) < 60


def test_a_session_that_ends_in_the_middle_is_renewed_once(salesforce: Sandboxed) -> None:
    connector = salesforce.connect()
    credentials = connector.authenticate()
    old = salesforce.store.read()["access_token"].reveal()
    with salesforce.suffering(expire_session_after=2):
        done = taken(connector)
    whole(salesforce, done)
    assert salesforce.store.read()["access_token"].reveal() != old
    tokens = [entry for entry in salesforce.ledger() if entry["path"].endswith("oauth2/token")]
    assert len(tokens) == 2
    assert old not in repr(credentials)


def test_a_rotated_refresh_token_is_stored_before_the_session_is_used(salesforce: Sandboxed) -> None:
    with salesforce.suffering(rotate_refresh_tokens=True):
        whole(salesforce, taken(salesforce.connect()))
        assert salesforce.store.written[0]["refresh_token"] != salesforce.credentials["refresh_token"]
        salesforce.store.write({"access_token": salesforce.store.fields["refresh_token"]})  # a token nobody accepts
        whole(salesforce, taken(salesforce.connect()))
    salesforce._call("POST", "_reconnect")


@pytest.mark.parametrize(
    ("faults", "wrong"),
    [({"revoke_refresh": True}, None), ({}, {"refresh_token": "not-the-token"}), ({}, {"client_secret": "wrong"})],
)
def test_a_refused_login_asks_for_a_person(
    salesforce: Sandboxed, faults: dict[str, Any], wrong: dict[str, str] | None
) -> None:
    with salesforce.suffering(**faults):
        done = taken(salesforce.connect(wrong=wrong or {}))
    assert isinstance(done.error, Reauthorise)


def test_a_share_of_the_quota_is_left_to_others(salesforce: Sandboxed) -> None:
    connector = salesforce.connect()
    left = int(connector.health_check(connector.authenticate()).detail.split(" ")[0])
    with salesforce.suffering(daily_requests=100_000 - left + 4):
        done = taken(salesforce.connect(quota_reserve_percent=10))
    assert isinstance(done.error, Deferred)
    assert done.error.code == "quota_spent"
    assert done.error.resume_at is not None
    assert all(entry["status"] == 200 for entry in salesforce.ledger())


def test_what_is_left_of_the_day_is_known_after_a_read(salesforce: Sandboxed) -> None:
    connector = salesforce.connect(quota_reserve_percent=20)
    assert connector.quota() is None
    assert taken(connector).error is None
    quota = connector.quota()
    assert quota is not None
    assert quota.limit == 100_000
    assert quota.left_to_customer == 20_000
    left = int(connector.health_check(connector.authenticate()).detail.split(" ")[0])
    assert quota.remaining == left + 1, "the health check is a request too"


def test_a_spent_quota_defers_the_sync(salesforce: Sandboxed) -> None:
    with salesforce.suffering(quota_spent=True):
        done = taken(salesforce.connect())
    assert isinstance(done.error, Deferred)
    assert len([entry for entry in salesforce.ledger() if entry["status"] == 403]) == 1


@pytest.mark.parametrize(
    ("faults", "code"),
    [({"hide_entity": ["Contact"]}, "stream_gone"), ({"forbid_entity": ["Contact"]}, "permission_denied")],
)
def test_an_object_out_of_reach_stops_that_entity_alone(
    salesforce: Sandboxed, faults: dict[str, Any], code: str
) -> None:
    with salesforce.suffering(**faults):
        done = taken(salesforce.connect())
        whole(salesforce, taken(salesforce.connect(), "Account"), "Account")
    assert isinstance(done.error, Stop)
    assert done.error.code == code
    assert done.pages == []


def test_an_object_nobody_named_is_unknown(salesforce: Sandboxed) -> None:
    error = taken(salesforce.connect(), "Subscription__c").error
    assert isinstance(error, Stop)
    assert error.code == "unknown_entity"


@pytest.mark.parametrize("name", ["Contact' OR Id != '", "../limits", "Näme", "a b"])
def test_an_object_name_cannot_change_the_request(salesforce: Sandboxed, name: str) -> None:
    error = taken(salesforce.connect(objects=[name]), name).error
    assert isinstance(error, Stop)
    assert error.code == "bad_setting"


@pytest.mark.parametrize("fault", ["duplicate_page", "empty_page", "truncate_next", "gzip_cut_next", "reset_next"])
def test_a_page_that_comes_wrong_once_costs_nothing(salesforce: Sandboxed, fault: str) -> None:
    connector = salesforce.connect()
    connector.authenticate()
    with salesforce.suffering(**{fault: 1}):
        whole(salesforce, taken(connector))


@pytest.mark.parametrize("fault", ["truncate_next", "html_login_next", "server_error_next", "reset_before_next"])
def test_a_vendor_that_stays_broken_is_a_typed_error_and_gives_no_rows(salesforce: Sandboxed, fault: str) -> None:
    with salesforce.suffering(**{fault: 1_000}):
        done = taken(salesforce.connect())
    checks.check_failure_is_said(done)
    assert not done.versions()


def test_a_link_that_leads_back_is_left_at_the_first_repeat(salesforce: Sandboxed) -> None:
    with salesforce.suffering(repeat_token=True):
        done = taken(salesforce.connect())
    followed = [entry for entry in salesforce.ledger() if "/query/" in entry["path"]]
    checks.check_loop_is_caught(done, len(followed), allowed=2)


@pytest.mark.parametrize("poison", ["null_id", "missing_id", "too_deep", "too_wide", "too_large", "not_an_object"])
def test_a_record_that_cannot_be_read_is_reported_and_its_page_is_kept(salesforce: Sandboxed, poison: str) -> None:
    connector = salesforce.connect()
    taken(connector, "User")
    with salesforce.suffering(poison_next=[poison, poison, poison]):
        connector.context.transport.stats.requests = 0
        done = taken(connector)
    checks.check_ends(done)
    checks.check_rows(done)
    live = truth(salesforce).live
    unreadable = sum(len(page.unreadable) for page in done.pages)
    assert unreadable >= 1 or poison == "not_an_object"
    assert len(done.versions()) + unreadable >= len(live)


def test_a_moment_in_the_far_future_moves_no_cursor(salesforce: Sandboxed) -> None:
    plain = taken(salesforce.connect())
    with salesforce.suffering(poison_next=["future_timestamp"]):
        done = taken(salesforce.connect())
    checks.check_watermark(done, salesforce.connect().entities()[0], NOW)
    assert done.cursor is not None
    assert plain.cursor is not None
    assert done.cursor["watermark"] <= plain.cursor["watermark"]


def test_an_object_too_wide_for_one_query_is_put_together_from_several(
    salesforce: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = payloads(taken(salesforce.connect()))
    salesforce.clear_ledger()
    monkeypatch.setattr(soql, "LONGEST_QUERY", 800)
    done = taken(salesforce.connect())
    whole(salesforce, done)
    assert payloads(done) == plain
    queries = [entry["query"]["q"] for entry in salesforce.ledger() if "q" in entry["query"]]
    assert len({query.split(" FROM ")[0] for query in queries}) >= 3


def test_a_wide_read_may_be_resumed_after_any_page(salesforce: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soql, "LONGEST_QUERY", 800)
    connector = salesforce.connect()
    done = taken(connector)
    checks.check_resumable(done, lambda cursor: taken(connector, cursor=cursor))


def test_the_catalogue_is_the_orgs_own_and_knows_what_is_mapped(salesforce: Sandboxed) -> None:
    connector = salesforce.connect(objects=["Subscription__c"])
    fields = connector.get_schema(connector.authenticate())
    checks.check_schema(fields, connector.entities())
    by_name = {(field.entity, field.source): field for field in fields}
    assert by_name["Contact", "Email"].target == "person"
    assert by_name["Contact", "Score__c"].type == "number"
    assert by_name["Subscription__c", "Renewal_Date__c"].type == "date"


def test_a_full_read_looks_at_no_cursor(salesforce: Sandboxed) -> None:
    done = taken(salesforce.connect())
    whole(salesforce, taken(salesforce.connect(), cursor=done.cursor, mode=Mode.FULL))


def test_nothing_secret_is_logged_whatever_happens(salesforce: Sandboxed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connector = salesforce.connect()
    texts = {}
    with salesforce.suffering(expire_session_after=2, truncate_next=1):
        taken(connector)
    with salesforce.suffering(server_error_next=1_000):
        texts["the error"] = repr(taken(connector).error)
    texts |= {
        "the log": caplog.text,
        "the connector": repr(vars(connector)),
        "the session": repr(connector.authenticate()),
    }
    checks.check_no_secret(texts, salesforce.store.secrets)


def test_the_health_check_says_what_is_wrong(salesforce: Sandboxed) -> None:
    connector = salesforce.connect()
    credentials = connector.authenticate()
    assert connector.health_check(credentials).ok
    with salesforce.suffering(server_error_next=1_000):
        status = connector.health_check(credentials)
    assert not status.ok
    assert status.detail


def test_another_hosts_instance_is_refused(salesforce: Sandboxed) -> None:
    error = taken(salesforce.connect(login_url="https://login.salesforce.com.evil.example")).error
    assert isinstance(error, ConnectorError)
    assert error.code == "egress_refused"


# What moves at Salesforce.


@pytest.fixture
def moving(new_world: Callable[[str], Sandboxed]) -> Iterator[Sandboxed]:
    vendor = new_world("salesforce")
    yield vendor
    vendor.close()


def test_changes_deletes_merges_and_late_rows_are_in_the_next_read(moving: Sandboxed) -> None:
    """After each of several steps, what was read so far is the vendor's present: nothing lost, nothing revived."""
    so_far = {entity: taken(moving.connect(), entity) for entity in STANDARD}
    for _ in range(3):
        moving.advance()
        for entity, done in so_far.items():
            change = taken(moving.connect(), entity, cursor=done.cursor)
            checks.check_ends(change)
            so_far[entity] = Read([*done.pages, *change.pages])
            checks.check_complete(so_far[entity], truth(moving, entity))
            checks.check_deletes(so_far[entity], truth(moving, entity))
            fresh = taken(moving.connect(), entity).versions()
            known = so_far[entity].versions()
            assert {key: known[key] for key in fresh} == fresh


def test_a_hard_delete_comes_from_the_delete_log_as_a_tombstone(moving: Sandboxed) -> None:
    base = taken(moving.connect())
    live, _ = moving.truth("Contact")
    moving.advance()
    present = truth(moving)
    purged = live - present.live - present.deleted
    assert purged
    change = taken(moving.connect(), cursor=base.cursor)
    rows = {row["external_id"]: row for page in change.pages for row in page.rows.to_pylist()}
    assert all(rows[key]["is_deleted"] and rows[key]["payload"] is None for key in purged)
    assert all(rows[key]["source_updated_at"] is not None for key in purged)


def test_a_merged_contact_names_its_winner(moving: Sandboxed) -> None:
    base = taken(moving.connect())
    moving.advance(3)
    records = payloads(taken(moving.connect(), cursor=base.cursor))
    assert any(record["IsDeleted"] and record["MasterRecordId"] in records for record in records.values())


def test_more_than_fifteen_days_without_a_read_ask_for_a_full_one(salesforce: Sandboxed) -> None:
    base = taken(salesforce.connect())
    long_ago = (salesforce.now() - timedelta(days=16)).isoformat()
    error = taken(salesforce.connect(), cursor={**(base.cursor or {}), "deleted_until": long_ago}).error
    assert isinstance(error, Resync)
    assert error.code == "deletes_gap"


# The conformance checks on the real thing: one line of the connector spoiled at a time.


def test_a_connector_that_loses_ties_is_found(salesforce: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the Id in the condition, going on inside a mass update loses the rest of it."""

    def strictly_newer(stamp: str | None, position: soql.Position) -> str:
        assert position.stamp is not None
        return f"{stamp} > {soql.literal(position.stamp)}"

    monkeypatch.setattr(soql, "_after", strictly_newer)
    connector = salesforce.connect()
    done = taken(connector)
    rows = done.pages[0].rows
    place = {"watermark": rows["source_updated_at"][-1].as_py().isoformat(), "id": rows["external_id"][-2].as_py()}
    done.pages[0] = dataclasses.replace(done.pages[0], rows=rows.slice(0, rows.num_rows - 1), cursor=place)
    with pytest.raises(NotConformant, match="loses"):
        checks.check_resumable(done, lambda cursor: taken(connector, cursor=cursor))


def test_a_connector_that_holds_nothing_back_is_found(salesforce: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> None:
    started_at = salesforce.now()
    contact = salesforce.connect().entities()[0]
    checks.check_watermark(checks.read(salesforce.connect(), "Task", started_at=started_at), contact, started_at)
    original = reading.Walk.__init__

    def held_back_by_nothing(self: Any, *args: Any, horizon: Any) -> None:
        original(self, *args, horizon=horizon + timedelta(days=1))

    monkeypatch.setattr(reading.Walk, "__init__", held_back_by_nothing)
    done = checks.read(salesforce.connect(), "Task", started_at=started_at)
    with pytest.raises(NotConformant, match="past"):
        checks.check_watermark(done, contact, started_at)


def test_a_connector_that_takes_an_error_for_the_end_is_found(
    salesforce: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a query is where it says ``done``, not where a link stops working."""

    def until_it_breaks(session: Any, response: Any) -> Iterator[tuple[Any, bool]]:
        yield response, True
        with contextlib.suppress(ConnectorError):
            while (link := reading._link(response)) is not None:
                response = session.follow(link)
                yield response, reading._link(response) is not None

    monkeypatch.setattr(reading, "follow", until_it_breaks)
    with salesforce.suffering(expire_locator=1_000):
        done = taken(salesforce.connect())
    with pytest.raises(NotConformant, match="missing"):
        checks.check_complete(done, truth(salesforce))
