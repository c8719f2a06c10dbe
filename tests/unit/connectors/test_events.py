"""Changes by event log: which objects it names, read again one by one or taken from their newest event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.connector import Mode, SyncOptions
from connectors.errors import Resync, Retry, Stop
from connectors.manifest import ManifestError
from connectors.runtime.messages import Request
from tests.unit.connectors.described import NOW, Read, Vendor, ago, check_resumable, connect, read

BILLING = """\
entities:
  - name: customers
    description: Customers.
    endpoint: {path: /customers}
    pagination: {type: last_id, param: starting_after, more_path: has_more, page_size: 3, page_size_param: limit}
    items: data
    key: id
    cursor: events
    lag: 5m
    settle: 1m
    deleted: deleted
    delete_detection: both
    delta:
      type: events
      endpoint:
        path: /events
        query: {"types[]": [customer.updated, customer.deleted], "created[gte]": "{{delta.since}}"}
      pagination: {type: last_id, param: starting_after, more_path: has_more, page_size: 3, page_size_param: limit}
      items: data
      at: created
      at_format: epoch_s
      format: epoch_s
      object_id: data.object.id
      where: {path: data.object.object, among: [customer]}
      gone: {path: type, among: [customer.deleted]}
      retention: 30d
      most_changes: 20
      fetch: {path: "/customers/{{event.object_id}}"}
"""
SNAPSHOT = BILLING.replace('fetch: {path: "/customers/{{event.object_id}}"}', "snapshot: data.object")


class Billing:
    """Customers that can be listed and fetched, and the log of what happened to them, newest first."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.events: list[dict[str, Any]] = []
        self.customers: dict[str, dict[str, Any]] = {}
        vendor.handlers |= {"/customers": self.listed, "/events": self.log}

    def happen(self, key: str, when: datetime, kind: str = "updated", **fields: Any) -> None:
        body = {"id": key, "object": "customer", **fields}
        if kind == "deleted":
            self.customers.pop(key, None)
            self.vendor.handlers[f"/customers/{key}"] = lambda _: {"id": key, "deleted": True}
        else:
            self.customers[key] = body
            self.vendor.handlers[f"/customers/{key}"] = lambda _: self.customers.get(key, (404, {}))
        event = {"id": f"e{len(self.events)}", "type": f"customer.{kind}", "created": int(when.timestamp())}
        self.events.insert(0, {**event, "data": {"object": body}})

    def listed(self, request: Request) -> Any:
        return self._page([self.customers[key] for key in sorted(self.customers)], request)

    def log(self, request: Request) -> Any:
        params = dict(request.params or {})
        assert params["types[]"] == ["customer.updated", "customer.deleted"]
        since = int(params.get("created[gte]") or 0)
        newest = sorted(self.events, key=lambda event: event["created"], reverse=True)
        return self._page([event for event in newest if event["created"] >= since], request)

    def _page(self, rows: list[dict[str, Any]], request: Request) -> Any:
        params = dict(request.params or {})
        ids = [row["id"] for row in rows]
        start = ids.index(params["starting_after"]) + 1 if "starting_after" in params else 0
        return {"data": rows[start : start + 3], "has_more": start + 3 < len(rows)}


@pytest.fixture(params=[BILLING, SNAPSHOT], ids=["fetch", "snapshot"])
def account(request: Any) -> tuple[Any, Billing]:
    billing = Billing(Vendor())
    for n in range(8):
        billing.happen(f"c{n}", ago(days=40 - n), plan="old")
    return connect(billing.vendor, request.param), billing


def test_a_first_read_lists_and_is_dated_and_resumed_by_when_it_began(account: Any) -> None:
    made, billing = account
    first = read(made, "customers", mode=Mode.FULL)
    assert first.keys == [f"c{n}" for n in range(8)]
    assert first.cursor == {"watermark": ago(minutes=1).isoformat()}
    assert {row for page in first for row in page.rows["source_updated_at"].to_pylist()} == {NOW}
    assert "/events" not in billing.vendor.paths()


def test_changes_are_the_objects_the_log_names_each_once_and_deletes_are_tombstones(account: Any) -> None:
    made, billing = account
    first = read(made, "customers", mode=Mode.FULL)
    for minutes, key in ((1, "c1"), (2, "c2"), (3, "c1"), (4, "new"), (5, "c3")):
        billing.happen(key, NOW + timedelta(minutes=minutes), plan=f"at{minutes}")
    billing.happen("c4", NOW + timedelta(minutes=6), "deleted")
    billing.events.append({**billing.events[0], "id": "other", "data": {"object": {"id": "ch", "object": "charge"}}})
    billing.vendor.now = NOW + timedelta(minutes=10)
    change = read(made, "customers", first.cursor, at=billing.vendor.now)
    assert sorted(change.keys) == ["c1", "c2", "c3", "c4", "new"]
    assert change.deleted == {"c4"}
    rows = {row["external_id"]: row for page in change for row in page.rows.to_pylist()}
    assert rows["c1"]["source_updated_at"] == NOW + timedelta(minutes=3)
    assert '"plan":"at3"' in rows["c1"]["payload"].replace(" ", "")
    assert rows["c4"]["payload"] is None
    assert [page.cursor for page in change[:-1]] == [None] * (len(change) - 1)
    assert change.cursor == {"watermark": (NOW + timedelta(minutes=9)).isoformat()}
    check_resumable(made, "customers", change, at=billing.vendor.now)


