"""Moving a world's time. Nothing in a world changes except here."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox import exports, remote, sql, store
from gtm_pipelines.sandbox.vendors import chosen
from gtm_pipelines.sandbox.world import ARRIVALS, DAY_S, count_words
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from gtm_pipelines.sandbox.vendor import Vendor

_one_at_a_time: defaultdict[Path, Lock] = defaultdict(Lock)  # two days of a world at once would change the same rows
_LARGE = 20_000  # people from which one in a hundred contacts is more than a page


@dataclass(frozen=True, slots=True)
class Advance:
    """What happened: the world's new present (ISO 8601) and how many records of each kind were touched how."""

    now: str
    counts: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def advance(directory: Path, tenant: str, *, steps: int = 1) -> Advance:
    """Let ``steps`` days pass in ``tenant``'s world; a running server that holds it is told to."""
    home = store.home(directory, TenantId(tenant))
    try:
        with store.opened(store.current(home)) as world:
            return move(world, home, steps)
    except store.WorldBusyError:
        return Advance(**remote.post(directory, f"{tenant}/_advance?steps={steps}"))


def move(world: duckdb.DuckDBPyConnection, home: Path, steps: int) -> Advance:
    """Let ``steps`` days pass in an open world, each in one transaction; exports that exist are written anew."""
    totals: dict[str, int] = {}
    now_s = 0
    with _one_at_a_time[home]:
        for _ in range(steps):
            world.begin()
            try:
                now_s, counts = _step(world)
            except BaseException:
                world.rollback()
                raise
            world.commit()
            totals = {name: totals.get(name, 0) + counts.get(name, 0) for name in {**totals, **counts}}
        if (home / "files").exists():
            exports.write(world, home / "files")
    return Advance(datetime.fromtimestamp(now_s, UTC).isoformat(), totals)


def _step(world: duckdb.DuckDBPyConnection) -> tuple[int, dict[str, int]]:
    """Let one day pass; return the new present and what was counted."""
    people, companies, users, step, now_s = world.execute(
        "SELECT people, companies, users, step, now_s FROM gen.world"
    ).fetchall()[0]
    newcomers = max(2, people // 200)
    founded = max(1, companies // 400)
    variables = {
        "step": step + 1,
        "people": people,
        "previous_s": now_s,
        "from_s": now_s + 1,
        "until_s": now_s + DAY_S,
        "mass_update_s": 0,
        "users": users,
        "company_lo": companies,
        "company_hi": companies + founded,
        "person_lo": people,
        "person_hi": people + newcomers,
        "mailed_from_s": now_s + 1,
        "acts_from_s": now_s + 1,
        "mail_rate": 0.4 / 90,
        "act_rate": 0.25 / 10,
        "rare_rate": max(0.003, 2 / people),
        "mass_rate": 0.05 if people < _LARGE else 0.01,
    }
    sql.set_variables(world, variables)
    count_words(world)
    known = chosen([name for (name,) in world.execute("SELECT id FROM gen.vendor").fetchall()])
    before = _sizes(world, known)
    sql.run(world, *ARRIVALS)
    for vendor in known:
        world.execute(vendor.sql("populate") or "")
    counts = {f"{name}_created": size - before[name] for name, size in _sizes(world, known).items()}
    counts |= sql.run_counted(world, sql.load("advance/people.sql"))
    for vendor in known:
        counts |= sql.run_counted(world, vendor.sql("advance") or "")
    world.execute(
        "UPDATE gen.world SET step = step + 1, now_s = ?, people = ?, companies = ?",
        [now_s + DAY_S, people + newcomers, companies + founded],
    )
    return now_s + DAY_S, counts


def _sizes(world: duckdb.DuckDBPyConnection, known: list[Vendor]) -> dict[str, int]:
    """Count the records of the kinds that newcomers bring."""
    tables = {"people": "truth.person"}
    for vendor in known:
        tables |= vendor.counted
    counted = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables.values())
    (sizes,) = world.execute(f"SELECT {counted}").fetchall()
    return dict(zip(tables, sizes, strict=True))
