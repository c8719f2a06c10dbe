"""Dagster's storage in Postgres, under the address an operator writes everywhere: ``postgresql://…``.

Dagster hands its address to SQLAlchemy, which since 2.1 takes ``postgresql://`` for psycopg 3; Dagster is written for
psycopg2. Named by ``deploy/dagster/dagster.yaml`` and imported by nothing else: it costs every process a second.
"""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import psycopg2
from dagster import StringSource
from dagster_postgres import DagsterPostgresStorage

from connectors.runtime.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dagster._serdes import ConfigurableClassData

PATIENCE_SECONDS = 10.0
"""How long a process waits for a server that is just starting, or starting again."""

_MAKING_TABLES = 0x67746D_6461675  # of Postgres' advisory locks: a number nobody else takes


class StorageUnreachableError(Exception):
    """Dagster's database could not be opened; the words after the colon are Postgres' own."""


class PostgresStorage(DagsterPostgresStorage):
    """Runs, events, schedules and ticks in one database; tables are made at the first opening."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return what dagster.yaml may say of it: where it is."""
        return {"url": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PostgresStorage:
        """Open the storage; from now on no message of this process shows its password."""
        address = config_value["url"].partition("://")[2]
        if password := urlsplit(f"//{address}").password:
            Secret(unquote(password))
        with _one_at_a_time(f"postgresql://{address}"):
            return cls(postgres_url=f"postgresql+psycopg2://{address}", inst_data=inst_data)


@contextmanager
def _one_at_a_time(url: str) -> Iterator[None]:
    """Let one process make the tables while the others wait: of two at once, Dagster lets one die."""
    with closing(_connected(url)) as session, session.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (_MAKING_TABLES,))
        yield


def _connected(url: str) -> Any:
    """Open a session, with some patience; what makes no address is not repeated, because a password may be in it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return psycopg2.connect(url, connect_timeout=10, application_name="gtm-pipelines")
        except psycopg2.OperationalError as error:
            if time.monotonic() > deadline:
                said = " ".join(str(error).split())
                raise StorageUnreachableError(
                    f"Dagster's database cannot be opened: {said}; mend GTM_DAGSTER_URL or its server"
                ) from error
        except psycopg2.ProgrammingError:
            raise StorageUnreachableError(
                "GTM_DAGSTER_URL is no database address: write postgresql://user:password@host/database"
            ) from None
        time.sleep(0.2)
