"""Canonical, golden and marts: one step that refreshes each tenant of the run from raw to published.

It is one step and not one per layer, because Dagster does not start a step whose upstream step has failed: a tenant
that fails in one layer would hold up all others in the next. Within a step each tenant goes on to its own end.
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from gtm_pipelines.defs.checks import Findings, check_specs, evaluations, findings, summaries
from gtm_pipelines.defs.freshness import judge
from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.partitions import BACKFILL, TENANTS
from gtm_pipelines.defs.shard_work import describe, each_tenant, fail_for, retried_when_busy
from gtm_pipelines.defs.tables import canonical_key, table_specs
from gtm_pipelines.defs.watchdog import die_with_parent
from gtm_pipelines.defs.worker import sign

if TYPE_CHECKING:
    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.refresh import RefreshReport, Stage

REFINED_MARK = canonical_key("person")
"""The asset whose materialization says that a tenant's raw records were refined."""
STARTED_AT = "started_at"
_LAYERS = ("canonical", "golden", "marts")


def build_refined_assets() -> dg.AssetsDefinition:
    """Build the step and its assets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitioned checks are marked as preview; verified to work
        checks = check_specs()

    @dg.multi_asset(
        name="refresh",  # a step may not be called like the job it stands in
        specs=table_specs(),
        check_specs=checks,
        description="Refine, resolve, rebuild the marts and publish, tenant by tenant.",
        partitions_def=TENANTS,
        backfill_policy=BACKFILL,
        can_subset=True,
    )
    def refresh(
        context: dg.AssetExecutionContext, installation: Installation
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        die_with_parent()
        with retried_when_busy(context):
            sign(context)
            judged, faults = refresh_tenants(context, installation)
        yield from summaries(context.selected_asset_check_keys, judged)
        fail_for(faults)

    return refresh


def refresh_tenants(
    context: dg.AssetExecutionContext, installation: Installation
) -> tuple[dict[str, Findings], dict[str, str]]:
    """Refresh every tenant of the run, recording each as it finishes; return what checks found and what went wrong."""
    from gtm_pipelines.refresh import StageFailedError, refresh_tenant

    judged: dict[str, Findings] = {}
    faults: dict[str, str] = {}
    stages = stages_for({key.path[0] for key in context.selected_asset_keys})
    with installation.control_plane() as control:
        settings = installation.settings()

        def work(tenant: str) -> "RefreshReport":
            return refresh_tenant(settings, control, tenant, stages=stages, clock=installation.now)

        for tenant, outcome in each_tenant(in_order(control, context), work, threads=settings.tenant_threads):
            if isinstance(outcome, StageFailedError):
                faults[tenant] = describe(outcome.__cause__ or outcome)
                done = _LAYERS[: _LAYERS.index(outcome.stage)] if outcome.stage in _LAYERS else _LAYERS
                _record(context, outcome.report, layers=done)
            elif isinstance(outcome, BaseException):
                faults[tenant] = describe(outcome)
            else:
                _record(context, outcome, layers=_LAYERS)
                judged[tenant] = findings(outcome, judge(control, tenant, installation.now()).sentences)
                for evaluation in evaluations(context.selected_asset_check_keys, tenant, judged[tenant]):
                    context.log_event(evaluation)
    return judged, faults


def in_order(control: "ControlPlane", context: dg.AssetExecutionContext) -> list[str]:
    """Return the run's tenants, those with most connections first: the run would wait for a long one begun last."""
    return sorted(context.partition_keys, key=lambda tenant: -len(control.list_connections(tenant)))


def stages_for(layers: set[str]) -> "list[Stage]":
    """Return the stages that make the selected layers; checks and publication always follow."""
    from gtm_pipelines.refresh import Stage

    return [stage for stage in Stage if stage not in _LAYERS or stage in layers]


def _record(context: dg.AssetExecutionContext, report: "RefreshReport", *, layers: tuple[str, ...]) -> None:
    """Mark the tenant's partition of each selected table in the layers that were reached."""
    seconds = ", ".join(f"{stage} {took:.2f} s" for stage, took in report.seconds.items())
    context.log.info("%s: %s", report.tenant, seconds or "nothing to do")
    for key in sorted(context.selected_asset_keys):
        if key.path[0] in layers:
            context.log_event(
                dg.AssetMaterialization(key, partition=report.tenant, metadata=_metadata(report, *key.path))
            )


def _metadata(report: "RefreshReport", layer: str, name: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        STARTED_AT: dg.MetadataValue.timestamp(report.started_at),
        "seconds": report.seconds.get(layer, 0.0),
    }
    table = f"{layer}.{name}"
    if table in report.row_counts:
        found["dagster/partition_row_count"] = report.row_counts[table]
    if layer == "canonical" and report.refine is not None:
        for entity in report.refine.entities:
            if (part := entity.targets.get(name)) is not None:
                for count in ("read", "written", "unchanged", "deleted", "rejected", "unmapped"):
                    found[count] = found.get(count, 0) + getattr(part, count)
    if layer == "golden" and report.resolution is not None:
        kind = getattr(report.resolution, name)
        found |= {
            count: getattr(kind, count) for count in ("changed", "looked_at", "founded", "retired", "moved", "written")
        }
    return found
