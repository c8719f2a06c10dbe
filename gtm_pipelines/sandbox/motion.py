"""Moving a world's time. Nothing in a world changes except here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox import remote, store
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb


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
    """Let ``steps`` days pass in an open world."""
    raise ValueError("not yet")
