"""One entity of one connection: all its due records, in one transaction.

The records are taken in chunks of neighbouring rows. For each kind that a chunk's records become, the statements of
``sql/refine`` run one after another on temporary tables: ``chunk`` (the records), ``projected`` (the rows their mapping
makes), ``fault`` (what is wrong with them), ``rejected`` and ``staged`` (the rows with and without such a fault),
``claimed`` (those whose key is another record's), ``vanished`` (canonical rows no longer yielded) and ``changed``
(those to write). Nothing here knows a vendor, and no step handles records one by one.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gtm_pipelines.refine import faults, slices
from gtm_pipelines.refine.report import EntityReport, TargetReport
from quality.canonical import Kind, columns
from quality.mapping import compile_projection
from quality.normalise.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.refine.statements import Scope
    from gtm_pipelines.warehouse.protocol import Warehouse
    from quality.mapping import Mapping, Target

CHUNK = 245_760
"""Records refined at once: two of DuckDB's row groups, one for each core. It is what bounds memory."""

_STORED_TOO = ("_entity", "_record_id", "_merged_into", "_references")
_ALWAYS_EQUAL = frozenset({"source", "connector", "tenant_id", "_entity"})  # within one entity; no need to hash them


@dataclass(frozen=True, slots=True)
class Work:
    """What one entity is refined with."""

    scope: Scope
    connector: str
    tenant: str
    region: str
    targets: tuple[Target, ...] | None  # empty: left out on purpose; None: the mapping does not name the entity
    chunk: int = CHUNK
    sharing: dict[Kind, tuple[str, ...]] = field(default_factory=dict)  # the connection's entities that share rows

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return the kinds the entity yields, each once."""
        return tuple(kind for kind in Kind if any(target.target is kind for target in self.targets or ()))

    def sharing_sql(self, kind: Kind) -> str:
        """Return the entities that share rows of a kind as an SQL list, never an empty one."""
        return ", ".join(literal(entity) for entity in self.sharing.get(kind, ("",)))

    def claims(self, kind: Kind) -> tuple[str, ...]:
        """Return the statements of ``sql/refine`` that decide whose row keeps a key that several claim."""
        if self.scope.entity in self.sharing.get(kind, ()):
            return ("shared",)
        return ("claimed", "yielded") if kind in self.sharing else ("claimed",)


def version_of(mapping: Mapping, entity: str, region: str) -> str:
    """Return the version of everything that decides what a record becomes; a new one means a replay."""
    return hashlib.blake2b(f"{mapping.entity_version(entity)}/{region}".encode(), digest_size=8).hexdigest()


def refine_entity(warehouse: Warehouse, work: Work, *, full: bool = False) -> EntityReport | None:
    """Refine what is due of one entity, all or nothing; None when nothing is due."""
    started = time.perf_counter()
    scope = work.scope
    with warehouse.transaction():
        there = warehouse.load_ids(scope.connection, scope.entity)
        refined = _refined(warehouse, scope)
        replay = full or not set(refined.values()) <= {scope.version}
        loads = there if replay else [load for load in there if load not in refined]
        if not (loads or replay or _records_to_retry(warehouse, work)):
            return None
        report = EntityReport(scope.connection, scope.entity, mapped=_mapped(work), replayed=replay)
        _note_loads(warehouse, loads)
        if work.kinds:
            slices.records_of_loads(warehouse, scope, loads)
            due = "true" if replay else "_dlt_load_id IN (SELECT load_id FROM load_due)"
            _refine_rows(warehouse, work, report, due)
        if replay or not work.kinds:
            _sweep(warehouse, work, report)
        tried: set[str] = set()
        while not tried.issuperset(retry := _records_to_retry(warehouse, work)):
            tried.update(retry)
            slices.records(warehouse, work.scope, "SELECT record_id FROM retry")
            _refine_rows(warehouse, work, report, "external_id IN (SELECT record_id FROM retry)")
        _settle(warehouse, work)
    report.seconds = time.perf_counter() - started
    return report


def _mapped(work: Work) -> str:
    if work.targets is None:
        return "unknown"
    return "mapped" if work.targets else "left_out"


def _refined(warehouse: Warehouse, scope: Scope) -> dict[str, str]:
    """Return the loads that were refined, each with the version of the entity's mapping that saw it."""
    slices.of_loads(warehouse, scope)
    sql = "SELECT load_id, mapping_version FROM quality.refined_load WHERE connection = ? AND entity = ?"
    return {str(load): str(version) for load, version in warehouse.rows(sql, [scope.connection, scope.entity])}


