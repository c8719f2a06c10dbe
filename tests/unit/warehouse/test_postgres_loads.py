"""What dlt loads on Postgres is loaded by the one who may, and comes to refinement as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connectors.connector import Page
from connectors.landing import RecordShape, land
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.ingest import load
from gtm_pipelines.refine import slices
from gtm_pipelines.refine.statements import Scope
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from gtm_pipelines.warehouse.postgres.store import Store
from tests import warehouses
from tests.unit.ingest.rig import Rig, Vendor, mark
from tests.unit.warehouse.operating import operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gtm' AND datname = current_database()"
)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    settings = Settings(home=tmp_path, warehouse_url=warehouses.fresh())
    with open_control_plane(settings) as control:
        control.add_tenant("acme")
        control.add_connection("acme", "crm", "scripted")
        yield Rig(settings, control, Vendor())


def says(rig: Rig, *keys: str) -> None:
    """Have the vendor tell of these records."""
    records = ",".join(f'{{"id":"{key}"}}' for key in keys)
    rig.vendor.says(Page(land(f"[{records}]".encode(), RecordShape("$", "id")).table, mark(len(keys)), has_more=False))


def while_dlt_prepares(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Have something happen once, after the rows were compared and before dlt loads them."""
    check, left = load._check_names, [deed]

    def checked(*given: Any) -> None:
        check(*given)
        if left:
            left.pop()()

    monkeypatch.setattr(load, "_check_names", checked)


def test_nothing_is_loaded_by_one_whose_session_is_gone(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant's lock went with it: another may have loaded the same records since they were compared."""
    says(rig, "a")
    assert rig.sync().status == "ok"

    def end_sessions() -> None:
        with operator(rig.settings) as cursor:
            cursor.execute(END_SESSIONS)

    says(rig, "a", "b")
    while_dlt_prepares(monkeypatch, end_sessions)
    report = rig.sync()
    assert (report.status, report.errors[0].code) == ("failed", "warehouse_failed")
    assert set(rig.stored()) == {"a"}
    assert rig.sync().status == "ok"
    assert set(rig.stored()) == {"a", "b"}


def test_nothing_is_loaded_by_one_whose_lease_was_taken_over(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    says(rig, "a")
    assert rig.sync().status == "ok"

    def take_over() -> None:
        rig.control.remove_connection("acme", "crm")

    says(rig, "a", "b")
    while_dlt_prepares(monkeypatch, take_over)
    report = rig.sync()
    assert (report.status, report.errors[0].code) == ("failed", "lease_lost")
    assert set(rig.stored()) == {"a"}


def test_a_loads_records_come_as_a_stream_and_never_as_one_whole_answer(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(rig, "a", "b")
    rig.sync()
    says(rig, "c")
    rig.sync()

    def read(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Store, "read", read)
    with open_warehouse(rig.settings, "acme") as warehouse, warehouse.transaction():
        _, newest = warehouse.load_ids("crm", "people")
        scope = Scope("crm", "people", warehouse.raw_table("crm", "people"))
        slices.records_of_loads(warehouse, scope, [newest])
        assert warehouse.rows(f"SELECT external_id FROM {scope.raw}") == [("c",)]
