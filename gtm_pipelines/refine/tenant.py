"""Refines one tenant: every raw entity of the given connections, each on its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_pipelines.refine.entity import CHUNK, Work, refine_entity, version_of
from gtm_pipelines.refine.report import RefineReport
from gtm_pipelines.refine.statements import Scope
from quality.canonical import Kind, ddl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gtm_pipelines.warehouse.protocol import Warehouse
    from quality.mapping import Mapping


@dataclass(frozen=True, slots=True)
class RefineInput:
    """One connection as refinement sees it: its mapping has the tenant's overrides laid over it already."""

    name: str
    connector: str
    mapping: Mapping


class ForeignTenantError(ValueError):
    """Refinement was asked to write one tenant's rows into another's warehouse."""


def refine_tenant(
    warehouse: Warehouse,
    tenant: str,
    connections: Sequence[RefineInput],
    *,
    clock: Callable[[], datetime],
    full: bool = False,
    region: str = "US",
    chunk: int = CHUNK,
) -> RefineReport:
    """Bring canonical tables in step with raw ones; ``full`` maps every record again, changed or not.

    Each entity is one transaction: a failure leaves those before it done and it untouched. ``region`` reads national
    telephone numbers; ``chunk`` is how many records are held at once.
    """
    if tenant != warehouse.tenant:
        raise ForeignTenantError(f"the warehouse belongs to {warehouse.tenant!r}; it cannot take rows of {tenant!r}")
    started = time.perf_counter()
    ensure_tables(warehouse)
    report = RefineReport(tenant)
    by_name = {connection.name: connection for connection in connections}
    entities = warehouse.raw_entities()

    def refine(*, full: bool) -> bool:
        done = []
        for name, entity in entities:
            if (connection := by_name.get(name)) is None:
                continue
            version = version_of(connection.mapping, entity, region)
            scope = Scope(name, entity, warehouse.raw_table(name, entity), version, clock())
            targets = connection.mapping.targets(entity)
            work = Work(scope, connection.connector, tenant, region, targets, chunk, connection.mapping.sharing)
            done.append(refine_entity(warehouse, work, full=full))
        report.entities += [entity for entity in done if entity is not None]
        return any(done)

    if refine(full=full):
        refine(full=False)  # an entity may have let go of a key that one before it was refused
    report.seconds = time.perf_counter() - started
    return report


def ensure_tables(warehouse: Warehouse) -> None:
    """Create the canonical tables and refinement's bookkeeping where they are missing, or bring them in step.

    Where a canonical table gained a column, every record is due again: its rows have no value there.
    """
    warehouse.ensure_tables()
    with warehouse.transaction():
        if warehouse.define(";\n".join(map(ddl, Kind))):
            warehouse.execute("UPDATE quality.refined_load SET mapping_version = ''")
