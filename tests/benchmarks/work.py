"""The pieces of work that are measured, each called in a process of its own by ``measure.run``.

What the work imports on its way is imported here first, so that a figure is the work's and not the interpreter's start.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pandera.polars
import sqlalchemy
from pydantic import SecretStr

from gtm_pipelines import sandbox
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.ingest import sync_connection
from gtm_pipelines.refresh import refresh_tenant
from gtm_pipelines.settings import Settings

TENANT = "bench"
_IMPORTED = (dlt.destinations, duckdb, pandera.polars, sqlalchemy)


def settings_of(home: str, url: str, warehouse_url: str = "") -> Settings:
    """Settings of a benchmark's home."""
    return Settings(
        home=Path(home),
        encryption_key=SecretStr("5a" * 32),
        sandbox_url=url,
        warehouse_url=warehouse_url or None,
    )


def connect(home: str, url: str, warehouse_url: str = "") -> dict[str, Any]:
    """Add the tenant and its Salesforce connection; not part of any figure."""
    settings = settings_of(home, url, warehouse_url)
    with open_control_plane(settings, actor="bench") as control:
        control.add_tenant(TENANT)
        control.add_connection(TENANT, "salesforce", "salesforce", *sandbox.accounts(url, TENANT)["salesforce"])
    return {}


def land(home: str, url: str, entities: list[str], warehouse_url: str = "") -> dict[str, Any]:
    """Sync the named entities into raw."""
    settings = settings_of(home, url, warehouse_url)
    with open_control_plane(settings, actor="bench") as control:
        report = sync_connection(settings, control, TENANT, "salesforce", entities=entities)
    if report.status != "ok":
        raise RuntimeError(report.model_dump_json())
    return {
        "rows": sum(each.created for each in report.entities.values()),
        "changed": report.changed,
        "unchanged": sum(each.unchanged for each in report.entities.values()),
        "requests": sum(each.requests for each in report.entities.values()),
    }


def idle(home: str, url: str, entities: list[str], warehouse_url: str = "") -> dict[str, Any]:
    """Sync where nothing changed, in a process already warm, as a scheduled run is after its first tenant."""
    settings, turns = settings_of(home, url, warehouse_url), []
    with open_control_plane(settings, actor="bench") as control:
        for _ in range(11):
            cpu = time.process_time()
            report = sync_connection(settings, control, TENANT, "salesforce", entities=entities)
            turns.append(time.process_time() - cpu)
    if report.status != "ok" or report.changed:
        raise RuntimeError(report.model_dump_json())
    return {"cpu": statistics.median(turns[2:]), "requests": sum(each.requests for each in report.entities.values())}


def refresh(home: str, url: str, warehouse_url: str = "") -> dict[str, Any]:
    """Refine raw into canonical and resolve it into golden; seconds of each stage."""
    from gtm_pipelines.warehouse import open_published

    settings = settings_of(home, url, warehouse_url)
    with open_control_plane(settings, actor="bench") as control:
        report = refresh_tenant(settings, control, TENANT)
    with open_published(settings, TENANT) as warehouse:
        counts = {
            name: warehouse.rows(f"SELECT count(*) FROM {name}")[0][0]
            for name in ("canonical.person", "golden.person", "canonical.account", "golden.account")
        }
    return {"counts": counts, "seconds": report.seconds}
