"""A tenant's tables as of one moment, and each of them as a Parquet file that any tool reads.

Nobody waits for an export: on DuckDB it reads a copy of the file, on Postgres one transaction's snapshot. Both give a
table the same columns with the same types.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.duck import DuckWarehouse, connect, held
from gtm_pipelines.warehouse.hidden import is_bookkeeping

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from gtm_pipelines.settings import Settings
    from gtm_pipelines.warehouse.protocol import Column, Served

_REPEATED = {("quality", "raw_record")}  # a view of all raw tables, each of which is exported
_BATCH_ROWS = 8_192
_GROUP_ROWS, _GROUP_BYTES = 100_000, 32_000_000  # of a row group, which is what is held in memory
_WAIT_S = 60


@dataclass(frozen=True)
class TableFile:
    """One exported table: where it is, how many rows it has, and its columns with what they mean."""

    path: str
    rows: int
    columns: list[Column]


@contextmanager
def open_snapshot(settings: Settings, tenant: str, scratch: Path) -> Iterator[Served]:
    """Open a tenant's tables as they are now and stay inside the block; ``scratch`` may be as large as they are."""
    checked = TenantId(tenant)
    if settings.warehouse_url is not None:
        from gtm_pipelines.warehouse.postgres.snapshot import open_reader

        with open_reader(settings, checked) as served:
            yield served
        return
    copy = scratch / "warehouse.duckdb"
    _copy(names.warehouse_file(settings, checked), copy)
    with _open_copy(settings, checked, copy) as served:
        yield served


def export_tables(served: Served, target: Path, marts: Collection[str]) -> Iterator[TableFile]:
    """Write every table of the tenant below ``target``, in a folder per schema, and say of each what was written.

    Of views there are the ``marts``: what others made of them may fail whoever asks it.
    """
    connections: list[str] = []
    if served.has_table("raw", "entity"):
        connections = [str(name) for (name,) in served.rows("SELECT DISTINCT connection FROM raw.entity")]
    tables: dict[tuple[str, str], list[Column]] = {}
    for column in served.catalogue([*names.LAYERS, *map(names.raw_schema, connections)]):
        tables.setdefault((column.schema, column.table), []).append(column)
    for (schema, table), columns in sorted(tables.items()):
        is_others = schema == "marts" and table not in marts
        if is_others or is_bookkeeping(schema, table) or (schema, table) in _REPEATED:
            continue
        path = target / schema / f"{table}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        listed = ", ".join(names.quote(column.name) for column in columns)
        batches = served.batches(f"SELECT {listed} FROM {names.quote_table(schema, table)}", size=_BATCH_ROWS)
        yield TableFile(str(path.relative_to(target)), _write(path, columns, batches), columns)


def _copy(source: Path, copy: Path) -> None:
    """Copy the private file, with all of it that is committed, while nobody writes it."""
    with held(source, _WAIT_S) as deadline, source.open("rb") as reader:
        # The reader is closed after DuckDB: POSIX drops a process's locks on a file when it closes any handle of it.
        connection = connect(source, deadline)
        try:
            connection.execute("CHECKPOINT").fetchall()
            with copy.open("wb") as writer:
                shutil.copyfileobj(reader, writer, 4 * 1024 * 1024)
        finally:
            connection.close()


@contextmanager
def _open_copy(settings: Settings, tenant: TenantId, copy: Path) -> Iterator[Served]:
    """Open the copy read-only; what a mart sorts may spill beside it."""
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        connection.execute(
            f"ATTACH {names.literal(str(copy))} AS {names.quote(names.ALIAS)} (READ_ONLY);"
            f"USE {names.quote(names.ALIAS)};"
            f"SET memory_limit = {names.literal(settings.duckdb_memory)};"
            f"SET temp_directory = {names.literal(str(copy.parent / 'spill'))};"
            "SET preserve_insertion_order = false;"
            "SET TimeZone = 'UTC'"
        ).fetchall()
        yield DuckWarehouse(tenant, connection)
    finally:
        connection.close()


def _write(path: Path, columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> int:
    """Write one table, a row group at a time, and return how many rows it has."""
    import pyarrow.parquet as pq

    schema, rows = _schema(columns), 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(batches):
            table = _as(schema, group)
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
            rows += table.num_rows
    return rows


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Gather batches until they are worth a row group."""
    group: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        group.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group


def _as(schema: pa.Schema, batches: Sequence[pa.RecordBatch]) -> pa.Table:
    """Give rows the declared types, whatever the driver calls them."""
    import pyarrow as pa

    table = pa.Table.from_batches(list(batches))
    columns = [column.cast(field.type) for column, field in zip(table.columns, schema, strict=True)]
    return pa.Table.from_arrays(columns, schema=schema)


def _schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema of a file: the columns' types, text for a type that we never make, and what each means."""
    import pyarrow as pa

    moment = pa.timestamp("us", "UTC")
    types = {
        "BOOLEAN": pa.bool_(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "DATE": pa.date32(),
        "TIMESTAMP WITH TIME ZONE": moment,
        "VARCHAR[]": pa.list_(pa.string()),
    }
    return pa.schema(
        [
            pa.field(each.name, types.get(each.kind, pa.string()), metadata={"meaning": each.comment or ""})
            for each in columns
        ]
    )
