"""What a refinement did, in numbers; JSON-able."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class TargetReport:
    """Rows of one kind made from one entity; ``read`` and ``unmapped`` count records."""

    read: int = 0
    written: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0
    unmapped: int = 0

    def add(self, other: TargetReport) -> None:
        """Add the numbers of another chunk or entity."""
        self.read += other.read
        self.written += other.written
        self.unchanged += other.unchanged
        self.deleted += other.deleted
        self.rejected += other.rejected
        self.unmapped += other.unmapped


@dataclass(slots=True)
class EntityReport:
    """One entity of one connection; ``mapped`` is mapped, left_out (on purpose) or unknown (to the mapping)."""

    connection: str
    entity: str
    mapped: str = "mapped"
    read: int = 0
    replayed: bool = False
    seconds: float = 0.0
    targets: dict[str, TargetReport] = field(default_factory=dict)


@dataclass(slots=True)
class RefineReport:
    """One refinement of one tenant; entities without anything due are not listed."""

    tenant: str
    entities: list[EntityReport] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def changed(self) -> bool:
        """Whether any canonical row was written or deleted, so that resolution has something to do."""
        return any(t.written or t.deleted for entity in self.entities for t in entity.targets.values())

    def total(self) -> TargetReport:
        """Return the numbers of all entities together."""
        total = TargetReport()
        for entity in self.entities:
            for target in entity.targets.values():
                total.add(target)
        return total

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return asdict(self)
