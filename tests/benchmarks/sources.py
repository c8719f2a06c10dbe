"""Every connector's first full sync from the sandbox: what a record costs, source by source.

The vendor's own rate limit is lifted on both sides, for it would be all that one sees; what is left is the reader's
work and the server's. Each connector has a home and a process of its own, the server another.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from connectors import registry
from gtm_pipelines import sandbox
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.ingest import sync_connection
from tests.benchmarks.work import TENANT, settings_of


def names(url: str) -> list[str]:
    """Return the connectors that can be read from the sandbox, spreadsheets and the database included."""
    return sorted({*sandbox.accounts(url, TENANT), "file", "sql"} & set(registry.ids()))


def lift_limits(url: str) -> None:
    """Let the sandbox's vendors answer as fast as they can."""
    known = httpx.get(f"{url}/{TENANT}/_faults", trust_env=False).json()
    lifted = {name: {"requests_per_second": 1e6} for name, faults in known.items() if "requests_per_second" in faults}
    httpx.put(f"{url}/{TENANT}/_faults", json=lifted, trust_env=False).raise_for_status()


def full_sync(connector: str, home: str, worlds: str, url: str) -> dict[str, Any]:
    """Connect one source and read it whole; seconds are the sync's alone."""
    settings = settings_of(home, url).model_copy(update={"private_databases": (str(Path(worlds).absolute()),)})
    places = {
        "file": lambda: sandbox.spreadsheets(sandbox.files(Path(worlds), TENANT)),
        "sql": lambda: sandbox.database(Path(worlds), TENANT),
    }
    account = places[connector]() if connector in places else sandbox.accounts(url, TENANT)[connector]
    with open_control_plane(settings, actor="bench") as control, _without_rate(connector):
        control.add_tenant(TENANT)
        control.add_connection(TENANT, connector, connector, *account)
        began, cpu = time.perf_counter(), time.process_time()
        report = sync_connection(settings, control, TENANT, connector)
        seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    faults = [fault.message for each in report.entities.values() for fault in each.errors]
    return {
        "rows": sum(each.created for each in report.entities.values()),
        "requests": sum(each.requests for each in report.entities.values()),
        "status": str(report.status),
        "faults": faults,
        "seconds": seconds,
        "cpu": spent,
    }


@contextlib.contextmanager
def _without_rate(connector: str) -> Iterator[None]:
    """Build this connector's transport without the vendor's rate."""
    known = registry.manifest
    lifted = known(connector).model_copy(update={"rate_limit": None})
    registry.manifest = lambda name: lifted if name == connector else known(name)  # type: ignore[assignment]  # for the block only
    try:
        yield
    finally:
        registry.manifest = known
