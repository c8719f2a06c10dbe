"""The database's schema: what migrations make is what the code expects, and opening a current one is quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

import gtm_pipelines.control_plane as package
from gtm_pipelines.control_plane import SchemaVersionError, open_control_plane
from gtm_pipelines.control_plane.engine import open_engine
from gtm_pipelines.control_plane.migrate import ensure_current
from gtm_pipelines.control_plane.migrations import HEAD
from gtm_pipelines.control_plane.schema import metadata
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings
    from tests.unit.control_plane.databases import ControlDatabase

SCRIPTS = Path(package.__file__).parent / "migrations"


def test_migrations_make_exactly_the_tables_the_code_uses(plane: ControlPlane, settings: Settings) -> None:
    engine = open_engine(settings.control_database_url)
    try:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    finally:
        engine.dispose()
        plane.close()


def test_the_stated_head_is_the_scripts_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_database_of_an_older_version_is_brought_up_to_date_with_its_rows(
    acme: ControlPlane, settings: Settings, database: ControlDatabase
) -> None:
    """Put back to 0002, before row-level security, and opened."""
    acme.close()
    if database.name == "postgres":
        tables = database.run("select distinct tablename, policyname from pg_policies")
        for table, policy in tables:
            database.run(f"drop policy {policy} on {table}")
            database.run(f"alter table {table} disable row level security, no force row level security")
        database.run("drop trigger audit_log_in_order on audit_log")
        for function in ("control_tenant", "control_every", "audit_log_in_order"):
            database.run(f"drop function {function}")
    database.run("update alembic_version set version_num = '0002'")
    with open_control_plane(settings) as upgraded:
        assert upgraded.credential_store("acme", "crm").read()["client_id"].reveal() == "client-of-acme"
        assert upgraded.verify_audit() == []


def test_opening_a_current_database_asks_little_and_writes_nothing(plane: ControlPlane, settings: Settings) -> None:
    """Every command and every run of Dagster opens it."""
    plane.close()
    asked: list[str] = []
    engine = open_engine(settings.control_database_url)
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2].lstrip().lower()))
    ensure_current(engine)
    engine.dispose()
    assert len(asked) <= 4
    assert {statement.split()[0] for statement in asked} <= {"begin", "pragma", "select"}


def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    plane: ControlPlane, settings: Settings, raw: Callable[..., list[tuple[Any, ...]]]
) -> None:
    plane.close()
    raw("update alembic_version set version_num = '9999'")
    with pytest.raises(SchemaVersionError, match="newer version"):
        open_control_plane(settings)
    assert raw("select version_num from alembic_version") == [("9999",)]


def test_writers_do_not_block_readers(plane: ControlPlane) -> None:
    with plane._database.mutate(TenantId("acme")) as work:
        work.connection.execute(text("update audit_head set seq = seq"))
        assert plane.list_tenants() == []


def test_the_control_plane_loads_no_heavy_library() -> None:
    """Dagster's definitions import it: dlt, duckdb, polars, pyarrow and alembic must wait until someone needs them."""
    program = (
        "import sys, gtm_pipelines.control_plane as c; "
        "print([m for m in ('dlt','duckdb','polars','pyarrow','pandas','dagster','alembic','cryptography','croniter',"
        "'httpx','pandera') if m in sys.modules])"
    )
    root = Path(package.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
