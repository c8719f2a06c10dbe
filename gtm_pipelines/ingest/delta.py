"""The rows of one batch that are to be loaded: where they stand on disk, and which of them.

Rows are taken from the spool as they are; only tombstones and absent rows, which need the payload that is stored, come
in files of their own. What a row means for what is stored is decided in compare.py and absence.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.landing import RAW_SCHEMA
from gtm_pipelines.ingest.spool import row_groups
from gtm_pipelines.warehouse import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

_LOADED = pa.schema([*RAW_SCHEMA, pa.field("synced_at", pa.timestamp("us", tz="UTC"))])


@dataclass(slots=True)
class Delta:
    """The rows of one entity to load, and how the batch was judged. ``is_first`` = nothing is stored yet."""

    counts: dict[str, int]
    is_first: bool
    synced_at: datetime
    parts: list[Path] = field(default_factory=list)
    keep: pa.ChunkedArray[Any] | None = None
    extra: list[Path] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether no key of the rows to load is stored."""
        return self.is_first or not (self.counts.get("updated") or self.counts.get("deleted"))

    @property
    def ids(self) -> str:
        """The query for the ids of the batch, each once."""
        return f"SELECT DISTINCT external_id FROM read_parquet({listed(self.parts)})"

    @property
    def rows(self) -> int:
        """How many rows there are to load."""
        return sum(self.counts.get(verdict, 0) for verdict in ("created", "updated", "deleted"))

    def batches(self) -> Iterator[pa.Table]:
        """Stream the rows to load, stamped with the time of this sync."""
        start = 0
        for part in self.parts:
            for group in row_groups(part):
                kept = group if self.keep is None else group.filter(self.keep.slice(start, group.num_rows))
                start += group.num_rows
                if kept.num_rows:
                    yield self._stamped(kept.drop_columns(["_position", "_bare"]))
        for path in self.extra:
            for group in row_groups(path):
                yield self._stamped(group)

    def _stamped(self, table: pa.Table) -> pa.Table:
        stamp = pa.scalar(self.synced_at, pa.timestamp("us", tz="UTC"))
        stamped = table.append_column("synced_at", pa.repeat(stamp, table.num_rows))
        return stamped.cast(_LOADED)  # DuckDB writes columns that happen to hold no null as not nullable


def listed(paths: Sequence[Path]) -> str:
    """Return files as the list that SQL's ``read_parquet`` takes."""
    return "[" + ", ".join(names.literal(str(path)) for path in paths) + "]"
