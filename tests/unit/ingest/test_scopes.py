"""What a read of one scope proves: a mailbox read from its beginning says what is gone from it, and from it alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.connector import DeleteDetection, Unreadable
from connectors.errors import Retry
from gtm_pipelines.ingest import Status
from tests.unit.ingest.rig import entity, mark, page, row

if TYPE_CHECKING:
    from tests.unit.ingest.rig import Rig


def landed(rig: Rig) -> None:
    """Two mailboxes with two events each."""
    rig.vendor.entities = [entity("people", delete_detection=DeleteDetection.OBSERVED)]
    rig.vendor.says(page([row("ann:1", 1), row("ann:2", 1), row("bob:1", 1), row("bob:2", 1)], mark(1)))
    assert rig.sync().status is Status.OK


def live(rig: Rig) -> set[str]:
    return {str(key) for (key,) in rig.rows("SELECT external_id FROM raw_crm.people WHERE NOT is_deleted")}


def test_a_scope_seen_whole_loses_what_was_not_seen_and_no_other_scope_does(rig: Rig) -> None:
    landed(rig)
    rig.vendor.says(replace(page([row("ann:2", 1)], mark(2)), seen_whole=("ann:",)))
    report = rig.sync().entities["people"]
    assert (report.deleted, report.absent) == (1, 1)
    assert live(rig) == {"ann:2", "bob:1", "bob:2"}


def test_a_scope_seen_whole_and_empty_is_empty(rig: Rig) -> None:
    landed(rig)
    rig.vendor.says(replace(page([], mark(2)), seen_whole=("bob:",)))
    assert rig.sync().entities["people"].absent == 2
    assert live(rig) == {"ann:1", "ann:2"}


def test_a_large_scope_may_be_gone_though_a_whole_entity_may_not(rig: Rig) -> None:
    landed(rig)
    rig.vendor.says(page([row(f"eve:{number}", 1) for number in range(60)], mark(1)))
    rig.sync()
    rig.vendor.says(replace(page([], mark(2)), seen_whole=("eve:",)))
    assert rig.sync().entities["people"].absent == 60
    rig.vendor.says(page([row(f"eve:{number}", 3) for number in range(60)], mark(3)))
    rig.sync()
    rig.vendor.says(replace(page([], mark(4)), seen_whole=("",)))
    assert [fault.code for fault in rig.sync().entities["people"].errors] == ["shrink_refused"]


def test_rows_of_earlier_pages_count_as_seen(rig: Rig) -> None:
    landed(rig)
    rig.vendor.says(
        page([row("ann:1", 1)], None, more=True), replace(page([row("ann:2", 1)], mark(2)), seen_whole=("ann:",))
    )
    assert rig.sync().entities["people"].absent == 0
    assert len(live(rig)) == 4


def test_a_read_that_breaks_off_before_it_says_so_proves_nothing(rig: Rig) -> None:
    landed(rig)
    rig.vendor.says(page([row("ann:2", 1)], None, more=True), Retry("interrupted", "the line is gone"))
    rig.sync()
    assert len(live(rig)) == 4


def test_an_unreadable_record_without_an_id_may_be_any_of_them_so_nothing_is_gone(rig: Rig) -> None:
    landed(rig)
    rig.vendor.says(
        replace(page([row("ann:2", 1)], mark(2)), seen_whole=("ann:",), unreadable=(Unreadable("malformed", "{"),))
    )
    rig.sync()
    assert len(live(rig)) == 4


def test_a_percent_sign_in_a_scope_stands_for_itself(rig: Rig) -> None:
    landed(rig)
    rig.vendor.says(replace(page([], mark(2)), seen_whole=("%:", "a'n")))
    rig.sync()
    assert len(live(rig)) == 4
