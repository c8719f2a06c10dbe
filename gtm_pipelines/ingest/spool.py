"""The rows of one entity on disk between the vendor and the warehouse, as Parquet parts in the run's directory.

Rows are numbered in order of arrival (``_position``) so that a later step can point at one without copying it. Memory
holds one part at most, whatever the source's size. Nothing is decided here: no dedupe, no compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.landing import RAW_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = pa.schema([*RAW_SCHEMA, pa.field("_position", pa.int64()), pa.field("_bare", pa.bool_())])
GROUP_ROWS = 20_000
_GROUP_BYTES = 4 * 1024 * 1024  # DuckDB takes 2,048 rows or a group at once: of long records, that is all its memory


class Spool:
    """Rows of one walk over an entity. ``cut`` ends a batch; the parts of all batches stay until the run ends."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._held: list[pa.Table] = []
        self._held_rows = self._held_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self.parts: list[Path] = []
        self.rows = 0
        self._batch_part = self.batch_start = self.batch_bytes = 0

    @property
    def directory(self) -> Path:
        """Where the parts are; other files of this entity's load may stand beside them."""
        return self._directory

    @property
    def batch_rows(self) -> int:
        """Rows taken since the last cut."""
        return self.rows - self.batch_start

    def take(self, rows: pa.Table) -> None:
        """Add a page's rows."""
        if not rows.num_rows:
            return
        bare = pc.is_null(rows.column("payload"))
        position = pa.array(range(self.rows, self.rows + rows.num_rows), pa.int64())
        table = rows.select(RAW_SCHEMA.names).cast(RAW_SCHEMA).append_column("_position", position)
        self._held.append(table.append_column("_bare", bare))
        self._held_rows += rows.num_rows
        self._held_bytes += rows.nbytes
        self.batch_bytes += rows.nbytes
        self.rows += rows.num_rows
        if self._held_rows >= GROUP_ROWS or self._held_bytes >= _GROUP_BYTES:
            self._write()

    def batch(self) -> list[Path]:
        """Close the running part and return the parts since the last cut."""
        self._write()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return self.parts[self._batch_part :]

    def cut(self) -> None:
        """Begin a new batch: what was taken so far is loaded."""
        self.batch()
        self._batch_part, self.batch_start, self.batch_bytes = len(self.parts), self.rows, 0

    def _write(self) -> None:
        if not self._held:
            return
        if self._writer is None:
            self.parts.append(self._directory / f"part-{len(self.parts):05}.parquet")
            self._writer = pq.ParquetWriter(
                self.parts[-1], SCHEMA, compression="snappy", use_dictionary=False, write_statistics=["_position"]
            )
        self._writer.write_table(pa.concat_tables(self._held).cast(SCHEMA), row_group_size=GROUP_ROWS)
        self._held, self._held_rows, self._held_bytes = [], 0, 0


def row_groups(path: Path) -> Iterator[pa.Table]:
    """Stream a part by its row groups, which are bounded in rows and in bytes."""
    with pq.ParquetFile(path) as part:
        for group in range(part.num_row_groups):
            yield part.read_row_group(group, use_threads=False)
            pa.default_memory_pool().release_unused()  # Arrow's allocator keeps freed pages, which count against us