def _note_loads(warehouse: Warehouse, loads: list[str]) -> None:
    """Remember the loads this transaction answers for; a replay answers for all there are."""
    warehouse.execute("CREATE OR REPLACE TEMP TABLE load_due (load_id VARCHAR)")
    if loads:
        warehouse.execute("INSERT INTO load_due SELECT unnest(?)", [loads])


def _records_to_retry(warehouse: Warehouse, work: Work) -> list[str]:
    """Return the records whose contested key became free or theirs; if any, the temporary table ``retry`` has them."""
    if not work.kinds:
        return []
    parts = []
    if _is_contested(warehouse, work.scope):
        slices.contested(warehouse, work.scope, work.kinds)
        parts += [work.scope.fill("records_to_retry", kind=kind) for kind in work.kinds]
    parts += [_inheriting(warehouse, work, kind) for kind in _due(warehouse, work)]
    found = [record for (record,) in warehouse.rows(" UNION ".join(parts))] if parts else []
    if found:
        warehouse.execute("CREATE OR REPLACE TEMP TABLE retry AS SELECT unnest(?) AS record_id", [found])
    return found


def _is_contested(warehouse: Warehouse, scope: Scope) -> bool:
    """Tell whether the entity has records that another one's claim on their key keeps out."""
    slices.refused(warehouse, scope)
    sql = (
        "SELECT 1 FROM quality.quarantine WHERE connection = ? AND entity = ? AND rule = 'duplicate_key'"
        " AND status = 'open' LIMIT 1"
    )
    return bool(warehouse.rows(sql, [scope.connection, scope.entity]))


def _due(warehouse: Warehouse, work: Work) -> list[Kind]:
    """Return the kinds that have shared rows to look at again."""
    if not work.sharing:
        return []
    sql = "SELECT DISTINCT target FROM quality.shared_due WHERE connection = ?"
    return [Kind(kind) for (kind,) in warehouse.rows(sql, [work.scope.connection])]


def _inheriting(warehouse: Warehouse, work: Work, kind: Kind) -> str:
    """Look at the shared rows that are due, and return the SELECT of the entity's records that take one over."""
    slices.shared_due(warehouse, work.scope, kind)
    warehouse.execute(work.scope.fill("heirs", kind=kind, sharing=work.sharing_sql(kind)))
    return f"SELECT record_id FROM heir_{kind} WHERE entity = {literal(work.scope.entity)} AND NOT is_owner"


def _refine_rows(warehouse: Warehouse, work: Work, report: EntityReport, due: str) -> None:
    """Refine the records that meet the condition ``due``, chunk by chunk, counting them in ``report``."""
    for first, last in _chunks(warehouse, work, due):
        warehouse.execute(work.scope.fill("chunk", first=first, last=last, due=due))
        read = int(warehouse.rows("SELECT count(*) FROM chunk")[0][0])
        report.read += read
        for kind in work.kinds:
            target = report.targets.setdefault(str(kind), TargetReport())
            target.add(_refine_kind(warehouse, work, kind, read))


def _chunks(warehouse: Warehouse, work: Work, due: str) -> Iterator[tuple[int, int]]:
    for first, last in warehouse.rows(work.scope.fill("chunk_bounds", size=work.chunk, due=due)):
        yield int(first), int(last)


