"""The Customer.io connector over real HTTP against the sandbox's Customer.io, well and ailing."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector, Mode
from connectors.errors import Reauthorise, Resync, Retry, Stop
from tests.contract.sandboxed import NOW, Sandboxed

FAST = 100_000
ENTITIES = ["people", "activities", "messages", "campaigns", "segments"]
World = Callable[[str], Sandboxed]


@pytest.fixture
def customerio(cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    vendor = Sandboxed(cloud[1], "still", "customerio")
    with vendor.suffering(requests_per_second=FAST):
        vendor.clear_ledger()
        yield vendor
    vendor.close()


@pytest.fixture
def moving(new_world: World) -> Iterator[Sandboxed]:
    vendor = new_world("customerio")
    with vendor.suffering(requests_per_second=FAST):
        yield vendor
    vendor.close()


def taken(connector: Connector, entity: str = "people", **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def payloads(done: Read) -> dict[str, dict[str, Any]]:
    rows = [row for page in done.pages for row in page.rows.to_pylist()]
    return {row["external_id"]: json.loads(row["payload"]) for row in rows if row["payload"]}


def paths(vendor: Sandboxed) -> list[str]:
    return [entry["path"] for entry in vendor.ledger()]


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_entity_is_read_whole(customerio: Sandboxed, entity: str) -> None:
    done = taken(customerio.connect(), entity)
    checks.check_ends(done)
    checks.check_rows(done)
    checks.check_complete(done, Truth(*customerio.truth(entity)))


def test_people_are_read_a_hundred_at_a_time_with_all_their_attributes(customerio: Sandboxed) -> None:
    done = taken(customerio.connect())
    people = payloads(done)
    assert paths(customerio).count("v1/customers/attributes") == -(-len(people) // 100)
    one = next(iter(people.values()))
    assert {"identifiers", "attributes", "timestamps", "unsubscribed"} <= one.keys()


def test_a_quiet_workspace_costs_two_questions_about_people(customerio: Sandboxed) -> None:
    done = taken(customerio.connect())
    customerio.clear_ledger()
    again = taken(customerio.connect(), cursor=done.cursor)
    assert again.cursor == done.cursor
    assert len([path for path in paths(customerio) if path == "v1/activities"]) == 2
    assert "v1/customers" not in paths(customerio)


def test_only_people_whom_the_log_names_are_read_again_and_the_gone_become_tombstones(moving: Sandboxed) -> None:
    base = taken(moving.connect())
    before, _ = moving.truth("people")
    moving.advance(2)
    change = taken(moving.connect(), cursor=base.cursor)
    live, _ = moving.truth("people")
    assert 0 < len(change.versions()) < len(live) / 2
    assert before - live == {key for key, (is_deleted, _) in change.versions().items() if is_deleted}
    together = Read([*base.pages, *change.pages])
    checks.check_complete(together, Truth(live))
    assert together.versions() | change.versions() == together.versions()
    assert {k: v for k, v in together.versions().items() if not v[0]} == taken(moving.connect()).versions()


def stamps(done: Read) -> dict[str, Any]:
    return {row["external_id"]: row["source_updated_at"] for page in done.pages for row in page.rows.to_pylist()}


def test_a_person_changed_when_the_newest_attribute_did(customerio: Sandboxed) -> None:
    done = taken(customerio.connect())
    people, found = payloads(done), stamps(done)
    assert {key: max(each["timestamps"].values()) for key, each in people.items()} == {
        key: found[key].timestamp() for key in people
    }
    assert stamps(taken(customerio.connect())) == found


def test_no_change_and_no_deletion_is_older_than_what_was_read_before(moving: Sandboxed) -> None:
    base = taken(moving.connect())
    moving.advance(2)
    change = taken(moving.connect(), cursor=base.cursor)
    before, after = stamps(base), stamps(change)
    assert any(is_deleted for is_deleted, _ in change.versions().values())
    assert all(after[key] >= before[key] for key in after.keys() & before.keys())


def long_ago(vendor: Sandboxed, days: int) -> dict[str, str]:
    """A cursor left so many days before the vendor's present."""
    return {"watermark": (vendor.now() - timedelta(days=days)).isoformat()}


def test_more_entries_than_a_page_of_the_log_are_searched_by_their_kinds(new_world: Callable[..., Sandboxed]) -> None:
    busy = new_world("customerio", 700)
    with busy.suffering(requests_per_second=FAST):
        busy.advance(1)
        busy.clear_ledger()
        change = taken(busy.connect(), cursor=long_ago(busy, 9))
    kinds = {entry["query"].get("type") for entry in busy.ledger() if entry["path"] == "v1/activities"}
    assert {"attribute_change", "profile_delete", "profile_merge"} <= kinds
    assert any(is_deleted for is_deleted, _ in change.versions().values())
    busy.close()


def test_a_log_that_no_longer_reaches_back_asks_for_a_full_read(customerio: Sandboxed) -> None:
    error = taken(customerio.connect(), cursor=long_ago(customerio, 30)).error
    assert isinstance(error, Resync)
    assert error.code == "activities_gap"


