"""Raw changed: refine. What changed is read off the raw assets' own events, so a partly failed run counts too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from connectors import registry
from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.jobs import QUIET, REFINE
from gtm_pipelines.defs.partitions import TENANTS, cut_exact, shard_name, shard_tags
from gtm_pipelines.defs.refined import REFINED_MARK, STARTED_AT
from gtm_pipelines.defs.schedules import raw_keys
from gtm_pipelines.defs.sync_metadata import CHANGED, LOADED_AT

_EVENTS_PER_TICK = 2_000


@dataclass
class RawChange:
    """Tenants whose raw tables changed after a place in the event log, with the time of the last load."""

    loaded_at: dict[str, float] = field(default_factory=dict)
    cursor: int = 0


@dg.sensor(
    name="raw_changed",
    job_name=REFINE,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Refines the tenants whose raw records changed and were not refined since.",
)
def raw_changed(context: dg.SensorEvaluationContext, installation: Installation) -> dg.SensorResult | dg.SkipReason:
    """Request refinement, side by side in shards, for tenants whose last load is newer than their last refinement."""
    change = read_changes(context.instance, raw_keys(registry.ids()), after=int(context.cursor or 0))
    waiting = {
        tenant: loaded for tenant, loaded in change.loaded_at.items() if loaded > last_refined(context.instance, tenant)
    }
    keys = context.instance.get_dynamic_partitions(str(TENANTS.name))
    shards = cut_exact(keys, waiting, at_most=installation.settings().shard_size)
    requests = [
        dg.RunRequest(run_key=f"refine:{change.cursor}:{shard_name(shard)}", run_config=QUIET, tags=shard_tags(shard))
        for shard in shards
    ]
    skip = None if requests else "no tenant's raw records changed since it was refined"
    return dg.SensorResult(run_requests=requests, skip_reason=skip, cursor=str(change.cursor))


def read_changes(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey], *, after: int) -> RawChange:
    """Read the materializations of ``keys`` behind ``after``, in order; those that changed nothing count for nothing.

    The cursor stops where the first asset's page was full, so that nothing between is skipped.
    """
    change, reached = RawChange(cursor=after), []
    newest = {record.asset_entry.asset_key: record.asset_entry for record in instance.get_asset_records(list(keys))}
    for key in keys:
        entry = newest.get(key)
        if entry is None or (entry.last_materialization_storage_id or 0) <= after:
            continue
        page = instance.fetch_materializations(
            dg.AssetRecordsFilter(key, after_storage_id=after), limit=_EVENTS_PER_TICK, ascending=True
        )
        for record in page.records:
            change.cursor = max(change.cursor, record.storage_id)
            _count(change, record)
        if page.has_more:
            reached.append(page.records[-1].storage_id)
    change.cursor = min([change.cursor, *reached])
    return change


def _count(change: RawChange, record: dg.EventLogRecord) -> None:
    materialization = record.asset_materialization
    if materialization is None or materialization.partition is None:
        return
    metadata = materialization.metadata
    if _number(metadata, CHANGED):
        tenant = materialization.partition
        change.loaded_at[tenant] = max(change.loaded_at.get(tenant, 0.0), _number(metadata, LOADED_AT))


def last_refined(instance: dg.DagsterInstance, tenant: str) -> float:
    """Return when the tenant's last recorded refinement began to read; 0 when there was none."""
    page = instance.fetch_materializations(
        dg.AssetRecordsFilter(REFINED_MARK, asset_partitions=[tenant]), limit=1, ascending=False
    )
    for record in page.records:
        if record.asset_materialization is not None:
            return _number(record.asset_materialization.metadata, STARTED_AT)
    return 0.0


def _number(metadata: Mapping[str, Any], name: str) -> float:
    value = metadata.get(name)
    return float(value.value) if value is not None and isinstance(value.value, int | float) else 0.0
