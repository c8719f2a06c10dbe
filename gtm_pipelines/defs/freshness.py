"""Whether every source of every tenant is as fresh as its schedule promises.

Dagster's freshness policies know assets, not tenants. Every refinement judges its tenants; but a broken sync brings no
refinement, so a sensor looks at the ledger too, and reports the check whenever a tenant's answer changes.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from gtm_pipelines.defs.installation import Installation

if TYPE_CHECKING:
    from gtm_pipelines.control_plane import Connection, ControlPlane

MART = dg.AssetKey(["marts", "source_freshness"])
CHECK = "every_source_fresh"
PATIENCE = timedelta(hours=2)
"""How late behind its own schedule a source may be before it counts as stale."""

PROMISE = (
    "Every active connection of the tenant was read successfully within its schedule, "
    f"give or take {PATIENCE.total_seconds() / 3600:.0f} hours."
)


@dataclass(frozen=True)
class Verdict:
    """What was found for one tenant; ``stale`` has the stale connections, each with when it was last read."""

    tenant: str
    stale: dict[str, datetime | None]

    @property
    def sentences(self) -> list[str]:
        """A sentence for each stale connection."""
        return [f"{name}: last read {last or 'never'}" for name, last in self.stale.items()]

    def evaluation(self) -> dg.AssetCheckEvaluation:
        """Return the verdict as an evaluation of the tenant's partition."""
        return dg.AssetCheckEvaluation(
            asset_key=MART,
            check_name=CHECK,
            passed=not self.stale,
            severity=dg.AssetCheckSeverity.WARN,
            partition=self.tenant,
            description="; ".join(self.sentences) or "every source is fresh",
            metadata={"stale": dg.MetadataValue.json(self.sentences)},
        )


def judge(control: "ControlPlane", tenant: str, now: datetime) -> Verdict:
    """Return which of a tenant's active connections are stale at ``now``."""
    stale = {
        str(connection.name): connection.last_success_at
        for connection in control.list_connections(tenant)
        if connection.status != "paused" and _is_stale(connection, now)
    }
    return Verdict(tenant, stale)


def _is_stale(connection: "Connection", now: datetime) -> bool:
    """Tell whether the next sync after the last good one is overdue by more than our patience."""
    from gtm_pipelines.control_plane.schedule import next_fire

    fresh_as_of = connection.last_success_at or connection.created_at
    return now > next_fire(connection.schedule, fresh_as_of) + PATIENCE


@dg.sensor(
    name="freshness",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Reports the check {CHECK} for each tenant whose sources became stale, or fresh again.",
)
def freshness(context: dg.SensorEvaluationContext, installation: Installation) -> dg.SensorResult | dg.SkipReason:
    """Compare each tenant's stale connections with those reported last, which the cursor keeps."""
    before: dict[str, list[str]] = json.loads(context.cursor or "{}")
    with installation.control_plane() as control:
        now = installation.now()
        verdicts = [judge(control, tenant.id, now) for tenant in control.list_tenants()]
    changed = [verdict for verdict in verdicts if before.get(verdict.tenant) != list(verdict.stale)]
    if not changed:
        return dg.SkipReason(f"nothing changed for {len(verdicts)} tenants")
    return dg.SensorResult(
        asset_events=[verdict.evaluation() for verdict in changed],
        cursor=json.dumps({verdict.tenant: list(verdict.stale) for verdict in verdicts}),
    )
