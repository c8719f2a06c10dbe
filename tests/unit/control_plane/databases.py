"""The two databases the control plane runs on, as the tests see them: behind its back, with every right."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING, Any, Protocol

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.control_plane.schema import metadata
from gtm_pipelines.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres import Server

OWNER = "gtm"
"""The role that owns the control plane in Postgres: a plain one."""


class ControlDatabase(Protocol):
    """One test's database, migrated and empty."""

    name: str
    settings: Settings

    def run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run SQL behind the control plane's back, as someone with the database in hands would."""

    def contents(self) -> list[str]:
        """Return every row of every table, as text."""

    def damage(self) -> list[Any]:
        """Return what the database finds wrong with itself: broken pages, rows whose connection is gone."""

    def files(self) -> list[Path]:
        """Return every file this database is kept in, written out to the last row."""

    def close(self) -> None:
        """Leave nothing behind."""


class SqliteFile:
    """A file in a temporary home, copied from one that was migrated."""

    name = "sqlite"

    def __init__(self, home: Path, blank: Path | None) -> None:
        """Copy ``blank``; without one, leave the file to be made."""
        home.mkdir()
        if blank is not None:
            shutil.copy(blank, home / "control.db")
        self.settings = Settings(home=home)

    def run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.settings.home / "control.db", isolation_level=None)
        try:
            connection.execute("pragma synchronous = off")  # a test's meddling need not survive a power cut
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    def contents(self) -> list[str]:
        connection = sqlite3.connect(self.settings.home / "control.db")
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    def damage(self) -> list[Any]:
        return [row for row in self.run("pragma integrity_check") if row != ("ok",)] + self.run(
            "pragma foreign_key_check"
        )

    def files(self) -> list[Path]:
        return [path for path in self.settings.home.rglob("*") if path.is_file()]

    def close(self) -> None:
        pass


class PostgresDatabase:
    """A database of a plain role, copied from one that was migrated; the tests meddle as the superuser."""

    name = "postgres"

    def __init__(self, home: Path, server: Server, template: str = "template1") -> None:
        """Copy ``template``; without one, leave the tables to be made."""
        self.server = server
        self.database = server.create_database(OWNER, template)
        self.settings = Settings(home=home, control_url=server.dsn(self.database, OWNER))
        self._session = server.session(self.database)
        self._cursor = self._session.__enter__()
        self._is_altered = False
        self._is_migrated = template != "template1"

    def run(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        self._is_altered |= sql.split(maxsplit=1)[0] in {"alter", "create", "drop"} or "alembic_version" in sql
        self._cursor.execute(sql.replace("?", "%s"), parameters or None)
        return self._cursor.fetchall() if self._cursor.description else []

    def contents(self) -> list[str]:
        tables = self.run("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")
        return sorted(f"{table} {row!r}" for (table,) in tables for row in self.run(f"select * from {table}"))

    def damage(self) -> list[Any]:
        orphans = (
            "select '{0}', t.* from {0} t left join connection c on (c.tenant_id, c.name) = (t.tenant_id, t.connection)"
        )
        tables = ("credential", "mapping_override", "lease", "sync_state")
        return [row for table in tables for row in self.run(f"{orphans.format(table)} where c.name is null")]

    def files(self) -> list[Path]:
        self.run("checkpoint")
        ((oid,),) = self.run("select oid from pg_database where datname = current_database()")
        return [*(self.server.folder / "base" / str(oid)).iterdir(), self.server.folder / "log"]

    def close(self) -> None:
        """Empty it for the next test, which is many times faster than making another; drop one that was altered."""
        if self._is_altered or not self._is_migrated:
            self._session.__exit__()
            self.server.psql(f"DROP DATABASE {self.database} WITH (FORCE)")
            return
        self._cursor.execute(_EMPTY)
        _spare.append(self)

    @classmethod
    def emptied(cls, home: Path, server: Server, template: str) -> PostgresDatabase:
        """Return one that an earlier test has left, or a new one."""
        if not _spare:
            return cls(home, server, template)
        found = _spare.pop()
        found.settings = found.settings.model_copy(update={"home": home})
        return found


_spare: list[PostgresDatabase] = []
_EMPTY = ";".join(
    (
        (
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
        ),
        "set session_replication_role = replica",  # a superuser's way past triggers and foreign keys
        *(f"delete from {table.name}" for table in metadata.sorted_tables),
        f"insert into audit_head values (1, 0, '{'0' * 64}')",
        "set session_replication_role = origin",
    )
)


def blank_postgres(server: Server, home: Path) -> str:
    """Return the name of a migrated, empty database, to be copied."""
    name = server.create_database(OWNER)
    open_control_plane(Settings(home=home, control_url=server.dsn(name, OWNER))).close()
    return name
