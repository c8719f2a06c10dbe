"""A unit of work on Postgres: what it takes back is exactly what changed, and a unit that fails leaves no trace."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import psycopg2
import pytest

from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import WarehouseError, WarehouseRefusedError, open_warehouse
from gtm_pipelines.warehouse.postgres import store, workset
from tests import warehouses
from tests.unit.warehouse.operating import operator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gtm_pipelines.warehouse import Warehouse

BIG = "SELECT i::VARCHAR FROM range(10000) t(i)"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, warehouse_url=warehouses.fresh())


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    with opened(settings) as warehouse:
        yield warehouse


@contextmanager
def opened(settings: Settings) -> Iterator[Warehouse]:
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("CREATE SCHEMA golden")
        yield warehouse


def test_rows_alike_in_every_column_are_stored_as_often_as_they_are_there(warehouse: Warehouse) -> None:
    warehouse.execute("CREATE TABLE golden.twin (a VARCHAR, b DOUBLE)")
    for rows in ("xxy", "xyy", "xxxyz", "xyyyz", "xxyy", "xy", "xxyy", "xxy", "xxyz", "xxx", "y", "", "xx"):
        with warehouse.transaction():
            warehouse.execute("DELETE FROM golden.twin")
            warehouse.execute("INSERT INTO golden.twin SELECT unnest(?), NULL", [list(rows)])
        assert dict(warehouse.served.rows("SELECT a, count(*) FROM golden.twin GROUP BY a")) == Counter(rows)


def test_what_stays_as_it_was_is_not_written_again(warehouse: Warehouse) -> None:
    warehouse.execute("CREATE TABLE golden.twin (a VARCHAR)")
    warehouse.execute("INSERT INTO golden.twin VALUES ('x'), ('x'), ('y')")
    before = warehouse.served.rows("SELECT ctid::text, a FROM golden.twin ORDER BY 1")
    with warehouse.transaction():
        warehouse.execute("DELETE FROM golden.twin WHERE a = 'x'")
        warehouse.execute("INSERT INTO golden.twin VALUES ('x')")
    after = warehouse.served.rows("SELECT ctid::text, a FROM golden.twin ORDER BY 1")
    assert len(after) == 2
    assert set(after) < set(before)


def test_an_endless_moment_is_endless_here_too_and_goes_back_as_one(settings: Settings, warehouse: Warehouse) -> None:
    warehouse.execute("CREATE TABLE golden.moment (a VARCHAR, moment TIMESTAMPTZ, said JSON)")
    with operator(settings) as cursor:
        cursor.execute("INSERT INTO acme__golden.moment VALUES ('+', 'infinity'), ('-', '-infinity'), ('0', NULL)")
    mine = "SELECT a || a, moment, '[1]' FROM golden.moment UNION ALL SELECT 'n', '2026-01-02 03:04:05.678901Z', NULL"
    assert warehouse.execute(f"INSERT INTO golden.moment {mine}") == 4
    assert warehouse.rows("SELECT a FROM golden.moment WHERE moment > '9999-12-31' ORDER BY a") == [("+",), ("++",)]
    assert warehouse.rows("SELECT a FROM golden.moment WHERE moment = '-infinity' ORDER BY a") == [("-",), ("--",)]
    told = dict(warehouse.served.rows("SELECT a, moment::text FROM golden.moment"))
    assert told == {"+": "infinity", "++": "infinity", "-": "-infinity", "--": "-infinity", "0": None, "00": None} | {
        "n": "2026-01-02 03:04:05.678901+00"
    }
    ((first, last),) = warehouse.served.rows("SELECT min(moment), max(moment) FROM golden.moment")
    assert (first.year, last.year) == (1, 9999)


def test_a_statement_whose_commit_fails_has_defined_nothing(settings: Settings, warehouse: Warehouse) -> None:
    warehouse.execute("CREATE TABLE golden.single (a VARCHAR)")
    with operator(settings) as cursor:
        cursor.execute("ALTER TABLE acme__golden.single ADD UNIQUE (a) DEFERRABLE INITIALLY DEFERRED")
    define = "CREATE TABLE IF NOT EXISTS golden.new (a VARCHAR)"
    with pytest.raises(WarehouseError, match="duplicate key"):
        warehouse.execute(f"{define}; INSERT INTO golden.single VALUES ('x'), ('x')")
    warehouse.execute(define)
    warehouse.execute("INSERT INTO golden.new VALUES ('y')")
    assert warehouse.served.rows("SELECT a FROM golden.new") == [("y",)]
    assert warehouse.rows("SELECT a FROM golden.single") == []


def test_what_the_driver_cannot_send_is_no_lost_connection(settings: Settings, warehouse: Warehouse) -> None:
    warehouse.execute("CREATE TABLE golden.changed (a VARCHAR)")
    with operator(settings) as cursor:
        cursor.execute("ALTER TABLE acme__golden.changed ALTER a TYPE numeric USING NULL")
        with pytest.raises(WarehouseRefusedError, match="'string' to PostgreSQL numeric is not implemented"):
            warehouse.execute("INSERT INTO golden.changed VALUES ('x')")
        cursor.execute("ALTER TABLE acme__golden.changed ALTER a TYPE text")
    warehouse.execute("INSERT INTO golden.changed VALUES ('y')")
    assert warehouse.served.rows("SELECT a FROM golden.changed") == [("y",)]


def test_a_row_for_a_table_that_is_not_there_is_an_error_and_not_lost(settings: Settings) -> None:
    """The bookkeeping's tables are here before they are at the server."""
    change = "DELETE FROM quality.refined_load"
    with open_warehouse(settings, "acme") as warehouse:
        with pytest.raises(WarehouseError, match=r"there is no table quality\.refined_load to write"):
            warehouse.execute(change)
        warehouse.ensure_tables()
        assert warehouse.execute(change) == 0


