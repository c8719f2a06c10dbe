"""A server whose disk is full: nothing is half there, it is said in words, and with room again the work goes on.

The disk is full for one table at a time, so that it is known what meets it: the file that its rows would go to is the
kernel's own ``/dev/full``. A disk that is full for whatever comes is in test_full_disk.py.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.refresh import StageFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.postgres_warehouse.conftest import House
    from tests.integration.postgres_warehouse.office import Office
FULL = "the warehouse has no room left: .*No space left on device.*; nothing was changed: make room, then try again"


@contextmanager
def no_room_for(house: House, table: str) -> Iterator[None]:
    """Let an empty table have no room for a first row inside the block."""
    with house.session() as cursor:
        cursor.execute(f"TRUNCATE {table}")  # so that it has a file of no length
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT pg_relation_filepath(%s)", [table])
        file = house.server.folder / str((cursor.fetchone() or [""])[0])
    assert file.stat().st_size == 0
    aside = file.rename(file.with_name("aside"))
    file.symlink_to("/dev/full")
    try:
        yield
    finally:
        file.unlink()
        aside.rename(file)


def test_a_load_without_room_is_told_and_done_when_there_is_some(house: House, acme: Office) -> None:
    (acme.folder / "fair" / "accounts.csv").write_text("id,name\nf1,Fair\n")
    with no_room_for(house, "acme__raw_fair.accounts"):
        report = acme.sync("fair")
    ((code, said),) = {(each.code, each.message) for each in report.errors}
    assert (report.status, code) == ("failed", "warehouse_failed")
    assert re.fullmatch("the warehouse has no room left: loading acme/fair .*: make room, then try again", said)
    assert acme.sync("fair").entities["accounts"].created == 1


def test_a_refinement_without_room_is_told_and_done_when_there_is_some(house: House, acme: Office) -> None:
    acme.write(2)
    acme.sync("crm", mode="full")
    before = acme.stored()
    with no_room_for(house, "acme__canonical.pending"), pytest.raises(StageFailedError, match=FULL):
        acme.refresh()
    assert acme.stored() == before
    acme.refresh()
    assert acme.stored() != before
