"""A Postgres of these tests' own, whose service role needs a password, with two tenants on it, worked through once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from gtm_pipelines.cli import quarantine
from gtm_pipelines.resolution import why
from gtm_pipelines.settings import Settings
from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import has_warehouse, open_published, open_warehouse
from gtm_pipelines.warehouse.postgres.roles import Roles
from tests.integration.postgres_warehouse import statements
from tests.integration.postgres_warehouse.office import Office
from tests.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import psycopg2.extensions

    from tests.integration.postgres_warehouse.statements import Sent

PASSWORD = "warehouse/p@ss+kanarie-7c1e"
ENCODED = "warehouse%2Fp%40ss%2Bkanarie-7c1e"
KEY = "7e" * 32
SERVICE = "warehouse_service"
DATABASE, SAVED = "house", "house_saved"


@dataclass(frozen=True)
class House:
    """The server, and the one warehouse on it."""

    server: Server

    @property
    def url(self) -> str:
        """GTM_WAREHOUSE_URL."""
        return f"postgresql://{SERVICE}:{ENCODED}@/{DATABASE}?host={self.server.folder}"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.server.folder / "log"

    def session(self) -> AbstractContextManager[psycopg2.extensions.cursor]:
        """A session above all rights, in which every statement stands for itself."""
        return self.server.session(DATABASE)

    def roles(self, tenant: str) -> Roles:
        """A tenant's roles."""
        return Roles.of(tenant, DATABASE)

    def save(self) -> None:
        """Remember the warehouse as it is."""
        with self.server.session("postgres") as cursor:
            cursor.execute(f"CREATE DATABASE {SAVED} TEMPLATE {DATABASE} STRATEGY file_copy")

    def restore(self) -> None:
        """Make the warehouse what it was when it was saved."""
        with self.server.session("postgres") as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {SERVICE} TEMPLATE {SAVED} STRATEGY file_copy")


@dataclass(frozen=True)
class SecondDay:
    """What came of it."""

    stored: dict[str, list[Any]]
    sent: list[Sent]
    messages: int  # fewer than the pipeline sent on that day


@pytest.fixture(scope="session")
def house() -> House:
    """An empty warehouse, whose server logs every statement of the service's."""
    server = Server()
    hba = server.folder / "pg_hba.conf"
    with server.session("postgres") as cursor:
        cursor.execute(f"CREATE ROLE {SERVICE} LOGIN CREATEROLE PASSWORD '{PASSWORD}'")
        cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {SERVICE}")
        cursor.execute(f"ALTER SYSTEM SET log_line_prefix = {statements.SETTINGS['log_line_prefix']}")
        cursor.execute(f"ALTER ROLE {SERVICE} SET log_statement = {statements.SETTINGS['log_statement']}")
        hba.write_text(f"local all {SERVICE} scram-sha-256\n" + hba.read_text())
        cursor.execute("SELECT pg_reload_conf()")
    return House(server)


@pytest.fixture(scope="session")
def settings(house: House, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation on it."""
    home = tmp_path_factory.mktemp("office") / "home"
    return Settings(home=home, warehouse_url=house.url, encryption_key=SecretStr(KEY))


@pytest.fixture(scope="session")
def worked(house: House, settings: Settings) -> Office:
    """A tenant's first day worked through, beside another tenant's tables, and saved."""
    acme = Office(settings, settings.home.parent / "exports")
    acme.open()
    acme.work(1)
    with open_warehouse(settings, "bolt") as warehouse:
        warehouse.ensure_tables()
    house.save()
    return acme


@pytest.fixture
def acme(house: House, worked: Office) -> Iterator[Office]:
    """The tenant as it is after its first day."""
    for file in worked.folder.rglob("*.csv"):
        file.unlink()
    worked.write(1)
    yield worked
    house.server.start()
    house.restore()


@pytest.fixture(scope="session")
def second_day(house: House, worked: Office) -> SecondDay:
    """What an undisturbed second day leaves, and every statement sent from the first one on, readers' included."""
    before = len(statements.read(house.log))
    worked.work(2)
    messages = len(statements.read(house.log)) - before
    _read(worked)
    done = SecondDay(worked.stored(), statements.read(house.log), messages)
    house.restore()
    return done


def _read(acme: Office) -> None:
    """Ask all that people ask."""
    assert has_warehouse(acme.settings, acme.tenant)
    with open_published(acme.settings, acme.tenant) as served:
        ((person,),) = served.rows("SELECT min(person_id) FROM golden.person")
        assert why(served, person).records
        assert served.rows("SELECT * FROM marts.person_360")
        assert served.rows("SELECT * FROM crm.people")
    assert quarantine._read(acme.settings, TenantId(acme.tenant), None, None, resolved=True, limit=9)[1]
