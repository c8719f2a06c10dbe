"""A control plane on each of its two databases, with a clock that moves only when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from gtm_pipelines.control_plane import ControlPlane, open_control_plane
from gtm_pipelines.settings import Settings
from tests import postgres
from tests.unit.control_plane.databases import PostgresDatabase, SqliteFile, blank_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.control_plane.databases import ControlDatabase

KEY = "0123456789abcdef" * 4
SECRET = "s3cr3t-value-of-acme"


class StillClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 10, 7, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file, copied for each test instead of being made again."""
    home = tmp_path_factory.mktemp("blank")
    open_control_plane(Settings(home=home)).close()
    return home / "control.db"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated, empty database of Postgres, copied for each test."""
    return blank_postgres(postgres.shared(), tmp_path_factory.mktemp("blank"))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ControlDatabase]:
    """Where the control plane of this test lives: every test that uses one runs on both."""
    made: ControlDatabase
    if request.param == "sqlite":
        made = SqliteFile(tmp_path / "home", request.getfixturevalue("blank"))
    else:
        made = PostgresDatabase.emptied(tmp_path / "home", postgres.shared(), request.getfixturevalue("template"))
    yield made
    made.close()


@pytest.fixture
def settings(database: ControlDatabase) -> Settings:
    return database.settings.model_copy(update={"encryption_key": SecretStr(KEY)})


@pytest.fixture
def plane(settings: Settings, clock: StillClock) -> Iterator[ControlPlane]:
    with open_control_plane(settings, actor="test", clock=clock) as opened:
        yield opened


@pytest.fixture
def acme(plane: ControlPlane) -> ControlPlane:
    """The control plane with one tenant and one connection that has two credentials."""
    plane.add_tenant("acme", "Acme Inc.")
    credentials = {"client_id": "client-of-acme", "client_secret": SECRET}
    plane.add_connection("acme", "crm", "salesforce", {"login_url": "https://login.salesforce.com"}, credentials)
    return plane


@pytest.fixture
def raw(database: ControlDatabase) -> Callable[..., list[tuple[Any, ...]]]:
    """Run SQL behind the control plane's back, as someone with the database in hands would."""
    return database.run
