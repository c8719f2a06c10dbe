"""A server whose whole disk is full, for its tables or for its log of changes: it is told, and with room all goes on.

The disk is a real one, and small. What one table without room does is in test_full.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from gtm_pipelines.refresh import StageFailedError
from gtm_pipelines.warehouse import WarehouseError, open_published
from tests.integration.postgres_warehouse.conftest import DATABASE, House, SecondDay
from tests.integration.postgres_warehouse.office import Office
from tests.integration.postgres_warehouse.small import SmallServer
from tests.small_disk import SmallDisk

NO_ROOM = "the warehouse has no room left: .*: make room, then try again"
LOST = "the connection to the warehouse was lost: .*; what was being written is there whole or not at all: .*"
DOWN = "the warehouse cannot be opened: .*; check GTM_WAREHOUSE_URL and the server"


@dataclass(frozen=True)
class Small:
    """The tenant after its first day, on a server of a small disk."""

    server: SmallServer
    acme: Office

    def is_told(self, stage: str) -> str:
        """Do the second day's load or refinement, and return what is said of its failing."""
        if stage == "load":
            report = self.acme.sync("crm", mode="full")
            assert report.status == "failed"
            ((code, said),) = {(each.code, each.message) for each in report.errors}
            assert code == "warehouse_failed"
            return said
        with pytest.raises((StageFailedError, WarehouseError)) as failure:
            self.acme.refresh()
        return str(failure.value.__cause__ or failure.value)


@pytest.fixture
def small(house: House, acme: Office) -> Iterator[Small]:
    server = SmallServer(house.server)
    try:
        with server.session(DATABASE):  # the first one after a start writes a file, and fails without room for it
            url = House(server).url
        yield Small(server, replace(acme, settings=acme.settings.model_copy(update={"warehouse_url": url})))
    finally:
        server.close()


def test_a_full_disk_is_told_and_with_room_the_work_goes_on(small: Small, second_day: SecondDay) -> None:
    small.acme.write(2)
    with small.server.disk.full():
        assert re.fullmatch(NO_ROOM, small.is_told("load"))
    assert small.acme.sync("crm", mode="full").status == "ok"
    before = small.acme.stored()
    with small.server.disk.full():
        assert re.fullmatch(NO_ROOM, small.is_told("refinement"))
        with open_published(small.acme.settings, small.acme.tenant) as served:
            assert served.rows("SELECT count(*) FROM golden.person")[0][0] == len(before["golden.person"])
    after = small.acme.stored()
    assert [table for table, rows in after.items() if rows not in (before[table], second_day.stored[table])] == []
    assert after != second_day.stored
    small.acme.refresh()
    assert small.acme.stored() == second_day.stored


@pytest.mark.parametrize("stage", ["load", "refinement"])
def test_a_server_that_cannot_write_its_log_goes_down_and_with_room_the_work_goes_on(
    stage: str, small: Small, second_day: SecondDay
) -> None:
    small.acme.write(2)
    if stage == "refinement":
        assert small.acme.sync("crm", mode="full").status == "ok"
    with small.server.log_full():
        assert re.fullmatch(LOST, small.is_told(stage))
        small.server.stop("immediate")  # if it is not down yet
        assert re.fullmatch(DOWN, small.is_told(stage))
    told = House(small.server).log.read_text()
    assert re.search(r"PANIC: +could not write to file .*pg_wal.*No space left on device", told)
    small.server.start()
    small.server.psql("SELECT pg_drop_replication_slot('gone')")
    if stage == "load":
        assert small.acme.sync("crm", mode="full").status == "ok"
    small.acme.refresh()
    assert small.acme.stored() == second_day.stored


@pytest.mark.parametrize("mounted_by", ["root", "its user"])
def test_a_small_disk_needs_no_rights(mounted_by: str, house: House) -> None:
    disk = SmallDisk(1 << 20, house.server.system_user, mounted_by_root=mounted_by == "root")
    try:
        with disk.full(but=8192):
            assert "tmpfs" in disk.run("stat", "-f", ".")
            assert disk.run("df", "--output=avail", "-B1", ".").split()[-1] == "8192"
            assert disk.run("id", "-u").strip() != "0"
    finally:
        disk.close()
