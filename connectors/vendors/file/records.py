"""The records of one file as JSON texts, in batches: all text for delimited files, the file's own types otherwise.

Reading is vectorised: Arrow cuts the file, Polars writes the JSON; no Python runs per field. What cannot be read
comes out beside the batch with the line it stands on. A file that is broken as a whole raises before its first row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec
import polars as pl
import polars.selectors as cs
import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet as pq

from connectors.connector import Unreadable
from connectors.errors import Stop
from connectors.runtime.keys import is_key
from connectors.vendors.file.dialect import (
    LONGEST_ROW,
    Dialect,
    dialect_of,
    encoding_of,
    first_value,
    open_utf8,
    ragged_lines,
    unique_names,
)
from connectors.vendors.file.quoting import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.vendors.file.files import SourceFile

_BLOCK_BYTES = 4 << 20
_BUFFER_BYTES = 1 << 20  # of a column; without it, Arrow holds whole row groups beforehand
_LONGEST_LINE = 64 << 20
RAW_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of a file, each one JSON object, and what could not become one."""

    records: list[bytes]
    unreadable: tuple[Unreadable, ...] = ()
    lines: tuple[int, ...] = ()  # of each record, where the file is one of lines

    def located(self, unreadable: tuple[Unreadable, ...]) -> tuple[Unreadable, ...]:
        """Say on which line each record stands that landing could not read."""
        if not unreadable or not self.lines:
            return unreadable
        line_of = {shown(record): line for record, line in zip(self.records, self.lines, strict=True)}
        return tuple(
            replace(item, raw=f"line {line_of[item.raw]}: {item.raw}"[:RAW_CHARS]) if item.raw in line_of else item
            for item in unreadable
        )


def shown(record: bytes) -> str:
    """Return a record as an Unreadable shows it."""
    return record[:RAW_CHARS].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class Reading:
    """A file opened for reading: its columns where it states them, what had to be guessed, and its batches."""

    columns: tuple[str, ...] | None
    notices: tuple[str, ...]
    batches: Iterator[Batch]


def open_records(
    file: SourceFile, *, rows: int, key: str, encoding: str | None = None, delimiter: str | None = None
) -> Reading:
    """Open a file by its suffix; raise Stop when the file as a whole cannot be read.

    ``key`` is the column of ids: where it comes first, even a row of the wrong width is known by its id.
    """
    if file.size == 0:
        return Reading(None, (f"{file.name} is empty",), iter(()))
    if file.format == "parquet":
        return _open_parquet(file, rows)
    if file.format == "jsonl":
        codec, notices = encoding_of(file.path, encoding)
        return Reading(None, notices, _json_lines(file, codec, rows))
    dialect = dialect_of(file.path, encoding=encoding, delimiter=delimiter)
    surveyed = survey(file.path, dialect)
    if line := surveyed.careless_line:
        raise Stop(
            "malformed_file",
            f"{file.name}: a quote opened in the row on line {line} is not closed in it and takes the rows after it "
            f"along; close it, or double it where it is text",
        )
    block = max(_BLOCK_BYTES, min(surveyed.longest_row * 2, LONGEST_ROW))
    batches = _csv(file, dialect, rows, key, block) if dialect.has_rows else iter(())
    return Reading(dialect.names, dialect.notices, batches)


def _csv(file: SourceFile, dialect: Dialect, rows: int, key: str, block: int) -> Iterator[Batch]:

    misfits: list[tuple[str, str]] = []
    has_key_first = dialect.names[0] == key

    def set_aside(row: csv.InvalidRow) -> Literal["skip", "error"]:
        misfits.append((f"{row.actual_columns} values for {row.expected_columns} columns: {row.text}", row.text))
        return "skip"

    lines = ragged_lines(file.path, dialect)

    def ragged(said: str, text: str) -> Unreadable:
        first = first_value(text, dialect) if has_key_first else None
        told = f"line {next(lines, '?')}: {said}"[:RAW_CHARS].replace("\0", "\N{REPLACEMENT CHARACTER}")
        return Unreadable("malformed", told, str(first) if is_key(first) else None)

    try:
        with open_utf8(file.path, dialect.encoding) as stream:
            for table in _arrow_batches(stream, dialect, set_aside, block):
                unreadable = tuple(ragged(*misfit) for misfit in misfits)
                misfits.clear()
                yield from _sliced(pl.DataFrame(table), rows, unreadable)
    except pa.ArrowInvalid as error:
        raise Stop(
            "malformed_file",
            f"{file.name} is not a table delimited by {dialect.delimiter!r}, or has a row over {block >> 20} MiB",
        ) from error
    if misfits:
        yield Batch([], tuple(ragged(*misfit) for misfit in misfits))


