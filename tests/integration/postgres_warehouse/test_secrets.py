"""After a run of syncs on Postgres, which logs every statement, no credential stands in clear in anything it left."""

from __future__ import annotations

import io
import logging
import subprocess
import traceback
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.defs.instance import launch
from gtm_pipelines.ingest import sync_connection
from gtm_pipelines.warehouse import WarehouseError, open_warehouse
from tests.faults.hunt import Needles, hunt
from tests.faults.stage import KEY, TENANT, staged
from tests.faults.test_secrets import SECRETS
from tests.integration.postgres_warehouse.conftest import DATABASE, ENCODED, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gtm_pipelines.settings import Settings
    from tests.integration.postgres_warehouse.conftest import House
    from tests.postgres import Server
OWNERS = {"control": "kanarie-control-9b2d", "dagster": "kanarie-dagster-51fa"}
HUNTED = [*SECRETS, PASSWORD, *OWNERS.values()]
_VARIABLES = {
    "home": "GTM_HOME",
    "warehouse_url": "GTM_WAREHOUSE_URL",
    "control_url": "GTM_CONTROL_URL",
    "dagster_url": "GTM_DAGSTER_URL",
    "sandbox_url": "GTM_SANDBOX_URL",
}


@pytest.fixture
def databases(house: House) -> dict[str, str]:
    """One for each part, of owners that need their passwords; the server logs all that they send."""
    made = {"warehouse_url": house.url}
    hba = house.server.folder / "pg_hba.conf"
    for owner, password in OWNERS.items():
        with house.server.session("postgres") as cursor:
            cursor.execute(f"CREATE ROLE {owner} LOGIN PASSWORD '{password}'")
            cursor.execute(f"ALTER ROLE {owner} SET log_statement = 'all'")
            cursor.execute(f"CREATE DATABASE {owner} OWNER {owner}")
        hba.write_text(f"local all {owner} scram-sha-256\n" + hba.read_text())
        made[f"{owner}_url"] = f"postgresql://{owner}:{password}@/{owner}?host={house.server.folder}"
    house.server.psql("SELECT pg_reload_conf()")
    return made


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that anybody logs at DEBUG."""
    written = io.StringIO()
    handler, root = logging.StreamHandler(written), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def dumped(server: Server, database: str) -> str:
    """All of a database, as text."""
    command = [str(server.programs / "pg_dump"), "--inserts", server.dsn(database)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def failures(house: House, settings: Settings) -> str:
    """What is said, and traced, of a wrong password and of a server that goes away during a sync."""
    wrong = settings.model_copy(update={"warehouse_url": house.url.replace(ENCODED, f"{ENCODED}x")})
    told = []
    for refused in (wrong, settings.model_copy(update={"warehouse_url": house.url.replace(DATABASE, "nowhere")})):
        with pytest.raises(WarehouseError, match="cannot be opened") as failure:
            open_warehouse(refused, TENANT).__enter__()
        told.append("".join(traceback.format_exception(failure.value)))
    house.server.stop()
    with open_control_plane(settings.model_copy(update={"control_url": None}), actor="test") as control:
        control.add_tenant(TENANT)
        control.add_connection(TENANT, "file", "file", {"folder": str(settings.home)}, {})
        told.append(sync_connection(settings, control, TENANT, "file").model_dump_json())
    house.server.start()
    return "\n".join(told)


def test_no_credential_is_left_in_clear(
    house: House, databases: dict[str, str], log: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtm_pipelines.defs.installation.use_env_file", lambda: None)
    monkeypatch.setattr("gtm_pipelines.defs.instance.use_env_file", lambda **_: None)
    monkeypatch.setenv("CONNECTOR_ENCRYPTION_KEY", KEY)
    with staged(tmp_path, size=20, seed=4) as stage:
        settings = stage.home("home", **databases)
        for name, variable in _VARIABLES.items():
            monkeypatch.setenv(variable, str(getattr(settings, name)))
        monkeypatch.setenv("GTM_DAGSTER_DIR", str(settings.home / "dagster"))
        (run,) = launch(settings, "incremental_sync", [TENANT])
    assert run.success, run.faults
    left = settings.home / "left"
    left.mkdir()
    (left / "errors").write_text(failures(house, settings))
    (left / "log").write_text(log.getvalue())
    (left / "server_log").write_bytes(house.log.read_bytes())
    for database in (DATABASE, *OWNERS):
        (left / database).write_text(dumped(house.server, database))
    done = hunt(settings.home, Needles({str(number): secret for number, secret in enumerate(HUNTED)}))
    assert done.found == []
    assert done.sealed
    assert "acme__raw_salesforce" in (left / DATABASE).read_text()
    assert "event_logs" in (left / "dagster").read_text()
    assert "INSERT INTO credential" in (left / "server_log").read_text()
