"""Any connector as a dlt source: what each entity loads, how it is keyed, and the cursor that commits with it.

The only place in ``connectors`` that knows dlt. By the time rows come here they are compared and deduplicated; what is
left to dlt is the load itself: schema, staging, merge on the key, and state that is stored in the same load package, so
that rows and cursor are committed together or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import dlt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from dlt.extract import DltResource, DltSource

KEY = "external_id"
FileFormat = Literal["parquet", "csv"]


@dataclass(frozen=True, slots=True)
class EntityLoad:
    """One entity's part of a load. ``batches`` may be called again when a load is restarted.

    ``is_new`` says that no key of these rows is stored, proven under the lock the load happens under: they are
    appended, which is then as safe as a merge and half the work.
    """

    entity: str
    table: str
    batches: Callable[[], Iterator[pa.Table]]
    state: Mapping[str, Any]
    is_new: bool = False


def build_source(name: str, loads: Sequence[EntityLoad], file_format: FileFormat = "parquet") -> DltSource:
    """Build the dlt source ``name`` of these loads, handed over as ``parquet`` or ``csv``.

    Nothing is read before dlt extracts it.
    """

    @dlt.source(name=name, max_table_nesting=0)
    def connection() -> list[DltResource]:
        return [_resource(load, file_format) for load in loads]

    return connection()


def _resource(load: EntityLoad, file_format: FileFormat) -> DltResource:
    def rows() -> Iterator[pa.Table]:
        state = dlt.current.resource_state(load.entity)
        yield from load.batches()
        state.clear()
        state.update(load.state)

    hints: dict[str, Any] = {
        "name": load.entity,
        "table_name": load.table,
        "primary_key": KEY,
        "write_disposition": "append" if load.is_new else {"disposition": "merge", "strategy": "delete-insert"},
        "columns": {KEY: {"nullable": False}, "payload": {"data_type": "json"}},
        "file_format": file_format,
    }
    resource: DltResource = dlt.resource(rows, **hints)
    return resource
