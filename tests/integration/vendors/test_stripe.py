"""The Stripe connector over real HTTP against the sandbox's Stripe, well and ailing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector, DeleteDetection, Mode
from connectors.errors import Reauthorise, Resync, Retry, Stop
from connectors.runtime.messages import Response
from gtm_pipelines import sandbox
from tests.contract.sandboxed import NOW, Sandboxed, Send, between
from tests.worlds import put_world

FAST = 100_000
ENTITIES = ["customers", "subscriptions", "invoices", "charges", "products", "prices", "plans"]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    directory = tmp_path_factory.mktemp("stripe")
    for tenant, size in (("still", 900), ("moving", 900)):
        put_world(directory, tenant, size=size, seed=7, vendors=("stripe",))
    with sandbox.running(directory) as url:
        yield directory, url


@pytest.fixture
def account(cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    yield from opened(cloud[1], "still")


@pytest.fixture
def moving(cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    yield from opened(cloud[1], "moving")


def opened(url: str, tenant: str) -> Iterator[Sandboxed]:
    vendor = Sandboxed(url, tenant, "stripe")
    with vendor.suffering(requests_per_second=FAST):
        vendor.clear_ledger()
        yield vendor
    vendor.close()


def taken(connector: Connector, entity: str = "customers", **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def rows(done: Read) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in (row for page in done.pages for row in page.rows.to_pylist()):
        known = found.setdefault(row["external_id"], row)
        found[row["external_id"]] = row if row["source_updated_at"] >= known["source_updated_at"] else known
    return found


def payloads(done: Read) -> dict[str, dict[str, Any]]:
    return {key: json.loads(row["payload"]) for key, row in rows(done).items() if row["payload"]}


def told(record: dict[str, Any]) -> dict[str, Any]:
    """What events tell of a record: not the copy of its price in a subscription, which changes without one."""
    items = record.get("items")
    return record | {"items": [each | {"price": each["price"]["id"]} for each in items["data"]]} if items else record


def ago(vendor: Sandboxed, **back: float) -> dict[str, str]:
    """A cursor left so long before the vendor's present."""
    return {"watermark": (vendor.now() - timedelta(**back)).isoformat()}


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_day_later_both_reads_together_are_the_vendors_present(moving: Sandboxed, entity: str) -> None:
    base = taken(moving.connect(), entity, mode=Mode.FULL)
    before, _ = moving.truth(entity)
    moving.advance(1)
    change = taken(moving.connect(), entity, cursor=base.cursor)
    live, _ = moving.truth(entity)
    together = Read([*base.pages, *change.pages])
    checks.check_complete(together, Truth(live))
    checks.check_deletes(together, Truth(live, before - live))
    whole = taken(moving.connect(), entity, mode=Mode.FULL)
    assert {key: told(each) for key, each in payloads(together).items() if key in live} == {
        key: told(each) for key, each in payloads(whole).items()
    }


def test_only_what_the_event_log_names_is_fetched_anew(moving: Sandboxed) -> None:
    base = taken(moving.connect(), "charges")
    moving.advance(1)
    moving.clear_ledger()
    change = taken(moving.connect(), "charges", cursor=base.cursor)
    fetched = {entry["path"] for entry in moving.ledger()} - {"v1/events"}
    assert fetched == {f"v1/charges/{key}" for key in rows(change)}
    assert 0 < len(fetched) < len(rows(base)) / 2


def test_an_old_charge_that_is_refunded_is_read_again_though_its_list_does_not_move(moving: Sandboxed) -> None:
    base = taken(moving.connect(), "charges")
    moving.advance(1)
    change = taken(moving.connect(), "charges", cursor=base.cursor)
    old, new = payloads(base), payloads(change)
    refunded = [key for key in old.keys() & new.keys() if new[key]["refunded"] and not old[key]["refunded"]]
    assert refunded
    assert all(rows(change)[key]["source_updated_at"] > rows(base)[key]["source_updated_at"] for key in refunded)


