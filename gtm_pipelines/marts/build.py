"""Laying the mart views over golden, and one view over all raw tables that marts and checks count by."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gtm_pipelines.marts.meanings import COLUMNS, TABLES, write_meanings
from gtm_pipelines.warehouse import sql_files
from gtm_pipelines.warehouse.names import literal

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Warehouse

_NO_RAW = (
    "SELECT NULL::VARCHAR AS connection, NULL::VARCHAR AS entity, NULL::VARCHAR AS record_id,"
    " NULL::BOOLEAN AS is_deleted, NULL::TIMESTAMPTZ AS source_updated_at, NULL::TIMESTAMPTZ AS synced_at WHERE false"
)


def build_marts(warehouse: Warehouse) -> list[str]:
    """Create or replace every view of ``sql/marts`` in one transaction, with what its columns mean; return their names.

    Resolution must have run once before, for views need the tables they read.
    """
    paths = sql_files.files("marts")
    with warehouse.transaction():
        warehouse.execute("CREATE SCHEMA IF NOT EXISTS marts")
        lay_raw_view(warehouse)
        for path in paths:
            warehouse.execute(sql_files.load(path))
        write_meanings(warehouse)
        warehouse.execute(
            "CREATE OR REPLACE TABLE quality.marts_built AS SELECT CAST(? AS VARCHAR) AS version", [_version()]
        )
    return [f"marts.{PurePosixPath(path).stem}" for path in paths]


def marts_are_current(warehouse: Warehouse) -> bool:
    """Tell whether the views are those of this release; a tenant in which nothing changed gets a new release's too."""
    if not warehouse.has_table("quality", "marts_built"):
        return False
    return warehouse.rows("SELECT version FROM quality.marts_built") == [(_version(),)]


def _version() -> str:
    told = json.dumps([TABLES, COLUMNS, *(sql_files.load(path) for path in sql_files.files("marts"))])
    return blake2b(told.encode(), digest_size=16).hexdigest()


def lay_raw_view(warehouse: Warehouse) -> None:
    """Create or replace ``quality.raw_record``: one row per raw record of every connection and entity there is now."""
    selects = [
        f"SELECT {literal(connection)}, {literal(entity)}, external_id, is_deleted, source_updated_at, synced_at"
        f" FROM {warehouse.raw_table(connection, entity)}"
        for connection, entity in warehouse.raw_entities()
    ]
    warehouse.execute("CREATE SCHEMA IF NOT EXISTS quality")
    warehouse.execute("CREATE OR REPLACE VIEW quality.raw_record AS " + " UNION ALL ".join([_NO_RAW, *selects]))