def test_two_events_of_one_second_leave_the_deletion_the_last_word(account: Any) -> None:
    made, billing = account
    first = read(made, "customers", mode=Mode.FULL)
    billing.happen("c5", NOW + timedelta(minutes=1), plan="new")
    billing.happen("c5", NOW + timedelta(minutes=1), "deleted")
    billing.events[:2] = reversed(billing.events[:2])
    assert read(made, "customers", first.cursor, at=NOW + timedelta(minutes=5)).deleted == {"c5"}


def test_a_log_that_no_longer_reaches_back_costs_a_full_read(account: Any) -> None:
    made, billing = account
    with pytest.raises(Resync, match="events_gap"):
        read(made, "customers", {"watermark": ago(days=31).isoformat()})
    assert billing.vendor.paths() == []


def test_more_changes_than_are_worth_reading_one_by_one_cost_a_full_read(account: Any) -> None:
    made, billing = account
    for n in range(21):
        billing.happen(f"n{n}", NOW)
    with pytest.raises(Resync, match="too_many_changes"):
        read(made, "customers", {"watermark": ago(minutes=1).isoformat()})


def test_a_log_that_breaks_off_leaves_no_cursor(account: Any) -> None:
    made, billing = account
    first = read(made, "customers", mode=Mode.FULL)
    for n in range(7):
        billing.happen(f"c{n}", NOW)
    billing.vendor.handlers["/events"] = lambda request: (
        billing.log(request) if "starting_after" not in dict(request.params or {}) else (403, {})
    )
    done = Read()
    with pytest.raises(Stop):
        done.extend(made.sync(made.authenticate(), first.cursor, SyncOptions("customers", Mode.INCREMENTAL, NOW)))
    assert done.cursor is None


def test_an_object_the_vendor_no_longer_has_is_gone_and_one_it_calls_deleted_is_a_tombstone() -> None:
    billing = Billing(Vendor())
    made = connect(billing.vendor, BILLING)
    billing.happen("lost", NOW)
    billing.happen("stub", NOW)
    del billing.customers["lost"]
    billing.vendor.handlers["/customers/stub"] = lambda _: {"id": "stub", "deleted": True}
    change = read(made, "customers", {"watermark": ago(minutes=1).isoformat()})
    assert change.deleted == {"lost", "stub"}
    assert {row["payload"] for page in change for row in page.rows.to_pylist()} == {None}


@pytest.mark.parametrize("order", [("deleted", "updated"), ("updated", "deleted"), ("updated", "deleted", "updated")])
def test_of_a_deletion_and_another_event_of_one_moment_the_object_tells_which_came_last(order: tuple[str, ...]) -> None:
    """A log says nothing of the order within a second: one deleted and made anew would stay deleted."""
    billing = Billing(Vendor())
    for kind in order:
        billing.happen("c1", NOW, kind)
    for listed in (billing.events, billing.events[::-1]):
        billing.events = listed
        change = read(connect(billing.vendor, BILLING), "customers", {"watermark": ago(minutes=1).isoformat()})
        assert change.deleted == ({"c1"} if order[-1] == "deleted" else set())
        assert change.keys == ["c1"]


@pytest.mark.parametrize("path", ["/customers", "/events"])
def test_a_page_without_records_that_says_more_follow_is_not_taken_for_the_end(path: str) -> None:
    """The rest of a full read would pass for deleted, and the rest of a log would never be read."""
    billing = Billing(Vendor())
    billing.vendor.handlers[path] = lambda _: {"data": [], "has_more": True}
    cursor = {"watermark": ago(minutes=1).isoformat()} if path == "/events" else None
    with pytest.raises(Retry, match="empty_page"):
        read(connect(billing.vendor, BILLING), "customers", cursor)


def test_an_event_without_an_object_is_no_event_to_pass_over() -> None:
    billing = Billing(Vendor())
    billing.happen("c1", NOW)
    del billing.events[0]["data"]["object"]["id"]
    with pytest.raises(Stop, match="malformed_page"):
        read(connect(billing.vendor, BILLING), "customers", {"watermark": ago(minutes=1).isoformat()})


def test_a_vendor_that_sends_the_same_last_record_again_is_left() -> None:
    billing = Billing(Vendor())
    billing.vendor.handlers["/customers"] = lambda _: {"data": [{"id": "c1"}], "has_more": True}
    with pytest.raises(Stop, match="pagination_loop"):
        read(connect(billing.vendor, BILLING), "customers")
    assert billing.vendor.paths() == ["/customers"] * 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{{delta.since}}", "2026", "does not use"),
        ("{{event.object_id}}", "{{event.id}}", "not declared"),
        ('      fetch: {path: "/customers/{{event.object_id}}"}\n', "", "fetch or snapshot"),
        ("      retention: 30d\n", "", "missing"),
        ("delete_detection: both", "delete_detection: full_diff", "observed or both"),
    ],
)
def test_a_log_that_could_lose_changes_is_refused(old: Any, new: Any, says: Any) -> None:
    assert old in BILLING
    with pytest.raises(ManifestError, match=says):
        connect(Vendor(), BILLING.replace(old, new))
