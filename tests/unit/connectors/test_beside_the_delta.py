"""What is read beside an entity's changes: late rows, computed fields, what is gone, what is swept now and then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.connector import Mode, SyncOptions
from connectors.errors import Resync, Stop
from connectors.manifest import ManifestError
from connectors.runtime.messages import Request
from tests.unit.connectors.described import NOW, Read, Vendor, ago, check_resumable, connect, iso, paged, read

PEOPLE = """\
entities:
  - name: people
    description: People.
    endpoint: {path: /people, query: {since: "{{delta.since}}", until: "{{delta.until}}"}}
    items: data
    key: id
    timestamp: at
    cursor: at
    settle: 10s
    delete_detection: both
    delta: {type: timestamp_filter, inclusive: true, ordered: true, second_pass: {behind: 1h}}
"""


class People:
    """Rows that the search shows only ``lateness`` after they were written."""

    def __init__(self, vendor: Vendor, *rows: tuple[str, datetime, timedelta]) -> None:
        self.vendor = vendor
        self.rows = list(rows)
        self.spans: list[tuple[str, str]] = []

    def __call__(self, request: Request) -> Any:
        params: Any = request.params
        since, until = params.get("since", ""), params["until"]
        if not params.get("start"):
            self.spans.append((since, until))
        seen = [(key, at) for key, at, late in self.rows if at + late <= self.vendor.now]
        found = sorted((at, key) for key, at in seen if since <= _ms(at) <= until)
        return paged([{"id": key, "at": iso(at)} for at, key in found], request)


def _ms(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


PROMPT = timedelta(0)
LATE = timedelta(minutes=40)


def test_a_row_that_appears_late_is_read_by_the_slow_pass_though_the_watermark_has_passed_it() -> None:
    vendor = Vendor()
    people = People(vendor, ("prompt", ago(minutes=5), PROMPT), ("late", ago(minutes=20), LATE))
    vendor.handlers["/people"] = people
    made = connect(vendor, PEOPLE)
    first = read(made, "people")
    assert first.keys == ["prompt"]
    assert first.cursor == {"watermark": ago(minutes=5).isoformat(), "slow": ago(hours=1).isoformat()}
    cursor: Any = first.cursor
    seen = set(first.keys)
    for minutes in (15, 30, 45, 60, 75):
        vendor.now = NOW + timedelta(minutes=minutes)
        people.rows.append((f"n{minutes}", vendor.now - timedelta(minutes=1), PROMPT))
        again = read(made, "people", cursor, at=vendor.now)
        cursor = again.cursor
        seen |= set(again.keys)
    assert "late" in seen
    assert cursor == {
        "watermark": (NOW + timedelta(minutes=74)).isoformat(),
        "slow": (NOW + timedelta(minutes=15)).isoformat(),
    }


def test_the_two_passes_ask_for_two_stretches_and_one_does_when_the_watermark_is_old() -> None:
    vendor = Vendor()
    people = People(vendor)
    vendor.handlers["/people"] = people
    made = connect(vendor, PEOPLE)
    read(made, "people", {"watermark": ago(minutes=5).isoformat(), "slow": ago(minutes=75).isoformat()})
    assert people.spans == [(_ms(ago(minutes=75)), _ms(ago(hours=1))), (_ms(ago(minutes=5)), _ms(NOW))]
    people.spans.clear()
    quiet = read(made, "people", {"watermark": ago(hours=9).isoformat(), "slow": ago(hours=2).isoformat()})
    assert people.spans == [(_ms(ago(hours=2)), _ms(NOW))]
    assert quiet.cursor == {"watermark": ago(hours=9).isoformat(), "slow": ago(hours=1).isoformat()}


BOTH = {"watermark": ago(minutes=5).isoformat(), "slow": ago(hours=9).isoformat()}


@pytest.mark.parametrize(("start", "known"), [(None, set()), (BOTH, {"p1"})])  # p1 lies between both marks' stretches
def test_every_cursor_of_both_passes_is_safe(start: Any, known: Any) -> None:
    vendor = Vendor()
    rows = [(f"p{n}", ago(minutes=40 * n), PROMPT) for n in range(12)]
    vendor.handlers["/people"] = People(vendor, *rows)
    made = connect(vendor, PEOPLE)
    pages = read(made, "people", start)
    assert set(pages.keys) == {f"p{n}" for n in range(12)} - known
    check_resumable(made, "people", pages)


def test_an_older_cursor_without_a_slow_mark_begins_it_at_the_watermark() -> None:
    vendor = Vendor()
    people = People(vendor)
    vendor.handlers["/people"] = people
    read(connect(vendor, PEOPLE), "people", {"watermark": ago(minutes=5).isoformat()})
    assert people.spans[0][0] == _ms(ago(minutes=5))


def test_a_second_pass_within_the_settle_time_is_refused() -> None:
    with pytest.raises(ManifestError, match="not behind its settle time"):
        connect(Vendor(), PEOPLE.replace("behind: 1h", "behind: 10s"))


REFRESHED = PEOPLE.replace(", second_pass: {behind: 1h}", "") + "    refresh: {every: 1d}\n"


def test_computed_fields_are_found_by_reading_whole_once_a_day() -> None:
    vendor = Vendor()
    people = People(vendor, ("old", ago(days=90), PROMPT), ("new", ago(hours=2), PROMPT))
    vendor.handlers["/people"] = people
    made = connect(vendor, REFRESHED)
    first = read(made, "people", mode=Mode.FULL)
    assert first.cursor == {"watermark": ago(hours=2).isoformat(), "refreshed": ago(seconds=10).isoformat()}
    hour = read(made, "people", first.cursor, at=NOW + timedelta(hours=1))
    assert hour.keys == ["new"]
    assert hour.cursor == first.cursor
    day = read(made, "people", first.cursor, at=NOW + timedelta(days=1))
    assert day.keys == ["new", "old", "new"]
    assert day.cursor == {**(first.cursor or {}), "refreshed": (NOW + timedelta(days=1, seconds=-10)).isoformat()}
    check_resumable(made, "people", day, at=NOW + timedelta(days=1))


def test_a_refresh_that_fails_keeps_what_the_changes_gave_and_stays_due() -> None:
    vendor = Vendor()
    people = People(vendor, ("new", ago(hours=2), PROMPT))
    vendor.handlers["/people"] = lambda request: people(request) if "since" in dict(request.params or {}) else (403, {})
    made = connect(vendor, REFRESHED)
    stale = {"watermark": ago(days=3).isoformat(), "refreshed": ago(days=2).isoformat()}
    done = Read()
    with pytest.raises(Stop, match="permission_denied"):
        done.extend(made.sync(made.authenticate(), stale, SyncOptions("people", Mode.INCREMENTAL, NOW)))
    assert done.cursor is None or done.cursor["refreshed"] == stale["refreshed"]


DELETES = (
    PEOPLE.replace(", second_pass: {behind: 1h}", "")
    + """\
    merged_ids: {path: absorbed, split: ";"}
    deletes:
      - endpoint: {path: /events, query: {after: "{{delta.since}}"}}
        items: data
        key: object_id
        at: when
        lag: 5m
        where: {path: action, among: [deleted, merged]}
        retention: 30d
      - endpoint: {path: /archive}
        items: data
        as: records
        every: 6h
