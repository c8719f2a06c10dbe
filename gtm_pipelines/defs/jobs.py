"""The three things an operator runs: an incremental sync, a full sync, a refinement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from connectors import registry
from connectors.connector import Mode
from gtm_pipelines.defs.request import MODE_TAG

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

INCREMENTAL_SYNC = "incremental_sync"
FULL_SYNC = "full_sync"
REFINE = "refine"

_HOUR = 3600
_MAX_RUNTIME = "dagster/max_runtime"


def raw_assets() -> dg.AssetSelection:
    """Select every raw asset."""
    return dg.AssetSelection.groups(*(f"raw_{connector}" for connector in registry.ids()))


def refined_assets() -> dg.AssetSelection:
    """Select what refinement makes, with its checks."""
    return dg.AssetSelection.groups("canonical", "golden", "marts")


QUIET: dict[str, Any] = {"loggers": {"console": {"config": {}}}}
"""Run configuration that picks our console logger; Dagster's own prints every event."""


def launch_form(reason: str = "") -> dict[str, Any]:
    """Return a sync's run configuration; the launchpad opens with it, so that nobody has to know the form."""
    return {**QUIET, "resources": {"request": {"config": {"entities": [], "reason": reason}}}}


def build_jobs() -> list[UnresolvedAssetJobDefinition]:
    """Build the jobs. The mode is a tag because Dagster applies a job's tags on every way of launching it."""
    return [
        dg.define_asset_job(
            INCREMENTAL_SYNC,
            raw_assets(),
            description="Read what changed at the vendors since the last sync. Runs every 15 minutes for what is due.",
            config=launch_form(),
            tags={MODE_TAG: str(Mode.INCREMENTAL), _MAX_RUNTIME: str(2 * _HOUR)},
        ),
        dg.define_asset_job(
            FULL_SYNC,
            raw_assets(),
            description="Read everything again and mark what the vendors no longer have as deleted. "
            "Run it for one tenant from the launchpad: choose the tenant, give a reason, narrow the entities.",
            config=launch_form(),
            tags={MODE_TAG: str(Mode.FULL), _MAX_RUNTIME: str(12 * _HOUR)},
        ),
        dg.define_asset_job(
            REFINE,
            refined_assets(),
            description="Turn raw records into canonical rows, golden people and accounts, and marts; publish them. "
            "Starts by itself when raw changed.",
            config=QUIET,
            tags={_MAX_RUNTIME: str(2 * _HOUR)},
        ),
    ]
