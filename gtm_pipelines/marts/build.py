"""Making the mart views over golden."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gtm_pipelines.marts.built import Part, ensure_notes, is_built, note_built
from gtm_pipelines.marts.files import SCHEMA, mart_files
from gtm_pipelines.marts.meanings import COLUMNS, TABLES, write_meanings
from gtm_pipelines.marts.raw_record import lay_raw_record, raw_record_is_current
from gtm_pipelines.warehouse import sql_files
from quality.canonical import Kind, ddl

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Served, Warehouse

_READ = ("warehouse/tables.sql", "refine/tables.sql", "golden/tables.sql")  # whose columns the views were bound to


def build_marts(warehouse: Warehouse) -> list[str]:
    """Make every view of ``sql/marts``, with what its columns mean; return their names.

    Views made by this release stay as they are: nobody who reads one has to be waited for. Others are replaced in
    place, all or none, so that views which somebody made of them keep working while the columns they read are there.
    Resolution must have run once before, for views need the tables they read.
    """
    served = warehouse.served
    lay_raw_record(warehouse)
    are_laid = _are_laid(served)
    if not are_laid:
        ensure_notes(warehouse)
        served.ensure_schema(SCHEMA)
    with served.transaction():
        if not are_laid:
            _lay(served)
        write_meanings(served, anew=not are_laid)
    return [f"{SCHEMA}.{mart}" for mart in mart_files()]


def marts_are_current(warehouse: Warehouse) -> bool:
    """Tell whether the views are those of this release. If not, they are made anew even if no data changed."""
    return raw_record_is_current(warehouse) and _are_laid(warehouse.served)


def _are_laid(served: Served) -> bool:
    there = {column.table for column in served.catalogue([SCHEMA])}
    return there >= mart_files().keys() and is_built(served, Part.MARTS, _text())


def _lay(served: Served) -> None:
    for mart, path in mart_files().items():
        served.replace_view(SCHEMA, mart, sql_files.load(path))
    note_built(served, Part.MARTS, _text())


def _text() -> str:
    """Return all that the views are made of: their own texts, the tables they read, and what columns mean."""
    return json.dumps([TABLES, COLUMNS, *map(ddl, Kind), *map(sql_files.load, [*mart_files().values(), *_READ])])