"""
)


class Gone:
    """An event log, newest first, and an archive."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.archived: list[dict[str, Any]] = []
        self.asked: list[Any] = []
        self.archive_reads = 0

    def log(self, request: Request) -> Any:
        params: Any = request.params
        self.asked.append(params.get("after"))
        newest = sorted(self.events, key=lambda event: str(event["when"]), reverse=True)
        return paged([event for event in newest if event["when"] >= (params.get("after") or "")], request)

    def archive(self, request: Request) -> Any:
        self.archive_reads += 1
        return paged(self.archived, request)


def with_gone(*rows: tuple[str, datetime, timedelta]) -> tuple[Any, Gone, Vendor]:
    vendor, gone = Vendor(), Gone()
    vendor.handlers |= {"/people": People(vendor, *rows), "/events": gone.log, "/archive": gone.archive}
    return connect(vendor, DELETES), gone, vendor


def test_deletes_are_learnt_of_though_a_refresh_fails_each_time() -> None:
    """A quota may be too small for the refresh of a large account, day after day."""
    vendor, gone = Vendor(), Gone()
    people = People(vendor, ("new", ago(hours=2), PROMPT))
    gone.events, gone.archived = [event("lost", ago(hours=1))], [{"id": "old", "at": iso(ago(days=9))}]
    vendor.handlers |= {"/events": gone.log, "/archive": gone.archive}
    vendor.handlers["/people"] = lambda request: people(request) if "since" in dict(request.params or {}) else (403, {})
    made = connect(vendor, DELETES + "    refresh: {every: 1d}\n")
    stale = {"watermark": ago(days=3).isoformat(), "refreshed": ago(days=2).isoformat()}
    done = Read()
    with pytest.raises(Stop, match="permission_denied"):
        done.extend(made.sync(made.authenticate(), stale, SyncOptions("people", Mode.INCREMENTAL, NOW)))
    assert done.deleted == {"lost", "old"}
    cursor: Any = done.cursor
    assert cursor["refreshed"] == stale["refreshed"]
    assert cursor["deletes"].keys() == {"0", "1"}


