"""HubSpot's portals as the connector's tests see them, and what they ask of a read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector
from gtm_pipelines import sandbox
from tests.contract.sandboxed import NOW, Sandboxed
from tests.worlds import put_world

RECORDS = ["contacts", "companies", "deals", "calls", "emails", "meetings", "notes", "tasks"]
_UNLIMITED = {"requests_per_ten_seconds": 1_000_000, "searches_per_second": 1_000_000}


@contextmanager
def served(directory: Path) -> Iterator[tuple[Path, str]]:
    """Serve a world that stands still, and others beside it."""
    put_world(directory, "still", size=400, seed=7, vendors=("hubspot",))
    with sandbox.running(directory) as url:
        yield directory, url


@contextmanager
def unlimited(url: str, tenant: str) -> Iterator[Sandboxed]:
    """Return a portal without HubSpot's limits, which count in real time."""
    vendor = Sandboxed(url, tenant, "hubspot")
    with vendor.suffering(**_UNLIMITED):
        vendor.clear_ledger()
        yield vendor
        vendor.close()


@contextmanager
def new_world(directory: Path, url: str) -> Iterator[Sandboxed]:
    """Make a portal of a test's own, whose time may pass."""
    tenant = f"moving_{len(list(directory.iterdir()))}"
    put_world(directory, tenant, size=200, seed=15, vendors=("hubspot",))
    with unlimited(url, tenant) as vendor:
        yield vendor


def taken(connector: Connector, entity: str = "contacts", *, later: timedelta = timedelta(0), **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW + later, **options)


def whole(vendor: Sandboxed, done: Read, entity: str = "contacts") -> None:
    """Judge a read that should be complete in spite of everything."""
    checks.check_ends(done)
    checks.check_rows(done)
    checks.check_complete(done, Truth(*vendor.truth(entity)))


def payloads(done: Read) -> dict[str, dict[str, Any]]:
    return {
        row["external_id"]: json.loads(row["payload"])
        for page in done.pages
        for row in page.rows.to_pylist()
        if row["payload"]
    }


def asked(vendor: Sandboxed, end: str) -> list[dict[str, Any]]:
    return [entry for entry in vendor.ledger() if entry["path"].endswith(end)]


def since(vendor: Sandboxed, days: float) -> dict[str, str]:
    """Return a cursor of some days ago, as if nothing had been read since."""
    moment = (vendor.now() - timedelta(days=days)).isoformat()
    return {"watermark": moment, "slow": moment, "refreshed": NOW.isoformat()}
