"""Erasing a tenant from Dagster: its partition, what says that its assets are there, and the runs that were only its.

A run that covered other tenants too stays, without this tenant's materializations and checks; what its log says in
words goes when old runs do. Dagster cannot wipe partitions in its SQL storages, so its tables are named here.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)

from gtm_pipelines.defs.partitions import PARTITION, RANGE_END, RANGE_START, SHARD, TENANTS
from gtm_pipelines.defs.worker import WORKER_TAG, is_lost
from gtm_pipelines.removal import Removed

if TYPE_CHECKING:
    from gtm_pipelines.tenancy import TenantId

_AT_WORK = frozenset({dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING})
_BUSY_SECONDS = 30
_PARTITIONS = str(TENANTS.name)


class InstanceBusyError(Exception):
    """Dagster is at work for the tenant, or on its own tables; trying again later is right."""


def refuse_while_running(instance: dg.DagsterInstance, tenant: TenantId) -> None:
    """Raise InstanceBusyError while a run that is only this tenant's is at work."""
    for run in _runs_of(instance, tenant):
        if run.status in _AT_WORK and not (WORKER_TAG in run.tags and is_lost(run.tags[WORKER_TAG])):
            raise InstanceBusyError(
                f"the run {run.run_id[:8]} ({run.job_name}) is at work for {tenant}: wait for it or terminate it in "
                "the UI, then give the same command again; nothing was erased"
            )


def erase_from_dagster(instance: dg.DagsterInstance, tenant: TenantId) -> list[Removed]:
    """Delete what Dagster keeps of a tenant and say what that was; the partition goes last, so it can be repeated."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(f"{type(storage).__name__} is no storage that a tenant can be erased from")
    events = _erase_events(storage, tenant)
    runs = [_erase_run(instance, storage, run.run_id) for run in _runs_of(instance, tenant)]
    _point_at_what_is_left(instance, storage, tenant)
    partitions = int(tenant in instance.get_dynamic_partitions(_PARTITIONS))
    if partitions:
        instance.delete_dynamic_partition(_PARTITIONS, tenant)
    if isinstance(storage, SqliteEventLogStorage):
        _compact(Path(storage.path_for_shard("index")))
    counts = {"Dagster: asset events": events, "Dagster: runs": len(runs), "Dagster: partition": partitions}
    return [Removed(what, count) for what, count in counts.items() if count]


def _runs_of(instance: dg.DagsterInstance, tenant: TenantId) -> list[dg.DagsterRun]:
    """Return the runs that cover this tenant and no other."""
    ways = ({PARTITION: tenant}, {RANGE_START: tenant, RANGE_END: tenant}, {SHARD: tenant})
    found = [
        run for tags in ways for run in instance.get_runs(dg.RunsFilter(tags={k: str(v) for k, v in tags.items()}))
    ]
    return list({run.run_id: run for run in found}.values())


def _erase_events(storage: SqlEventLogStorage, tenant: TenantId) -> int:
    """Delete the tenant's materializations and checks from every run's log, then from the index that leads to them."""
    events, checks = SqlEventLogStorageTable, AssetCheckExecutionsTable
    is_tenants = events.c.partition == tenant
    if isinstance(storage, SqliteEventLogStorage):  # which keeps each run's log in a file of its own besides
        with storage.index_connection() as index:
            runs = index.execute(events.select().with_only_columns(events.c.run_id).where(is_tenants).distinct()).all()
        for (run_id,) in runs:
            with storage.run_connection(run_id) as log:
                log.execute(events.delete().where(is_tenants))
    with storage.index_transaction() as index:
        ids = events.select().with_only_columns(events.c.id).where(is_tenants)
        index.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(ids)))
        index.execute(AssetKeyTable.update().values(cached_status_data=None))  # counts partitions; is made again
        gone = index.execute(events.delete().where(is_tenants)).rowcount
        return int(gone + index.execute(checks.delete().where(checks.c.partition == tenant)).rowcount)


def _erase_run(instance: dg.DagsterInstance, storage: SqlEventLogStorage, run_id: str) -> str:
    """Delete a run with its log, its checks and what its steps printed; last the run itself, which leads to them."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage.delete_events(run_id)
    with storage.index_connection() as index:
        index.execute(AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id))
    instance.run_storage.delete_run(run_id)
    return run_id


def _point_at_what_is_left(instance: dg.DagsterInstance, storage: SqlEventLogStorage, tenant: TenantId) -> None:
    """Let each asset whose last materialization was the tenant's show the last one of those that are left."""
    for record in instance.get_asset_records():
        entry = record.asset_entry
        last = entry.last_materialization and entry.last_materialization.dagster_event
        if last is None or last.partition != tenant:
            continue
        page = instance.fetch_materializations(dg.AssetRecordsFilter(entry.asset_key), limit=1)
        if page.records:
            storage.store_asset_event(page.records[0].event_log_entry, page.records[0].storage_id)
            continue
        with storage.index_transaction() as index:
            is_it = AssetKeyTable.c.asset_key == entry.asset_key.to_string()
            index.execute(AssetKeyTable.update().values(last_materialization=None, last_run_id=None).where(is_it))


def _compact(index: Path) -> None:
    """Rewrite the index and the list of runs: SQLite keeps deleted rows in freed pages."""
    for path in (index, index.parent.parent / "runs.db"):
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
            try:
                database.execute("VACUUM")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                raise InstanceBusyError(
                    f"Dagster kept {path} busy for {_BUSY_SECONDS} seconds: give the same command again"
                ) from error
