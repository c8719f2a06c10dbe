"""The columns of every refined table, asked of the canonical model and of the SQL that makes golden and marts."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from gtm_pipelines.marts import build_marts
from gtm_pipelines.refine import refine_tenant
from gtm_pipelines.resolution import resolve_tenant
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from quality.canonical import Kind, columns

Columns = dict[str, list[list[str]]]
"""Table: its columns as name, type, meaning, sensitivity."""


def refined_columns() -> Columns:
    """Build an empty tenant and read its catalogue; a column downstream is as sensitive as its canonical namesake."""
    found: Columns = {
        f"canonical.{kind}": [[c.name, c.type, c.description, str(c.sensitivity)] for c in columns(kind)]
        for kind in Kind
    }
    sensitivity = {row[0]: row[3] for rows in found.values() for row in rows}
    sensitivity |= {"full_name": sensitivity["last_name"], "provenance": sensitivity["last_name"]}
    for table, name, kind, meaning in _built():
        if table.split(".")[0] in {"golden", "marts"}:
            found.setdefault(table, []).append([name, kind, meaning, sensitivity.get(name, "internal")])
    return found


def _built() -> list[tuple[str, str, str, str]]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        with open_warehouse(settings, "acme") as warehouse:
            refine_tenant(warehouse, "acme", [], clock=lambda: now)
            resolve_tenant(warehouse, "acme", clock=lambda: now)
            build_marts(warehouse)
            return [
                (str(table), str(name), str(kind), str(meaning))
                for table, name, kind, meaning in warehouse.rows(
                    "SELECT schema_name || '.' || table_name, column_name, data_type, coalesce(comment, '')"
                    " FROM duckdb_columns()"
                    " WHERE database_name = current_database() ORDER BY 1, column_index"
                )
            ]
