"""A DSN to an open database: which kinds there are, what a DSN may say, and a session that can only read, in UTC."""

from __future__ import annotations

import sqlite3
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg2
import pymysql
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from connectors.errors import Retry, Stop
from connectors.runtime.databases.addresses import judged, judged_file
from connectors.runtime.databases.faults import typed_error
from connectors.runtime.databases.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import URL, Engine

    from connectors.runtime.private_databases import PrivateDatabases

_KINDS = {
    "postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"
}  # fmt: skip
_ALLOWED = {
    "postgresql": {"host", "port", "sslmode", "sslrootcert"},
    "mysql": {"charset", "ssl_ca", "ssl_verify_identity", "unix_socket"},
    "sqlite": set[str](),
}
_DRIVERS = {"postgresql": "postgresql+psycopg2://", "mysql": "mysql+pymysql://", "sqlite": "sqlite+pysqlite://"}
_SESSION = {
    "postgresql": ("SET TIME ZONE 'UTC'", "SET default_transaction_read_only = on"),
    "mysql": ("SET time_zone = '+00:00'", "SET SESSION TRANSACTION READ ONLY"),
    "sqlite": ("PRAGMA query_only = ON",),
}
_NO_FILE = "/dev/null/none"  # a file that cannot exist; of /dev/null itself libpq would warn
_NOTHING_OF_OURS = {
    "passfile": _NO_FILE,
    "sslcert": _NO_FILE,
    "sslkey": _NO_FILE,
    "gssencmode": "disable",
    "options": "",
    "target_session_attrs": "any",
}
"""Settings that libpq would otherwise take from this process's environment and home, and show to a tenant's host."""

_CONNECT_S = 15
_SILENT_S = 900  # a statement that sorts a large table says nothing for a while


@dataclass
class Database:
    """One open database. ``kind`` is postgresql, mysql or sqlite."""

    kind: str
    engine: Engine

    def check(self) -> str:
        """Ask for the least; return what kind of database answers."""
        with self._typed("the connection"), self.engine.connect() as connection:
            connection.execute(sa.select(sa.literal(1)))
        return {"postgresql": "Postgres", "mysql": "MySQL", "sqlite": "SQLite"}[self.kind]

    def table(self, name: str) -> Table:
        """Look at a table or view, as ``contacts`` or ``crm.contacts``; raise Stop(``stream_gone``) for none."""
        schema, _, bare = name.rpartition(".")
        try:
            with self._typed(name):
                described = sa.Table(
                    bare, sa.MetaData(), schema=schema or None, autoload_with=self.engine, resolve_fks=False
                )
        except sa.exc.NoSuchTableError:
            raise Stop("stream_gone", f"the database has no table {name!r} that this user may see") from None
        return Table(self.engine, described, name, self._typed)

    @contextmanager
    def _typed(self, where: str) -> Iterator[None]:
        """Turn a driver's errors within the block into typed ones that say ``where``."""
        try:
            yield
        except sa.exc.NoSuchTableError:
            raise
        except (sa.exc.DBAPIError, psycopg2.Error, pymysql.Error, sqlite3.Error) as error:
            raise typed_error(error, where) from None
        except sa.exc.InvalidRequestError:
            raise Retry("connection_failed", f"the connection to the database broke off ({where})") from None

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def open_database(dsn: str, *, private: PrivateDatabases) -> Iterator[Database]:
    """Open the database of a DSN for the block; raise Stop for one that could never work or may not be reached."""
    url = _parsed(dsn)
    kind = _KINDS[url.get_backend_name()]
    # a type that SQLAlchemy does not know, as PostGIS's, is written by the database itself: nothing to warn of
    warnings.filterwarnings("ignore", "Did not recognize type", sa.exc.SAWarning)
    engine = sa.create_engine(
        _DRIVERS[kind],
        creator=_creator(kind, url, private=private),
        poolclass=sa.pool.NullPool,  # a sync asks two or three things of a database; nothing is kept open between them
        hide_parameters=True,
    )
    sa.event.listen(engine, "connect", _prepared(kind))
    if kind == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    database = Database(kind, engine)
    try:
        yield database
    finally:
        database.close()


def _parsed(dsn: str) -> URL:
    """Read a DSN; what is wrong with it is said without repeating it."""
    try:
        url = make_url(dsn)
        kind = _KINDS[url.get_backend_name()]
    except (sa.exc.ArgumentError, KeyError, ValueError):
        raise Stop("bad_dsn", "the DSN is none of postgresql://…, mysql://… and sqlite:///…") from None
    if unknown := sorted(set(url.query) - _ALLOWED[kind]):
        known = ", ".join(sorted(_ALLOWED[kind])) or "none"
        raise Stop("bad_dsn", f"the DSN has the option {unknown[0]!r}; known are: {known}")
    return url


def _creator(kind: str, url: URL, *, private: PrivateDatabases) -> Callable[[], Any]:
    return {"postgresql": _postgres, "mysql": _mysql, "sqlite": _sqlite}[kind](url, private=private)


def _postgres(url: URL, *, private: PrivateDatabases) -> Callable[[], Any]:
    host = str(url.query.get("host") or url.host or "")
    port = int(url.port or _option(url, "port") or 5432)
    given = {
        "sslmode": "prefer",
        **{name: _option(url, name) for name in ("sslmode", "sslrootcert") if name in url.query},
    }

    def connect() -> Any:
        if host.startswith("/"):
            local = judged_file(Path(host) / f".s.PGSQL.{port}", private=private)
            place = {"host": str(local.parent), "hostaddr": "", "port": port}
        else:
            place = {"host": host, "hostaddr": judged(host, port, private=private), "port": port}
        return psycopg2.connect(
            **place,
            **given,
            dbname=url.database or "",
            user=url.username or "",
            password=url.password or "",
            **_NOTHING_OF_OURS,
            connect_timeout=_CONNECT_S,
            application_name="gtm-pipelines",
            keepalives_idle=60,
        )

    return connect


def _mysql(url: URL, *, private: PrivateDatabases) -> Callable[[], Any]:
    host, port = url.host or "", url.port or 3306
    tls = {name: _option(url, name) for name in ("ssl_ca",) if name in url.query}

    def connect() -> Any:
        named = _option(url, "unix_socket")
        local = str(judged_file(Path(named), private=private)) if named else None
        opened = pymysql.connect(
            host=host,
            port=port,
            unix_socket=local,
            user=url.username,
            password=url.password or "",
            database=url.database,
            charset=_option(url, "charset") or "utf8mb4",
            ssl_verify_identity=_option(url, "ssl_verify_identity") == "true",
            local_infile=False,
            read_timeout=_SILENT_S,
            defer_connect=True,
            **tls,
        )
        opened.connect(None if local else create_connection((judged(host, port, private=private), port), _CONNECT_S))
        return opened

    return connect


def _sqlite(url: URL, *, private: PrivateDatabases) -> Callable[[], Any]:
    given = Path(url.database or "")
    path = judged_file(given, private=private) if given.is_absolute() else given
    if not path.is_absolute() or not path.is_file():
        raise Stop(
            "bad_dsn", "the DSN names no file that is there: sqlite:// and an absolute path, as sqlite:////srv/crm.db"
        )
    return lambda: sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, check_same_thread=False, timeout=30)


def _prepared(kind: str) -> Callable[[Any, Any], None]:
    def prepare(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for statement in _SESSION[kind]:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    return prepare


def _option(url: URL, name: str) -> str | None:
    value = url.query.get(name)
    return value if isinstance(value, str) else None
