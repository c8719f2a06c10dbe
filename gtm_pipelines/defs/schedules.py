"""The clock: every 15 minutes, one run per shard of tenants for what is due."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import dagster as dg

from connectors import registry
from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.jobs import INCREMENTAL_SYNC, launch_form
from gtm_pipelines.defs.partitions import SHARD, TENANTS, cut_spanning, raw_key, shard_name, shard_tags
from gtm_pipelines.defs.request import DUE, SCOPE_TAG

UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.schedule(
    name="every_15_minutes",
    cron_schedule="*/15 * * * *",
    job_name=INCREMENTAL_SYNC,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Sync the connections that are due, active and not put off, tenants side by side in one run.",
)
def sync_due(
    context: dg.ScheduleEvaluationContext, installation: Installation
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run for every shard in which something is due."""
    requests = list(due_runs(context.instance, installation, context.scheduled_execution_time))
    yield from requests
    if not requests:
        yield dg.SkipReason("no connection is due, or its shard is still at work")


def due_runs(instance: dg.DagsterInstance, installation: Installation, tick: datetime) -> Iterator[dg.RunRequest]:
    """Yield one run per shard in which something is due; a shard still at work is left alone."""
    keys = instance.get_dynamic_partitions(str(TENANTS.name))
    with installation.control_plane() as control:
        due = control.due_connections(installation.now())
    shards = cut_spanning(keys, {tenant for tenant, _, _ in due}, at_most=installation.settings().shard_size)
    at_work = _shards_at_work(instance) if shards else set()
    for shard in shards:
        if shard_name(shard) in at_work:
            continue
        connectors = sorted({connector for tenant, _, connector in due if tenant in shard})
        yield dg.RunRequest(
            run_key=f"{tick:%Y%m%dT%H%M}:{shard_name(shard)}",
            asset_selection=raw_keys(connectors),
            run_config=launch_form(),
            tags={**shard_tags(shard), SCOPE_TAG: DUE},
        )


def raw_keys(connectors: Sequence[str]) -> list[dg.AssetKey]:
    """Return the raw assets of some connectors; one that is no longer installed has none."""
    return [
        raw_key(connector, entity.name)
        for connector in connectors
        if connector in registry.ids()
        for entity in registry.manifest(connector).entities
    ]


def _shards_at_work(instance: dg.DagsterInstance) -> set[str]:
    """Return the shards whose scheduled sync has not ended yet."""
    runs = instance.get_runs(
        dg.RunsFilter(job_name=INCREMENTAL_SYNC, statuses=UNFINISHED, tags={SCOPE_TAG: DUE}), limit=1000
    )
    return {run.tags[SHARD] for run in runs if SHARD in run.tags}