def test_a_charge_that_arrives_late_is_not_lost(moving: Sandboxed) -> None:
    base = taken(moving.connect(), "charges")
    present = moving.now()
    counts = moving.advance(1)
    change = taken(moving.connect(), "charges", cursor=base.cursor)
    late = [
        key
        for key in payloads(change).keys() - payloads(base).keys()
        if rows(change)[key]["source_updated_at"] <= present
    ]
    assert len(late) == counts["charges_arriving_late"]


def test_customers_changed_and_deleted_in_one_second_are_deleted(moving: Sandboxed) -> None:
    """Of one second's events the log tells no order, so each of the customers is asked for."""
    base = taken(moving.connect())
    chosen = sorted(moving.truth("customers")[0])[:5]
    headers = {"authorization": f"Bearer {moving.credentials['api_key']}"}
    for key in chosen:
        url = f"{moving.base_url}/moving/stripe/v1/customers/{key}"
        httpx.post(url, data={"description": "twice"}, headers=headers).raise_for_status()
        httpx.post(url, data={"metadata[tier]": "gold"}, headers=headers).raise_for_status()
        if key != chosen[-1]:
            httpx.delete(url, headers=headers).raise_for_status()
    change = taken(moving.connect(), cursor=base.cursor)
    assert {key: change.versions()[key][0] for key in chosen} == dict.fromkeys(chosen[:-1], True) | {chosen[-1]: False}
    assert payloads(change)[chosen[-1]]["metadata"]["tier"] == "gold"
    checks.check_complete(Read([*base.pages, *change.pages]), Truth(*moving.truth("customers")))


def test_an_archived_price_is_kept_as_inactive_though_its_list_leaves_it_out(moving: Sandboxed) -> None:
    base = taken(moving.connect(), "prices")
    price = min(payloads(base))
    headers = {"authorization": f"Bearer {moving.credentials['api_key']}"}
    url = f"{moving.base_url}/moving/stripe/v1/prices/{price}"
    httpx.post(url, data={"active": "false"}, headers=headers).raise_for_status()
    change = taken(moving.connect(), "prices", cursor=base.cursor)
    assert payloads(change)[price]["active"] is False
    assert change.versions()[price][0] is False
    whole = taken(moving.connect(), "prices", mode=Mode.FULL)
    httpx.post(url, data={"active": "true"}, headers=headers).raise_for_status()
    assert price not in payloads(whole)
    proves = {each.name: each.delete_detection for each in moving.connect().entities()}
    assert (proves["prices"], proves["plans"]) == (DeleteDetection.OBSERVED, DeleteDetection.BOTH)


def test_a_canceled_subscription_is_kept_as_canceled(account: Sandboxed) -> None:
    done = taken(account.connect(), "subscriptions")
    assert {"active", "canceled"} <= {each["status"] for each in payloads(done).values()}
    assert not any(is_deleted for is_deleted, _ in done.versions().values())


def test_money_is_stored_as_the_vendor_writes_it(account: Sandboxed) -> None:
    """The payload is the vendor's bytes: whole minor units, and reading twice gives equal hashes."""
    first, again = taken(account.connect(), "charges"), taken(account.connect(), "charges")
    assert all(type(each["amount"]) is int for each in payloads(first).values())
    assert first.versions() == again.versions()


def test_a_quiet_account_costs_one_question_and_the_clock(account: Sandboxed) -> None:
    done = taken(account.connect(), "products")
    account.clear_ledger()
    again = taken(account.connect(), "products", cursor=done.cursor)
    assert [entry["path"] for entry in account.ledger()] == ["v1/events", "v1/events"]
    assert not rows(again)
    assert again.cursor == done.cursor


