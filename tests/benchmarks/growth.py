"""What Dagster's own storage grows by: bytes a run, a tenant in it and a tick add, on SQLite and on Postgres.

Runs are executed one after another by the function behind ``gtm run``, for one tenant and for several, against a
sandbox in which nothing moves; the difference gives what a tenant adds to a run. Then old runs are deleted as the
sensor ``old_runs`` does, and as many are made again: what has grown by then is what retention does not bound.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gtm_pipelines import sandbox
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.settings import read_settings
from tests.benchmarks import measure
from tests.postgres import shared

CONNECTORS = ("customerio", "salesforce")
RUNS_A_DAY = 24 * 4
TICKS_A_DAY = 5 * 2 * 60 * 24 + 12 * 24 + 24 + RUNS_A_DAY
"""Five sensors every half minute, one every five minutes, one every hour, and the schedule."""
_KEY = "5a" * 32
_TICKS = 500


@contextmanager
def installation(scratch: Path, tenants: int) -> Iterator[dict[str, str]]:
    """Serve tenants that were synced and refined once; give the environment of a process that works for them."""
    names = [f"tenant_{number}" for number in range(tenants)]
    for name in names:
        sandbox.create_world(scratch / "worlds", name, size=20, seed=3, vendors=CONNECTORS)
    with sandbox.running(scratch / "worlds") as url:
        environ = {"GTM_HOME": str(scratch / "home"), "GTM_SANDBOX_URL": url, "CONNECTOR_ENCRYPTION_KEY": _KEY}
        with open_control_plane(read_settings(environ), actor="bench") as control:
            for name in names:
                control.add_tenant(name)
                for connector in CONNECTORS:
                    control.add_connection(name, connector, connector, *sandbox.accounts(url, name)[connector])
        yield environ


def stored(url: str) -> int:
    """Return the bytes of Dagster's storage: of its tables in Postgres, or of every file below its folder."""
    if not url:
        folder = Path(os.environ["GTM_DAGSTER_DIR"])
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    import psycopg2

    with closing(psycopg2.connect(url)) as session:
        session.autocommit = True
        cursor = session.cursor()
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'S')")
        return int(cursor.fetchone()[0])


def grow(job: str, runs: int, url: str) -> dict[str, Any]:
    """Run a job so many times for every tenant, in this process; return bytes and events per run."""
    from gtm_pipelines.defs.instance import launch, open_instance, use_dagster_environment

    settings = read_settings()
    use_dagster_environment(settings)
    with open_control_plane(settings, actor="bench") as control:
        tenants = [str(tenant.id) for tenant in control.list_tenants()]
    launch(settings, job, tenants)  # what is stored once only
    before = stored(url)
    for _ in range(runs):
        (done,) = launch(settings, job, tenants)
        if not done.success:
            raise RuntimeError("; ".join(done.faults))
    with open_instance(settings) as instance:
        events = len(instance.all_logs(done.run_id))
    return {"bytes": (stored(url) - before) / runs, "events": events}


def retain(job: str, runs: int, url: str) -> dict[str, Any]:
    """Delete every run that may go, make as many, and again; return the bytes after each round."""
    from gtm_pipelines.defs.instance import launch, open_instance
    from gtm_pipelines.defs.sensors.housekeeping import delete_old_runs

    settings = read_settings()
    with open_control_plane(settings, actor="bench") as control:
        tenants = [str(tenant.id) for tenant in control.list_tenants()]
    sizes = []
    for _ in range(2):
        for _ in range(runs):
            launch(settings, job, tenants)
        with open_instance(settings) as instance:
            while delete_old_runs(instance, datetime.now(UTC) + timedelta(days=1)):
                pass
        sizes.append(stored(url))
    return {"sizes": sizes}


def tick(url: str) -> dict[str, Any]:
    """Write ticks as the daemon does, each begun and then skipped; return bytes per tick."""
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.scheduler.instigation import TickData, TickStatus

    from gtm_pipelines.defs.instance import open_instance

    with open_instance(read_settings()) as instance:
        before = stored(url)
        for number in range(_TICKS):
            data = TickData(
                instigator_origin_id="0" * 40,
                instigator_name="raw_changed",
                instigator_type=InstigatorType.SENSOR,
                status=TickStatus.STARTED,
                timestamp=time.time() + number,
                selector_id="0" * 40,
            )
            made = instance.create_tick(data)
            reason = "no tenant's raw records changed since it was refined"
            instance.update_tick(made.with_status(TickStatus.SKIPPED, skip_reason=reason, end_timestamp=time.time()))
    return {"bytes": (stored(url) - before) / _TICKS}


def table(scratch: Path, runs: int, tenants: int) -> list[str]:
    """Measure both storages; return the table's lines."""
    columns = [
        "storage",
        "job",
        "a run",
        "events",
        "each further tenant in it",
        "events",
        "a tenant alone, 96 runs a day",
    ]
    columns += ["a tenant of a shard of 25, a day", f"stored after {runs} runs and a deletion, twice"]
    lines = [f"| {' | '.join(columns)} |", "|---|---|" + "---:|" * 6 + "---|"]
    for storage in ("sqlite", "postgres"):
        each_tick = 0.0
        for job in ("incremental_sync", "refine"):
            one, many = (
                _measured(scratch / f"{storage}-{job}-{count}", storage, job, runs, count) for count in (1, tenants)
            )
            each = (many["bytes"] - one["bytes"]) / (tenants - 1)
            events = (many["events"] - one["events"]) / (tenants - 1)
            shard = (one["bytes"] + 24 * each) / 25
            sizes = " → ".join(_kb(size) for size in many["sizes"])
            lines.append(
                f"| {storage} | {job} | {_kb(one['bytes'])} | {one['events']} | {_kb(each)} | {events:.0f} "
                f"| {_kb(one['bytes'] * RUNS_A_DAY)} | {_kb(shard * RUNS_A_DAY)} | {sizes} |"
            )
            each_tick = many.get("tick", 0) or each_tick
        lines.append(
            f"| {storage} | tick | {_kb(each_tick)} | | | | {_kb(each_tick * TICKS_A_DAY)} whatever the tenants | | |"
        )
    return lines


def _measured(scratch: Path, storage: str, job: str, runs: int, tenants: int) -> dict[str, Any]:
    url = shared().dsn(shared().create_database()) if storage == "postgres" else ""
    with installation(scratch, tenants) as environ:
        environ |= {"GTM_DAGSTER_URL": url, "GTM_DAGSTER_DIR": str(scratch / "home" / "dagster"), "DAGSTER_HOME": ""}
        if job == "refine":
            measure.run("tests.benchmarks.growth:grow", environ=environ, job="full_sync", runs=1, url=url)
        grown = measure.run("tests.benchmarks.growth:grow", environ=environ, job=job, runs=runs, url=url).result
        if tenants == 1:
            return grown
        if job == "refine":
            return {**grown, "sizes": []}
        kept = measure.run("tests.benchmarks.growth:retain", environ=environ, job=job, runs=runs, url=url).result
        ticks = measure.run("tests.benchmarks.growth:tick", environ=environ, url=url).result
    return {**grown, **kept, "tick": ticks["bytes"]}


def _kb(size: float) -> str:
    return f"{size / 1024:,.1f} kB" if size < 1024**2 else f"{size / 1024**2:,.1f} MB"
