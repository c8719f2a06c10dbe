"""Checks whole canonical tables against their Pandera contract, in batches; for asset checks.

On DuckDB only the rows that break it are read. On Postgres every row is, because its regular expressions are of another
kind than those of the contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gtm_pipelines.warehouse.protocol import Dialect
from quality.canonical import Kind, columns, failures, suspects

if TYPE_CHECKING:
    from gtm_pipelines.warehouse.protocol import Warehouse


class ContractFault(NamedTuple):
    """One rule of the contract and how many rows break it. Values are left out: they may be personal."""

    field: str
    rule: str
    rows: int


def check_contract(warehouse: Warehouse, kind: Kind | str, *, batch: int = 200_000) -> list[ContractFault]:
    """Return the broken rules of a canonical table, its key's uniqueness included; empty when all is well."""
    import polars as pl

    kind = Kind(kind)
    served = warehouse.served
    if not served.has_table("canonical", kind):
        return []
    listed = ", ".join(f"CAST({c.name} AS VARCHAR) AS {c.name}" if c.type == "JSON" else c.name for c in columns(kind))
    suspect = f" WHERE {suspects(kind)}" if served.dialect is Dialect.DUCKDB else ""
    counted: dict[tuple[str, str], int] = {}
    for rows in served.batches(f"SELECT {listed} FROM canonical.{kind}{suspect}", size=batch):
        found = failures(kind, pl.DataFrame(pl.from_arrow(rows)))
        for field, rule, count in found.group_by("field", "rule").len().iter_rows():
            counted[field, rule] = counted.get((field, rule), 0) + count
    doubled = served.rows(
        f"SELECT count(*) FROM (SELECT 1 FROM canonical.{kind} GROUP BY source, external_id HAVING count(*) > 1) AS d"
    )[0][0]
    if doubled:
        counted["external_id", "unique"] = int(doubled)
    return [ContractFault(field, rule, rows) for (field, rule), rows in sorted(counted.items())]
