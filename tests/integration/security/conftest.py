"""A control plane on each of its two databases, and a way to start worker processes on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from gtm_pipelines.control_plane import ControlPlane, open_control_plane
from gtm_pipelines.settings import Settings
from tests import postgres
from tests.unit.control_plane.databases import PostgresDatabase, SqliteFile, blank_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.control_plane.databases import ControlDatabase

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
KEY = "0123456789abcdef" * 4


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file, copied for each test."""
    home = tmp_path_factory.mktemp("blank")
    open_control_plane(Settings(home=home)).close()
    return home / "control.db"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated, empty database of Postgres, copied for each test."""
    return blank_postgres(postgres.shared(), tmp_path_factory.mktemp("blank"))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, home: Path) -> Iterator[ControlDatabase]:
    """Where the control plane lives: migrated and empty, or "new", with nothing made in it yet."""
    kind, _, is_new = request.param.partition(" ")
    made: ControlDatabase
    if kind == "sqlite":
        made = SqliteFile(home, None if is_new else request.getfixturevalue("blank"))
    elif is_new:
        made = PostgresDatabase(home, postgres.shared())
    else:
        made = PostgresDatabase.emptied(home, postgres.shared(), request.getfixturevalue("template"))
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def settings(database: ControlDatabase) -> Settings:
    return database.settings.model_copy(update={"encryption_key": SecretStr(KEY)})


@pytest.fixture
def plane(settings: Settings) -> Iterator[ControlPlane]:
    with open_control_plane(settings, actor="test") as opened:
        opened.add_tenant("acme")
        credentials = {"client_id": "id-000000", "client_secret": "secret-000000", "refresh_token": "token-0"}
        opened.add_connection("acme", "crm", "salesforce", {}, credentials)
        yield opened


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a worker; whatever still runs at the end of the test is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(task: str, argument: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", task, settings.home, settings.control_url or "", argument],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()
