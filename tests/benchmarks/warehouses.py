"""Both warehouses side by side: the same account read, refined, and followed after a day at the vendor.

Seconds are the whole's; CPU is our process's alone, for Postgres works in processes of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests import warehouses
from tests.benchmarks import measure
from tests.benchmarks.work import TENANT

_ENTITIES = ["Contact", "Account"]


def table(scratch: Path, url: str) -> list[str]:
    """Measure a first sync, a first refresh, an idle sync, and a day's sync and refresh; return the table's lines."""
    homes: dict[str, dict[str, Any]] = {kind: {"home": str(scratch / kind), "url": url} for kind in warehouses.KINDS}
    costs: dict[str, list[tuple[str, int, measure.Cost]]] = {}
    for kind, home in homes.items():
        home["warehouse_url"] = warehouses.address(kind) or ""
        measure.run("tests.benchmarks.work:connect", **home)
        landed = measure.run("tests.benchmarks.work:land", **home, entities=_ENTITIES)
        golden = measure.run("tests.benchmarks.work:refresh", **home)
        idle = measure.run("tests.benchmarks.work:idle", **home, entities=_ENTITIES)
        rows = int(landed.result["rows"])
        costs[kind] = [("first sync", rows, landed), ("first refresh, raw → golden and marts", rows, golden)]
        costs[kind].append((f"idle sync, {idle.result['cpu'] * 1000:.0f} ms CPU each", 0, idle))
    httpx.post(f"{url}/{TENANT}/_advance", timeout=60).raise_for_status()
    for kind, home in homes.items():
        landed = measure.run("tests.benchmarks.work:land", **home, entities=_ENTITIES)
        golden = measure.run("tests.benchmarks.work:refresh", **home)
        changed = int(landed.result["changed"])
        costs[kind] += [("sync after a day", changed, landed), ("refresh after a day", changed, golden)]
    lines = ["| work | warehouse | records | wall s | CPU s | peak MB |", "|---|---|---:|---:|---:|---:|"]
    for steps in zip(*costs.values(), strict=True):
        lines += [_line(kind, *step) for kind, step in zip(costs, steps, strict=True)]
    return lines


def _line(kind: str, name: str, records: int, cost: Any) -> str:
    return f"| {name} | {kind} | {records:,} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak_mb:,.0f} |"
