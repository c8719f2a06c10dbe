"""Raw assets: one multi-asset per connector, one asset per entity, one partition per tenant.

The body calls one function, ``ingest.sync_connection``, for each connection. A tenant whose sync fails fails alone:
the others are recorded, and the step ends red naming it. A connector that fails leaves the other connectors' steps be.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from connectors import registry
from connectors.connector import Mode
from connectors.manifest import EntitySpec, Manifest
from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.partitions import BACKFILL, TENANTS, raw_key
from gtm_pipelines.defs.request import DUE, REASON_TAG, SCOPE_TAG, SyncRequest, mode_of
from gtm_pipelines.defs.shard_work import describe, each_tenant, fail_for, retried_when_busy
from gtm_pipelines.defs.sync_metadata import entity_metadata, faults_of, summary
from gtm_pipelines.defs.watchdog import die_with_parent
from gtm_pipelines.defs.worker import sign

if TYPE_CHECKING:
    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.ingest import SyncReport

OWNERS = ["team:gtm-data"]
COLUMNS = dg.TableSchema(
    columns=[
        dg.TableColumn(name, kind, description=meaning, constraints=dg.TableColumnConstraints(nullable=nullable))
        for name, kind, nullable, meaning in (
            ("external_id", "VARCHAR", False, "the vendor's id of the record; the key"),
            (
                "source_updated_at",
                "TIMESTAMPTZ",
                True,
                "when the vendor last changed the record, by the vendor's clock",
            ),
            ("is_deleted", "BOOLEAN", False, "the vendor no longer has the record"),
            ("payload", "JSON", True, "the record verbatim; null for a deletion that came without the record"),
            ("payload_hash", "VARCHAR", True, "128-bit BLAKE2b of the payload's bytes"),
            ("synced_at", "TIMESTAMPTZ", False, "when this version of the record was loaded"),
        )
    ]
)


@dataclass
class TenantOutcome:
    """What the syncs of one tenant's connections of one connector came to."""

    reports: "list[SyncReport]"

    @property
    def faults(self) -> list[str]:
        """What a person must know about this tenant; empty when all went well or was politely put off."""
        return [
            fault
            for report in self.reports
            if report.status in ("failed", "partial")
            for fault in faults_of(report) or [f"{report.connection}: the sync ended {report.status}"]
        ]

    def was_read(self, entity: str) -> bool:
        """Tell whether the entity was read without a fault by every connection that tried, and by one at least."""
        parts = [report.entities[entity] for report in self.reports if entity in report.entities]
        return bool(parts) and all(part.status == "ok" for part in parts)


def build_raw_assets() -> list[dg.AssetsDefinition]:
    """Build the assets of every registered connector from its manifest; no vendor code is loaded."""
    return [_build(registry.manifest(connector)) for connector in registry.ids()]


def _spec(manifest: Manifest, entity: EntitySpec) -> dg.AssetSpec:
    return dg.AssetSpec(
        raw_key(manifest.id, entity.name),
        description=f"{entity.description}\n\nRecords of {manifest.name} as it sent them, one row per record. "
        f"Read them as `<connection>.{entity.name.lower()}` with typed columns.",
        group_name=f"raw_{manifest.id}",
        kinds={manifest.id, "dlt", "duckdb"},
        owners=OWNERS,
        skippable=True,
        metadata={"dagster/column_schema": COLUMNS, "connector version": manifest.version},
    )


def _build(manifest: Manifest) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"raw_{manifest.id}",
        specs=[_spec(manifest, entity) for entity in manifest.entities],
        description=f"Sync every connection to {manifest.name} of each tenant in the run.",
        partitions_def=TENANTS,
        backfill_policy=BACKFILL,
        can_subset=True,
    )
    def sync(
        context: dg.AssetExecutionContext, installation: Installation, request: SyncRequest
    ) -> Iterator[dg.MaterializeResult[None]]:
        die_with_parent()
        with retried_when_busy(context):
            sign(context)
            sync_tenants(context, installation, request, manifest.id)
        yield from ()

    return sync


