"""Lands records by hand, the way loads do, refines them, and reads what came of it."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from gtm_pipelines.refine import RefineInput, RefineReport, refine_tenant
from gtm_pipelines.warehouse import Warehouse
from gtm_pipelines.warehouse.names import entity_table
from quality.mapping import parse_mapping

START = datetime(2026, 1, 1, tzinfo=UTC)
TOMBSTONE = "tombstone"


class Bench:
    """Lands records as loads would and refines them under a given mapping; its clock moves an hour with each step."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._loads = itertools.count(1)
        self._hours = itertools.count(1)

    def now(self) -> datetime:
        return START + timedelta(hours=next(self._hours))

    def land(
        self,
        entity: str,
        records: dict[str, Any],
        *,
        connection: str = "crm",
        deleted: bool = False,
        at: datetime = START,
    ) -> None:
        """Merge one load into an entity's raw table: a record replaces its older version, TOMBSTONE has no payload."""
        table = self.warehouse.raw_table(connection, entity)
        schema = table.split(".")[0]
        self.warehouse.execute(
            f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE IF NOT EXISTS {table} (external_id VARCHAR, "
            "source_updated_at TIMESTAMPTZ, is_deleted BOOLEAN, payload JSON, payload_hash VARCHAR, "
            "synced_at TIMESTAMPTZ, _dlt_load_id VARCHAR)"
        )
        self.warehouse.execute(
            "INSERT OR IGNORE INTO raw.entity VALUES (?, ?, ?, ?, ?)",
            [connection, "vendor", entity, entity_table(entity), START],
        )
        load, synced = f"load-{next(self._loads)}", self.now()
        for key, record in records.items():
            self.warehouse.execute(f"DELETE FROM {table} WHERE external_id = ?", [key])
            payload = None if record is TOMBSTONE else json.dumps(record)
            self.warehouse.execute(
                f"INSERT INTO {table} VALUES (?, ?, ?, ?, md5(?), ?, ?)",
                [key, at, deleted or record is TOMBSTONE, payload, payload, synced, load],
            )

    def refine(self, mapping: str, **options: Any) -> RefineReport:
        given = [RefineInput("crm", "vendor", parse_mapping(mapping))]
        return refine_tenant(self.warehouse, "acme", given, clock=self.now, **options)

    def table(self, sql: str) -> list[tuple[Any, ...]]:
        return self.warehouse.rows(sql)

    def live(self, kind: str, *columns: str) -> list[tuple[Any, ...]]:
        listed = ", ".join(("external_id", *columns))
        return self.table(f"SELECT {listed} FROM canonical.{kind} WHERE NOT is_deleted ORDER BY ALL")

    def gone(self, kind: str) -> list[str]:
        return [key for (key,) in self.table(f"SELECT external_id FROM canonical.{kind} WHERE is_deleted ORDER BY 1")]

    def quarantine(self, status: str = "open") -> list[tuple[Any, ...]]:
        return self.table(
            "SELECT record_id, external_id, field, rule, value, severity FROM quality.quarantine "
            f"WHERE status = '{status}' ORDER BY ALL"
        )

    def take_pending(self) -> list[tuple[str, str]]:
        """Return and consume what resolution would look at."""
        found = self.table("SELECT kind, external_id FROM canonical.pending ORDER BY ALL")
        self.warehouse.execute("DELETE FROM canonical.pending")
        return found
