"""Reading rows of the world as Close writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.close.errors import CloseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gtm_pipelines.sandbox.tenants import Tenant

_NOW = "(SELECT gen.moment(now_s) FROM gen.world)"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows of a table are wanted, in which order, and how many from where."""

    table: str
    conditions: Sequence[str] = ()
    values: Sequence[Any] = ()
    order: str = "id"
    limit: int = 100
    skip: int = 0


def rows(tenant: Tenant, asked: Asked) -> list[dict[str, Any]]:
    """Return records, one more than asked for where there is one; none is later than the present."""
    chosen = " AND ".join([f"date_created <= {_NOW}", *asked.conditions])
    with tenant.world.cursor() as cursor:
        found = cursor.execute(
            f"WITH page AS (SELECT * FROM close.{asked.table} WHERE {chosen} "
            f"ORDER BY {asked.order} LIMIT {asked.limit + 1} OFFSET {asked.skip}) "
            f"SELECT close.{asked.table}_json(r)::VARCHAR FROM page r ORDER BY {asked.order}",
            list(asked.values),
        ).fetchall()
    return [orjson.loads(text) for (text,) in found]


def count(tenant: Tenant, asked: Asked) -> int:
    """Return how many records there are of those asked for."""
    chosen = " AND ".join([f"date_created <= {_NOW}", *asked.conditions])
    with tenant.world.cursor() as cursor:
        (found,) = cursor.execute(
            f"SELECT count(*) FROM close.{asked.table} WHERE {chosen}", list(asked.values)
        ).fetchall()
    return int(found[0])


def one(tenant: Tenant, table: str, record_id: str) -> dict[str, Any]:
    """Return one record; raise CloseError when there is none."""
    found = rows(tenant, Asked(table, ("id = ?",), (record_id,), limit=1))
    if not found:
        raise CloseError(404, "The requested URL was not found on the server.")
    return found[0]


def picked(record: dict[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Return the fields wanted of a record, ``custom`` standing for every custom one."""
    wanted = set(fields)
    return {
        name: value
        for name, value in record.items()
        if name in wanted or ("custom" in wanted and name.startswith("custom."))
    }
