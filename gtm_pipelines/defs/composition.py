"""All definitions put together, without network, secret or environment, in the time Dagster itself takes to load."""

from __future__ import annotations

import dagster as dg

from gtm_pipelines.defs.console import redacted_console
from gtm_pipelines.defs.freshness import freshness
from gtm_pipelines.defs.installation import Installation
from gtm_pipelines.defs.jobs import build_jobs
from gtm_pipelines.defs.raw import build_raw_assets
from gtm_pipelines.defs.refined import build_refined_assets
from gtm_pipelines.defs.request import SyncRequest
from gtm_pipelines.defs.schedules import sync_due
from gtm_pipelines.defs.sensors.housekeeping import lost_runs, old_runs
from gtm_pipelines.defs.sensors.notices import run_failed
from gtm_pipelines.defs.sensors.onboarding import first_connection, tenant_partitions
from gtm_pipelines.defs.sensors.refinement import raw_changed

CODE_LOCATION = "gtm_pipelines"


def compose() -> dg.Definitions:
    """Return the definitions of the code location."""
    return dg.Definitions(
        assets=[*build_raw_assets(), build_refined_assets()],
        jobs=build_jobs(),
        schedules=[sync_due],
        sensors=[tenant_partitions, first_connection, raw_changed, run_failed, freshness, lost_runs, old_runs],
        resources={"installation": Installation(), "request": SyncRequest.configure_at_launch()},
        executor=dg.in_process_executor,
        loggers={"console": redacted_console},
    )
