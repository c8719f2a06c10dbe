"""``quality.raw_record``: one view over all raw tables, by which marts and checks count.

Marts read it, and whoever runs the server may have made views of those: so it is replaced in place and never dropped,
and its columns never change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.marts.built import Part, ensure_notes, is_built, note_built
from gtm_pipelines.warehouse.names import literal

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Warehouse

_VIEW = ("quality", "raw_record")
_NO_RAW = (
    "SELECT CAST(NULL AS TEXT) AS connection, CAST(NULL AS TEXT) AS entity, CAST(NULL AS TEXT) AS record_id,"
    " CAST(NULL AS BOOLEAN) AS is_deleted, CAST(NULL AS TIMESTAMPTZ) AS source_updated_at,"
    " CAST(NULL AS TIMESTAMPTZ) AS synced_at WHERE false"
)


def raw_record_is_current(warehouse: Warehouse) -> bool:
    """Tell whether the view shows every connection and entity there is now, and no other."""
    served = warehouse.served
    return served.has_table(*_VIEW) and is_built(served, Part.RAW_RECORD, _text(warehouse))


def lay_raw_record(warehouse: Warehouse) -> None:
    """Have the view show one row per raw record of every connection and entity there is now."""
    if raw_record_is_current(warehouse):
        return
    ensure_notes(warehouse)
    served, text = warehouse.served, _text(warehouse)
    with served.transaction():
        served.replace_view(*_VIEW, text)
        note_built(served, Part.RAW_RECORD, text)


def _text(warehouse: Warehouse) -> str:
    selects = [
        f"SELECT {literal(connection)}, {literal(entity)}, external_id, is_deleted, source_updated_at, synced_at"
        f" FROM {warehouse.raw_table(connection, entity)}"
        for connection, entity in warehouse.raw_entities()
    ]
    return " UNION ALL ".join([_NO_RAW, *selects])
