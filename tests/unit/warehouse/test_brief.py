"""A private file that is opened for small questions: as any other opening, and soon over."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import duckdb
import pytest

from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import WarehouseBusyError, WarehouseError, names, open_warehouse
from tests.unit.warehouse.test_duck import held_by_another_process

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    fill(settings, "acme", 1)
    return settings


def fill(settings: Settings, tenant: str, value: int) -> None:
    with open_warehouse(settings, tenant) as warehouse:
        warehouse.execute(f"CREATE SCHEMA golden; CREATE TABLE golden.t AS SELECT {value} AS a")


def look(settings: Settings, tenant: str) -> int:
    with open_warehouse(settings, tenant, brief=True) as warehouse:
        assert warehouse.has_table("golden", "t")
        assert not warehouse.has_table("golden", "u")
        return int(warehouse.rows("SELECT a FROM golden.t")[0][0])


def test_it_shows_what_is_stored_and_lets_go_of_the_file(settings: Settings) -> None:
    assert look(settings, "acme") == 1
    with held_by_another_process(names.warehouse_file(settings, "acme")):
        pass
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("UPDATE golden.t SET a = 2")
    assert look(settings, "acme") == 2


def test_it_lets_go_of_the_file_when_a_question_fails(settings: Settings) -> None:
    with pytest.raises(duckdb.CatalogException), open_warehouse(settings, "acme", brief=True) as warehouse:
        warehouse.rows("FROM golden.nothing")
    with held_by_another_process(names.warehouse_file(settings, "acme")):
        pass


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    with open_warehouse(Settings(home=tmp_path), "acme", brief=True) as warehouse:
        assert not warehouse.has_table("golden", "t")


def test_waiting_for_another_process_ends_with_its_number(settings: Settings) -> None:
    with (
        held_by_another_process(names.warehouse_file(settings, "acme")) as holder,
        pytest.raises(WarehouseBusyError, match=f"process {holder.pid}"),
        open_warehouse(settings, "acme", wait=0.3, brief=True),
    ):
        raise AssertionError


def test_what_a_killed_process_had_committed_is_seen(settings: Settings) -> None:
    path = names.warehouse_file(settings, "acme")
    code = (
        "import duckdb, os, sys; connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute('UPDATE golden.t SET a = 7').fetchall(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert path.with_name(f"{path.name}.wal").exists()
    assert look(settings, "acme") == 7


def test_a_file_that_is_no_database_is_named(settings: Settings) -> None:
    names.warehouse_file(settings, "acme").write_text("something else")
    with (
        pytest.raises(WarehouseError, match="cannot be opened"),
        open_warehouse(settings, "acme", brief=True),
    ):
        raise AssertionError


def test_threads_look_at_their_tenants_at_once(settings: Settings) -> None:
    tenants = [f"tenant_{number}" for number in range(6)]
    for number, tenant in enumerate(tenants):
        fill(settings, tenant, number)
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda tenant: look(settings, tenant), tenants * 5)) == [*range(6)] * 5


def shapes_of(settings: Settings, *, brief: bool) -> dict[str, str]:
    with open_warehouse(settings, "acme", brief=brief) as warehouse:
        warehouse.ensure_tables()
        return warehouse.columns("quality", "refined_load")


def test_it_goes_by_what_was_noted_of_the_bookkeeping_tables(settings: Settings) -> None:
    whole = shapes_of(settings, brief=False)
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("ALTER TABLE quality.refined_load DROP COLUMN mapping_version")
    assert shapes_of(settings, brief=True).keys() == whole.keys() - {"mapping_version"}
    assert shapes_of(settings, brief=False) == whole, "work mends what was altered by hand"


@pytest.mark.parametrize("note", ["DROP TABLE quality.defined", "UPDATE quality.defined SET hash = 'earlier'"])
def test_it_brings_the_tables_of_another_release_in_step(settings: Settings, note: str) -> None:
    whole = shapes_of(settings, brief=False)
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("ALTER TABLE quality.refined_load DROP COLUMN mapping_version")
        warehouse.execute(note)
    assert shapes_of(settings, brief=True) == whole
    assert shapes_of(settings, brief=True) == whole
