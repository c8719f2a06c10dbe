"""Tidying up what Dagster leaves: runs whose process is gone, and old runs, which it never deletes."""

from datetime import datetime, timedelta

import dagster as dg

from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.partitions import TENANTS
from gtm_pipelines.defs.worker import WORKER_TAG, is_lost

KEEP_FOR = timedelta(days=14)
_PER_TICK = 200
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
    description=f"Deletes runs that ended over {KEEP_FOR.days} days ago, unless they hold a partition's last state.",
)
def old_runs(context: dg.SensorEvaluationContext, installation: Installation) -> dg.SkipReason:
    """Delete old runs, a few per tick."""
    deleted = delete_old_runs(context.instance, installation.now() - KEEP_FOR)
    return dg.SkipReason(f"{deleted} old runs deleted")


def delete_old_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete runs that ended before ``before``, oldest first; return how many.

    Deleting a run deletes its events, and with the last materialization of a partition the partition would look as if
    it had never been loaded: those runs stay until a newer one covers it.
    """
    old = instance.get_runs(dg.RunsFilter(statuses=_ENDED, created_before=before), limit=_PER_TICK, ascending=True)
    if not old:
        return 0
    needed = _runs_holding_state(instance)
    doomed = [run.run_id for run in old if run.run_id not in needed]
    for run_id in doomed:
        instance.delete_run(run_id)
    return len(doomed)


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