def _refine_kind(warehouse: Warehouse, work: Work, kind: Kind, read: int) -> TargetReport:
    """Bring the canonical rows of one kind in step with the chunk's records, ``read`` of them."""
    scope = work.scope
    projections = " UNION ALL ".join(f"({_projection(work, t)})" for t in work.targets or () if t.target is kind)
    warehouse.execute(scope.fill("projected", projections=projections))
    slices.concerned(warehouse, scope, kind)
    faults.complete(warehouse, kind, work.region)
    faults.find(warehouse, kind)
    names = (*(column.name for column in columns(kind)), *_STORED_TOO)
    listed = ", ".join(f"p.{name}" for name in names)
    hashed = ", ".join(f"p.{name}" for name in names if name not in _ALWAYS_EQUAL)
    warehouse.execute(scope.fill("staged", hashed=hashed))
    parts = {"kind": kind, "columns": listed, "sharing": work.sharing_sql(kind)}
    for name in ("forgotten", "vanished", *work.claims(kind), "changed", "unmapped", "written", "quarantined"):
        warehouse.execute(scope.fill(name, **parts))
    _note_weaker(warehouse, work, kind, "SELECT external_id FROM changed WHERE _is_weaker")
    counts = warehouse.rows(scope.fill("target_reports", kind=kind))[0]
    staged, changed, deleted, rejected, unmapped = (int(count) for count in counts)
    return TargetReport(read, changed, staged - changed, deleted, rejected, unmapped)


def _note_weaker(warehouse: Warehouse, work: Work, kind: Kind, changed: str) -> None:
    """Note which shared rows another record may have to take over.

    They are among the ``vanished`` rows and those that the query ``changed`` names.
    """
    if kind in work.sharing:
        weaker = f"SELECT external_id FROM vanished UNION {changed}"
        warehouse.execute(work.scope.fill("weakened", kind=kind, weaker=weaker))


def _projection(work: Work, target: Target) -> str:
    return compile_projection(
        target,
        entity=work.scope.entity,
        source=work.scope.connection,
        connector=work.connector,
        tenant=work.tenant,
        region=work.region,
    )


def _sweep(warehouse: Warehouse, work: Work, report: EntityReport) -> None:
    """Mark as deleted the canonical rows whose raw record is gone or whose kind is no longer mapped."""
    if not work.kinds:
        slices.no_records(warehouse, work.scope)
    for kind in Kind:
        is_dropped = kind not in work.kinds
        slices.of_entity(warehouse, scope=work.scope, kind=kind)
        warehouse.execute(work.scope.fill("orphaned", kind=kind, is_dropped=is_dropped))
        _note_weaker(warehouse, work, kind, "SELECT external_id FROM vanished")
        gone = int(warehouse.rows("SELECT count(*) FROM vanished")[0][0])
        if gone:
            report.targets.setdefault(str(kind), TargetReport()).deleted += gone
        if is_dropped:
            warehouse.execute(work.scope.fill("dropped", kind=kind))


def _settle(warehouse: Warehouse, work: Work) -> None:
    """Mark the loads as refined, and note which kinds the entity is mapped to, or why to none.

    Reconciliation counts by that: every raw record must be accounted for in each kind its entity is mapped to.
    """
    scope = work.scope
    slices.left_out(warehouse, scope)
    warehouse.execute(scope.fill("settled"))
    here = [scope.connection, scope.entity]
    warehouse.execute("DELETE FROM quality.unmapped WHERE connection = ? AND entity = ? AND record_id IS NULL", here)
    if work.kinds:
        rows = [str(kind) for kind in work.kinds]
        warehouse.execute(
            "INSERT INTO quality.refined_target (connection, entity, target, mapping_version)"
            " SELECT ?, ?, unnest(?), ?",
            [*here, rows, scope.version],
        )
    else:
        reason = "left_out" if work.targets is not None else "not_in_mapping"
        warehouse.execute("INSERT INTO quality.unmapped (connection, entity, reason) VALUES (?, ?, ?)", [*here, reason])
