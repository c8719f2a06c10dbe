"""Dagster's storage in Postgres, under the address an operator writes everywhere: ``postgresql://…``.

Dagster hands its address to SQLAlchemy, which since 2.1 takes ``postgresql://`` for psycopg 3; Dagster is written for
psycopg2. Named by ``deploy/dagster/dagster.yaml`` and imported by nothing else: it costs every process a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from dagster import StringSource
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import DagsterPostgresException

from connectors.runtime.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagster._serdes import ConfigurableClassData

DRIVER = "postgresql+psycopg2"


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
        if password := urlsplit(config_value["url"]).password:
            Secret(unquote(password))
        try:
            return cls(postgres_url=for_psycopg2(config_value["url"]), inst_data=inst_data)
        except DagsterPostgresException as error:
            cause = str(getattr(error.__cause__, "orig", None) or error.__cause__ or error)
            raise StorageUnreachableError(
                f"Dagster's database cannot be opened: {' '.join(cause.split())}; mend GTM_DAGSTER_URL or its server"
            ) from error


def for_psycopg2(url: str) -> str:
    """Return a Postgres address in SQLAlchemy's words for psycopg2."""
    scheme, separator, rest = url.partition("://")
    return f"{DRIVER}{separator}{rest}" if scheme.partition("+")[0] in {"postgres", "postgresql"} else url
