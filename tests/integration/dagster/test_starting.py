"""What starts by itself: the schedule, the sensors, and the tidying up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from gtm_pipelines.defs.freshness import freshness
from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.refined import REFINED_MARK, STARTED_AT
from gtm_pipelines.defs.schedules import due_runs
from gtm_pipelines.defs.sensors.housekeeping import delete_old_runs, lost_runs
from gtm_pipelines.defs.sensors.onboarding import first_connection, tenant_partitions
from gtm_pipelines.defs.sensors.refinement import raw_changed
from gtm_pipelines.defs.worker import WORKER_TAG, identity, is_lost

from .conftest import failed

if TYPE_CHECKING:
    from .conftest import House


class Later(Installation):
    """The installation some hours from now."""

    hours: int = 1

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(hours=self.hours)


def tick(house: House, sensor: dg.SensorDefinition, cursor: str | None = None, hours: int = 0) -> dg.SensorResult:
    with dg.build_sensor_context(
        instance=house.instance,
        cursor=cursor,
        resources={"installation": Later(hours=hours)},
        repository_def=house.definitions.get_repository_def(),
    ) as context:
        answer = sensor(context)
    if isinstance(answer, dg.SkipReason):
        return dg.SensorResult(skip_reason=answer)
    assert isinstance(answer, dg.SensorResult)
    return answer


def scheduled(house: House, hours: int = 1) -> list[dg.RunRequest]:
    return list(due_runs(house.instance, Later(hours=hours), datetime(2026, 1, 1, tzinfo=UTC)))


def test_the_schedule_makes_one_run_of_tenants_that_are_due(house: House) -> None:
    house.add("acme", "globex", "initech", connectors=("salesforce",))
    (request,) = scheduled(house)
    assert request.tags["gtm/shard"] == "acme..initech"
    assert request.tags["sync/scope"] == "due"
    assert {key.path[1] for key in request.asset_selection or ()} == {"salesforce"}


def test_the_schedule_cuts_many_tenants_into_shards(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTM_SHARD_SIZE", "2")
    house.add("acme", "globex", "initech", connectors=("file",))
    assert [request.tags["gtm/shard"] for request in scheduled(house)] == ["acme..globex", "initech"]
    assert scheduled(house)[1].tags["dagster/partition"] == "initech"


def test_the_schedule_asks_for_nothing_when_nothing_is_due(house: House) -> None:
    house.add("acme")
    assert scheduled(house, hours=-1) == []


def test_a_shard_still_at_work_is_not_asked_for_again(house: House) -> None:
    house.add("acme", "globex", connectors=("file",))
    (request,) = scheduled(house)
    house.instance.create_run_for_job(
        house.definitions.resolve_job_def("incremental_sync"),
        tags=dict(request.tags),
        status=dg.DagsterRunStatus.STARTED,
    )
    assert scheduled(house) == []


def test_a_new_tenant_becomes_a_partition(house: House) -> None:
    house.add("acme")
    house.control.add_tenant("globex")
    (request,) = tick(house, tenant_partitions).dynamic_partitions_requests or ()
    assert list(request.partition_keys) == ["globex"]


def test_partitions_are_never_deleted(house: House) -> None:
    """An empty or failed read once took every tenant's partition away, and queued runs failed with them."""
    house.add("acme", "globex")
    house.control.remove_tenant("globex")
    assert not tick(house, tenant_partitions).dynamic_partitions_requests
    house.control.remove_tenant("acme")
    assert not tick(house, tenant_partitions).dynamic_partitions_requests


def test_a_first_connection_is_read_in_full_once(house: House) -> None:
    house.add("acme", connectors=("salesforce",))
    first, second = tick(house, first_connection), tick(house, first_connection)
    (request,) = first.run_requests or ()
    assert first_connection.job_name == "full_sync"
    assert request.partition_key == "acme"
    assert {key.path[1] for key in request.asset_selection or ()} == {"salesforce"}
    assert request.run_key == (second.run_requests or ())[0].run_key
    house.run("full_sync", "acme")
    assert not tick(house, first_connection).run_requests


def test_refinement_follows_a_change_of_raw_and_nothing_else(house: House) -> None:
    house.add("acme", "globex", connectors=("file",))
    house.run("full_sync", "acme")
    house.ingest.changed = 0
    house.run("full_sync", "globex")
    result = tick(house, raw_changed)
    assert [request.tags["gtm/shard"] for request in result.run_requests or ()] == ["acme"]
    again = tick(house, raw_changed, cursor=result.cursor)
    assert not again.run_requests


def test_refinement_is_not_asked_for_when_it_has_followed_already(house: House) -> None:
    house.add("acme", connectors=("file",))
    house.run("full_sync", "acme")
    refined(house, "acme", time.time() + 1)
    assert not tick(house, raw_changed).run_requests