def sync_tenants(
    context: dg.AssetExecutionContext, installation: Installation, request: SyncRequest, connector: str
) -> None:
    """Sync the connections of ``connector`` of every tenant in the run, recording each tenant as it finishes."""
    _note_request(context, request)
    selected = {key.path[-1] for key in context.selected_asset_keys}
    entities = request.narrowed(connector, selected)
    if not entities:
        context.log.info("nothing of %s was asked for", connector)
        return
    everything = {entity.name for entity in registry.manifest(connector).entities}
    # A run of the whole connector reads what each connection selects, its custom objects included.
    wanted = None if set(entities) == everything else entities
    mode = mode_of(context.run.tags)
    faults: dict[str, str] = {}
    with installation.control_plane() as control:
        due_only = context.run.tags.get(SCOPE_TAG) == DUE
        plan = plan_connections(installation, control, connector, context.partition_keys, due_only=due_only)

        def work(tenant: str) -> TenantOutcome:
            return _sync_tenant(installation, control, tenant, plan[tenant], mode=mode, entities=wanted)

        for tenant, outcome in each_tenant(list(plan), work, threads=installation.settings().tenant_threads):
            if isinstance(outcome, BaseException):
                faults[tenant] = describe(outcome)
                continue
            _record(context, tenant, connector, entities, outcome)
            if outcome.faults:
                faults[tenant] = "; ".join(outcome.faults)
    fail_for(faults)


def plan_connections(
    installation: Installation, control: "ControlPlane", connector: str, tenants: Sequence[str], *, due_only: bool
) -> dict[str, list[str]]:
    """Return the active connections of ``connector`` per tenant; with ``due_only`` those that are due now.

    A removed tenant has none: its partition is still there, maybe in the middle of a run's range.
    """
    present = {tenant.id for tenant in control.list_tenants()}
    due = {(tenant, name) for tenant, name, _ in control.due_connections(installation.now())} if due_only else None
    plan = {}
    for tenant in [each for each in tenants if each in present]:
        names = [
            str(connection.name)
            for connection in control.list_connections(tenant)
            if connection.connector == connector
            and connection.status == "active"
            and (due is None or (tenant, connection.name) in due)
        ]
        if names:
            plan[tenant] = names
    return plan


def _sync_tenant(
    installation: Installation,
    control: "ControlPlane",
    tenant: str,
    connections: Sequence[str],
    *,
    mode: Mode,
    entities: list[str] | None,
) -> TenantOutcome:
    from gtm_pipelines.ingest import sync_connection

    return TenantOutcome(
        [
            sync_connection(installation.settings(), control, tenant, name, mode=mode, entities=entities)
            for name in connections
        ]
    )


def _record(
    context: dg.AssetExecutionContext, tenant: str, connector: str, entities: list[str], outcome: TenantOutcome
) -> None:
    """Log what each sync did, and mark the tenant's partition of each entity that was read."""
    from gtm_pipelines.warehouse import names

    for report in outcome.reports:
        context.log.log(logging.INFO if report.status == "ok" else logging.WARNING, summary(report))
    for entity in entities:
        if outcome.was_read(entity):
            read = [report.connection for report in outcome.reports if entity in report.entities]
            tables = [f"{names.raw_schema(connection)}.{names.entity_table(entity)}" for connection in read]
            context.log_event(
                dg.AssetMaterialization(
                    raw_key(connector, entity),
                    partition=tenant,
                    metadata=entity_metadata(outcome.reports, entity, tables),
                )
            )


def _note_request(context: dg.AssetExecutionContext, request: SyncRequest) -> None:
    """Refuse a form that names what no connector has; keep its reason where the list of runs shows it."""
    known = {name: [entity.name for entity in registry.manifest(name).entities] for name in registry.ids()}
    if unknown := request.unknown(known):
        raise dg.Failure(
            f"the launch form names entities that no connector has: {', '.join(unknown)}; "
            f"write them as in salesforce/Contact",
            allow_retries=False,
        )
    if request.reason and REASON_TAG not in context.run.tags:
        context.instance.add_run_tags(context.run.run_id, {REASON_TAG: request.reason})
