"""Values between Postgres' driver and everybody else, who expects what DuckDB would give."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

_NUMERIC, _OF_OTHERS = "numeric", "unnamed<"  # how the driver names a type; the second begins those that people made
_FOREVER, _NEVER = -9222425352054775809, -9222425352054775808
"""What the driver makes of ``infinity`` and ``-infinity``. It adds the microseconds from 1970 to 2000, where Postgres
counts from, to every timestamp, and those two overflow."""

_LONGEST = 2**63 - 1  # DuckDB's infinity; its negative is -infinity
_YEAR_9999, _YEAR_1 = 253402300799999999, -62135596800000000  # what DuckDB shows Python for them, in microseconds


def as_duck(table: pa.Table) -> pa.Table:
    """Return a result with plain types: JSON as text, numbers without limit as whole numbers or as floats."""
    import pyarrow as pa

    columns = [_plain(table.column(place)) for place in range(table.num_columns)]
    return pa.Table.from_arrays(columns, names=table.column_names)


def with_infinity(rows: pa.Table | pa.RecordBatch) -> pa.Table | pa.RecordBatch:
    """Return rows for DuckDB, with the timestamps that Postgres holds as infinite as DuckDB's own infinity."""
    import pyarrow as pa

    for place, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type):
            column: Any = rows.column(place)
            rows = rows.set_column(place, field, _infinite_as(column, _LONGEST, -_LONGEST))
    return rows


def bound(values: Sequence[Any]) -> pa.RecordBatch:
    """Return parameters as the driver takes them; a null goes as text, for without a type it is refused."""
    import pyarrow as pa

    arrays = [pa.array([value], _type_of(value)) for value in values]
    return pa.record_batch(arrays, names=[f"p{number}" for number in range(1, len(arrays) + 1)])


def _type_of(value: Any) -> pa.DataType | None:
    import pyarrow as pa

    if value is None:
        return pa.string()
    if isinstance(value, (list, tuple)) and not any(isinstance(each, (int, float, datetime, date)) for each in value):
        return pa.list_(pa.string())  # an empty one, too
    return None


def _plain(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    import pyarrow as pa

    kind: Any = column.type
    if pa.types.is_timestamp(kind):
        moments: pa.ChunkedArray[Any] = _infinite_as(column, _YEAR_9999, _YEAR_1)  # as DuckDB gives them to Python
        return moments
    if not isinstance(kind, pa.BaseExtensionType):
        return column
    if kind.extension_name == "arrow.uuid":
        return pa.chunked_array([[None if each is None else str(each) for each in column.to_pylist()]], pa.string())
    chunks: list[Any] = column.chunks
    chunked: Any = pa.chunked_array
    stored: pa.ChunkedArray[Any] = chunked([chunk.storage for chunk in chunks], kind.storage_type)
    called = str(getattr(kind, "type_name", ""))
    if called.startswith(_OF_OTHERS):
        return _text(stored)
    return _number(stored) if called == _NUMERIC else stored


def _infinite_as(moments: Any, forever: int, never: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute

    pc: Any = pyarrow.compute
    numbers = moments.cast(pa.int64())
    first = pc.min(numbers).as_py()
    if first is None or first > _NEVER:
        return moments
    finite_or_later = pc.if_else(pc.equal(numbers, _NEVER), never, numbers)
    return pc.if_else(pc.equal(numbers, _FOREVER), forever, finite_or_later).cast(moments.type)


def _text(bytes_: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Read the values of a type that somebody made: an enumeration's as its name, any other's as the bytes they are."""
    import pyarrow as pa

    try:
        return bytes_.cast(pa.string())
    except pa.ArrowInvalid:
        return bytes_


def _number(texts: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Read ``numeric`` values, as ``sum`` gives them: whole numbers where all are and fit 64 bits, else floats."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole: Any = pc.match_substring_regex(texts, r"^-?\d{1,18}$")
    if pc.all(whole).as_py() is not False:
        return texts.cast(pa.int64())
    return texts.cast(pa.float64())
