"""A tenant's canonical tables in miniature: rows go in as refinement puts them, and golden comes out comparable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gtm_pipelines.resolution import ResolutionReport, resolve_tenant
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import Warehouse, open_warehouse
from quality import canonical
from quality.identity import DEFAULT_POLICY, IdentityPolicy
from quality.normalise.text import literal

START = datetime(2026, 1, 1, tzinfo=UTC)
CONNECTORS = {"crm": "salesforce", "crm_two": "salesforce", "mail": "customerio", "export": "file"}
Row = dict[str, Any]


class _Undone(Exception):  # noqa: N818  it is no error
    """Ends a block whose changes are not to last."""


class Tenant:
    """One tenant's warehouse and the changes a test makes to it."""

    def __init__(self, warehouse: Warehouse, policy: IdentityPolicy = DEFAULT_POLICY) -> None:
        self.warehouse = warehouse
        self.policy = policy
        self.now = START
        self._is_together = False
        warehouse.ensure_tables()
        for kind in ("person", "account", "activity"):
            warehouse.execute(canonical.ddl(kind))

    def put(self, kind: str, source: str, external_id: str, **fields: Any) -> None:
        """Insert or replace one canonical row and say so."""
        row = {
            "source": source,
            "external_id": external_id,
            "connector": CONNECTORS[source],
            "tenant_id": "acme",
            "source_updated_at": START,
            "is_deleted": False,
            "_entity": kind.title(),
            "_record_id": external_id,
            "_row_hash": "0",
            "_refined_at": self.now,
        } | fields
        if kind == "account":
            row.setdefault("name", f"Company {external_id}")
        if kind == "activity":
            row = {"type": "call", "occurred_at": START} | row
        if isinstance(row.get("_references"), list):
            row["_references"] = json.dumps(row["_references"])
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        with self.together():
            self._remove(kind, source, external_id)
            self.warehouse.execute(f"INSERT INTO canonical.{kind} ({names}) VALUES ({marks})", list(row.values()))
            self._pend(kind, source, external_id)

    def person(self, source: str, external_id: str, **fields: Any) -> None:
        self.put("person", source, external_id, **fields)

    def account(self, source: str, external_id: str, **fields: Any) -> None:
        self.put("account", source, external_id, **fields)

    def activity(self, source: str, external_id: str, **fields: Any) -> None:
        self.put("activity", source, external_id, **fields)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make the changes of the block in one transaction."""
        if self._is_together:
            yield
            return
        self._is_together = True
        try:
            with self.warehouse.transaction():
                yield
        finally:
            self._is_together = False

    def drop(self, kind: str, source: str, external_id: str) -> None:
        """Take a canonical row away altogether, as a changed mapping does."""
        with self.together():
            self._remove(kind, source, external_id)
            self._pend(kind, source, external_id)

    def resolve(self, *, full: bool = False) -> ResolutionReport:
        """Resolve an hour later than last time."""
        self.now += timedelta(hours=1)
        return resolve_tenant(self.warehouse, "acme", clock=lambda: self.now, full=full, policy=self.policy)

    @contextmanager
    def for_now(self, *statements: str) -> Iterator[None]:
        """Have statements done where the tables are stored, for the time of the block."""
        with suppress(_Undone), self.warehouse.transaction():
            for statement in statements:
                self.warehouse.served.execute(statement)
            yield
            raise _Undone

    def id_of(self, external_id: str, kind: str = "person") -> str:
        found = self.warehouse.rows(f"SELECT {kind}_id FROM golden.{kind}_link WHERE external_id = ?", [external_id])
        assert len(found) == 1, f"{external_id} has {len(found)} links"
        return str(found[0][0])

    def groups(self, kind: str = "person") -> set[frozenset[str]]:
        """Clusters by external id, singletons included."""
        rows = self.warehouse.rows(f"SELECT list(external_id) FROM golden.{kind}_link GROUP BY {kind}_id")
        return {frozenset(row[0]) for row in rows}

    def golden(self, external_id: str, kind: str = "person") -> Row:
        """The golden row that a record belongs to."""
        frame = self.warehouse.arrow(
            f"SELECT g.* FROM golden.{kind} g JOIN golden.{kind}_link l USING ({kind}_id) WHERE l.external_id = ?",
            [external_id],
        )
        rows = frame.to_pylist()
        assert len(rows) == 1
        return dict(rows[0]) | {"provenance": json.loads(rows[0]["provenance"])}

    def link(self, external_id: str, kind: str = "person") -> Row:
        rows = self.warehouse.arrow(
            f"SELECT * FROM golden.{kind}_link WHERE external_id = ?", [external_id]
        ).to_pylist()
        assert len(rows) == 1
        return dict(rows[0]) | {"evidence": json.loads(rows[0]["evidence"])}

    def everything(self) -> dict[str, list[Any]]:
        """All that golden says, with every golden id replaced by the records it stands for, and without times."""
        names = {
            kind: {
                row[0]: f"{kind}:{row[1]}"
                for row in self.warehouse.rows(
                    f"SELECT {kind}_id, list_sort(list(source || ':' || external_id))::VARCHAR FROM golden.{kind}_link"
                    f" GROUP BY {kind}_id"
                )
            }
            for kind in ("person", "account")
        }
        every = names["person"] | names["account"]

        def told(sql: str) -> list[Any]:
            return sorted(_renamed(row, every) for row in self.warehouse.rows(sql))

        return {
            "person": told("SELECT * EXCLUDE (updated_at) FROM golden.person"),
            "account": told("SELECT * EXCLUDE (updated_at) FROM golden.account"),
            "activity": told("SELECT * EXCLUDE (updated_at) FROM golden.activity"),
            "person_link": told("SELECT * EXCLUDE (since) FROM golden.person_link"),
            "account_link": told("SELECT * EXCLUDE (since) FROM golden.account_link"),
            "person_key": told("SELECT DISTINCT * FROM golden.person_key WHERE rule NOT IN ('merged', 'reference')"),
        }

    def _remove(self, kind: str, source: str, external_id: str) -> None:
        one = f"SELECT {literal(source)}, {literal(external_id)}"
        self.warehouse.fetch(f"canonical.{kind}", on=("source", "external_id"), keys=one)
        self.warehouse.execute(
            f"DELETE FROM canonical.{kind} WHERE source = ? AND external_id = ?", [source, external_id]
        )

    def _pend(self, kind: str, source: str, external_id: str) -> None:
        self.warehouse.execute("INSERT INTO canonical.pending VALUES (?, ?, ?)", [kind, source, external_id])


def _renamed(row: tuple[Any, ...], names: dict[str, str]) -> str:
    text = repr(row)
    for golden_id, records in names.items():
        text = text.replace(golden_id, records)
    return text


@contextmanager
def open_tenant(
    home: Path, policy: IdentityPolicy = DEFAULT_POLICY, warehouse_url: str | None = None
) -> Iterator[Tenant]:
    """A tenant with empty tables."""
    with open_warehouse(Settings(home=home, warehouse_url=warehouse_url), "acme") as warehouse:
        yield Tenant(warehouse, policy)
