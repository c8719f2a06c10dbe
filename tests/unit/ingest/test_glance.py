"""A few records read again: told at a glance when all of them are what is stored, and compared when any may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.connector import DeleteDetection, Unreadable
from gtm_pipelines.warehouse import sql_files
from tests.unit.ingest.rig import entity, mark, page, row

if TYPE_CHECKING:
    from tests.unit.ingest.rig import Rig, Row

STORED = [row("old", 1), row("1", 5, '{"n":1}'), row("2", 6, deleted=True), row("gone", 7, None)]


@pytest.fixture
def compared(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sync what is stored; afterwards the list grows by each comparison that took the long way."""
    rig.vendor.says(page(STORED, mark(7)))
    rig.sync()
    taken: list[str] = []
    load = sql_files.load

    def noting(path: str) -> str:
        if path == "ingest/verdict.sql":
            taken.append(path)
        return load(path)

    monkeypatch.setattr(sql_files, "load", noting)
    return taken


def read_again(rig: Rig, rows: list[Row]) -> dict[str, int]:
    rig.vendor.says(page(rows, mark(7)))
    told = rig.sync().entities["people"].model_dump()
    kinds = ("created", "updated", "deleted", "unchanged", "stale", "duplicates")
    return {kind: told[kind] for kind in kinds if told[kind]}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (STORED[1:], {"unchanged": 3}),
        ([*STORED[1:], STORED[1], STORED[1]], {"unchanged": 3, "duplicates": 2}),
    ],
)
def test_records_that_are_all_as_stored_take_the_short_way(
    rig: Rig, compared: list[str], rows: list[Row], expected: dict[str, int]
) -> None:
    assert read_again(rig, rows) == expected
    assert not compared


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        (row("1", 5, '{"n":2}'), {"updated": 1}),
        (row("1", 5, '{"n":1}', deleted=True), {"deleted": 1}),
        (row("1", 6, '{"n":1}'), {"unchanged": 1}),
        (row("1", 4, '{"n":1}'), {"stale": 1}),
        (row("1", None, '{"n":1}'), {"unchanged": 1}),
        (row("1", 5, None), {"deleted": 1}),
        (row("3", 5), {"created": 1}),
    ],
    ids=["another payload", "a flag", "a later stamp", "an earlier stamp", "no stamp", "a tombstone", "a new record"],
)
def test_one_that_differs_in_anything_sends_all_of_them_the_long_way(
    rig: Rig, compared: list[str], odd: Row, expected: dict[str, int]
) -> None:
    told = read_again(rig, [STORED[2], odd])
    assert told == expected | {"unchanged": expected.get("unchanged", 0) + 1}
    assert compared


def test_an_unchanged_part_of_a_whole_read_does_not_hide_what_is_gone(rig: Rig, compared: list[str]) -> None:
    rig.vendor.entities = [entity(delete_detection=DeleteDetection.FULL_DIFF)]
    rig.vendor.says(page(STORED[1:], mark(7)))
    people = rig.sync(mode="full").entities["people"]
    assert (people.unchanged, people.absent) == (3, 1)
    assert rig.stored()["old"][1]
    assert rig.stored()["1"] == (5, False, '{"n":1}')
    assert not compared


def test_a_record_that_was_unreadable_and_is_as_stored_again_leaves_quarantine(rig: Rig, compared: list[str]) -> None:
    rig.vendor.says(page([], mark(7), unreadable=[Unreadable("malformed", '{"id":"1",', "1")]))
    rig.sync()
    assert rig.rows("SELECT status FROM quality.quarantine") == [("open",)]
    assert read_again(rig, STORED[1:]) == {"unchanged": 3}
    assert rig.rows("SELECT status FROM quality.quarantine") == [("resolved",)]
    assert not compared
