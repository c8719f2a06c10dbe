"""A tenant whose exports change from one day to the next, worked through from end to end, and what came of it.

The two days hold what a warehouse meets: new, changed and deleted rows, people of two files who are one, values and
lines that are refused. What is stored is told without ids, times and loads, so that two warehouses can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.ingest import Limits, SyncReport, sync_connection
from gtm_pipelines.refresh import RefreshReport, refresh_tenant
from gtm_pipelines.warehouse import open_warehouse
from tests.unit.resolution.tenant import Tenant

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_pipelines.settings import Settings

CONNECTIONS = ("crm", "fair")
_PEOPLE = "id,email,first_name,last_name,title,phone,company_id,country\n"
_ACCOUNTS = "id,name,domain,industry,employees\n"
_ACTIVITIES = "id,type,channel,occurred_at,person_id,company_id,subject\n"
_LIMITS = Limits(warehouse_wait=1, shrink_rows=1_000)


class NotDoneError(Exception):
    """A sync did not end well; its report is the argument."""


@dataclass(frozen=True)
class Office:
    """One tenant of an installation, and the folder its exports lie in."""

    settings: Settings
    folder: Path
    tenant: str = "acme"

    def open(self) -> None:
        """Make the tenant and its two connections."""
        with open_control_plane(self.settings, actor="test") as control:
            control.add_tenant(self.tenant)
            for each in CONNECTIONS:
                (self.folder / each).mkdir(parents=True, exist_ok=True)
                control.add_connection(self.tenant, each, "file", {"folder": str(self.folder / each)}, {})

    def write(self, day: int) -> None:
        """Put a day's exports into the folders."""
        people = [
            f"p{n},{_address(n, day)},First{n},Last{n},{'CTO' if day == 1 else 'CEO'},+1415555{n:04},a{n % 4},SE"
            for n in range(12)
            if day == 1 or n not in {2, 7}
        ]
        people += ["p50,x@acme.example,too,many,cells,here,a1,SE,9,9"] if day == 2 else []
        accounts = [f"a{n},Company {n},company{n}.example,Trade,{10 * n + day}" for n in range(4 + day)]
        moments = [f"t{n},call,phone,2026-02-{n + 1:02}T10:00:00Z,p{n},a{n % 4},Talk {day}" for n in range(8)]
        visitors = [f"v{n},{_address(n, 1)},Visitor{n},Last{n},,,," for n in range(0, 12, 3) if n or day == 1]
        for path, head, rows in (
            ("crm/people.csv", _PEOPLE, people),
            ("crm/accounts.csv", _ACCOUNTS, accounts),
            ("crm/activities.csv", _ACTIVITIES, moments),
            ("fair/people.csv", _PEOPLE, visitors),
        ):
            (self.folder / path).write_text(head + "\n".join(rows) + "\n")

    def sync(self, connection: str, *, mode: str | None = None, limits: Limits = _LIMITS) -> SyncReport:
        """Sync one connection."""
        with open_control_plane(self.settings, actor="test") as control:
            return sync_connection(self.settings, control, self.tenant, connection, mode=mode, limits=limits)

    def refresh(self) -> RefreshReport:
        """Refine, resolve, and build what people read."""
        with open_control_plane(self.settings, actor="test") as control:
            return refresh_tenant(self.settings, control, self.tenant)

    def work(self, day: int) -> None:
        """A whole turn on a day's exports; on the second day one is read, in full, and so tells what was deleted."""
        self.write(day)
        for connection in CONNECTIONS if day == 1 else CONNECTIONS[:1]:
            report = self.sync(connection, mode=None if day == 1 else "full")
            if report.status != "ok":
                raise NotDoneError(report)
        self.refresh()

    def stored(self) -> dict[str, list[Any]]:
        """Everything that canonical, golden and the quarantine say."""
        with open_warehouse(self.settings, self.tenant) as warehouse:
            told = {f"golden.{table}": rows for table, rows in Tenant(warehouse).everything().items()}
            for table, left_out in _SEEN.items():
                told[table] = warehouse.rows(f"SELECT * EXCLUDE ({left_out}) FROM {table} ORDER BY ALL")
        return told


def _address(number: int, day: int) -> str:
    if number == 5:
        return "five at home"
    return f"p{number}@company{number % 4}.example" if day == 1 or number % 4 else f"new{number}@company0.example"


_SEEN = {
    "canonical.person": "_refined_at",
    "canonical.account": "_refined_at",
    "canonical.activity": "_refined_at",
    "quality.quarantine": "first_seen, last_seen",
}
