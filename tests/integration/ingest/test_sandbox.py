"""Real connectors, real vault, real HTTP: the sandbox's vendors through the one function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from connectors.connector import ConnectorContext
from gtm_pipelines import sandbox
from gtm_pipelines.control_plane import ConnectionStatus, open_control_plane
from gtm_pipelines.ingest import open_connector, sync_connection
from gtm_pipelines.ingest.sync import utc_now
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gtm_pipelines.control_plane import ControlPlane

CONNECTIONS = ("salesforce", "customerio", "file")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[tuple[Settings, ControlPlane, Path]]:
    worlds = tmp_path / "worlds"
    sandbox.create_world(worlds, "acme", size=60, seed=5, vendors=["customerio", "file", "salesforce"])
    with sandbox.running(worlds) as url:
        settings = Settings(home=tmp_path / "home", encryption_key=SecretStr("5a" * 32), sandbox_url=url)
        with open_control_plane(settings) as control:
            control.add_tenant("acme")
            for connector, account in sandbox.accounts(url, "acme").items():
                control.add_connection("acme", connector, connector, *account)
            folder = sandbox.files(worlds, "acme")
            control.add_connection("acme", "file", "file", *sandbox.spreadsheets(folder))
            yield settings, control, worlds


def test_a_world_that_moves_is_followed_and_a_full_read_finds_nothing_amiss(
    stage: tuple[Settings, ControlPlane, Path],
) -> None:
    settings, control, worlds = stage
    first = {name: sync_connection(settings, control, "acme", name) for name in CONNECTIONS}
    assert {name: report.status for name, report in first.items()} == dict.fromkeys(CONNECTIONS, "ok")
    assert all(report.changed for report in first.values())
    assert [sync_connection(settings, control, "acme", name).changed for name in CONNECTIONS] == [0, 0, 0]
    sandbox.advance(worlds, "acme")
    sandbox.files(worlds, "acme")
    moved = [sync_connection(settings, control, "acme", name) for name in CONNECTIONS]
    assert all(report.status == "ok" and report.changed for report in moved)
    for name in ("salesforce", "file"):
        report = sync_connection(settings, control, "acme", name, mode="full")
        assert (report.status, report.changed) == ("ok", 0)
    with open_warehouse(settings, "acme") as warehouse:
        listed = warehouse.raw_entities()
        assert {connection for connection, _ in listed} == set(CONNECTIONS)
        assert ("salesforce", "Contact") in listed
        for table in ("raw_customerio.people", "raw_file.people", "raw_file.accounts"):
            undated = f"SELECT count(*) FILTER (source_updated_at IS NULL), count(*) > 0 FROM {table}"
            assert list(warehouse.rows(undated)) == [(0, True)], table


def test_a_revoked_credential_pauses_the_connection(stage: tuple[Settings, ControlPlane, Path]) -> None:
    settings, control, _ = stage
    store = control.credential_store("acme", "customerio")
    store.write({"app_api_key": type(store.read()["app_api_key"])("revoked-key-of-nobody")})
    report = sync_connection(settings, control, "acme", "customerio")
    assert report.status == "failed"
    assert control.get_connection("acme", "customerio").status is ConnectionStatus.REAUTH_REQUIRED
    assert "revoked-key-of-nobody" not in report.model_dump_json()


def test_a_connector_is_opened_without_asking_the_vendor(stage: tuple[Settings, ControlPlane, Path]) -> None:
    settings, control, _ = stage
    with open_connector(settings, control, "acme", "salesforce", utc_now) as connector:
        assert (connector.id, connector.context.transport.stats.requests) == ("salesforce", 0)
        assert isinstance(connector.context, ConnectorContext)
        assert connector.health_check(connector.authenticate()).ok
