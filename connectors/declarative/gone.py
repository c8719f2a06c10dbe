"""Deletes that no page of the entity tells of: they are in a log, in a list of the archived, or named by a merge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.connector import UNREADABLE_CHARS, DeleteDetection, Unreadable
from connectors.declarative import times
from connectors.declarative.parts import Part
from connectors.declarative.spans import moment
from connectors.errors import Resync
from connectors.landing import RAW_SCHEMA, tombstones
from connectors.runtime import paths, timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.declarative.account import Account
    from connectors.declarative.changes import Deletes, MergedIds
    from connectors.declarative.words import TimeFormat
    from connectors.manifest import EntitySpec


def told_elsewhere(account: Account, spec: EntitySpec, marks: Mapping[str, Any], *, is_full: bool) -> Iterator[Part]:
    """Yield what the entity's other sources say is gone; the last part has their new marks as its place.

    A mark is when the whole read began, less the settle time, even where the log told nothing: a mark that stood still
    while nothing was deleted would one day be older than the log's retention.
    """
    reached = dict(marks)
    for number, source in enumerate(spec.deletes):
        name = str(number)
        begun = account.present - spec.settle
        since = moment(marks, name)
        if is_full and source.as_ == "tombstones" and spec.delete_detection is DeleteDetection.BOTH:
            reached[name] = begun.isoformat()
            continue
        if since and source.every and not is_full and begun - since < source.every:
            continue
        yield from _read(account, spec, source, None if is_full else since)
        reached[name] = begun.isoformat()
    yield Part(place={"deletes": reached})


def refuse_gaps(account: Account, spec: EntitySpec, marks: Mapping[str, Any]) -> None:
    """Raise Resync when a log of deletes no longer reaches back to where it was last read."""
    for number, source in enumerate(spec.deletes):
        since = moment(marks, str(number))
        if since and source.retention and account.present - since > source.retention:
            raise Resync("deletes_gap", f"what was deleted since the last read of {spec.name} is no longer told")


def absorbed(part: Part, merged: MergedIds | None) -> Part:
    """Add tombstones of the ids that a part's records have absorbed, dated as the records are."""
    if merged is None or not part.rows.num_rows:
        return part
    name = next(step for step in reversed(paths.parse(merged.path)) if isinstance(step, str))
    says = pc.match_substring_regex(part.rows["payload"], rf'"{re.escape(name)}"\s*:\s*("[^"]|\[\s*[^\]\s]|\d)')
    gone: dict[str, datetime | None] = {}
    for row in part.rows.filter(says).to_pylist():
        for key in _ids(row["payload"], merged):
            if key != row["external_id"]:
                gone[key] = row["source_updated_at"]
    if not gone:
        return part
    rows = pa.concat_tables([part.rows, tombstones(list(gone.items()))])
    return Part(rows, part.place, part.unreadable, part.notices, part.seen_whole)


def id_text(value: Any) -> str | None:
    """Return an id as rows hold it; None for what cannot be one."""
    if isinstance(value, bool) or value in (None, ""):
        return None
    return str(value) if isinstance(value, str | int) else None


def as_deleted(rows: pa.Table) -> pa.Table:
    """Mark every row as deleted."""
    at = RAW_SCHEMA.get_field_index("is_deleted")
    return rows.set_column(at, RAW_SCHEMA.field(at), pa.array([True] * rows.num_rows, pa.bool_()))


def _read(account: Account, spec: EntitySpec, source: Deletes, since: datetime | None) -> Iterator[Part]:
    way = account.way(source.endpoint, source.pagination, source.items)
    values = {"delta.since": times.write(since - source.lag if since else None, source.format)}
    for response in account.walk(way, values):
        if source.as_ == "records":
            landed = way.land(response, spec)
            yield Part(as_deleted(landed.table), unreadable=landed.unreadable)
            continue
        yield _tombstones(way.slices(response), source)


def _tombstones(items: list[bytes], source: Deletes) -> Part:
    gone: dict[str, datetime | None] = {}
    unread: list[Unreadable] = []
    for item in items:
        if source.where is not None and not source.where.takes(item):
            continue
        at, keys = read_time(item, source.at, source.at_format), _texts(item, source.key or "$")
        if not keys:
            unread.append(Unreadable("bad_key", item[:UNREADABLE_CHARS].decode("utf-8", "replace")))
        for key in keys:
            known = gone.get(key)
            gone[key] = at if known is None or (at is not None and at > known) else known
    return Part(tombstones(list(gone.items())), unreadable=tuple(unread))


def read_time(item: bytes, path: str | None, form: TimeFormat) -> datetime | None:
    """Return the time at a path of an item; None when there is none or it is no time."""
    found = paths.find_one(item, path) if path else None
    try:
        return timestamps.parse(found, form) if isinstance(found, str | int | float) else None
    except (ValueError, OverflowError):
        return None


def _texts(item: bytes, path: str) -> list[str]:
    found = (paths.find_one(value, "$") for value in paths.find(item, path))
    return [key for value in found if (key := id_text(value)) is not None]


def _ids(payload: str | None, merged: MergedIds) -> list[str]:
    if payload is None:
        return []
    texts = _texts(payload.encode(), merged.path)
    return [key.strip() for text in texts for key in text.split(merged.split or "\0") if key.strip()]
