"""Tidying up what Dagster leaves: runs whose process is gone, and old runs, which it never deletes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.partitions import TENANTS
from gtm_pipelines.defs.worker import WORKER_TAG, is_lost

KEEP_FOR = timedelta(days=14)
"""For runs in general."""
KEEP_ROUTINE_FOR = timedelta(days=3)
"""For runs that schedule and sensors started and that went well; the sync ledger remembers what they read."""
KEEP_SYNCS_FOR = timedelta(days=90)
"""For reports in the sync ledger."""

_PER_TICK = 200  # runs deleted in one tick of the sensor
_PAGE = 200  # runs asked for at once
_ROUTINE = ({"dagster/schedule_name": "every_15_minutes"}, {"dagster/sensor_name": "raw_changed"})
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dg.sensor(
    name="lost_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs failed whose process died with its host; Dagster's default launcher would wait hours.",
)
def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Fail every started run that was signed by a process which is gone."""
    lost = [
        run
        for run in context.instance.get_runs(
            dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]), limit=1000
        )
        if WORKER_TAG in run.tags and is_lost(run.tags[WORKER_TAG])
    ]
    for run in lost:
        context.instance.report_run_failed(
            run, "The process that did this run's work is gone; the next run takes over."
        )
    return dg.SkipReason(f"{len(lost)} runs had lost their process")


@dg.sensor(
    name="old_runs",
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Deletes runs {KEEP_FOR.days} days old, {KEEP_ROUTINE_FOR.days} for those that started by themselves "
    "and went well, unless they hold a partition's last state; "
    f"and the ledger's reports of syncs {KEEP_SYNCS_FOR.days} days old.",
)
def old_runs(context: dg.SensorEvaluationContext, installation: Installation) -> dg.SkipReason:
    """Delete old runs, a few per tick, and what the sync ledger has kept long enough."""
    now = installation.now()
    deleted = delete_old_runs(context.instance, now - KEEP_FOR, routine_before=now - KEEP_ROUTINE_FOR)
    with installation.control_plane() as control:
        forgotten = sum(control.forget_syncs(tenant.id, now - KEEP_SYNCS_FOR) for tenant in control.list_tenants())
    return dg.SkipReason(f"{deleted} old runs deleted, {forgotten} old syncs forgotten")


def delete_old_runs(instance: dg.DagsterInstance, before: datetime, *, routine_before: datetime | None = None) -> int:
    """Delete runs created before ``before``, oldest first, and routine ones before ``routine_before``; return how many.

    Deleting a run deletes its events, and with the last materialization of a partition the partition would look as if
    it had never been loaded: those runs stay until a newer one covers it.
    """
    searches = [dg.RunsFilter(statuses=_ENDED, created_before=before)]
    if routine_before is not None:
        well = [dg.DagsterRunStatus.SUCCESS]
        searches += [dg.RunsFilter(statuses=well, created_before=routine_before, tags=tags) for tags in _ROUTINE]
    if not any(instance.get_runs(search, limit=1) for search in searches):
        return 0
    needed = _runs_holding_state(instance)
    old = (run_id for search in searches for run_id in _runs(instance, search) if run_id not in needed)
    chosen = list(dict.fromkeys(islice(old, _PER_TICK)))
    for run_id in chosen:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])  # what its steps printed; Dagster leaves it
    _delete_check_results(instance, chosen)
    return len(chosen)


def _runs(instance: dg.DagsterInstance, search: dg.RunsFilter) -> Iterator[str]:
    """Yield the runs found, oldest first, page by page: any number of needed ones may stand before the first other."""
    cursor = None
    while page := instance.get_runs(search, cursor=cursor, limit=_PAGE, ascending=True):
        yield from (run.run_id for run in page)
        cursor = page[-1].run_id


def _delete_check_results(instance: dg.DagsterInstance, run_ids: list[str]) -> None:
    """Delete the check results of deleted runs, which Dagster leaves; the last of each check and tenant is kept."""
    events = instance.event_log_storage
    if not run_ids or not isinstance(events, SqlEventLogStorage):
        return
    columns = AssetCheckExecutionsTable.c
    with events.index_connection() as connection:
        last = {row[0] for row in connection.exec_driver_sql(_LAST_CHECK_RESULTS)}
        for run_id in run_ids:
            rows = connection.execute(AssetCheckExecutionsTable.select().where(columns.run_id == run_id))
            kept = [row.id for row in rows if row.id in last]
            connection.execute(
                AssetCheckExecutionsTable.delete().where(columns.run_id == run_id, columns.id.not_in(kept))
            )


_LAST_CHECK_RESULTS = "SELECT max(id) FROM asset_check_executions GROUP BY asset_key, check_name, partition"


def _runs_holding_state(instance: dg.DagsterInstance) -> set[str]:
    tenants = set(instance.get_dynamic_partitions(str(TENANTS.name)))
    holding: set[str] = set()
    for key in instance.all_asset_keys():
        newest = instance.event_log_storage.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION, partitions=tenants
        )
        if newest:
            page = instance.fetch_materializations(
                dg.AssetRecordsFilter(key, storage_ids=list(newest.values())), limit=len(newest)
            )
            holding |= {record.run_id for record in page.records}
    return holding
