"""The path through Dagster for real: sandbox, sync, refinement, and runs that the UI lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from gtm_pipelines.cli.demo import connections_of, make_worlds
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.defs.instance import dagster_directory, launch, open_instance
from gtm_pipelines.sandbox import advance, running
from gtm_pipelines.settings import PROJECT_ROOT, Settings, read_settings
from gtm_pipelines.warehouse import open_published

if TYPE_CHECKING:
    from collections.abc import Iterator

TENANTS = ["acme", "globex"]


@pytest.fixture
def empty(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Two tenants without a connection, and a Dagster instance of their own."""
    monkeypatch.setattr("gtm_pipelines.defs.instance.use_env_file", lambda **given: _set(monkeypatch, given))
    with open_control_plane(settings, actor="test") as control:
        for tenant in TENANTS:
            control.add_tenant(tenant)
    return settings


@pytest.fixture
def installation(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The tenants connected to a running sandbox."""
    monkeypatch.setattr("gtm_pipelines.cli.demo.TENANTS", dict.fromkeys(TENANTS, ""))
    make_worlds(empty, 60)
    with running(empty.home / "sandbox") as url:
        monkeypatch.setenv("GTM_SANDBOX_URL", url)
        settings = read_settings()
        with open_control_plane(settings, actor="test") as control:
            for tenant in TENANTS:
                for connector, (options, credentials) in connections_of(settings, tenant).items():
                    control.add_connection(tenant, connector, connector, settings=options, credentials=credentials)
        yield settings


def _set(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def people(settings: Settings, tenant: str, layer: str) -> int:
    with open_published(settings, tenant) as warehouse:
        return int(warehouse.rows(f"SELECT count(*) FROM {layer}.person WHERE NOT is_deleted")[0][0])


def test_jobs_run_from_a_function_call_stand_in_the_instance_like_any_other(installation: Settings) -> None:
    """First sync, refinement, a day at the vendor, and what changed; one test, for each run costs seconds."""
    (synced,) = launch(installation, "full_sync", TENANTS, reason="first look")
    assert synced.success, synced.faults
    (refined,) = launch(installation, "refine", TENANTS)
    assert refined.success, refined.faults
    for tenant in TENANTS:
        assert 0 < people(installation, tenant, "golden") < people(installation, tenant, "canonical")

    with open_instance(installation) as instance:
        run = instance.get_run_by_id(synced.run_id)
        assert run is not None
        assert (run.job_name, run.status) == ("full_sync", dg.DagsterRunStatus.SUCCESS)
        assert run.tags["sync/mode"] == "full"
        assert run.tags["sync/reason"] == "first look"
        connectors = {key.path[1] for key in run.asset_selection or ()}
        assert connectors == set(connections_of(installation, TENANTS[0])), "others would look failed if this run did"
        assert run.remote_job_origin is not None
        assert run.remote_job_origin.repository_origin.get_label() == "__repository__@gtm_pipelines"
        contact = instance.get_latest_materialization_event(dg.AssetKey(["raw", "salesforce", "Contact"]))
        assert contact is not None
        assert contact.asset_materialization is not None
        assert contact.asset_materialization.metadata["dagster/table_name"].value == "raw_salesforce.contact"
        for path in (
            ["raw", "salesforce", "Contact"],
            ["canonical", "person"],
            ["golden", "person"],
            ["marts", "person_360"],
        ):
            assert instance.get_materialized_partitions(dg.AssetKey(path)) == set(TENANTS)
        checks = instance.get_records_for_run(
            refined.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
        events = [record.event_log_entry.get_dagster_event() for record in checks]
        told = [event.asset_check_evaluation_data for event in events]
        assert [data for data in told if not data.passed] == []
        assert {data.partition for data in told} == {*TENANTS, None}

    assert dagster_directory(installation).is_relative_to(installation.home)
    strays = {"history", "logs", "schedules", "storage", ".telemetry", ".nux"}
    assert not strays & {path.name for path in PROJECT_ROOT.iterdir()}, "Dagster wrote into the project"
    _what_changed_comes_out_of_the_next_runs(installation)


def _what_changed_comes_out_of_the_next_runs(installation: Settings) -> None:
    for tenant in TENANTS:
        advance(installation.home / "sandbox", tenant)
    (synced,) = launch(installation, "incremental_sync", TENANTS)
    (refined,) = launch(installation, "refine", ["acme"])
    assert (synced.success, refined.success) == (True, True), synced.faults + refined.faults
    with open_instance(installation) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["canonical", "person"]))
        assert event is not None
        assert event.asset_materialization is not None
        metadata = event.asset_materialization.metadata
    assert event.asset_materialization.partition == "acme"
    assert int(str(metadata["written"].value)) > 0
    assert (
        Path(installation.published_dir / "acme.duckdb").stat().st_mtime
        > Path(installation.published_dir / "globex.duckdb").stat().st_mtime
    )


def test_tenants_that_do_not_stand_side_by_side_share_no_run(empty: Settings) -> None:
    with open_instance(empty) as instance:
        instance.add_dynamic_partitions("tenants", ["acme", "between", "globex"])
    done = launch(empty, "refine", TENANTS)
    assert [run.tenants for run in done] == [("acme",), ("globex",)]
