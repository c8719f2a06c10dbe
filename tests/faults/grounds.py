"""The two kinds of ground a trial plays on: where its warehouse stands, how it is read, and whether it can fall.

What a trial does there is in ``campaign.py``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tests.faults import stored
from tests.faults.stage import TENANT
from tests.unit.control_plane.databases import OWNER, blank_postgres

if TYPE_CHECKING:
    import random
    from contextlib import AbstractContextManager

    from gtm_pipelines.settings import Settings
    from tests.postgres import Server


class Ground(Protocol):
    """Where the warehouses of trials stand."""

    kind: str
    can_crash: bool
    turn_s: float
    """About how long a turn of all connections takes here."""

    def databases(self, draw: random.Random) -> AbstractContextManager[Mapping[str, str]]:
        """Give one trial its databases, as settings; they are gone after the block."""

    def stored(self, settings: Settings) -> AbstractContextManager[stored.Stored]:
        """Read what a trial's tenant has stored; nobody works on it."""

    def crash(self, away_s: float) -> None:
        """End the database as a crash would, and start it again after a while."""


class Files:
    """A DuckDB file and a SQLite file in each trial's home."""

    kind = "duckdb"
    can_crash = False
    turn_s = 6.0

    @contextmanager
    def databases(self, draw: random.Random) -> Iterator[Mapping[str, str]]:
        """Give nothing: the home is enough."""
        del draw
        yield {}

    def stored(self, settings: Settings) -> AbstractContextManager[stored.Stored]:
        """Read the private file."""
        from gtm_pipelines.warehouse import names

        return stored.in_file(names.warehouse_file(settings, TENANT))

    def crash(self, away_s: float) -> None:
        """Refuse: a file has no server."""
        raise NotImplementedError


class OnServer:
    """A database of its own for each trial's warehouse, and in half of the trials another for the control plane."""

    kind = "postgres"
    turn_s = 8.0

    def __init__(self, server: Server, *, can_crash: bool) -> None:
        """Play on ``server``, which may be stopped only if nobody else uses it."""
        self._server = server
        self.can_crash = can_crash

    @contextmanager
    def databases(self, draw: random.Random) -> Iterator[Mapping[str, str]]:
        """Make the databases, and drop them whoever is still connected."""
        made = {"warehouse_url": self._server.create_database(OWNER)}
        self._server.psql(f"ALTER ROLE {OWNER} CREATEROLE")
        if draw.random() < 0.5:
            made["control_url"] = self._server.create_database(OWNER, self._blank_control_plane)
        try:
            yield {setting: self._server.dsn(database, OWNER) for setting, database in made.items()}
        finally:
            for database in made.values():
                self._server.psql(f"DROP DATABASE {database} WITH (FORCE)")

    def stored(self, settings: Settings) -> AbstractContextManager[stored.Stored]:
        """Read the tenant's schemas as the superuser."""
        database = str(settings.warehouse_url).partition("@/")[2].partition("?")[0]
        return stored.in_postgres(self._server.dsn(database), TENANT)

    def crash(self, away_s: float) -> None:
        """Stop the server at once, without its having written what it had in memory."""
        self._server.stop("immediate")
        time.sleep(away_s)
        self._server.start()

    @cached_property
    def _blank_control_plane(self) -> str:
        with tempfile.TemporaryDirectory() as home:
            return blank_postgres(self._server, Path(home))
