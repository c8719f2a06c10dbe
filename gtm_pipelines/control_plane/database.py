"""The control plane's three kinds of transaction, each in a stated scope.

``read`` sees one consistent state; ``mutate`` changes configuration and commits only together with an audit row;
``coordinate`` moves leases, which are not data and leave no audit. Nothing here knows a table's meaning.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Double, exc, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from gtm_pipelines.control_plane.engine import BEGIN
from gtm_pipelines.control_plane.faults import typed_faults
from gtm_pipelines.control_plane.scope import enter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.sql.compiler import SQLCompiler

    from connectors.connector import Clock
    from gtm_pipelines.control_plane.scope import Scope

PATIENCE_S = 15.0
"""How long a Postgres that answered before may take to come back, as after a restart."""

_MUTATION_LOCK = 4_711_202_602  # any constant of our own


class database_now(GenericFunction[float]):  # noqa: N801  SQL functions are written in lower case
    """Seconds since 1970 by the database's clock, so that workers with skewed clocks agree when a lease ends."""

    type = Double()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite_now(_element: database_now, _compiler: SQLCompiler, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_now, "postgresql")
def _postgres_now(_element: database_now, _compiler: SQLCompiler, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


@dataclass
class Transaction:
    """One open transaction that may write, on whose behalf, and whether it has been audited."""

    connection: Connection
    actor: str
    clock: Clock
    audited: bool = field(default=False)


class Database:
    """An engine that has answered once, and the ways to use it. Safe for threads and on both sides of a fork."""

    def __init__(self, engine: Engine, *, actor: str, clock: Clock) -> None:
        self.engine = engine
        self._reader = engine  # a SQLite transaction sees one state by nature; Postgres must be told to
        if engine.dialect.name == "postgresql":
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writer = engine.execution_options(**{BEGIN: "IMMEDIATE"})
        self._actor = actor
        self._clock = clock
        self._process = os.getpid()

    @contextmanager
    def read(self, scope: Scope) -> Iterator[Connection]:
        """Open a read transaction that sees one state of the database from beginning to end."""
        with typed_faults(), self._checked_out(self._reader) as connection, connection.begin():
            enter(connection, scope)
            yield connection

    @contextmanager
    def mutate(self, scope: Scope) -> Iterator[Transaction]:
        """Open a transaction that commits only if something in it was audited; otherwise it leaves no trace."""
        with typed_faults(), self._checked_out(self._writer) as connection, connection.begin() as transaction:
            enter(connection, scope)
            if connection.dialect.name == "postgresql":  # one mutation at a time, as SQLite has it by nature
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _MUTATION_LOCK})
            work = Transaction(connection, self._actor, self._clock)
            yield work
            if not work.audited:
                transaction.rollback()

    @contextmanager
    def coordinate(self, scope: Scope) -> Iterator[Connection]:
        """Open a write transaction for leases and locks only."""
        with typed_faults(), self._checked_out(self._writer) as connection, connection.begin():
            enter(connection, scope)
            yield connection

    def dispose(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()

    def _checked_out(self, engine: Engine) -> Connection:
        """Check a connection out; opening one is tried again for a while, since nothing was sent yet."""
        if self._process != os.getpid():  # forked since: the pooled connections are the parent's, and stay open for it
            self.engine.dispose(close=False)
            self._process = os.getpid()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return engine.connect()
            except exc.OperationalError:
                if engine.dialect.name != "postgresql" or time.monotonic() >= deadline:
                    raise
                time.sleep(0.1)
