"""Where the next sync begins: when a cursor is stored, what it may never pass, and what its loss costs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connectors.connector import DeleteDetection, Mode, Unreadable
from connectors.errors import Resync, Retry, Stop
from gtm_pipelines.ingest import Status
from gtm_pipelines.ingest.load import load
from gtm_pipelines.ingest.state import EntityState
from tests.unit.ingest.rig import entity, mark, page, row
from tests.warehouses import DUCKDB_ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.connector import Cursor, Page, SyncOptions
    from tests.unit.ingest.rig import Rig


def test_the_next_sync_resumes_where_the_last_one_stored(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    assert rig.sync().entities["people"].cursor_after == mark(1)
    rig.vendor.says(page([row("2", 2)], {**mark(2), "id": "2"}))
    report = rig.sync().entities["people"]
    assert (report.cursor_before, report.cursor_after, report.mode) == (
        mark(1),
        {**mark(2), "id": "2"},
        Mode.INCREMENTAL,
    )
    assert rig.vendor.asked == [("people", None, Mode.FULL), ("people", mark(1), Mode.INCREMENTAL)]
    assert rig.state() == EntityState({**mark(2), "id": "2"})


@DUCKDB_ALONE
def test_a_broken_walk_moves_no_cursor(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()
    rig.vendor.says(page([row("2", 2)], mark(2), more=True), Stop("pagination_loop", "the same page again"))
    report = rig.sync().entities["people"]
    assert (report.created, report.read, report.cursor_after) == (0, 0, mark(1))
    assert rig.state().cursor == mark(1)


@DUCKDB_ALONE
def test_a_lost_cursor_makes_that_entity_alone_read_in_full(rig: Rig) -> None:
    rig.vendor.entities = [entity("a", delete_detection=DeleteDetection.FULL_DIFF), entity("b")]
    rig.vendor.says(page([row("1", 1), row("2", 1)], {"token": "old"}), entity="a")
    rig.vendor.says(page([row("1", 1)], mark(1)), entity="b")
    rig.sync()

    def play(cursor: Cursor | None, _: SyncOptions) -> Iterator[Page]:
        if cursor is not None:
            yield page([row("9", 1)], None, more=True)
            raise Resync("token_expired", "410")
        yield page([row("1", 1), row("3", 3)], {"token": "new"})

    rig.vendor.plays["a"] = play
    report = rig.sync()
    assert report.status is Status.OK
    a, b = report.entities["a"], report.entities["b"]
    assert (a.mode, a.created, a.absent, a.unchanged, a.read, a.cursor_after) == (
        Mode.FULL,
        1,
        1,
        1,
        2,
        {"token": "new"},
    )
    assert (b.mode, b.created) == (Mode.INCREMENTAL, 0)


@DUCKDB_ALONE
def test_the_watermark_never_passes_sync_start_minus_settle(rig: Rig) -> None:
    rig.vendor.entities = [entity(settle=timedelta(minutes=10))]
    rig.vendor.says(page([row("1", 1)], {"watermark": "2999-01-01T00:00:00+00:00", "id": "1"}))
    rig.sync()
    assert rig.state().cursor == {"watermark": (rig.now - timedelta(minutes=10)).isoformat(), "id": ""}


@DUCKDB_ALONE
def test_the_watermark_never_moves_back(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 5)], mark(5)))
    rig.sync()
    rig.vendor.says(page([row("2", 3)], mark(3)))
    assert rig.sync().entities["people"].created == 1
    assert rig.state().cursor == mark(5)


@DUCKDB_ALONE
def test_a_cursor_given_only_on_the_last_page_is_not_stored_before_it(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], {"token": "a"}))
    rig.sync()
    rig.vendor.says(page([row("2", 2)], None, more=True), Retry("reset", "connection reset"))
    rig.sync()
    assert (rig.state().cursor, len(rig.stored())) == ({"token": "a"}, 2)


@DUCKDB_ALONE
def test_a_look_that_found_nothing_new_stores_no_cursor_until_some_hours_have_passed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()
    stored: list[Any] = []

    def noting(*each: Any) -> str:
        stored.append(rig.now)
        return load(*each)

    monkeypatch.setattr("gtm_pipelines.ingest.load.load", noting)
    for look in range(1, 30):
        rig.vendor.says(page([row("1", 1)], mark(1 + look)))
        assert rig.sync().entities["people"].cursor_after == rig.state().cursor
    assert rig.state().cursor == mark(1 + 24), "six hours are twenty-four looks"
    assert len(stored) == 1
    assert [cursor for _, cursor, _ in rig.vendor.asked[-4:]] == [mark(25)] * 4
    rig.vendor.says(page([row("1", 31, '{"n":1}')], mark(31)))
    rig.sync()
    assert rig.state().cursor == mark(31)


@DUCKDB_ALONE
@pytest.mark.parametrize(
    "told",
    [
        page([], mark(2), unreadable=[Unreadable("malformed", "{", "9")]),
        page([], {**mark(2), "refreshed": "2026-03-31"}),
        page([], {"token": "b"}),
    ],
    ids=["an unreadable record", "something done", "the vendor's token"],
)
def test_a_cursor_that_says_more_than_that_time_has_passed_is_stored_at_once(rig: Rig, told: Page) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()
    rig.vendor.says(told)
    rig.sync()
    assert rig.state().cursor == told.cursor
