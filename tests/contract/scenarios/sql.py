"""SQL for the conformance suite: a real Postgres that the sandbox's world writes itself into, day after day."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from connectors import registry
from connectors.conformance.checks import Truth
from connectors.connector import Connector, ConnectorContext
from gtm_pipelines import sandbox
from gtm_pipelines.sandbox import store
from gtm_pipelines.sandbox.vendors.sql import database
from gtm_pipelines.tenancy import TenantId
from tests.contract.sandboxed import NOW
from tests.contract.scenario import Scenario
from tests.postgres import new_database
from tests.stand_ins import MemoryStore, offline_context
from tests.worlds import put_world


class VendorScenario(Scenario):
    """The back office of the sandbox: soft deletes (people, accounts), hard deletes (activities), a nightly job."""

    started_at = NOW
    page_size = 25
    tied_entity = "people"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._store = MemoryStore(dsn=new_database())
        put_world(directory, "acme", size=400, seed=3, vendors=("sql",), days=3)
        self._write()

    def close(self) -> None:
        """The server ends with the process."""

    def connect(self, credentials: MemoryStore | None = None) -> Connector:
        keyed = database.TABLES.replace("{table", "{key: id, table")  # the views below have no primary key
        settings = {"tables": keyed, "private_network": True}
        transport = offline_context(NOW, databases=[tempfile.gettempdir()]).transport
        return registry.build("sql", ConnectorContext(settings, transport, credentials or self._store, lambda: NOW))

    def unknown(self) -> Connector:
        return self.connect(MemoryStore(dsn=self._dsn.replace("postgres@", "nobody@")))

    def truth(self, entity: str) -> Truth:
        records = sandbox.truth(self._directory, "acme").records.to_pylist()
        told = [each for each in records if each["entity"] == entity]
        gone = frozenset(each["external_id"] for each in told if each["is_deleted"])
        return Truth(frozenset(each["external_id"] for each in told) - gone, gone)

    def change(self) -> None:
        sandbox.advance(self._directory, "acme", steps=2)
        self._write()

    @contextmanager
    def breaking_a_page(self) -> Iterator[None]:
        """One row has a value that cannot be computed."""
        self._run(
            *(
                f"ALTER TABLE {table} RENAME TO {table}_whole; CREATE VIEW {table} AS "
                f"SELECT id, updated_at, {more}, 1 / (row_number() OVER (ORDER BY id) - 30) AS bad FROM {table}_whole"
                for table, more in (("people", "deleted"), ("accounts", "deleted"), ("activities", "subject"))
            )
        )
        try:
            yield
        finally:
            self._run(
                *(
                    f"DROP VIEW {table}; ALTER TABLE {table}_whole RENAME TO {table}"
                    for table in ("people", "accounts", "activities")
                )
            )

    @property
    def secrets(self) -> Sequence[str]:
        return self._store.secrets

    @property
    def _dsn(self) -> str:
        return self._store.shown()["dsn"]

    def _write(self) -> None:
        home = store.home(self._directory, TenantId("acme"))
        with store.opened(store.current(home)) as world, closing(psycopg2.connect(self._dsn)) as target:
            database.write(world, target, "postgres")

    def _run(self, *statements: str) -> None:
        with closing(psycopg2.connect(self._dsn)) as target:
            with target.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
            target.commit()
