"""Opening the control plane's database and its three kinds of transaction.

``read`` sees one consistent state; ``mutate`` changes configuration and commits only together with an audit row;
``coordinate`` moves leases, which are not data and leave no audit. Nothing here knows a table's meaning.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Double, create_engine, event, exc, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from gtm_pipelines.control_plane.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.sql.compiler import SQLCompiler

    from connectors.connector import Clock

BUSY_TIMEOUT_MS = 30_000
"""How long a SQLite writer waits for the others; each holds the lock for a few milliseconds."""

_BEGIN = "gtm_begin"
_MUTATION_LOCK = 4_711_202_602  # any constant of our own


class database_now(GenericFunction[float]):  # noqa: N801  SQL functions are written in lower case
    """Seconds since 1970 by the database's clock, so that workers with skewed clocks agree when a lease ends."""

    type = Double()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001  SQLAlchemy's signature
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_now, "postgresql")
def _postgres_now(element: database_now, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001  SQLAlchemy's signature
    return "extract(epoch from clock_timestamp())::double precision"


@dataclass
class Transaction:
    """One open transaction that may write, on whose behalf, and whether it has been audited."""

    connection: Connection
    actor: str
    clock: Clock
    audited: bool = field(default=False)


class Database:
    """An engine and the ways to use it. Safe for threads; after a fork the child opens connections of its own."""

    def __init__(self, engine: Engine, *, actor: str, clock: Clock) -> None:
        self.engine = engine
        self._reader = engine  # a SQLite transaction sees one state by nature; Postgres must be told to
        if engine.dialect.name == "postgresql":
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = engine.execution_options(**{_BEGIN: "IMMEDIATE"})
        self._actor = actor
        self._clock = clock

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction that sees one state of the database from beginning to end."""
        with _busy_is_typed(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def mutate(self) -> Iterator[Transaction]:
        """Open a transaction that commits only if something in it was audited; otherwise it leaves no trace."""
        with _busy_is_typed(), self._writer.connect() as connection, connection.begin() as transaction:
            if connection.dialect.name == "postgresql":  # one mutation at a time, as SQLite has it by nature
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _MUTATION_LOCK})
            work = Transaction(connection, self._actor, self._clock)
            yield work
            if not work.audited:
                transaction.rollback()

    @contextmanager
    def coordinate(self) -> Iterator[Connection]:
        """Open a write transaction for leases and locks only."""
        with _busy_is_typed(), self._writer.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


def open_engine(url: str) -> Engine:
    """Make the engine for ``url``; creates a SQLite file (readable by its owner only) but no tables."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":  # SQLAlchemy 2.1 would pick psycopg 3, which is not installed
        parsed = parsed.set(drivername="postgresql+psycopg2")
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        _touch_private(Path(parsed.database))
    engine = create_engine(parsed, hide_parameters=True)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "checkout", _on_checkout)
    event.listen(engine, "begin", _on_begin)
    return engine


def _touch_private(path: Path) -> None:
    """Create the file before SQLite does, so that it and its journals are never readable by others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _on_connect(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # we write BEGIN ourselves: the driver's own comes too late for DDL and reads
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")  # REPLACE then fires the audit log's delete trigger
    connection.execute("PRAGMA synchronous = FULL")  # a rotated refresh token must survive a power cut
    connection.execute("PRAGMA trusted_schema = OFF")
    record.info["pid"] = os.getpid()


def _on_checkout(connection: sqlite3.Connection, record: Any, proxy: Any) -> None:  # noqa: ARG001  SQLAlchemy's signature
    """Refuse a connection carried over a fork, which would corrupt the file: the child then opens its own."""
    if record.info["pid"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None
        raise exc.DisconnectionError("the connection belongs to the parent process")


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(_BEGIN, 'DEFERRED')}")


@contextmanager
def _busy_is_typed() -> Iterator[None]:
    try:
        yield
    except exc.OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise BusyError("the control plane is locked by another process; run the command again") from None
        raise
