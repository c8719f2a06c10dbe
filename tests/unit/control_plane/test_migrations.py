"""The database's schema: what migrations make is what the code expects, and opening a current one is quick."""

from __future__ import annotations

import contextlib
import io
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import gtm_pipelines.control_plane as package
from gtm_pipelines.control_plane import SchemaVersionError, open_control_plane
from gtm_pipelines.control_plane.database import open_engine
from gtm_pipelines.control_plane.migrations import HEAD
from gtm_pipelines.control_plane.schema import metadata

if TYPE_CHECKING:
    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings

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


def test_the_same_migrations_are_valid_for_postgres() -> None:
    config = Config(output_buffer=(written := io.StringIO()))
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("sqlalchemy.url", "postgresql+psycopg2://nowhere/none")
    with contextlib.redirect_stdout(written):
        command.upgrade(config, HEAD, sql=True)
    ddl = written.getvalue()
    assert "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW" in ddl
    assert "TIMESTAMP WITH TIME ZONE" in ddl
    assert "RAISE(ABORT" not in ddl


def test_opening_a_current_database_takes_milliseconds(plane: ControlPlane, settings: Settings) -> None:
    plane.close()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        open_control_plane(settings).close()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.03


def test_a_database_of_a_newer_version_is_refused_and_left_alone(plane: ControlPlane, settings: Settings) -> None:
    plane.close()
    connection = sqlite3.connect(settings.home / "control.db")
    connection.execute("update alembic_version set version_num = '9999'")
    connection.commit()
    with pytest.raises(SchemaVersionError, match="newer version"):
        open_control_plane(settings)
    assert connection.execute("select version_num from alembic_version").fetchall() == [("9999",)]
    connection.close()


def test_writers_do_not_block_readers(plane: ControlPlane, settings: Settings) -> None:
    connection = sqlite3.connect(settings.home / "control.db", isolation_level=None)
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.execute("begin immediate")
    assert plane.list_tenants() == []
    connection.execute("rollback")
    connection.close()


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
