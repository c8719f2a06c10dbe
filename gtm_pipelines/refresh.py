"""One tenant's refinement from end to end: canonical, golden, marts, typed views, published copy.

The stages do not know each other; their order stands here and nowhere else. Running it again without new raw records
changes nothing and costs next to nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from connectors import registry
from gtm_pipelines.marts import CheckResult, build_marts, mart_files, marts_are_current, run_checks
from gtm_pipelines.refine import ContractFault, RefineInput, RefineReport, check_contract, refine_tenant
from gtm_pipelines.resolution import ResolutionReport, resolve_tenant
from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names, open_warehouse, publish
from gtm_pipelines.warehouse.views import build_typed_views, typed_views_are_current
from quality.canonical import Kind
from quality.mapping import load_mapping, overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings
    from gtm_pipelines.warehouse import Served, Warehouse


class Stage(StrEnum):
    """The parts of a refresh, in order."""

    CANONICAL = "canonical"
    GOLDEN = "golden"
    MARTS = "marts"
    CHECKS = "checks"
    PUBLISH = "publish"


class RefreshReport(BaseModel):
    """What a refresh did; a stage that was not asked for, not needed or not reached leaves its part empty.

    ``contract`` has per canonical kind the broken rules, ``quarantined`` the rows that open rejections keep out of it.
    """

    tenant: str
    started_at: datetime
    refine: RefineReport | None = None
    resolution: ResolutionReport | None = None
    checks: list[CheckResult] = Field(default_factory=list)
    contract: dict[str, list[ContractFault]] = Field(default_factory=dict)
    quarantined: dict[str, int] = Field(default_factory=dict)
    row_counts: dict[str, int] = Field(default_factory=dict)
    seconds: dict[str, float] = Field(default_factory=dict)
    published: str | None = None

    @property
    def failed_checks(self) -> list[CheckResult]:
        """The checks that found rows which should not be."""
        return [check for check in self.checks if not check.passed]

    @property
    def is_idle(self) -> bool:
        """Tell whether refinement and resolution ran and found nothing to do."""
        return self.refine is not None and not self.refine.entities and _untouched(self.resolution)


def _untouched(resolution: ResolutionReport | None) -> bool:
    if resolution is None or resolution.is_full:
        return False
    return not any(kind.changed for kind in (resolution.person, resolution.account, resolution.activity))


class StageFailedError(Exception):
    """A stage raised; ``report`` holds what the stages before it did, and ``__cause__`` the error."""

    def __init__(self, stage: Stage, report: RefreshReport, cause: BaseException) -> None:
        super().__init__(f"{report.tenant}: the stage {stage} failed: {cause}")
        self.stage = stage
        self.report = report


def utc_now() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


def refresh_tenant(
    settings: Settings,
    control: ControlPlane,
    tenant: str,
    *,
    full: bool = False,
    replay: Collection[str] = (),
    stages: Collection[Stage] = tuple(Stage),
    clock: Callable[[], datetime] = utc_now,
    on_stage: Callable[[str], None] | None = None,
) -> RefreshReport:
    """Refine, resolve, rebuild marts and views, check and publish one tenant; raise StageFailedError when one fails.

    With ``full`` every stage looks at everything again instead of at what changed; ``replay`` names connections whose
    stored records are mapped again.
    """
    scope = TenantId(tenant)
    work = _Refresh(
        settings=settings,
        inputs=refine_inputs(control, scope),
        connections=frozenset(connection.name for connection in control.list_connections(scope)),
        clock=clock,
        full=full,
        replay=frozenset(replay),
        stages=set(stages),
        say=on_stage or (lambda _: None),
        report=RefreshReport(tenant=scope, started_at=clock()),
    )
    work.run()
    return work.report


def refine_inputs(control: ControlPlane, tenant: str) -> list[RefineInput]:
    """Return each connection of a tenant with its connector's mapping under the tenant's overrides.

    A connection whose connector is no longer installed keeps its canonical rows as they are.
    """
    return [
        RefineInput(
            name=connection.name,
            connector=connection.connector,
            mapping=overlay(
                load_mapping(registry.mapping_path(connection.connector)),
                control.list_overrides(tenant, connection.name),
            ),
        )
        for connection in control.list_connections(tenant)
        if connection.connector in registry.ids()
    ]


@dataclass
class _Refresh:
    """One refresh under way: what was asked for and what was done."""

    settings: Settings
    inputs: list[RefineInput]
    connections: frozenset[str]
    clock: Callable[[], datetime]
    full: bool
    replay: frozenset[str]
    stages: set[Stage]
    say: Callable[[str], None]
    report: RefreshReport

    def run(self) -> None:
        with open_warehouse(self.settings, self.report.tenant, memory=self.settings.refine_memory) as warehouse:
            self._stage(Stage.CANONICAL, lambda: self._refine(warehouse))
            self._stage(Stage.GOLDEN, lambda: self._resolve(warehouse))
            if self.report.is_idle and self._is_built(warehouse) and self._is_published(warehouse):
                self.stages -= {Stage.MARTS, Stage.PUBLISH}
            self._stage(Stage.MARTS, lambda: self._build(warehouse))
            self._stage(Stage.CHECKS, lambda: self._check(warehouse))
            self.report.row_counts = _row_counts(warehouse.served)
        self._stage(Stage.PUBLISH, self._publish)

    def _stage(self, stage: Stage, work: Callable[[], None]) -> None:
        """Do a stage if it was asked for, time it, and name it when it raises."""
        if stage not in self.stages:
            return
        began = time.monotonic()
        self.say(f"{self.report.tenant}: {stage}")
        try:
            work()
        except Exception as error:
            raise StageFailedError(stage, self.report, error) from error
        self.report.seconds[stage] = round(time.monotonic() - began, 3)

    def _refine(self, warehouse: Warehouse) -> None:
        tenant, region = self.report.tenant, self.settings.default_region
        again = [each for each in self.inputs if self.full or each.name in self.replay]
        rest = [each for each in self.inputs if each not in again]
        self.report.refine = refine_tenant(warehouse, tenant, rest, clock=self.clock, region=region)
        if again:
            replayed = refine_tenant(warehouse, tenant, again, clock=self.clock, full=True, region=region)
            self.report.refine.entities += replayed.entities

    def _resolve(self, warehouse: Warehouse) -> None:
        self.report.resolution = resolve_tenant(warehouse, self.report.tenant, clock=self.clock, full=self.full)

    def _build(self, warehouse: Warehouse) -> None:
        build_marts(warehouse)
        catalogue = {each.name: registry.catalogue(each.connector) for each in self.inputs}
        build_typed_views(warehouse, catalogue, self.connections)

    def _is_built(self, warehouse: Warehouse) -> bool:
        """Tell whether marts and typed views are those of this release and of the connections there are."""
        return marts_are_current(warehouse) and typed_views_are_current(warehouse, self.connections)

    def _check(self, warehouse: Warehouse) -> None:
        self.report.checks = run_checks(warehouse)
        self.report.contract = {kind: check_contract(warehouse, kind) for kind in Kind}
        counted = warehouse.served.rows(_QUARANTINED)
        self.report.quarantined = {str(target): int(count) for target, count in counted if target is not None}

    def _publish(self) -> None:
        copied = publish(self.settings, self.report.tenant)
        self.report.published = None if copied is None else str(copied)

    def _is_published(self, warehouse: Warehouse) -> bool:
        """Tell whether the published copy is newer than the last change; an earlier refresh may not have got to it."""
        if self.settings.warehouse_url is not None:
            return True  # on Postgres analysts read the warehouse itself
        path = names.published_file(self.settings, self.report.tenant)
        if not path.exists():
            return False
        changed_at = warehouse.served.rows(_CHANGED_AT)[0][0]
        return changed_at is None or path.stat().st_mtime > changed_at.timestamp()


_CHANGED_AT = """
SELECT max(moment) FROM (
    SELECT max(refined_at) AS moment FROM quality.refined_load UNION ALL SELECT max(built_at) FROM golden.resolution
) AS changes
"""

_QUARANTINED = """
SELECT target, count(DISTINCT (connection, entity, record_id, external_id)) FROM quality.quarantine
WHERE status = 'open' AND severity = 'row' GROUP BY target
"""


def _row_counts(served: Served) -> dict[str, int]:
    """Count the rows of our own tables and marts; what others put beside them may be broken, or not ours to read."""
    ours = [*((layer, str(kind)) for layer in ("canonical", "golden") for kind in Kind)]
    ours += [("marts", mart) for mart in mart_files()]
    there = {(column.schema, column.table) for column in served.catalogue({schema for schema, _ in ours})}
    return {f"{schema}.{table}": _count(served, schema, table) for schema, table in ours if (schema, table) in there}


def _count(served: Served, schema: str, table: str) -> int:
    return int(served.rows(f"SELECT count(*) FROM {names.quote_table(schema, table)}")[0][0])