def event(key: str, when: datetime, action: str = "deleted") -> dict[str, Any]:
    return {"object_id": key, "when": _ms(when), "action": action}


def test_deletes_come_from_a_log_read_from_where_it_was_left_and_from_an_archive() -> None:
    made, gone, _ = with_gone(("p1", ago(days=1), PROMPT))
    first = read(made, "people", mode=Mode.FULL)
    assert gone.asked == []  # a full read proves absence by itself
    assert gone.archive_reads == 1
    marks = {"0": ago(seconds=10).isoformat(), "1": ago(seconds=10).isoformat()}
    assert first.cursor == {"watermark": ago(days=1).isoformat(), "deletes": marks}
    gone.events = [event(f"d{n}", ago(minutes=n)) for n in range(5)] + [event("u", ago(minutes=1), "updated")]
    gone.archived = [{"id": "a1", "at": iso(ago(minutes=1))}]
    second = read(made, "people", first.cursor)
    assert second.deleted == {f"d{n}" for n in range(5)}
    assert gone.asked[0] == _ms(ago(minutes=5, seconds=10))
    rows = [row for page in second for row in page.rows.to_pylist() if row["external_id"] == "d3"]
    assert [(row["source_updated_at"], row["payload"]) for row in rows] == [(ago(minutes=3), None)]
    assert gone.archive_reads == 1  # not due
    cursor = {**(second.cursor or {}), "deletes": {**marks, "1": ago(hours=7).isoformat()}}
    third = read(made, "people", cursor)
    assert "a1" in third.deleted
    check_resumable(made, "people", third)


def test_a_log_that_no_longer_reaches_back_costs_a_full_read_before_anything_is_read() -> None:
    made, _, vendor = with_gone()
    with pytest.raises(Resync, match="deletes_gap"):
        read(made, "people", {"watermark": ago(days=31).isoformat(), "deletes": {"0": ago(days=31).isoformat()}})
    assert "/people" not in vendor.paths()


def test_the_marks_of_deletes_move_though_nothing_is_deleted() -> None:
    made, _, _ = with_gone()
    cursor = read(
        made, "people", {"watermark": ago(days=9).isoformat(), "deletes": {"0": ago(days=9).isoformat()}}
    ).cursor
    assert cursor is not None
    assert cursor["deletes"]["0"] == ago(seconds=10).isoformat()


def test_an_item_that_names_nothing_is_said() -> None:
    made, gone, _ = with_gone()
    gone.events = [{"when": _ms(NOW), "action": "deleted"}]
    pages = read(made, "people", {"watermark": ago(days=1).isoformat()})
    assert [each.reason for page in pages for each in page.unreadable] == ["bad_key"]


def test_ids_that_a_record_has_absorbed_are_gone() -> None:
    vendor = Vendor()
    rows = [{"id": "7", "at": iso(ago(days=1)), "absorbed": "5;6"}, {"id": "8", "at": iso(ago(days=1)), "absorbed": ""}]
    vendor.handlers |= {"/people": lambda _: {"data": [*rows, {"id": "9", "absorbed": None}]}}
    vendor.handlers |= {"/events": lambda _: {"data": []}, "/archive": lambda _: {"data": []}}
    pages = read(connect(vendor, DELETES), "people")
    assert pages.deleted == {"5", "6"}
    assert set(pages.keys) == {"5", "6", "7", "8", "9"}


SWEPT = """\
entities:
  - name: people
    description: People.
    endpoint: {path: /people}
    items: data
    key: id
  - name: links
    description: Links of people.
    parent: {entity: people, values: {id: id}, batch: {size: 2, name: inputs, member: {id: "{{parent.id}}"}}}
    endpoint: {path: /links, method: POST, body: {inputs: "{{parent.inputs}}"}}
    pagination: {type: none}
    items: results
    key: from
    delete_detection: full_diff
    sweep: {every: 6h}
"""


