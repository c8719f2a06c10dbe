"""Which tables readers are not shown, on either warehouse: the stages' bookkeeping, and dlt's own."""

from __future__ import annotations

from gtm_pipelines.warehouse import names

_BOOKKEEPING = {
    "canonical": {"pending"},
    "golden": {"account_key", "account_rule", "resolution"},  # person_key and person_rule are what `gtm why` reads
    "quality": {"defined", "refined_load", "refined_target", "shared_claim", "shared_due", "marts_built"},
    "raw": {"field", "typed_view"},  # raw.entity is read by marts.source_freshness
}


def is_bookkeeping(schema: str, table: str) -> bool:
    """Tell whether a table is the pipeline's own bookkeeping, which readers are not shown."""
    return table in _BOOKKEEPING.get(schema, ()) or (names.is_raw(schema) and table.startswith("_dlt_"))