def test_a_grown_table_is_analysed_once_its_rows_are_committed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps the server from it has kept nothing else from being done."""
    monkeypatch.setattr(store, "LOCK_WAIT_S", 0.1)
    known = "SELECT reltuples::int FROM pg_class WHERE oid = 'acme__golden.big'::regclass"
    with opened(settings) as warehouse, operator(settings) as cursor:
        warehouse.execute("CREATE TABLE golden.big (a VARCHAR)")
        cursor.execute("BEGIN; LOCK TABLE acme__golden.big IN SHARE UPDATE EXCLUSIVE MODE")  # as ANALYZE itself
        warehouse.execute(f"INSERT INTO golden.big {BIG}")
        cursor.execute("ROLLBACK")
        assert warehouse.served.rows(f"SELECT count(*), ({known}) FROM golden.big") == [(10_000, -1)]
        warehouse.execute(f"INSERT INTO golden.big {BIG}")
        assert warehouse.served.rows(known) == [(20_000,)]


def test_what_was_rolled_back_is_not_analysed(settings: Settings, warehouse: Warehouse) -> None:
    warehouse.execute("CREATE TABLE golden.big (a VARCHAR)")
    with operator(settings) as cursor:
        cursor.execute("ALTER TABLE acme__golden.big ADD UNIQUE (a) DEFERRABLE INITIALLY DEFERRED")
    with pytest.raises(WarehouseError, match="duplicate key"):
        warehouse.execute(f"INSERT INTO golden.big {BIG} UNION ALL SELECT '1'")
    warehouse.execute("INSERT INTO golden.big VALUES ('x')")
    known = warehouse.served.rows("SELECT reltuples::int FROM pg_class WHERE oid = 'acme__golden.big'::regclass")
    assert known == [(-1,)]


def test_what_does_not_fit_into_memory_is_put_on_disk_on_a_machine_that_never_had_a_warehouse(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new", warehouse_url=warehouses.fresh(), duckdb_memory="32MB")
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("CREATE TEMP TABLE much AS SELECT md5(i::VARCHAR) AS a FROM range(1000000) t(i)")
        assert warehouse.rows("SELECT count(*) FROM much") == [(1_000_000,)]


TIMEOUTS = ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout")


def test_several_threads_work_once_there_are_rows_enough_for_them(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workset, "_ROW_GROUP", 4)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    warehouse.execute("CREATE TABLE golden.few AS SELECT unnest(range(3)) AS a")
    threads = "SELECT current_setting('threads'), count(*) FROM golden.few"
    assert warehouse.rows(threads) == [(1, 3)]
    warehouse.execute("INSERT INTO golden.few SELECT unnest(range(3))")
    assert warehouse.rows(threads)[0][1] == 6
    assert warehouse.rows(threads)[0][0] == 3


def test_no_timeout_that_the_server_has_for_all_ends_a_session_that_computes(settings: Settings) -> None:
    with operator(settings) as cursor:
        for timeout in TIMEOUTS:
            cursor.execute(f"ALTER ROLE gtm SET {timeout} = '1h'")
    try:
        with open_warehouse(settings, "acme") as warehouse:
            assert [warehouse.served.rows(f"SHOW {timeout}") for timeout in TIMEOUTS] == [[("0",)]] * 3
            loading = psycopg2.connect(warehouse.load_target("crm").address)
            try:
                with loading.cursor() as cursor:
                    for timeout in TIMEOUTS:
                        cursor.execute(f"SHOW {timeout}")
                        assert cursor.fetchone() == ("0",)
            finally:
                loading.close()
    finally:
        with operator(settings) as cursor:
            cursor.execute("ALTER ROLE gtm RESET ALL")


@pytest.mark.parametrize("comment", ["-- as it is", "/* as it is */"])
def test_a_question_may_end_in_a_comment(warehouse: Warehouse, comment: str) -> None:
    assert warehouse.served.rows(f"SELECT 1 AS one {comment}") == [(1,)]


def test_bookkeeping_is_there_again_after_a_unit_that_failed(settings: Settings) -> None:
    """It is made here when it is first asked for, which a rollback undoes."""
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.ensure_tables()
    with open_warehouse(settings, "acme") as warehouse:
        with pytest.raises(duckdb.CatalogException), warehouse.transaction():
            warehouse.rows("SELECT count(*) FROM raw.entity, golden.nothing")
        assert warehouse.rows("SELECT count(*) FROM raw.entity") == [(0,)]
