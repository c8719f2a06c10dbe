"""Raw assets: who is synced, in which mode, and what a failure does to its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import BusyError
from gtm_pipelines.defs import raw, shard_work
from gtm_pipelines.defs.worker import WORKER_TAG
from gtm_pipelines.ingest import Status, SyncReport

from .conftest import failed

if TYPE_CHECKING:
    import dagster as dg

    from .conftest import House


def steps(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    ended = {e.step_key: e.event_type_value for e in result.all_events if e.is_step_failure or e.is_step_success}
    return {str(step): kind for step, kind in ended.items()}


def test_a_sync_marks_the_partition_of_every_entity_of_every_tenant(house: House) -> None:
    house.add("acme", "globex")
    assert house.run("incremental_sync", "acme", "globex").success
    assert house.materialized("raw", "salesforce", "Contact") == {"acme", "globex"}
    assert house.materialized("raw", "customerio", "people") == {"acme", "globex"}
    assert house.materialized("raw", "file", "people") == set()


def test_a_failing_tenant_fails_alone(house: House) -> None:
    house.add("acme", "globex", "initech", connectors=("salesforce",))
    house.ingest.answers["globex", "salesforce"] = failed
    result = house.run("incremental_sync", "acme", "globex", "initech")
    assert not result.success
    assert house.materialized("raw", "salesforce", "Contact") == {"acme", "initech"}
    assert house.failed_partitions("raw", "salesforce", "Contact") == {"globex"}


def test_a_tenant_that_was_removed_does_not_stop_those_in_its_run(house: House) -> None:
    house.add("acme", "globex", "initech", connectors=("salesforce",))
    house.control.remove_tenant("globex")
    assert house.run("incremental_sync", "acme", "globex", "initech").success
    assert house.materialized("raw", "salesforce", "Contact") == {"acme", "initech"}


def test_a_tenant_whose_sync_raises_fails_alone(house: House) -> None:
    def crash(report: SyncReport) -> SyncReport:
        raise RuntimeError(f"disk on fire for {report.tenant}")

    house.add("acme", "globex", connectors=("salesforce",))
    house.ingest.answers["acme", "salesforce"] = crash
    result = house.run("incremental_sync", "acme", "globex")
    assert house.materialized("raw", "salesforce", "Contact") == {"globex"}
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert "acme: RuntimeError: disk on fire for acme" in str(event.step_failure_data.user_failure_data)


def test_a_failing_vendor_turns_only_its_own_step_red(house: House) -> None:
    house.add("acme", "globex")
    house.ingest.answers["acme", "salesforce"] = failed
    ended = steps(house.run("incremental_sync", "acme", "globex"))
    assert ended["raw_salesforce"] == "STEP_FAILURE"
    assert ended["raw_customerio"] == "STEP_SUCCESS"
    assert house.materialized("raw", "customerio", "people") == {"acme", "globex"}


def test_what_a_partial_sync_did_read_counts(house: House) -> None:
    def one_entity_down(report: SyncReport) -> SyncReport:
        report.status = Status.PARTIAL
        report.entities["Lead"].status = Status.FAILED
        return report

    house.add("acme", connectors=("salesforce",))
    house.ingest.answers["acme", "salesforce"] = one_entity_down
    assert not house.run("incremental_sync", "acme").success
    assert house.materialized("raw", "salesforce", "Contact") == {"acme"}
    assert house.materialized("raw", "salesforce", "Lead") == set()


@pytest.mark.parametrize("status", [Status.DEFERRED, Status.SKIPPED_LOCKED])
def test_a_sync_that_was_put_off_is_no_failure_and_no_materialization(house: House, status: Status) -> None:
    def put_off(report: SyncReport) -> SyncReport:
        return report.model_copy(update={"status": status, "entities": {}})

    house.add("acme", connectors=("salesforce",))
    house.ingest.answers["acme", "salesforce"] = put_off
    assert house.run("incremental_sync", "acme").success
    assert house.materialized("raw", "salesforce", "Contact") == set()


@pytest.mark.parametrize(("job", "mode"), [("incremental_sync", "incremental"), ("full_sync", "full")])
def test_the_job_decides_the_mode(house: House, job: str, mode: str) -> None:
    house.add("acme", connectors=("salesforce",))
    house.run(job, "acme")
    assert [asked["mode"] for asked in house.ingest.asked] == [mode]


def test_the_tag_of_the_run_decides_over_the_job(house: House) -> None:
    house.add("acme", connectors=("salesforce",))
    house.run("incremental_sync", "acme", tags={"sync/mode": "full"})
    assert [asked["mode"] for asked in house.ingest.asked] == ["full"]


def test_a_misspelt_mode_is_refused_before_anything_is_asked(house: House) -> None:
    house.add("acme", connectors=("salesforce",))
    result = house.run("incremental_sync", "acme", tags={"sync/mode": "everything"})
    assert not result.success
    assert house.ingest.asked == []


def test_a_whole_connector_is_read_as_its_connection_selects(house: House) -> None:
    """Custom objects are no assets; a run that names no entity must not leave them out."""
    house.add("acme", connectors=("salesforce",))
    house.run("full_sync", "acme")
    assert house.ingest.asked[0]["entities"] is None


@pytest.mark.parametrize("spelling", ["Contact", "salesforce/Contact"])
def test_the_form_narrows_a_sync_to_entities(house: House, spelling: str) -> None:
    house.add("acme")
    assert house.run("full_sync", "acme", form={"entities": [spelling]}).success
    assert [(asked["connection"], asked["entities"]) for asked in house.ingest.asked] == [("salesforce", ["Contact"])]
    assert house.materialized("raw", "salesforce", "Contact") == {"acme"}
    assert house.materialized("raw", "salesforce", "Lead") == set()


def test_the_form_refuses_an_entity_no_connector_has(house: House) -> None:
    house.add("acme")
    result = house.run("full_sync", "acme", form={"entities": ["Contacts"]})
    assert not result.success
    assert house.ingest.asked == []
    assert "Contacts" in str([event.step_failure_data for event in result.all_events if event.is_step_failure])


def test_the_reason_stands_on_the_run(house: House) -> None:
    house.add("acme")
    result = house.run("full_sync", "acme", form={"reason": "restored from backup"})
    run = house.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["sync/reason"] == "restored from backup"


def test_paused_connections_are_left_alone(house: House) -> None:
    house.add("acme")
    house.control.pause_connection("acme", "salesforce")
    assert house.run("full_sync", "acme").success
    assert {asked["connection"] for asked in house.ingest.asked} == {"customerio"}


def test_a_scheduled_run_syncs_only_what_is_due(house: House) -> None:
    house.add("acme", "globex", connectors=("salesforce",))
    house.run("full_sync", "acme")
    house.ingest.asked.clear()
    house.run("incremental_sync", "acme", "globex", tags={"sync/scope": "due"})
    assert house.ingest.asked == []  # globex is not due before the next quarter of an hour, acme was just read
    house.run("incremental_sync", "acme", "globex")
    assert {asked["tenant"] for asked in house.ingest.asked} == {"acme", "globex"}


def test_no_event_holds_a_secret_that_an_error_let_slip(house: House) -> None:
    def slip(report: SyncReport) -> SyncReport:
        raise RuntimeError(f"GET /?token={Secret('hunter2-and-a-half').reveal()} of {report.tenant}")

    house.add("acme", connectors=("salesforce",))
    house.ingest.answers["acme", "salesforce"] = slip
    result = house.run("incremental_sync", "acme")
    told = "".join(str(record) for record in house.instance.all_logs(result.run_id))
    assert "RuntimeError" in told
    assert "hunter2-and-a-half" not in told


def test_a_locked_control_plane_is_tried_again_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add("acme", connectors=("file",))
    tries: list[str] = []
    real = raw.plan_connections

    def locked_once(*args: Any, **more: Any) -> dict[str, list[str]]:
        tries.append("")
        if len(tries) == 1:
            raise BusyError("the control plane is locked by another process")
        return real(*args, **more)

    monkeypatch.setattr(raw, "plan_connections", locked_once)
    monkeypatch.setattr(shard_work, "FIRST_PAUSE_SECONDS", 0.01)
    result = house.run("incremental_sync", "acme")
    assert result.success
    assert "STEP_UP_FOR_RETRY" in {event.event_type_value for event in result.all_events}
    assert house.materialized("raw", "file", "people") == {"acme"}


def test_a_run_told_to_stop_stops(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a RetryPolicy Dagster begins the interrupted step again; seen in the UI."""

    def interrupted(_: object) -> None:
        raise DagsterExecutionInterruptedError

    house.add("acme", connectors=("file",))
    monkeypatch.setattr(shard_work, "as_completed", interrupted)
    result = house.run("incremental_sync", "acme")
    assert not result.success
    assert "STEP_UP_FOR_RETRY" not in {event.event_type_value for event in result.all_events}


def test_the_run_says_which_process_does_its_work(house: House) -> None:
    house.add("acme")
    run = house.instance.get_run_by_id(house.run("incremental_sync", "acme").run_id)
    assert run is not None
    assert WORKER_TAG in run.tags
