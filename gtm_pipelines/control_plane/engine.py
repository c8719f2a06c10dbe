"""Making the engine for ``GTM_CONTROL_URL``: what every connection to SQLite or Postgres is set to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, exc
from sqlalchemy.engine import make_url

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane.errors import InvalidInputError

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

BUSY_TIMEOUT_MS = 30_000
"""How long a SQLite writer waits for the others; each holds the lock for a few milliseconds."""

BEGIN = "gtm_begin"
"""Execution option: how a SQLite transaction begins."""

_NETWORK = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # a cable that was pulled is noticed while a statement waits
    "application_name": "gtm-pipelines",
}
"""libpq's settings for a network that may fail; the address overrides each of them."""


def open_engine(url: str) -> Engine:
    """Make the engine for ``url``; creates a SQLite file (readable by its owner only) but no tables."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    settings = {name: value for name, value in _NETWORK.items() if name not in parsed.query}
    return create_engine(parsed, hide_parameters=True, pool_pre_ping=True, connect_args=settings)


def _parsed(url: str) -> URL:
    """Read the address; nothing of it is repeated in an error, because a password may be anywhere in a broken one."""
    form = "write postgresql://user:password@host/database, with @ : / ? # % in the password percent-encoded"
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise InvalidInputError(f"GTM_CONTROL_URL is no database address: {form}") from None
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        return parsed
    if parsed.drivername not in {"postgresql", "postgres", "postgresql+psycopg2"}:
        raise InvalidInputError(f"GTM_CONTROL_URL names no database that can hold the control plane: {form}")
    if url.partition("?")[0].count("@") > 1:  # the rest of the password would be taken for the host, and shown
        raise InvalidInputError(f"GTM_CONTROL_URL has more than one @: {form}")
    if parsed.password:
        Secret(str(parsed.password))  # known from now on, so that no message or log shows it
    return parsed.set(drivername="postgresql+psycopg2")  # SQLAlchemy 2.1 would pick psycopg 3, which is not installed


def _sqlite(parsed: URL) -> Engine:
    if parsed.database and parsed.database != ":memory:":
        _touch_private(Path(parsed.database))
    engine = create_engine(parsed, hide_parameters=True)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _touch_private(path: Path) -> None:
    """Create the file before SQLite does, so that it and its journals are never readable by others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we write BEGIN ourselves: the driver's own comes too late for DDL and reads
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")  # REPLACE then fires the audit log's delete trigger
    connection.execute("PRAGMA synchronous = FULL")  # a rotated refresh token must survive a power cut
    connection.execute("PRAGMA trusted_schema = OFF")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(BEGIN, 'DEFERRED')}")
