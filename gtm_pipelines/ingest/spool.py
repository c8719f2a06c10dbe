"""The rows of one entity on disk between the vendor and the warehouse, as Parquet parts in the run's directory.

Rows are numbered in order of arrival (``_position``) so that a later step can point at one without copying it. Memory
holds one row group at most and the disk one batch, whatever the source's size: of the batches before, only the ids are
kept. Nothing is decided here: no dedupe, no compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.landing import RAW_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

SCHEMA = pa.schema([*RAW_SCHEMA, pa.field("_position", pa.int64()), pa.field("_bare", pa.bool_())])
GROUP_ROWS = 20_000
_GROUP_BYTES = 4 * 1024 * 1024  # DuckDB takes 2,048 rows or a group at once: of long records, that is all its memory


class Spool:
    """Rows of one walk over an entity. ``cut`` ends a batch; ``seen`` has the ids of those before, in files."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._held: list[pa.Table] = []
        self._held_rows = self._held_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._parts: list[Path] = []
        self.seen: list[Path] = []
        self.rows = self.batch_start = self.batch_bytes = 0
        self.batch_oldest: datetime | None = None

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
        self._note_oldest(pc.min(rows.column("source_updated_at")).as_py())
        if self._held_rows >= GROUP_ROWS or self._held_bytes >= _GROUP_BYTES:
            self._write()

    def batch(self) -> list[Path]:
        """Close the running part and return the parts since the last cut."""
        self._write()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return list(self._parts)

    def cut(self) -> None:
        """Begin a new batch: what was taken so far is loaded, and only its ids are still of use."""
        for part in self.batch():
            ids = pq.read_table(part, columns=["external_id"])
            self.seen.append(part.with_name(f"seen-{len(self.seen):05}.parquet"))
            pq.write_table(ids, self.seen[-1], compression="snappy", use_dictionary=False)
            part.unlink()
        self._parts.clear()
        self.batch_start, self.batch_bytes, self.batch_oldest = self.rows, 0, None

    def _note_oldest(self, oldest: datetime | None) -> None:
        if oldest is not None and (self.batch_oldest is None or oldest < self.batch_oldest):
            self.batch_oldest = oldest

    def _write(self) -> None:
        if not self._held:
            return
        if self._writer is None:
            self._parts.append(self._directory / f"part-{self.rows:012}.parquet")
            self._writer = pq.ParquetWriter(
                self._parts[-1], SCHEMA, compression="none", use_dictionary=False, write_statistics=["_position"]
            )
        self._writer.write_table(pa.concat_tables(self._held).cast(SCHEMA), row_group_size=GROUP_ROWS)
        self._held, self._held_rows, self._held_bytes = [], 0, 0


def row_groups(path: Path) -> Iterator[pa.Table]:
    """Stream a part by its row groups, which are bounded in rows and in bytes."""
    with pq.ParquetFile(path) as part:
        for group in range(part.num_row_groups):
            yield part.read_row_group(group, use_threads=False)
