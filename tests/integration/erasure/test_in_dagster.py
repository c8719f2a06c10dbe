"""What Dagster forgets of a tenant, in each storage it may be kept in; its runs are played by small jobs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gtm_pipelines.defs.erasing import erase_from_dagster
from gtm_pipelines.defs.instance import open_instance
from gtm_pipelines.settings import read_settings
from gtm_pipelines.tenancy import TenantId
from tests.integration.erasure.conftest import GOLDEN, refined_alone, use_home
from tests.postgres import new_database

ACME = TenantId("acme")
RAW = dg.AssetKey(["raw", "file", "people"])
CHECK = dg.AssetCheckKey(GOLDEN, "is_sound")


@dg.op
def refine_both(context: dg.OpExecutionContext) -> None:
    log: Any = context.log_event  # takes checks as well, whatever its annotation says
    for tenant in ("globex", "acme"):
        context.log_event(dg.AssetMaterialization(GOLDEN, partition=tenant))
        check = dg.AssetCheckEvaluation(
            asset_key=GOLDEN, check_name="is_sound", passed=True, metadata={}, partition=tenant
        )
        log(check)
    context.log_event(dg.AssetMaterialization(RAW, partition="acme"))


@dg.job(tags={"dagster/asset_partition_range_start": "acme", "dagster/asset_partition_range_end": "globex"})
def refined_together() -> None:
    """A run that covers two tenants."""
    refine_both()


@pytest.fixture(params=["sqlite", "postgres"])
def instance(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """An instance in which acme was refined together with globex, then alone."""
    monkeypatch.setattr("gtm_pipelines.defs.instance.use_env_file", lambda **_: None)
    use_home(monkeypatch, tmp_path / "home")
    if request.param == "postgres":
        monkeypatch.setenv("GTM_DAGSTER_URL", new_database("dagster_owner"))
    with open_instance(read_settings()) as opened:
        opened.add_dynamic_partitions("tenants", ["acme", "globex"])
        for job in (refined_together, refined_alone):
            assert job.execute_in_process(instance=opened).success
        yield opened


def last_of(instance: dg.DagsterInstance, key: dg.AssetKey) -> str | None:
    (record,) = instance.get_asset_records([key])
    event = record.asset_entry.last_materialization
    return None if event is None or event.asset_materialization is None else event.asset_materialization.partition


def test_its_partition_its_own_runs_and_its_part_of_shared_ones_go(instance: dg.DagsterInstance) -> None:
    assert last_of(instance, GOLDEN) == "acme"
    removed = {each.what: each.count for each in erase_from_dagster(instance, ACME)}
    assert removed["Dagster: runs"] == removed["Dagster: partition"] == 1
    assert removed["Dagster: asset events"] >= 4
    assert [run.job_name for run in instance.get_runs()] == ["refined_together"]
    assert instance.get_dynamic_partitions("tenants") == ["globex"]
    assert instance.get_materialized_partitions(GOLDEN) == {"globex"}
    assert instance.get_materialized_partitions(RAW) == set()
    assert (last_of(instance, GOLDEN), last_of(instance, RAW)) == ("globex", None)
    checks = instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=10)
    assert [each.partition for each in checks] == ["globex"]
    assert erase_from_dagster(instance, ACME) == []


def test_a_new_tenant_of_that_id_begins_as_never_materialized(instance: dg.DagsterInstance) -> None:
    tenants = dg.DynamicPartitionsDefinition(name="tenants")
    instance.get_status_by_partition(GOLDEN, ["acme", "globex"], tenants)  # fills the cache of it
    erase_from_dagster(instance, ACME)
    instance.add_dynamic_partitions("tenants", ["acme"])
    status = instance.get_status_by_partition(GOLDEN, ["acme", "globex"], tenants) or {}
    assert {name: None if value is None else value.value for name, value in status.items()} == {
        "acme": None,
        "globex": "MATERIALIZED",
    }