def test_a_load_during_a_refinement_is_refined_again(house: House) -> None:
    """The refinement ended after the load, but had begun to read before it."""
    house.add("acme", connectors=("file",))
    house.run("full_sync", "acme")
    refined(house, "acme", time.time() - 3600)
    assert len(tick(house, raw_changed).run_requests or ()) == 1


def refined(house: House, tenant: str, started: float) -> None:
    metadata = {STARTED_AT: dg.MetadataValue.timestamp(started)}
    house.instance.report_runless_asset_event(
        dg.AssetMaterialization(REFINED_MARK, partition=tenant, metadata=metadata)
    )


def test_a_stale_tenant_is_reported_once_and_again_when_it_is_fresh(house: House) -> None:
    house.add("acme", connectors=("file",))
    fresh = tick(house, freshness)
    stale = tick(house, freshness, cursor=fresh.cursor, hours=5)
    (event,) = stale.asset_events
    assert isinstance(event, dg.AssetCheckEvaluation)
    assert (event.passed, event.partition) == (False, "acme")
    assert not tick(house, freshness, cursor=stale.cursor, hours=5).asset_events
    back = tick(house, freshness, cursor=stale.cursor)
    assert [event.passed for event in back.asset_events if isinstance(event, dg.AssetCheckEvaluation)] == [True]
    assert json.loads(back.cursor or "") == {"acme": []}


def test_a_paused_source_is_not_stale(house: House) -> None:
    house.add("acme", connectors=("file",))
    house.control.pause_connection("acme", "file")
    (event,) = tick(house, freshness, hours=5).asset_events
    assert isinstance(event, dg.AssetCheckEvaluation)
    assert event.passed


def test_old_runs_go_but_the_last_state_of_a_partition_stays(house: House) -> None:
    house.add("acme", "globex", connectors=("file",))
    covered = house.run("full_sync", "acme").run_id
    last_of_globex = house.run("full_sync", "globex").run_id
    last_of_acme = house.run("full_sync", "acme").run_id
    assert delete_old_runs(house.instance, datetime.now(UTC) - timedelta(days=1)) == 0
    assert delete_old_runs(house.instance, datetime.now(UTC) + timedelta(days=1)) == 1
    assert house.instance.get_run_by_id(covered) is None
    assert house.instance.get_run_by_id(last_of_globex) is not None
    assert house.instance.get_run_by_id(last_of_acme) is not None
    assert house.materialized("raw", "file", "people") == {"acme", "globex"}


def test_what_went_well_by_itself_goes_sooner_than_what_a_person_or_a_failure_left(house: House) -> None:
    house.add("acme", connectors=("file",))
    by_schedule = {"dagster/schedule_name": "every_15_minutes"}
    routine = house.run("incremental_sync", "acme", tags=by_schedule).run_id
    by_hand = house.run("incremental_sync", "acme").run_id
    house.ingest.answers["acme", "file"] = failed
    bad = house.run("incremental_sync", "acme", tags=by_schedule).run_id
    del house.ingest.answers["acme", "file"]
    last = house.run("incremental_sync", "acme", tags=by_schedule).run_id
    now = datetime.now(UTC)
    deleted = delete_old_runs(house.instance, now - timedelta(days=1), routine_before=now + timedelta(days=1))
    assert deleted == 1
    assert {run.run_id for run in house.instance.get_runs()} == {by_hand, bad, last}
    assert house.instance.get_run_by_id(routine) is None


def test_many_runs_that_must_stay_do_not_keep_old_ones_behind_them_alive(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtm_pipelines.defs.sensors.housekeeping._PAGE", 1)
    house.add("acme", "globex", connectors=("file",))
    house.run("full_sync", "globex")
    covered = house.run("full_sync", "acme").run_id
    house.run("full_sync", "acme")
    assert delete_old_runs(house.instance, datetime.now(UTC) + timedelta(days=1)) == 1
    assert house.instance.get_run_by_id(covered) is None


def test_a_run_whose_process_is_gone_is_failed_and_one_at_work_is_not(house: House) -> None:
    job = house.definitions.resolve_job_def("incremental_sync")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    signature = identity(child.pid)
    child.kill()
    child.wait()
    lost, alive = (
        house.instance.create_run_for_job(job, tags={WORKER_TAG: tag}, status=dg.DagsterRunStatus.STARTED)
        for tag in (signature, identity(os.getpid()))
    )
    tick(house, lost_runs)
    ended = {run.run_id: run.status for run in house.instance.get_runs()}
    assert ended == {lost.run_id: dg.DagsterRunStatus.FAILURE, alive.run_id: dg.DagsterRunStatus.STARTED}


def test_a_worker_of_before_the_restart_is_lost_and_one_of_another_host_is_not_ours_to_judge() -> None:
    host, _, pid, started = identity(os.getpid()).split("/")
    assert is_lost(f"{host}/another-boot/{pid}/{started}")
    assert not is_lost(f"elsewhere/another-boot/{pid}/{started}")
