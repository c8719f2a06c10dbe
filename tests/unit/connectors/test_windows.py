"""Windows: a read by time in closed stretches, each of them a safe place to resume whatever the order inside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from connectors.connector import Mode, SyncOptions
from connectors.errors import Stop
from connectors.manifest import ManifestError
from connectors.runtime.messages import Request
from tests.unit.connectors.described import NOW, Read, Vendor, ago, always, check_resumable, connect, paged, read

VISITS = """\
entities:
  - name: visits
    description: Visits.
    endpoint: {path: /visits}
    items: data
    key: id
    timestamp: at
    timestamp_format: epoch_ms
    cursor: at
    settle: 10m
    delta: {type: timestamp_filter, param: from, until_param: to, format: epoch_ms, inclusive: true, window: 25h,
            history: 5d, history_setting: history_days}
"""


class Visits:
    """Visits every seven hours, newest first; a range over 25 hours is refused, as at the vendor."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [{"id": f"v{n}", "at": _ms(ago(hours=7 * n))} for n in range(40)]
        self.asked: list[tuple[datetime, datetime]] = []

    def __call__(self, request: Request) -> Any:
        params: Any = request.params
        first, last = int(params["from"]), int(params["to"])
        self.asked.append((_at(first), _at(last)))
        if last - first > 25 * 3_600_000:
            return 400, {"error": {"code": "range_too_long"}}
        return paged([row for row in self.rows if first <= row["at"] <= last], request)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _at(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def test_a_first_read_covers_the_history_in_windows_oldest_first_and_ends_before_the_present() -> None:
    visits = Visits()
    pages = read(connect(Vendor(visits=visits), VISITS), "visits")
    assert set(pages.keys) == {f"v{n}" for n in range(1, 18)}  # v0 is younger than the settle time
    assert visits.asked[0][0] == ago(days=5)
    assert visits.asked[-1][1] == ago(minutes=10)
    assert all(until - since <= timedelta(hours=25) for since, until in visits.asked)
    assert pages.cursor == {"watermark": ago(minutes=10).isoformat()}


def test_every_cursor_of_a_windowed_read_is_safe_though_rows_come_newest_first() -> None:
    made = connect(Vendor(visits=Visits()), VISITS)
    pages = read(made, "visits")
    assert sum(page.cursor is not None for page in pages) == 5
    check_resumable(made, "visits", pages)


def test_records_at_the_very_edge_of_two_windows_are_read() -> None:
    visits = Visits()
    edge = ago(days=5) + timedelta(hours=25)
    visits.rows = [{"id": f"e{n}", "at": _ms(edge)} for n in range(7)]
    made = connect(Vendor(visits=visits), VISITS)
    pages = read(made, "visits")
    assert set(pages.keys) == {f"e{n}" for n in range(7)}
    check_resumable(made, "visits", pages)


def test_windows_end_at_the_vendors_present_when_its_clock_is_behind_ours() -> None:
    vendor, visits = Vendor(), Visits()
    vendor.handlers["/visits"] = visits
    vendor.now = ago(days=30)
    visits.rows = [{"id": "old", "at": _ms(vendor.now - timedelta(hours=1))}]
    made = connect(vendor, VISITS)
    pages = read(made, "visits")
    assert pages.keys == ["old"]
    visits.rows.append({"id": "new", "at": _ms(vendor.now + timedelta(hours=1))})
    vendor.now += timedelta(hours=2)
    assert "new" in read(made, "visits", pages.cursor).keys


def test_an_idle_vendor_moves_the_watermark_and_is_asked_one_window() -> None:
    visits = Visits()
    visits.rows = []
    made = connect(Vendor(visits=visits), VISITS)
    read(made, "visits", {"watermark": ago(hours=2).isoformat()})
    assert visits.asked == [(ago(hours=2), ago(minutes=10))]


def test_a_trailing_stretch_is_read_again_and_the_watermark_stays_ahead() -> None:
    visits = Visits()
    made = connect(Vendor(visits=visits), VISITS.replace("settle: 10m", "settle: 10m\n    reread: 3d"))
    pages = read(made, "visits", {"watermark": ago(hours=2).isoformat()})
    assert visits.asked[0][0] == ago(days=3, hours=2)
    assert all(page.cursor is None or page.cursor["watermark"] >= ago(hours=2).isoformat() for page in pages)


def test_a_setting_replaces_the_history_and_must_be_a_number() -> None:
    visits = Visits()
    read(connect(Vendor(visits=visits), VISITS, history_days=2), "visits", mode=Mode.FULL)
    assert visits.asked[0][0] == ago(days=2)
    with pytest.raises(Stop, match="bad_setting"):
        read(connect(Vendor(visits=visits), VISITS, history_days="many"), "visits")


def test_windows_of_a_filter_that_leaves_out_its_edges_overlap_by_a_unit() -> None:
    visits = Visits()
    text = VISITS.replace("inclusive: true, ", "").replace("settle: 10m", "settle: 10m\n    lag: 1m")
    read(connect(Vendor(visits=visits), text), "visits")
    windows = list(dict.fromkeys(visits.asked))
    overlaps = [before[1] - after[0] for before, after in pairwise(windows)]
    assert overlaps
    assert set(overlaps) == {timedelta(milliseconds=1)}


def test_a_read_of_a_filter_that_leaves_out_its_edge_starts_a_unit_before_the_mark() -> None:
    vendor = Vendor(visits=always({"data": []}))
    text = VISITS[: VISITS.index("    delta:")] + (
        "    lag: 1s\n    delta: {type: timestamp_filter, param: from, format: date}\n"
    )
    read(connect(vendor, text), "visits", {"watermark": "2026-03-08T10:00:00+00:00"})
    assert [dict(request.params or {})["from"] for request in vendor.asked if request.params] == ["2026-03-07"]


def test_a_window_that_fails_leaves_those_before_it_done() -> None:
    visits, vendor = Visits(), Vendor()
    vendor.handlers["/visits"] = lambda request: visits(request) if len(visits.asked) < 6 else (403, {})
    made = connect(vendor, VISITS)
    done = Read()
    with pytest.raises(Stop, match="permission_denied"):
        done.extend(made.sync(made.authenticate(), None, SyncOptions("visits", Mode.INCREMENTAL, NOW)))
    vendor.handlers["/visits"] = visits
    assert done.cursor is not None
    assert {*done.keys, *read(made, "visits", done.cursor).keys} == {f"v{n}" for n in range(1, 18)}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (" window: 25h,\n", "\n", "window and history go together"),
        ("            history: 5d, history_setting: history_days}", "            history_setting: x}", "go together"),
        ("until_param: to, ", "", "stretches of time that end"),
        ("window: 25h", "window: 0s", "1s or longer"),
        ("history_setting: history_days", "history_setting: nothing", "no setting of this connector"),
        ("settle: 10m", "settle: 10m\n    delete_detection: full_diff", "proves no absence"),
        ("format: epoch_ms, inclusive", "format: date, inclusive", "shorter than two units"),
    ],
)
def test_a_window_that_could_lose_or_never_end_is_refused(old: Any, new: Any, says: Any) -> None:
    assert old in VISITS
    with pytest.raises(ManifestError, match=says):
        connect(Vendor(), VISITS.replace(old, new))
