"""The DuckDB adapter: waiting, transactions, memory, and the copy analysts read."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pytest

from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import (
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
    duck,
    names,
    open_published,
    open_warehouse,
    publish,
    sql_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@contextmanager
def held_by_another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    code = "import duckdb,sys;c=duckdb.connect(sys.argv[1]);print('held',flush=True);sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield holder
        finally:
            holder.kill()


def test_what_one_opening_writes_the_next_one_reads(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        assert warehouse.execute("CREATE TABLE t (a INTEGER)") == 0
        assert warehouse.execute("INSERT INTO t VALUES (1), (2)") == 2
        assert warehouse.execute("DELETE FROM t WHERE a = ?", [1]) == 1
    with open_warehouse(settings, "acme") as warehouse:
        assert warehouse.rows("SELECT a FROM t WHERE a = $a", {"a": 2}) == [(2,)]
        assert warehouse.arrow("FROM t").to_pylist() == [{"a": 2}]
        assert warehouse.polars("FROM t").to_dicts() == [{"a": 2}]
        assert sum(batch.num_rows for batch in warehouse.batches("FROM range(250)", size=100)) == 250


def test_a_transaction_that_raises_leaves_nothing(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("CREATE TABLE t (a INTEGER)")
        with pytest.raises(duckdb.ConversionException), warehouse.transaction():
            warehouse.execute("INSERT INTO t VALUES (1); INSERT INTO t VALUES ('no number')")
        assert warehouse.rows("FROM t") == []
        with warehouse.transaction():
            warehouse.execute("INSERT INTO t VALUES (2)")
        assert warehouse.rows("FROM t") == [(2,)]


def test_a_registered_table_is_readable_inside_its_block_only(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        with warehouse.registered("batch", pa.table({"a": [1, 2]})):
            assert warehouse.rows("SELECT sum(a) FROM batch") == [(3,)]
        with pytest.raises(duckdb.CatalogException):
            warehouse.rows("FROM batch")


def test_tenants_share_no_file(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("CREATE TABLE only_acme (a INTEGER)")
    with open_warehouse(settings, "acme_eu") as other:
        assert not other.has_table("main", "only_acme")


def test_memory_and_spill_follow_the_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, duckdb_memory="64MB")
    spill = names.spill_directory(settings, "acme")
    spill.mkdir(parents=True)
    (spill / "left_by_a_killed_process").touch()
    with open_warehouse(settings, "acme") as warehouse:
        limit, folder = warehouse.rows("SELECT current_setting('memory_limit'), current_setting('temp_directory')")[0]
        assert (limit, folder) == ("61.0 MiB", str(spill))
        assert not spill.exists()


def test_a_held_file_is_waited_for(settings: Settings) -> None:
    with held_by_another_process(names.warehouse_file(settings, "acme")) as holder:
        threading.Timer(0.5, holder.kill).start()
        began = time.monotonic()
        with open_warehouse(settings, "acme", wait=20) as warehouse:
            assert warehouse.rows("SELECT 1") == [(1,)]
        assert 0.3 < time.monotonic() - began < 15


def test_waiting_ends_with_the_holders_pid(settings: Settings) -> None:
    with (
        held_by_another_process(names.warehouse_file(settings, "acme")) as holder,
        pytest.raises(WarehouseBusyError, match=f"process {holder.pid}") as caught,
        open_warehouse(settings, "acme", wait=0.3),
    ):
        raise AssertionError
    assert caught.value.pid == holder.pid


def test_several_threads_work_where_a_file_has_enough_for_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = "SELECT current_setting('threads')"
    with open_warehouse(settings, "acme") as warehouse:
        assert warehouse.rows(threads) == [(1,)]
    monkeypatch.setattr(duck, "_SMALL", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    with open_warehouse(settings, "acme") as warehouse:
        assert warehouse.rows(threads) == [(3,)]


def test_threads_of_one_process_take_turns(settings: Settings) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with open_warehouse(settings, "acme") as warehouse:
            inside += 1
            most = max(most, inside)
            warehouse.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER); INSERT INTO t VALUES (1)")
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with open_warehouse(settings, "acme") as warehouse:
        assert (most, warehouse.rows("SELECT count(*) FROM t")) == (1, [(6,)])


def test_a_thread_that_waits_in_vain_is_told_so(settings: Settings) -> None:
    with (
        open_warehouse(settings, "acme"),
        pytest.raises(WarehouseBusyError, match="'acme' is in use by another task"),
        open_warehouse(settings, "acme", wait=0.05),
    ):
        raise AssertionError


def test_a_file_that_is_no_database_is_named(settings: Settings) -> None:
    path = names.warehouse_file(settings, "acme")
    path.parent.mkdir(parents=True)
    path.mkdir()
    with pytest.raises(WarehouseError, match="cannot be opened"), open_warehouse(settings, "acme"):
        raise AssertionError


def test_a_postgres_url_is_refused_rather_than_ignored(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, warehouse_url="postgresql://localhost/x")
    with pytest.raises(WarehouseError, match="GTM_WAREHOUSE_URL"), open_warehouse(settings, "acme"):
        raise AssertionError


def test_raw_entities_are_known_by_the_vendors_spelling(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        assert warehouse.raw_entities() == []
        warehouse.ensure_tables()
        warehouse.execute(
            "INSERT INTO raw.entity VALUES ('crm', 'salesforce', 'Contact', 'contact', now()),"
            " ('crm', 'salesforce', 'Lead', 'lead', now());"
            "CREATE SCHEMA raw_crm; CREATE TABLE raw_crm.contact (a INTEGER)"
        )
        assert warehouse.raw_entities() == [("crm", "Contact")]
        assert warehouse.raw_table("crm", "Contact") == '"raw_crm"."contact"'
        assert warehouse.columns("raw_crm", "contact") == {"a": "INTEGER"}
        warehouse.ensure_tables()


def test_a_published_copy_shows_the_state_at_publication(settings: Settings) -> None:
    with pytest.raises(WarehouseMissingError, match="gtm sync acme"):
        publish(settings, "acme")
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("CREATE SCHEMA acme; CREATE TABLE acme.t AS SELECT 1 AS a")
    with pytest.raises(WarehouseMissingError, match="nothing is published"), open_published(settings, "acme"):
        raise AssertionError
    assert publish(settings, "acme") == settings.published_dir / "acme.duckdb"
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("UPDATE acme.t SET a = 2")
    with open_published(settings, "acme") as published:
        assert published.rows("FROM acme.t") == [(1,)]
    publish(settings, "acme")
    with open_published(settings, "acme") as published:
        assert published.rows("FROM acme.t") == [(2,)]
    assert [each.name for each in settings.published_dir.iterdir()] == ["acme.duckdb"]


def test_a_published_copy_holds_no_bookkeeping_and_the_private_file_keeps_it(settings: Settings) -> None:
    hidden = ["raw_crm._dlt_loads", "_staging_raw_crm.contact", "raw_raw_crm_staging._dlt_version", "canonical.pending"]
    hidden += ["golden.account_key", "golden.resolution", "quality.refined_load", "raw.field", "raw.typed_view"]
    shown = ["raw_crm.contact", "raw_x_staging.contact", "crm._dlt_of_theirs", "canonical.person", "golden.person_key"]
    shown += ["golden.person", "quality.quarantine", "raw.entity", "marts.pending"]
    with open_warehouse(settings, "acme") as warehouse:
        for schema in sorted({name.split(".")[0] for name in hidden + shown}):
            warehouse.execute(f"CREATE SCHEMA {schema}")
        for name in hidden + shown:
            warehouse.execute(f"CREATE TABLE {name} AS SELECT 1 AS a; COMMENT ON COLUMN {name}.a IS 'kept'")
    publish(settings, "acme")
    tables = "SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY ALL"
    with open_published(settings, "acme") as published:
        assert [name for (name,) in published.rows(tables)] == sorted(shown)
        assert set(published.rows("SELECT comment FROM duckdb_columns() WHERE NOT internal")) == {("kept",)}
        schemas = {name for (name,) in published.rows("SELECT schema_name FROM duckdb_schemas()")}
        assert not {name for name in schemas if names.is_staging(name)}
    with open_warehouse(settings, "acme") as warehouse:
        assert [name for (name,) in warehouse.rows(tables)] == sorted(hidden + shown)


def test_a_reader_keeps_its_copy_while_a_new_one_is_published(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("CREATE TABLE t AS SELECT range AS a FROM range(100000)")
    publish(settings, "acme")
    with open_published(settings, "acme") as reader:
        assert reader.rows("SELECT count(*) FROM t") == [(100_000,)]
        with open_warehouse(settings, "acme", wait=0) as warehouse:
            warehouse.execute("DELETE FROM t")
        publish(settings, "acme", wait=0)
        assert reader.rows("SELECT count(*), sum(a) FROM t") == [(100_000, 4_999_950_000)]
    with open_published(settings, "acme") as reader:
        assert reader.rows("SELECT count(*) FROM t") == [(0,)]


def test_publishing_does_not_let_go_of_the_writers_lock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing any handle of the file would drop the process's lock and let a second writer in beside DuckDB."""
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("CREATE TABLE t AS SELECT 1 AS a")
    outcomes: list[str] = []

    def probe(*_: object, **__: object) -> None:
        code = "import duckdb,sys;duckdb.connect(sys.argv[1])"
        path = names.warehouse_file(settings, "acme")
        outcomes.append(
            subprocess.run([sys.executable, "-c", code, str(path)], check=False, capture_output=True, text=True).stderr
        )

    monkeypatch.setattr("gtm_pipelines.warehouse.publishing._replace", probe)
    publish(settings, "acme")
    assert "Could not set lock" in outcomes[0]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY t TO '/tmp/out_of_the_warehouse.csv'",
        "ATTACH '/tmp/other.duckdb' AS other",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "INSTALL httpfs",
        "INSERT INTO t VALUES (2)",
        "DROP TABLE t",
        "CREATE TABLE warehouse.main.u (a INTEGER)",
    ],
)
def test_an_analysts_sql_reaches_nothing_but_the_copy(settings: Settings, statement: str) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute("CREATE TABLE t AS SELECT 1 AS a")
    publish(settings, "acme")
    with open_published(settings, "acme") as published:
        assert published.rows("FROM t") == [(1,)]
        with pytest.raises(duckdb.Error):
            published.execute(statement)


def test_sql_files_are_found_by_their_path_and_only_there() -> None:
    assert "raw.entity" in sql_files.load("warehouse/tables.sql")
    assert "warehouse/tables.sql" in sql_files.files("warehouse")
    with pytest.raises(ValueError, match="outside"):
        sql_files.load("../pyproject.toml")
