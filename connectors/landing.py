"""Page bytes to Arrow rows: the payload of every record kept byte for byte, and a handful of columns beside it.

A record is sliced out of its page, never rebuilt: only its id, timestamp and delete flag are decoded. What cannot
become a row is returned as :class:`~connectors.connector.Unreadable`, so that rows and unreadables together are always
the whole page. Text that no warehouse can store (NUL, lone surrogates) is mended and counted, and so is an object that
says a key twice: readers differ about it, so only the last is kept. What a field means, and which records are new, is
decided elsewhere.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from connectors.connector import UNREADABLE_CHARS, Unreadable
from connectors.runtime import paths
from connectors.runtime.fitness import are_plain, are_small, may_nest_lists, unfit
from connectors.runtime.heads import AT_ONCE, Fields, Heads, fields_at_top, read_alike, read_heads
from connectors.runtime.jsontext import has_far_number, mend_escapes
from connectors.runtime.keys import are_keys, colliding, is_key, read_key
from connectors.runtime.paths import read as read_envelope
from connectors.runtime.repeats import may_repeat, without_repeats
from connectors.runtime.slicing import cut, slice_records
from connectors.runtime.timestamps import TimestampFormat, TimeValue, to_arrow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "RAW_SCHEMA",
    "Landed",
    "RecordShape",
    "counted_repairs",
    "land",
    "land_records",
    "land_slices",
    "read_envelope",
    "slice_records",
    "tombstones",
]

_FIELDS: list[pa.Field[Any]] = [
    pa.field("external_id", pa.string(), nullable=False),
    pa.field("source_updated_at", pa.timestamp("us", tz="UTC")),
    pa.field("is_deleted", pa.bool_(), nullable=False),
    pa.field("payload", pa.string()),
    pa.field("payload_hash", pa.string()),
]
RAW_SCHEMA = pa.schema(_FIELDS)
"""What a connector yields. A null payload is a tombstone: the vendor sent nothing but the id."""

_BACKSLASH = b"\\"[0]  # as a number: bytes look for a number much sooner than for another bytes
_MENDED = rb"\ufffd"
_NOT_DELETED = (None, False, 0, "", "false", "False", "0")

NUL, SURROGATE, REPEAT = (
    "a NUL character; it was left out",
    "half a character (a lone surrogate); it was replaced by U+FFFD",
    "a key more than once; the last value was kept",
)
"""What is mended in a record, as it reads after "records held"."""

_REPAIRS: ContextVar[Counter[str] | None] = ContextVar("gtm_repairs", default=None)


@contextmanager
def counted_repairs() -> Iterator[Counter[str]]:
    """Count the records mended inside the block, by what was mended, whichever connector lands them."""
    counted: Counter[str] = Counter()
    token = _REPAIRS.set(counted)
    try:
        yield counted
    finally:
        _REPAIRS.reset(token)


@dataclass(frozen=True, slots=True)
class RecordShape:
    """Where things stand in a page and its records; paths as in :mod:`connectors.runtime.paths`.

    ``items`` leads to the array of records, or with ``[*]`` to each of them. ``deleted`` may be a flag or a time: any
    value but null, false, 0 and "" means deleted.
    """

    items: str
    id: str
    timestamp: str | None = None
    timestamp_format: TimestampFormat = "iso8601"
    deleted: str | None = None


@dataclass(frozen=True, slots=True)
class Landed:
    """The rows of one page and what could not become one. ``repaired`` counts the records mended."""

    table: pa.Table
    unreadable: tuple[Unreadable, ...] = ()
    repaired: int = 0

    @property
    def seen(self) -> int:
        """Records the page held."""
        return self.table.num_rows + len(self.unreadable)


def land(body: bytes, shape: RecordShape) -> Landed:
    """Turn a page into rows; raise Stop(``malformed_page``) when the body is not JSON or has nothing at ``items``.

    ``null`` at ``items`` is an empty page: vendors write it for an empty list.
    """
    records, mended = cut(body, shape.items)
    return _land(records, shape, mended=mended)


def land_records(records: Sequence[bytes | dict[str, Any]], shape: RecordShape) -> Landed:
    """Turn records that already stand alone into rows; ``shape.items`` is not used. Dicts are encoded as they are."""
    texts = [record if isinstance(record, bytes) else msgspec.json.encode(record) for record in records]
    return land_slices(texts, shape)


def tombstones(deleted: Sequence[tuple[str, Any]]) -> pa.Table:
    """Return rows for records of which the vendor tells only (id, time of deletion or None)."""
    size = len(deleted)
    return pa.table(
        [
            pa.array([key for key, _ in deleted], pa.string()),
            pa.array([when for _, when in deleted], pa.timestamp("us", tz="UTC")),
            pa.array([True] * size, pa.bool_()),
            pa.nulls(size, pa.string()),
            pa.nulls(size, pa.string()),
        ],
        schema=RAW_SCHEMA,
    )


@dataclass(slots=True)
class _Columns:
    """The growing columns of one page, and what was set aside. ``ids`` are still as the vendor typed them."""

    ids: list[str | int] = field(default_factory=list)
    times: list[TimeValue] = field(default_factory=list)
    deleted: list[bool] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)
    repaired: set[bytes] = field(default_factory=set)

    def set_aside(self, reason: str, raw: bytes, external_id: str | None = None) -> None:
        text = raw[:UNREADABLE_CHARS].decode("utf-8", "replace").replace("\0", "\ufffd")
        self.unreadable.append(Unreadable(reason, text, external_id))

    def note(self, raw: bytes, *repairs: str) -> None:
        self.repaired.add(raw)
        self.repairs.update(repairs)


def land_slices(records: Sequence[bytes | msgspec.Raw], shape: RecordShape) -> Landed:
    """Turn record slices into rows. A slice need not be JSON: what a connector put together of odd parts may not be."""
    return _land(records, shape, mended=False)


def _land(records: Sequence[bytes | msgspec.Raw], shape: RecordShape, *, mended: bool) -> Landed:
    columns = _Columns()
    raws = list(map(bytes, records))
    for at in range(0, len(raws), AT_ONCE):
        _add_all(columns, raws[at : at + AT_ONCE], shape, mended=mended)
    if columns.repairs and (counted := _REPAIRS.get()) is not None:
        counted.update(columns.repairs)
    return _build(columns, shape)


def _add_all(columns: _Columns, raws: list[bytes], shape: RecordShape, *, mended: bool) -> None:
    """Add some records as rows: all at once when nothing about them asks for more, one by one otherwise."""
    fields = fields_at_top(shape.id, shape.timestamp, shape.deleted)
    if fields is not None and not mended:
        text = b"[" + b",".join(raws) + b"]"
        heads = _read_at_once(raws, text, fields)
        if heads is not None and are_keys(heads.ids):
            columns.ids += heads.ids
            _extend(columns, raws, heads)
            return
    fit = list(_fit(columns, raws, mended=mended))
    is_suspect = may_repeat(fit)
    for raw in fit:
        try:
            _add(columns, raw, fields, shape, is_suspect=is_suspect)
        except msgspec.DecodeError:
            columns.set_aside("malformed", raw)


def _read_at_once(raws: list[bytes], text: bytes, fields: Fields) -> Heads | None:
    """Read records that are fit and repeat no key, seen by what their text does not have; None: look at each."""
    longest = max(map(len, raws))
    if not are_plain(raws, text, longest):
        return None
    if not may_nest_lists(raws):
        heads = read_alike(raws, text, fields)
        if heads is not None:
            return heads
    if not are_small(raws, longest) or may_repeat(raws):
        return None
    heads = read_heads(text, fields)
    return heads if heads is not None and len(heads.ids) == len(raws) else None


def _fit(columns: _Columns, raws: list[bytes], *, mended: bool) -> Iterator[bytes]:
    for raw in raws:
        reason = unfit(raw)
        if reason is not None:
            columns.set_aside(reason, raw)
            continue
        if mended and _MENDED in raw:
            columns.note(raw, SURROGATE)
        yield raw


def _extend(columns: _Columns, raws: list[bytes], heads: Heads) -> None:
    """Add what stands beside the keys of records that need no closer look."""
    columns.times += heads.times
    columns.deleted += [each not in _NOT_DELETED for each in heads.deleted]
    columns.payloads += [_mended(columns, raw) if _BACKSLASH in raw else raw for raw in raws]
    columns.hashes += [blake2b(raw, digest_size=16).hexdigest() for raw in raws]


def _build(columns: _Columns, shape: RecordShape) -> Landed:
    times, bad = to_arrow(columns.times, shape.timestamp_format)
    table = pa.table(
        [
            pa.array(list(map(str, columns.ids)), pa.string()),
            times,
            pa.array(columns.deleted, pa.bool_()),
            pa.array(columns.payloads, pa.string()),
            pa.array(columns.hashes, pa.string()),
        ],
        schema=RAW_SCHEMA,
    )
    drop = dict.fromkeys(bad, "malformed") | dict.fromkeys(colliding(columns.ids), "bad_key")
    if drop:
        for at, reason in sorted(drop.items()):
            columns.set_aside(reason, columns.payloads[at], str(columns.ids[at]))
        table = table.take(pa.array([at for at in range(table.num_rows) if at not in drop], pa.int64()))
    return Landed(table, tuple(columns.unreadable), len(columns.repaired))


def _add(
    columns: _Columns,
    raw: bytes,
    fields: Fields | None,
    shape: RecordShape,
    *,
    is_suspect: bool,
) -> None:
    """Add one record as a row, or set it aside for its key or a number; a suspect one may say a key twice.

    Raises msgspec.DecodeError for one that is no JSON.
    """
    if has_far_number(raw):
        columns.set_aside("number_out_of_range", raw, _id_of(raw, shape))
        return
    payload = _mended(columns, raw, is_suspect=is_suspect)
    key, time, deleted = _read(raw, payload, fields, shape)
    if not is_key(key):
        columns.set_aside("bad_key", raw)
        return
    columns.ids.append(key)
    columns.times.append(time)
    columns.deleted.append(deleted not in _NOT_DELETED)
    columns.payloads.append(payload)
    columns.hashes.append(blake2b(raw, digest_size=16).hexdigest())


def _read(
    raw: bytes, payload: bytes, fields: Fields | None, shape: RecordShape
) -> tuple[str | int | None, TimeValue, Any]:
    heads = None if fields is None else read_heads(b"[" + raw + b"]", fields)
    if heads is None or len(heads.ids) != 1:
        return _read_carefully(payload, shape)
    return next(zip(*heads, strict=True))


def _id_of(raw: bytes, shape: RecordShape) -> str | None:
    """Return the id of a record that is set aside for something else, where it has one."""
    key, _, _ = _read_carefully(mend_escapes(raw), shape)
    return str(key) if is_key(key) else None


def _mended(columns: _Columns, raw: bytes, *, is_suspect: bool = False) -> bytes:
    """Return the record as any warehouse can store it, and note what was mended; the very object when nothing was."""
    text = mend_escapes(raw) if _BACKSLASH in raw and b"\\u" in raw else raw
    payload = without_repeats(text) if is_suspect or text is not raw else text  # keys may differ by nothing but a NUL
    if payload is not raw:
        found = {
            NUL: len(text) < len(raw),
            SURROGATE: text.count(_MENDED) > raw.count(_MENDED),
            REPEAT: payload is not text,
        }
        columns.note(raw, *(kind for kind, was_found in found.items() if was_found))
    return payload


def _read_carefully(raw: bytes, shape: RecordShape) -> tuple[str | int | None, TimeValue, Any]:
    """Read the three fields wherever they stand and whatever they are; a key that cannot be one is None."""
    found = paths.find(raw, shape.id)
    key = read_key(bytes(found[0])) if found else None
    time = _scalar(paths.find_one(raw, shape.timestamp)) if shape.timestamp else None
    return key, time, _scalar(paths.find_one(raw, shape.deleted)) if shape.deleted else None


def _scalar(value: Any) -> Any:
    return "[present]" if isinstance(value, dict | list) else value