def test_links_are_swept_in_batches_when_due_and_a_finished_sweep_proves_absence() -> None:
    asked: list[Any] = []

    def links(request: Request) -> Any:
        asked.append([each["id"] for each in request.json["inputs"]])
        return {"results": [{"from": each["id"], "to": []} for each in request.json["inputs"]]}

    vendor = Vendor(people=lambda request: paged([{"id": f"p{n}"} for n in range(5)], request), links=links)
    made = connect(vendor, SWEPT)
    assert made.entities()[1].cursor == "swept"
    first = read(made, "links", mode=Mode.FULL)
    assert asked == [["p0", "p1"], ["p2"], ["p3", "p4"]]
    assert first.cursor == {"swept": NOW.isoformat()}
    assert all(page.seen_whole == () for page in first)  # a full read proves it anyway
    asked.clear()
    idle = read(made, "links", first.cursor, at=NOW + timedelta(hours=5))
    assert (idle.keys, idle.cursor, asked) == ([], first.cursor, [])
    due = read(made, "links", first.cursor, at=NOW + timedelta(hours=6))
    assert set(due.keys) == {f"p{n}" for n in range(5)}
    assert due[-1].seen_whole == ("",)
    assert due.cursor == {"swept": (NOW + timedelta(hours=6)).isoformat()}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("delete_detection: both", "delete_detection: full_diff", "observed or both"),
        ("        key: object_id\n", "", "tombstones need the key"),
        (
            '{{delta.since}}"}}\n        items: data\n        key',
            '2026"}}\n        items: data\n        key',
            "retention is about a log",
        ),
        ("as: records", "as: ghosts", "'tombstones' or 'records'"),
        ("    cursor: at\n", "", "entities with a cursor"),
        ("every: 6h", "every: 0s", "1s or longer"),
    ],
)
def test_deletes_that_could_go_unsaid_are_refused(old: Any, new: Any, says: Any) -> None:
    assert old in DELETES
    with pytest.raises(ManifestError, match=says):
        connect(Vendor(), DELETES.replace(old, new))


def test_a_sweep_has_no_delta_and_a_refresh_has_one() -> None:
    with pytest.raises(ManifestError, match="is swept"):
        connect(
            Vendor(), SWEPT.replace("    key: id\n", "    key: id\n    refresh: {every: 1d}\n    sweep: {every: 1d}\n")
        )
    with pytest.raises(ManifestError, match="refresh means nothing"):
        connect(Vendor(), SWEPT.replace("    key: id\n", "    key: id\n    refresh: {every: 1d}\n"))


def test_what_is_deleted_while_a_full_read_goes_on_is_in_the_next_reads_log() -> None:
    vendor, gone = Vendor(), Gone()
    vendor.now = ago(hours=1)  # its clock is behind ours, so that only it can tell when the read began
    rows = [{"id": f"p{n}", "at": iso(ago(days=1))} for n in range(6)]

    def people(request: Request) -> Any:
        vendor.now += timedelta(minutes=1)
        gone.events = gone.events or [event("p0", vendor.now)]
        return paged(rows, request)

    vendor.handlers |= {"/people": people, "/events": gone.log, "/archive": gone.archive}
    made = connect(vendor, DELETES.replace("lag: 5m", "lag: 0s"))
    first = read(made, "people", mode=Mode.FULL)
    assert first.deleted == set()
    assert read(made, "people", first.cursor).deleted == {"p0"}


def test_what_changes_while_a_long_read_goes_on_is_read_again_though_the_vendors_clock_is_behind_ours() -> None:
    vendor = Vendor()
    vendor.now = ago(hours=3)
    rows = {f"p{n}": ago(days=1) for n in range(6)}

    def people(request: Request) -> Any:
        params: Any = request.params
        for key in ("p0", "p5") if "start" in params else ():  # one that was listed already, one that comes now
            vendor.now += timedelta(minutes=1)
            rows[key] = vendor.now
        since = params.get("since", "")
        return paged([{"id": key, "at": iso(at)} for key, at in rows.items() if _ms(at) >= since], request)

    vendor.handlers["/people"] = people
    text = PEOPLE.replace(", ordered: true, second_pass: {behind: 1h}", "").replace("both", "full_diff")
    made = connect(vendor, text)
    first = read(made, "people", mode=Mode.FULL)
    assert "p0" in read(made, "people", first.cursor).keys
