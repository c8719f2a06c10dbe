"""Laying the mart views over golden, and one view over all raw tables that marts and checks count by."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gtm_pipelines.marts.meanings import COLUMNS, TABLES, write_meanings
from gtm_pipelines.warehouse import sql_files
from gtm_pipelines.warehouse.names import literal
from quality.canonical import Kind, ddl

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Served, Warehouse

_RAW_VIEW = ("quality", "raw_record")
_NO_RAW = (
    "SELECT CAST(NULL AS TEXT) AS connection, CAST(NULL AS TEXT) AS entity, CAST(NULL AS TEXT) AS record_id,"
    " CAST(NULL AS BOOLEAN) AS is_deleted, CAST(NULL AS TIMESTAMPTZ) AS source_updated_at,"
    " CAST(NULL AS TIMESTAMPTZ) AS synced_at WHERE false"
)
_READ = ("warehouse/tables.sql", "refine/tables.sql", "golden/tables.sql")  # whose columns the views were bound to


def build_marts(warehouse: Warehouse) -> list[str]:
    """Lay every view of ``sql/marts`` in one transaction, with what its columns mean; return their names.

    Views that are this release's stay as they are, so that nobody who reads one has to be waited for. Resolution must
    have run once before, for views need the tables they read.
    """
    raw, are_current = raw_view(warehouse), marts_are_current(warehouse)
    served = warehouse.served
    served.ensure_schema("marts")
    warehouse.execute("CREATE TABLE IF NOT EXISTS quality.marts_built (version VARCHAR)")
    with served.transaction():
        if not are_current:
            _lay(served, raw)
        write_meanings(served)
    return list(_marts())


def marts_are_current(warehouse: Warehouse) -> bool:
    """Tell whether the views are those of this release; a tenant in which nothing changed gets a new release's too."""
    served = warehouse.served
    if not served.has_table("quality", "marts_built"):
        return False
    there = {f"{column.schema}.{column.table}" for column in served.catalogue(["marts"])}
    version = _version(raw_view(warehouse))
    return there >= _marts().keys() and served.rows("SELECT version FROM quality.marts_built") == [(version,)]


def lay_raw_view(warehouse: Warehouse) -> None:
    """Have ``quality.raw_record`` show one row per raw record of every connection and entity there is now."""
    if not marts_are_current(warehouse):
        warehouse.served.execute(f"CREATE OR REPLACE VIEW {'.'.join(_RAW_VIEW)} AS {raw_view(warehouse)}")


def raw_view(warehouse: Warehouse) -> str:
    """Return the query that counts as ``quality.raw_record``."""
    selects = [
        f"SELECT {literal(connection)}, {literal(entity)}, external_id, is_deleted, source_updated_at, synced_at"
        f" FROM {warehouse.raw_table(connection, entity)}"
        for connection, entity in warehouse.raw_entities()
    ]
    return " UNION ALL ".join([_NO_RAW, *selects])


def _marts() -> dict[str, str]:
    """Return the file of each mart."""
    return {f"marts.{PurePosixPath(path).stem}": path for path in sql_files.files("marts")}


def _lay(served: Served, raw: str) -> None:
    for mart in _marts():
        served.execute(f"DROP VIEW IF EXISTS {mart}")  # a view whose columns move cannot be replaced everywhere
    served.replace_view(*_RAW_VIEW, raw)
    for path in _marts().values():
        served.execute(sql_files.load(path))
    served.execute("DELETE FROM quality.marts_built")
    served.execute("INSERT INTO quality.marts_built VALUES (?)", [_version(raw)])


def _version(raw: str) -> str:
    files = [*_marts().values(), *_READ]
    told = json.dumps([TABLES, COLUMNS, raw, *map(ddl, Kind), *map(sql_files.load, files)])
    return blake2b(told.encode(), digest_size=16).hexdigest()