def test_a_walk_newest_first_leaves_a_cursor_only_at_its_end(account: Sandboxed) -> None:
    done = taken(account.connect(), "charges", page_size=50)
    carried = [page.cursor for page in done.pages]
    assert len(carried) > 3
    assert set(map(bool, carried[:-1])) == {False}
    assert carried[-1]
    newest = taken(account.connect(), "charges", cursor=ago(account, days=9), page_size=5)
    assert [page.cursor is None for page in newest.pages] == [True] * (len(newest.pages) - 1) + [False]


def test_a_cursor_older_than_the_log_asks_for_a_full_read_of_that_entity(account: Sandboxed) -> None:
    error = taken(account.connect(), "invoices", cursor=ago(account, days=29.5)).error
    assert isinstance(error, Resync)
    assert error.code == "events_gap"
    checks.check_ends(taken(account.connect(), "invoices", cursor=ago(account, days=20)))


def test_a_place_that_is_gone_from_a_list_begins_the_entity_again(account: Sandboxed) -> None:
    with account.suffering(forget_cursor_next=1):
        error = taken(account.connect(), page_size=20).error
    assert isinstance(error, Resync)
    assert error.code == "page_lost"


def test_the_version_and_the_connected_account_are_said_in_headers(account: Sandboxed) -> None:
    told = headers_of(account.connect(api_version="2025-03-31.basil", stripe_account="acct_1x"))
    assert (told["stripe-version"], told["stripe-account"]) == ("2025-03-31.basil", "acct_1x")
    told = headers_of(account.connect())
    assert told["stripe-version"] == "2026-10-28.endive"
    assert "stripe-account" not in told


def headers_of(connector: Connector) -> httpx.Headers:
    """The headers of a read's first request."""
    sent: list[httpx.Headers] = []

    def noted(request: httpx.Request, send: Send) -> Response:
        sent.append(request.headers)
        return send(request)

    between(connector, noted)
    taken(connector, "products")
    return sent[0]


def test_a_locked_object_is_asked_for_again(account: Sandboxed) -> None:
    with account.suffering(lock_timeout_next=2):
        done = taken(account.connect())
    checks.check_complete(done, Truth(*account.truth("customers")))


@pytest.mark.parametrize("refused", ["charges", "customers"])
def test_one_refused_entity_leaves_the_others(account: Sandboxed, refused: str) -> None:
    with account.suffering(forbid=[refused]):
        error = taken(account.connect(), refused).error
        assert isinstance(error, Stop)
        assert error.code == "permission_denied"
        checks.check_ends(taken(account.connect(), "invoices"))
        checks.check_ends(taken(account.connect(), "invoices", cursor=ago(account, days=2)))
    with account.suffering(revoke_key=True):
        assert isinstance(taken(account.connect()).error, Reauthorise)


@pytest.mark.parametrize("fault", ["truncate_next", "gzip_cut_next", "rate_limit_next", "reset_next"])
@pytest.mark.parametrize("entity", ["customers", "charges"])
def test_a_page_that_comes_wrong_once_costs_nothing(account: Sandboxed, entity: str, fault: str) -> None:
    with account.suffering(**{fault: 1}):
        done = taken(account.connect(), entity, page_size=50)
    checks.check_ends(done)
    checks.check_complete(done, Truth(*account.truth(entity)))


@pytest.mark.parametrize("fault", ["truncate_next", "html_login_next", "server_error_next"])
def test_a_log_that_stays_broken_is_a_typed_error_and_moves_no_cursor(account: Sandboxed, fault: str) -> None:
    with account.suffering(**{fault: 1_000}):
        done = taken(account.connect(), "charges", cursor=ago(account, days=9))
    checks.check_failure_is_said(done)
    assert isinstance(done.error, Stop | Retry)
    assert done.cursor is None


def test_a_read_may_start_anywhere_in_the_log_and_ends_at_the_same_place(account: Sandboxed) -> None:
    places = {str(taken(account.connect(), "charges", cursor=ago(account, days=days)).cursor) for days in (1, 5, 9)}
    assert len(places) == 1
