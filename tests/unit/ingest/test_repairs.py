"""What landing mended in records reaches the report, whichever connector read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.connector import Cursor, Page, SyncOptions
from connectors.landing import RecordShape, land
from tests.unit.ingest.rig import mark

if TYPE_CHECKING:
    from tests.unit.ingest.rig import Rig

SHAPE = RecordShape("$", "id")


def test_one_notice_of_each_kind_with_its_count_over_all_pages(rig: Rig) -> None:
    pages = [b'[{"id":"a","t":"x\\u0000"},{"id":"b"}]', b'[{"id":"c","t":"\\u0000"},{"id":"d","n":1,"n":2}]']

    def play(_: Cursor | None, __: SyncOptions) -> Iterator[Page]:
        for number, body in enumerate(pages):
            yield Page(land(body, SHAPE).table, mark(number), has_more=number == 0)

    rig.vendor.plays["people"] = play
    assert sorted(rig.sync().entities["people"].notices) == [
        "1 record held a key more than once; the last value was kept",
        "2 records held a NUL character; it was left out",
    ]


def test_what_one_sync_mended_is_not_told_by_the_next(rig: Rig) -> None:
    def play(_: Cursor | None, __: SyncOptions) -> Iterator[Page]:
        yield Page(land(b'[{"id":"a","t":"\\ud800"}]', SHAPE).table, mark(1), has_more=False)

    rig.vendor.plays["people"] = play
    assert len(rig.sync().entities["people"].notices) == 1
    rig.vendor.says(Page(land(b'[{"id":"b"}]', SHAPE).table, mark(2), has_more=False))
    assert rig.sync().entities["people"].notices == []


def test_a_number_beyond_what_a_warehouse_keeps_costs_its_record_and_nothing_else(rig: Rig) -> None:
    numbers = {"a": "1e999", "b": "1e-999", "c": "9" * 4_000, "d": "1e140000", "e": "1e-20000"}
    body = "[" + ",".join(f'{{"id":"{key}","n":{number}}}' for key, number in numbers.items()) + "]"
    landed = land(body.encode(), SHAPE)
    rig.vendor.says(Page(landed.table, mark(1), has_more=False, unreadable=landed.unreadable))
    report = rig.sync()
    assert report.status == "ok"
    assert (report.entities["people"].created, report.entities["people"].rejected) == (3, 2)
    assert set(rig.stored()) == {"a", "b", "c"}
    told = rig.rows("SELECT external_id, rule FROM quality.quarantine ORDER BY 1")
    assert told == [(key, "unreadable:number_out_of_range") for key in "de"]
