"""Bringing the database to the schema this code expects: fast when it is there, safe when many start at once."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from gtm_pipelines.control_plane.engine import BEGIN
from gtm_pipelines.control_plane.errors import SchemaVersionError, UnboundRoleError
from gtm_pipelines.control_plane.faults import typed_faults
from gtm_pipelines.control_plane.migrations import HEAD
from gtm_pipelines.control_plane.scope import Every, enter

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LOCK = 4_711_202_601  # any constant: the one advisory lock of this application's migrations in Postgres


def ensure_current(engine: Engine) -> None:
    """Run outstanding migrations; one process does it, the others wait and find it done."""
    with typed_faults():
        with engine.begin() as connection:
            _refuse_unbound_role(connection)
            found = _version(connection)
        if found == HEAD:
            return
        if engine.dialect.name == "sqlite":
            _enable_wal(engine)
        with engine.execution_options(**{BEGIN: "IMMEDIATE"}).begin() as connection:
            enter(connection, Every.MIGRATION)
            if connection.dialect.name == "postgresql":
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if _version(connection) != HEAD:
                _upgrade(connection)


def _refuse_unbound_role(connection: Connection) -> None:
    """Refuse a user of Postgres that row-level security does not bind: it would bind nobody, and nothing would show."""
    if connection.dialect.name != "postgresql":
        return
    query = "select rolname from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)"
    user = connection.scalar(text(query))
    if user is not None:
        raise UnboundRoleError(
            f"the user {user} of GTM_CONTROL_URL is above Postgres' row-level security, which keeps tenants apart: "
            "make a plain one (create role gtm login password '...'; create database gtm owner gtm) and name it there"
        )


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("select version_num from alembic_version"))
    return None if found is None else str(found)


def _upgrade(connection: Connection) -> None:
    """Run Alembic inside the caller's transaction: a kill leaves the old schema, never half of the new one."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise SchemaVersionError(
            "the control plane was written by a newer version of gtm-pipelines: install that version or a later one"
        ) from error


def _enable_wal(engine: Engine) -> None:
    """Switch the file to WAL once; SQLite answers busy at once here, whatever the timeout, so wait ourselves."""
    deadline = time.monotonic() + 30
    connection = engine.raw_connection()
    try:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return
    finally:
        connection.close()
