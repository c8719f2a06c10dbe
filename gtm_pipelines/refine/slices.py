"""Which stored rows the statements of a refinement read, fetched before they run (``Warehouse.fetch``).

It matters where Postgres stores the rows and a local DuckDB computes on them; on DuckDB alone it costs nothing. Too
many rows fetched only cost time; a row that a statement needs and that was not fetched would be missed. Each function
names the statements of ``sql/refine`` that it goes before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quality.normalise.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gtm_pipelines.refine.statements import Scope
    from gtm_pipelines.warehouse.protocol import Warehouse
    from quality.canonical import Kind

_BY_KEY = ("source", "external_id")
_BY_RECORD = ("connection", "entity", "record_id")
_BY_CLAIM = ("connection", "target", "external_id")


def records_of_loads(warehouse: Warehouse, scope: Scope, loads: Sequence[str]) -> None:
    """Before ``chunk_bounds`` and ``chunk``: the records of the loads that are due.

    They are fetched by a condition and not by key, so that they come as a stream, however many a load has brought.
    """
    listed = ", ".join(literal(load) for load in loads)
    warehouse.fetch(scope.raw, where=f"_dlt_load_id IN ({listed})" if listed else "false")


def records(warehouse: Warehouse, scope: Scope, ids: str) -> None:
    """Before ``chunk_bounds`` and ``chunk``: the records that a query names."""
    warehouse.fetch(scope.raw, on=["external_id"], keys=ids)


def no_records(warehouse: Warehouse, scope: Scope) -> None:
    """Before ``orphaned``, when every kind is dropped and no record is asked about."""
    warehouse.fetch(scope.raw, where="false")


def of_loads(warehouse: Warehouse, scope: Scope) -> None:
    """Before an entity's loads are looked at: which of them were refined."""
    warehouse.fetch("quality.refined_load", where=_here(scope))


def refused(warehouse: Warehouse, scope: Scope) -> None:
    """Before open refusals for a contested key are looked for."""
    warehouse.fetch("quality.quarantine", where=_contested(scope))


def contested(warehouse: Warehouse, scope: Scope, kinds: Iterable[Kind]) -> None:
    """Before ``records_to_retry``: of the refusals at hand, the records and the rows they contest."""
    named = f"SELECT DISTINCT {{}} FROM quality.quarantine WHERE {_contested(scope)} AND record_id IS NOT NULL"
    records(warehouse, scope, named.format("record_id"))
    for kind in kinds:
        warehouse.fetch(f"canonical.{kind}", on=_BY_KEY, keys=named.format("connection, external_id"))


def _contested(scope: Scope) -> str:
    return f"{_here(scope)} AND rule = 'duplicate_key' AND status = 'open'"


def shared_due(warehouse: Warehouse, scope: Scope, kind: Kind) -> None:
    """Before ``heirs``: every claim on the shared rows that are due, the rows themselves and the claiming records."""
    due = (
        f"SELECT connection, {{}}external_id FROM quality.shared_due"
        f" WHERE connection = {literal(scope.connection)} AND target = '{kind}'"
    )
    warehouse.fetch("quality.shared_claim", on=_BY_CLAIM, keys=due.format("target, "))
    warehouse.fetch(f"canonical.{kind}", on=_BY_KEY, keys=due.format(""))
    claiming = f"{_here(scope)} AND target = '{kind}'"
    records(warehouse, scope, f"SELECT record_id FROM quality.shared_claim WHERE {claiming}")


def concerned(warehouse: Warehouse, scope: Scope, kind: Kind) -> None:
    """Before all that follows ``projected``: what is stored of the chunk's records and of the keys they name."""
    source, entity = literal(scope.connection), literal(scope.entity)
    rows = f"canonical.{kind}"
    chunk = f"SELECT {source}, {entity}, record_id FROM chunk"
    keys = f"SELECT {source}, external_id FROM projected UNION SELECT source, external_id FROM {rows}"
    warehouse.fetch(rows, on=("source", "_entity", "_record_id"), keys=chunk)
    warehouse.fetch(rows, on=_BY_KEY, keys=f"SELECT {source}, external_id FROM projected")
    warehouse.fetch("canonical.pending", on=("kind", *_BY_KEY), keys=f"SELECT '{kind}', * FROM ({keys})")
    said = f"{chunk} UNION SELECT source, _entity, _record_id FROM {rows}"
    warehouse.fetch("quality.unmapped", on=_BY_RECORD, keys=said)
    warehouse.fetch("quality.quarantine", on=_BY_RECORD, keys=chunk)
    warehouse.fetch("quality.shared_claim", on=_BY_RECORD, keys=chunk)
    claimed = f"SELECT k.source, '{kind}', k.external_id FROM ({keys}) AS k(source, external_id)"
    warehouse.fetch("quality.shared_claim", on=_BY_CLAIM, keys=claimed)


def of_entity(warehouse: Warehouse, *, scope: Scope, kind: Kind) -> None:
    """Before ``orphaned`` and ``dropped``: all that is stored of an entity."""
    here = _here(scope)
    rows = f"canonical.{kind}"
    warehouse.fetch(rows, where=f"source = {literal(scope.connection)} AND _entity = {literal(scope.entity)}")
    for table in ("shared_claim", "unmapped", "quarantine"):
        warehouse.fetch(f"quality.{table}", where=here)
    pending = f"SELECT '{kind}', source, external_id FROM {rows}"
    warehouse.fetch("canonical.pending", on=("kind", *_BY_KEY), keys=pending)
    claimed = f"SELECT source, '{kind}', external_id FROM {rows}"
    warehouse.fetch("quality.shared_claim", on=_BY_CLAIM, keys=claimed)


def left_out(warehouse: Warehouse, scope: Scope) -> None:
    """Before an entity is settled: whether it was left out as a whole."""
    warehouse.fetch("quality.unmapped", where=f"{_here(scope)} AND record_id IS NULL")


def _here(scope: Scope) -> str:
    return f"connection = {literal(scope.connection)} AND entity = {literal(scope.entity)}"
