"""New tenants become partitions; a new connection gets its first full sync."""

import dagster as dg

from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.jobs import FULL_SYNC, launch_form
from gtm_pipelines.defs.partitions import SHARD, TENANTS
from gtm_pipelines.defs.schedules import raw_keys


@dg.sensor(
    name="tenant_partitions",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for each new tenant. It never deletes one: a read that failed or came back empty "
    "must not take tenants away, and a removed tenant has nothing to sync anyway.",
)
def tenant_partitions(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.SensorResult | dg.SkipReason:
    """Request a partition for every tenant that has none."""
    with installation.control_plane() as control:
        tenants = [tenant.id for tenant in control.list_tenants()]
    known = set(context.instance.get_dynamic_partitions(str(TENANTS.name)))
    new = [tenant for tenant in tenants if tenant not in known]
    if not new:
        return dg.SkipReason(f"all {len(tenants)} tenants have their partition")
    return dg.SensorResult(dynamic_partitions_requests=[TENANTS.build_add_request(new)])


@dg.sensor(
    name="first_connection",
    job_name=FULL_SYNC,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads a new connection in full, once; a first sync that failed is taken up by the schedule.",
)
def first_connection(
    context: dg.SensorEvaluationContext,  # noqa: ARG001  Dagster's signature
    installation: Installation,
) -> dg.SensorResult | dg.SkipReason:
    """Request a full sync for each connection that was never synced; its run key makes it happen once."""
    with installation.control_plane() as control:
        waiting = control.unsynced_connections()
        created = {(tenant, name): control.get_connection(tenant, name).created_at for tenant, name, _ in waiting}
    if not waiting:
        return dg.SkipReason("every connection has been synced before")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"first:{tenant}:{name}:{created[tenant, name].isoformat()}",
                partition_key=tenant,
                asset_selection=raw_keys([connector]),
                run_config=launch_form(f"first sync of {name}"),
                tags={SHARD: tenant},
            )
            for tenant, name, connector in waiting
        ],
        dynamic_partitions_requests=[TENANTS.build_add_request(sorted({tenant for tenant, _, _ in waiting}))],
    )