def test_activities_are_read_down_to_the_last_read_and_no_further(moving: Sandboxed) -> None:
    base = taken(moving.connect(), "activities")
    known = len(base.versions())
    before, _ = moving.truth("activities")
    moving.advance(1)
    moving.clear_ledger()
    change = taken(moving.connect(), "activities", cursor=base.cursor, page_size=20)
    live, _ = moving.truth("activities")
    assert live - before <= change.versions().keys()
    assert len(change.versions()) < known
    assert all(page.cursor is None for page in change.pages[:-1])


def test_metrics_that_come_later_are_read_with_the_old_messages(moving: Sandboxed) -> None:
    base = taken(moving.connect(), "messages")
    moving.advance(4)
    change = taken(moving.connect(), "messages", cursor=base.cursor)
    old, new = payloads(base), payloads(change)
    matured = [key for key in old.keys() & new.keys() if len(new[key]["metrics"]) > len(old[key]["metrics"])]
    assert matured


def test_messages_are_asked_for_in_windows_of_at_most_thirty_days(customerio: Sandboxed) -> None:
    taken(customerio.connect(history_days=100), "messages")
    asked = [entry["query"] for entry in customerio.ledger() if entry["path"] == "v1/messages"]
    spans = sorted({(int(query["start_ts"]), int(query["end_ts"])) for query in asked})
    assert all(end - start <= 30 * 86_400 for start, end in spans)
    assert all(left[1] == right[0] for left, right in pairwise(spans))
    assert spans[-1][1] - spans[0][0] == 100 * 86_400


def test_an_empty_page_with_a_next_is_no_end(customerio: Sandboxed) -> None:
    with customerio.suffering(empty_page=2):
        done = taken(customerio.connect(), "messages", page_size=50)
    checks.check_complete(done, Truth(*customerio.truth("messages")))


@pytest.mark.parametrize("fault", ["duplicate_page", "truncate_next", "gzip_cut_next", "rate_limit_next", "reset_next"])
@pytest.mark.parametrize("entity", ["people", "activities"])
def test_a_page_that_comes_wrong_once_costs_nothing(customerio: Sandboxed, entity: str, fault: str) -> None:
    with customerio.suffering(**{fault: 1}):
        done = taken(customerio.connect(), entity, page_size=50)
    checks.check_ends(done)
    checks.check_complete(done, Truth(*customerio.truth(entity)))


def test_the_vendors_own_limit_is_waited_for(cloud: tuple[Path, str]) -> None:
    """Ten requests a second by the vendor's count, met with 429 beyond: the read takes its time and is whole."""
    vendor = Sandboxed(cloud[1], "still", "customerio")
    vendor.waiting.sleep = time.sleep  # type: ignore[method-assign, assignment]  # the vendor's second is a real one
    done = taken(vendor.connect(), "activities", page_size=20)
    checks.check_complete(done, Truth(*vendor.truth("activities")))
    vendor.close()


def _really_sleep(seconds: float) -> None:
    import time

    time.sleep(seconds)


def test_a_refused_key_asks_for_a_person_and_a_wrong_path_does_not(customerio: Sandboxed) -> None:
    assert isinstance(taken(customerio.connect(wrong={"app_api_key": "none"})).error, Reauthorise)
    with customerio.suffering(revoke_key=True):
        assert isinstance(taken(customerio.connect()).error, Reauthorise)
    with customerio.suffering(forbid_path=["messages"]):
        error = taken(customerio.connect(), "messages").error
        assert isinstance(error, Stop)
        assert error.code == "permission_denied"
        checks.check_ends(taken(customerio.connect(), "campaigns"))


@pytest.mark.parametrize("fault", ["truncate_next", "html_login_next", "server_error_next"])
@pytest.mark.parametrize("entity", ["people", "messages", "segments"])
def test_a_vendor_that_stays_broken_is_a_typed_error_and_gives_no_rows(
    customerio: Sandboxed, entity: str, fault: str
) -> None:
    with customerio.suffering(**{fault: 1_000}):
        done = taken(customerio.connect(), entity)
    checks.check_failure_is_said(done)
    assert isinstance(done.error, Stop | Retry)
    assert not done.versions()


def test_a_moment_in_the_far_future_moves_no_cursor(customerio: Sandboxed) -> None:
    plain = taken(customerio.connect(), "activities")
    with customerio.suffering(poison_next=["future_timestamp"]):
        done = taken(customerio.connect(), "activities")
    assert done.cursor is not None
    assert plain.cursor is not None
    assert done.cursor["watermark"] <= plain.cursor["watermark"]


def test_a_full_read_looks_at_no_cursor(customerio: Sandboxed) -> None:
    done = taken(customerio.connect())
    again = taken(customerio.connect(), cursor=done.cursor, mode=Mode.FULL)
    assert again.versions() == done.versions()


def test_a_history_that_is_no_number_is_a_wrong_setting(customerio: Sandboxed) -> None:
    error = taken(customerio.connect(history_days="all"), "messages").error
    assert isinstance(error, Stop)
    assert error.code == "bad_setting"


def test_nothing_secret_is_logged_whatever_happens(customerio: Sandboxed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connector = customerio.connect()
    with customerio.suffering(server_error_next=1_000):
        failed = taken(connector)
    texts = {"the log": caplog.text, "the error": repr(failed.error), "the connector": repr(vars(connector))}
    checks.check_no_secret(texts, customerio.store.secrets)
