"""Making a tenant's world: its file, its people and every vendor's first view of them.

What the world holds is said in ``sql/world``; this module only fills in how many and from when, and puts the finished
file in place in one step, so that nobody ever reads half a world.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox import sql, store, words
from gtm_pipelines.sandbox.vendors import chosen
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    import duckdb

    from gtm_pipelines.sandbox.vendor import Vendor

START_S = 1_767_225_600  # 2026-01-01T00:00:00Z, the present of every new world
DAY_S = 86_400
_HISTORY_S = 3 * 365 * DAY_S
_MASS_UPDATE_S = START_S - 59 * DAY_S + 7_200
_LOGGED_S = 10 * DAY_S  # the activity log is ten days old: twenty steps pass before anything ages out of it
_PEOPLE_PER_COMPANY = 8
_SMALLEST = 10
_LARGEST = 2_000_000
_MANY = 20_000  # people: with fewer, one thread makes their world sooner than two
_CREATE_MEMORY = "1GB"


def create_world(directory: Path, tenant: str, *, size: int, seed: int, vendors: Collection[str] | None = None) -> None:
    """Make ``tenant``'s world of ``size`` real people, known to ``vendors`` (all); a world that was there is replaced.

    The same size and seed give the same world, whichever vendors know it. Raises ValueError for a size outside 10 to
    2,000,000 or a vendor there is not.
    """
    if not _SMALLEST <= size <= _LARGEST:
        raise ValueError(f"a world holds {_SMALLEST:,} to {_LARGEST:,} people, not {size:,}")
    known = chosen(vendors)
    home = store.home(directory, TenantId(tenant))
    shutil.rmtree(home / "files", ignore_errors=True)
    path = store.new_file(home)
    with store.opened(path, memory=_CREATE_MEMORY) as world:
        if size > _MANY:
            store.widen(world)
        _build(world, size, seed, known)
    store.make_current(home, path)


def _build(world: duckdb.DuckDBPyConnection, size: int, seed: int, known: list[Vendor]) -> None:
    companies = max(4, size // _PEOPLE_PER_COMPANY)
    users = max(5, min(200, size // 200))
    variables = {
        "step": 0,
        "from_s": START_S - _HISTORY_S,
        "until_s": START_S,
        "mass_update_s": _MASS_UPDATE_S,
        "users": users,
        "company_lo": 0,
        "company_hi": companies,
        "person_lo": 0,
        "person_hi": size,
        "mailed_from_s": START_S - 90 * DAY_S,
        "acts_from_s": START_S - _LOGGED_S,
        "mail_rate": 0.4,
        "act_rate": 0.25,
    }
    sql.set_variables(world, variables)
    sql.run(world, "world/schemas.sql")
    world.execute(f"CREATE MACRO gen.h(n, salt) AS hash({seed:d}::BIGINT, n, salt)")
    sql.run(world, "world/macros.sql", "world/tables.sql")
    for vendor in known:
        world.execute(vendor.tables)
        world.execute("INSERT INTO gen.vendor VALUES (?)", [vendor.id])
    _fill_words(world)
    count_words(world)
    world.execute("INSERT INTO gen.world VALUES (?, ?, ?, ?, ?, 0, ?)", [seed, size, size, companies, users, START_S])
    sql.run(world, *ARRIVALS)
    for vendor in known:
        world.execute(vendor.sql("setup") or "")
        world.execute(vendor.sql("populate") or "")
    sql.run(world, "world/truth_views.sql")
    world.execute(_records(known))


ARRIVALS = ("world/companies.sql", "world/people.sql")
"""The files that bring a range of people and companies into being; a step of time runs them for newcomers."""


def _records(known: list[Vendor]) -> str:
    """Write the view of all that the vendors can serve, each record with the person and company it stands for."""
    parts = [
        f"SELECT '{vendor.id}' AS connector, told.* FROM ({vendor.sql('truth')})"
        " told(entity, external_id, is_deleted, _person, _company)"
        for vendor in known
        if vendor.sql("truth")
    ]
    return (
        "CREATE VIEW truth.records AS SELECT connector, entity, external_id, is_deleted,"
        " 'person-' || _person AS person_id, 'company-' || _company AS account_id"
        f" FROM ({' UNION ALL '.join(parts)})"
    )


def _fill_words(world: duckdb.DuckDBPyConnection) -> None:
    _fill(world, "first_name", ((name, words.NICKNAMES.get(name)) for name in words.first_names()))
    _fill(world, "last_name", ((name,) for name in words.last_names()))
    _fill(world, "company_first", ((word,) for word in words.COMPANY_FIRST))
    _fill(world, "company_second", ((word,) for word in words.COMPANY_SECOND))
    _fill(world, "trade", words.COMPANY_TRADES.items())
    _fill(world, "title", ((title,) for title in words.TITLES))
    _fill(world, "city", words.CITIES.items())
    _fill(world, "area_code", ((code,) for code in words.AREA_CODES))
    _fill(world, "free_mail", ((domain,) for domain in words.FREE_MAIL))


def _fill(world: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Fill a word list; its rows are numbered so that a draw is a join."""
    columns = list(zip(*rows, strict=True))
    drawn = ", ".join("unnest(?)" for _ in columns)
    world.execute(f"INSERT INTO gen.{table} SELECT unnest(range(?)), {drawn}", [len(columns[0]), *map(list, columns)])


def count_words(world: duckdb.DuckDBPyConnection) -> None:
    """Tell the SQL how long each word list is; a subquery in a join's condition would make the join a nested loop."""
    sql.set_variables(
        world,
        {f"{table}_count": _count(world, table) for table in ("first_name", "last_name", "title", "city", "free_mail")},
    )


def _count(world: duckdb.DuckDBPyConnection, table: str) -> int:
    (count,) = world.execute(f"SELECT count(*) FROM gen.{table}").fetchall()[0]
    return int(count)
