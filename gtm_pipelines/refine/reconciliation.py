"""Answers for every raw record: raw = canonical + quarantine + unmapped, and what is missing is a fault of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gtm_pipelines.refine.statements import Scope
from gtm_pipelines.refine.tenant import ensure_tables
from quality.canonical import Kind
from quality.normalise.text import literal

if TYPE_CHECKING:
    from gtm_pipelines.warehouse.protocol import Warehouse


class Reconciled(NamedTuple):
    """How many raw records of one entity became what; each record counts once."""

    connection: str
    entity: str
    raw: int
    canonical: int
    quarantine: int
    unmapped: int
    missing: int


def reconcile(warehouse: Warehouse) -> list[Reconciled]:
    """Account for every raw record of the tenant. ``missing`` must be 0 for each entity once it was refined."""
    ensure_tables(warehouse)
    return [_reconciled(warehouse, connection, entity) for connection, entity in warehouse.raw_entities()]


def _reconciled(warehouse: Warehouse, connection: str, entity: str) -> Reconciled:
    scope = Scope(connection, entity, warehouse.raw_table(connection, entity))
    canonical = " UNION ALL ".join(
        f"SELECT '{kind}' AS target, _record_id AS record_id FROM canonical.{kind}"
        f" WHERE source = {literal(connection)} AND _entity = {literal(entity)}"
        for kind in Kind
    )
    counts = warehouse.rows(scope.fill("reconciled", canonical=canonical))[0]
    return Reconciled(connection, entity, *(int(count) for count in counts))
