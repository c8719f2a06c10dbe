"""What a read means for what is stored: created, updated, deleted, unchanged, stale, duplicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.connector import DeleteDetection, Mode, Unreadable
from connectors.errors import Retry, Stop
from gtm_pipelines.ingest import Limits, Status
from tests.unit.ingest.rig import entity, mark, page, row
from tests.warehouses import DUCKDB_ALONE

if TYPE_CHECKING:
    from tests.unit.ingest.rig import Rig


def test_a_first_sync_stores_every_record_with_its_payload_verbatim(rig: Rig) -> None:
    odd = '{"b" : 1,\n "a":"é", "a":2}'
    rig.vendor.says(page([row("1", 1, odd), row("2", 2)], mark(2)))
    report = rig.sync()
    people = report.entities["people"]
    assert (report.status, report.mode) == (Status.OK, Mode.FULL)
    assert (people.created, people.read, people.mode) == (2, 2, Mode.FULL)
    kept = odd if rig.settings.warehouse_url is None else '{"a":2,"b":1}'  # jsonb keeps what it says
    assert rig.stored() == {"1": (1, False, kept), "2": (2, False, "{}")}
    assert rig.rows("SELECT DISTINCT synced_at = '2026-03-31 00:15:00+00' FROM raw_crm.people") == [(True,)]


def test_a_record_read_again_unchanged_is_not_written(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1), row("2", 2)], mark(2)))
    rig.sync()
    before = rig.rows("SELECT external_id, _dlt_load_id FROM raw_crm.people ORDER BY 1")
    rig.vendor.says(page([row("1", 1), row("2", 3, '{"n":2}'), row("3", 3)], mark(3)))
    people = rig.sync().entities["people"]
    assert (people.created, people.updated, people.unchanged) == (1, 1, 1)
    after = dict(rig.rows("SELECT external_id, _dlt_load_id FROM raw_crm.people ORDER BY 1"))
    assert after["1"] == before[0][1]
    assert after["2"] == after["3"] != before[1][1]


def test_a_sync_that_brings_nothing_new_runs_no_load(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()

    def fail(*_: object) -> None:
        raise AssertionError("a load was run")

    monkeypatch.setattr("gtm_pipelines.ingest.load.load", fail)
    for script in (page([row("1", 1)], mark(1)), page([], None)):
        rig.vendor.says(script)
        report = rig.sync()
        assert (report.status, report.changed) == (Status.OK, 0)
    rig.vendor.says(page([row("2", 2)], None))
    with pytest.raises(AssertionError, match="a load was run"):
        rig.sync()


def test_an_older_version_never_replaces_a_newer_one(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 5, '{"n":5}')], mark(5)))
    rig.sync()
    rig.vendor.says(page([row("1", 4, '{"n":4}')], mark(5)))
    people = rig.sync().entities["people"]
    assert (people.stale, people.updated) == (1, 0)
    assert rig.stored() == {"1": (5, False, '{"n":5}')}


def test_a_change_within_the_same_second_is_not_missed(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 5, '{"n":1}')], mark(5)))
    rig.sync()
    rig.vendor.says(page([row("1", 5, '{"n":2}')], mark(5)))
    assert rig.sync().entities["people"].updated == 1
    assert rig.stored()["1"][2] == '{"n":2}'


def test_of_several_versions_in_one_read_the_newest_is_kept(rig: Rig) -> None:
    rig.vendor.says(
        page([row("1", 2, '{"n":2}'), row("1", 3, '{"n":3}'), row("2", None, '{"n":1}')], more=True),
        page(
            [row("1", 1, '{"n":1}'), row("2", None, '{"n":2}'), row("1", 3, '{"n":33}')],
            mark(3),
        ),
    )
    people = rig.sync().entities["people"]
    assert (people.created, people.duplicates, people.read) == (2, 4, 6)
    assert rig.stored() == {"1": (3, False, '{"n":33}'), "2": (None, False, '{"n":2}')}


def test_a_page_delivered_twice_changes_nothing(rig: Rig) -> None:
    twice = page([row(str(n), n) for n in range(50)], more=True)
    rig.vendor.says(twice, twice, page([], mark(50)))
    people = rig.sync().entities["people"]
    assert (people.created, people.duplicates) == (50, 50)
    assert len(rig.stored()) == 50


def test_a_tombstone_keeps_the_payload_that_is_stored(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1, '{"n":1}'), row("2", 1, '{"n":2}')], mark(1)))
    rig.sync()
    rig.vendor.says(page([row("1", 2, None), row("2", None, None), row("9", 3, None)], mark(3)))
    people = rig.sync().entities["people"]
    assert (people.deleted, people.read) == (3, 3)
    assert rig.stored() == {"1": (2, True, '{"n":1}'), "2": (1, True, '{"n":2}'), "9": (3, True, None)}
    assert rig.sync().entities["people"].unchanged == 3


def test_a_record_changed_and_deleted_in_one_read_keeps_its_last_payload(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1, '{"n":1}')], mark(1)))
    rig.sync()
    changed = [row("1", 2, '{"n":2}'), row("1", 3, None), row("2", 2, '{"m":1}'), row("2", 3, None)]
    rig.vendor.says(page(changed, mark(3)))
    people = rig.sync().entities["people"]
    assert (people.deleted, people.duplicates) == (2, 2)
    assert rig.stored() == {"1": (3, True, '{"n":2}'), "2": (3, True, '{"m":1}')}


def test_an_older_create_does_not_bring_a_deleted_record_back(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 5, None)], mark(5)))
    rig.sync()
    rig.vendor.says(page([row("1", 4, '{"n":1}')], mark(5)))
    assert rig.sync().entities["people"].stale == 1
    assert rig.stored() == {"1": (5, True, None)}


def test_a_record_deleted_by_flag_keeps_the_payload_it_came_with(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1, '{"n":1}')], mark(1)))
    rig.sync()
    rig.vendor.says(page([row("1", 2, '{"n":2}', deleted=True)], mark(2)))
    assert rig.sync().entities["people"].deleted == 1
    assert rig.stored() == {"1": (2, True, '{"n":2}')}
    rig.vendor.says(page([row("1", 3, '{"n":2}')], mark(3)))
    assert rig.sync().entities["people"].updated == 1
    assert rig.stored() == {"1": (3, False, '{"n":2}')}


def full_diff(rig: Rig, count: int = 5) -> None:
    rig.vendor.entities = [entity(delete_detection=DeleteDetection.FULL_DIFF)]
    rig.vendor.says(page([row(str(n), n, f'{{"n":{n}}}') for n in range(count)], mark(count)))
    rig.sync()


def test_a_full_read_deletes_what_it_no_longer_sees_and_brings_back_what_it_sees_again(rig: Rig) -> None:
    full_diff(rig)
    rig.vendor.says(page([row(str(n), n, f'{{"n":{n}}}') for n in (0, 2, 4)], mark(5)))
    people = rig.sync(mode="full").entities["people"]
    assert (people.deleted, people.absent, people.unchanged) == (2, 2, 3)
    assert rig.stored()["1"] == (1, True, '{"n":1}')
    rig.vendor.says(page([row(str(n), n, f'{{"n":{n}}}') for n in range(5)], mark(5)))
    people = rig.sync(mode="full").entities["people"]
    assert (people.updated, people.unchanged) == (2, 3)
    assert rig.stored()["1"] == (1, False, '{"n":1}')


@pytest.mark.parametrize("detection", [DeleteDetection.NONE, DeleteDetection.OBSERVED])
def test_a_full_read_proves_nothing_for_an_entity_that_says_so(rig: Rig, detection: DeleteDetection) -> None:
    full_diff(rig)
    rig.vendor.entities = [entity(delete_detection=detection)]
    rig.vendor.says(page([], mark(5)))
    assert rig.sync(mode="full").changed == 0


def test_an_incremental_read_never_infers_deletes(rig: Rig) -> None:
    full_diff(rig)
    rig.vendor.says(page([], mark(5)))
    assert rig.sync().changed == 0


def test_an_entity_without_a_cursor_is_compared_whole_each_time(rig: Rig) -> None:
    rig.vendor.entities = [entity(cursor=None, delete_detection=DeleteDetection.FULL_DIFF)]
    rig.vendor.says(page([row("1"), row("2")], None))
    rig.sync()
    rig.vendor.says(page([row("2")], None))
    people = rig.sync().entities["people"]
    assert (people.absent, people.unchanged, people.mode) == (1, 1, Mode.FULL)
    assert [cursor for _, cursor, _ in rig.vendor.asked] == [None, None]


def test_a_read_that_failed_on_its_way_infers_no_deletes(rig: Rig) -> None:
    full_diff(rig)
    for error in (Stop("stream_gone", "gone"), Retry("vendor_unavailable", "down")):
        rig.vendor.says(page([row("0", 0, '{"n":0}')], more=True), error)
        assert rig.sync(mode="full").status is Status.FAILED
    rig.vendor.says(page([row("0", 0, '{"n":0}')], more=True))
    report = rig.sync(mode="full")
    assert report.entities["people"].errors[0].code == "walk_incomplete"
    assert all(not deleted for _, deleted, _ in rig.stored().values())


@DUCKDB_ALONE
def test_a_full_read_that_shrank_too_much_is_refused_and_changes_nothing(rig: Rig) -> None:
    full_diff(rig, 100)
    before, state = rig.stored(), rig.state()
    rig.vendor.says(page([row("0", 200, '{"n":"new"}'), row("new", 200)], mark(200)))
    report = rig.sync(mode="full")
    people = report.entities["people"]
    assert (report.status, people.errors[0].code, people.created, people.deleted) == (
        Status.FAILED,
        "shrink_refused",
        0,
        0,
    )
    assert "99 of 100" in people.errors[0].message
    assert (rig.stored(), rig.state()) == (before, state)
    allowed = rig.sync(mode="full", limits=Limits(shrink_share=1.0))
    assert (allowed.entities["people"].deleted, allowed.status) == (99, Status.OK)


@pytest.mark.parametrize(("gone", "status"), [(20, Status.OK), (21, Status.FAILED)])
@DUCKDB_ALONE
def test_a_small_entity_may_shrink_by_a_few(rig: Rig, gone: int, status: Status) -> None:
    full_diff(rig, 30)
    rig.vendor.says(page([row(str(n), n, f'{{"n":{n}}}') for n in range(gone, 30)], mark(30)))
    assert rig.sync(mode="full").status is status


def test_a_record_that_is_there_but_unreadable_is_not_deleted(rig: Rig) -> None:
    full_diff(rig)
    broken = Unreadable("too_large", "{…", "1")
    rig.vendor.says(page([row("0", 0, '{"n":0}')], mark(5), unreadable=[broken]))
    assert rig.sync(mode="full").entities["people"].absent == 3
    assert rig.stored()["1"][1] is False
    nameless = Unreadable("bad_key", "{…", None)
    rig.vendor.says(page([], mark(5), unreadable=[nameless]))
    assert rig.sync(mode="full").entities["people"].absent == 0
