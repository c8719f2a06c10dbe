"""A failed run is said once, in one structured line that a log shipper can turn into an alert."""

import dagster as dg

from gtm_pipelines.defs.partitions import PARTITION, RANGE_END, RANGE_START, SHARD
from gtm_pipelines.defs.request import MODE_TAG
from gtm_pipelines.defs.shard_work import reason_of


@dg.run_failure_sensor(
    name="run_failed",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Writes one JSON line to the log for every failed run: job, tenants, steps, and why.",
)
def run_failed(context: dg.RunFailureSensorContext) -> None:
    """Log the failure; credentials are masked in whatever the error says."""
    import structlog

    from connectors.runtime.redaction import redact

    run = context.dagster_run
    steps = {
        event.step_key: redact(reason_of(event))
        for event in context.get_step_failure_events()
        if event.step_key is not None
    }
    tags = run.tags
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[structlog.processors.JSONRenderer()])
    log.error(
        "run_failed",
        job=run.job_name,
        run_id=run.run_id,
        tenants=tags.get(SHARD) or tags.get(PARTITION) or f"{tags.get(RANGE_START)}..{tags.get(RANGE_END)}",
        mode=tags.get(MODE_TAG),
        steps=steps,
        message=redact(context.failure_event.message or ""),
    )