def _arrow_batches(
    stream: pa.NativeFile,
    dialect: Dialect,
    set_aside: Callable[[csv.InvalidRow], Literal["skip", "error"]],
    block: int,
) -> Iterator[pa.RecordBatch]:
    """Yield a file's rows. The header is read as one and left out: asked to skip it, Arrow may skip a row with it."""
    header = 1
    for batch in csv.open_csv(
        stream,  # type: ignore[arg-type]  # the stubs forget Arrow's own streams
        read_options=csv.ReadOptions(
            use_threads=False,  # or the handler of odd rows would see them out of order
            block_size=block,
            column_names=list(dialect.names),
            skip_rows=dialect.preamble,
        ),
        parse_options=csv.ParseOptions(
            delimiter=dialect.delimiter, newlines_in_values=True, invalid_row_handler=set_aside
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(dialect.names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],
        ),
    ):
        yield batch.slice(header)
        header = 0 if batch.num_rows else header


def _sliced(frame: pl.DataFrame, rows: int, unreadable: tuple[Unreadable, ...]) -> Iterator[Batch]:
    """Cut a block into batches; what could not be read goes with the first, or alone."""
    for start in range(0, max(frame.height, 1), rows):
        yield Batch(_as_json(frame[start : start + rows]), unreadable if start == 0 else ())


def _as_json(frame: pl.DataFrame) -> list[bytes]:

    texts = frame.select(pl.struct(pl.all()).struct.json_encode().cast(pl.Binary)).to_series()
    return texts.to_list()


def _json_lines(file: SourceFile, codec: str, rows: int) -> Iterator[Batch]:
    """Yield lines untouched: a record stays as its writer wrote it."""
    records: list[bytes] = []
    numbers: list[int] = []
    unreadable: list[Unreadable] = []
    size = 0
    with open_utf8(file.path, codec) as stream:
        for number, line in enumerate(_lines(stream, file.name), start=1):
            record = line.strip()
            if not record:
                continue
            if _is_json(record):
                records.append(record)
                numbers.append(number)
            else:
                unreadable.append(Unreadable("malformed", f"line {number}: {shown(record)}"[:RAW_CHARS]))
            size += len(record)
            if len(records) + len(unreadable) >= rows or size >= _BLOCK_BYTES:
                yield Batch(records, tuple(unreadable), tuple(numbers))
                records, numbers, unreadable, size = [], [], [], 0
    if records or unreadable:
        yield Batch(records, tuple(unreadable), tuple(numbers))


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _lines(stream: pa.NativeFile, name: str) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_BLOCK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > _LONGEST_LINE:
            raise Stop("malformed_file", f"{name} has a line over 64 MiB: it is not JSON Lines, one object per line")
    yield rest


def _open_parquet(file: SourceFile, rows: int) -> Reading:

    try:
        parquet = pq.ParquetFile(file.path, pre_buffer=False, buffer_size=_BUFFER_BYTES)
    except pa.ArrowException as error:
        raise Stop("malformed_file", f"{file.name} is not a whole parquet file; upload it again") from error
    written = tuple(parquet.schema_arrow.names)
    names, notices = (written, ()) if len(set(written)) == len(written) else unique_names(written)
    return Reading(names, notices, _parquet(file, parquet, names, rows))


def _parquet(file: SourceFile, parquet: pq.ParquetFile, names: tuple[str, ...], rows: int) -> Iterator[Batch]:

    try:
        for batch in parquet.iter_batches(batch_size=_rows_at_once(parquet.metadata, rows)):
            yield Batch(_typed_as_json(batch.rename_columns(list(names))))
    except (pa.ArrowException, OSError) as error:
        raise Stop("malformed_file", f"{file.name} breaks off inside; upload it again") from error
    except (ValueError, OverflowError, pl.exceptions.PanicException) as error:
        kind = type(error).__name__  # its text may hold a value
        raise Stop("malformed_file", f"{file.name} holds values of a type that cannot be read ({kind})") from error


def _rows_at_once(metadata: pq.FileMetaData, rows: int) -> int:
    """Return how many rows fit a block, by the widest row group; at most ``rows``."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    widest = max((group.total_byte_size // group.num_rows for group in groups if group.num_rows), default=0)
    return max(1, min(rows, _BLOCK_BYTES // max(widest, 1)))


def _typed_as_json(batch: pa.RecordBatch) -> list[bytes]:
    """Write rows as JSON, bytes as base64; row by row where Polars does not know a type, or not at its place."""
    if any(_is_beyond_polars(kind) for kind in batch.schema.types):
        return [msgspec.json.encode(row) for row in batch.to_pylist()]
    return _as_json(pl.DataFrame(batch).with_columns(cs.binary().bin.encode("base64")))


def _is_beyond_polars(kind: pa.DataType, *, is_inner: bool = False) -> bool:
    is_bytes = any(
        test(kind)
        for test in (
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
            pa.types.is_binary_view,
        )
    )
    is_unknown = any(
        test(kind) for test in (pa.types.is_decimal256, pa.types.is_list_view, pa.types.is_large_list_view)
    )
    inner = [kind.field(at).type for at in range(kind.num_fields)]
    return (is_inner and is_bytes) or is_unknown or any(_is_beyond_polars(each, is_inner=True) for each in inner)
