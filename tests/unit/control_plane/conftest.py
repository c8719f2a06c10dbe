"""A control plane in a temporary directory, with a clock that moves only when told."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from gtm_pipelines.control_plane import ControlPlane, open_control_plane
from gtm_pipelines.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
    """A migrated, empty database, copied for each test instead of being made again."""
    home = tmp_path_factory.mktemp("blank")
    open_control_plane(Settings(home=home)).close()
    return home / "control.db"


@pytest.fixture
def settings(tmp_path: Path, blank: Path) -> Settings:
    (tmp_path / "home").mkdir()
    shutil.copy(blank, tmp_path / "home" / "control.db")
    return Settings(home=tmp_path / "home", encryption_key=SecretStr(KEY))


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
def raw(settings: Settings, plane: ControlPlane) -> Callable[..., list[tuple[Any, ...]]]:  # noqa: ARG001  the file must exist
    """Run SQL behind the control plane's back, as someone with the file in hands would."""

    def run(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(settings.home / "control.db", isolation_level=None)
        try:
            connection.execute("pragma synchronous = off")  # a test's meddling need not survive a power cut
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    return run
