"""From records that were found to records that are whole: every property, the associations, who was merged into whom.

A list and a search only find records: what they say of one may be old (the index of the search lags) and would differ
with the way it was found. Read in batches, a record has one form, and one that did not change costs nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from connectors.landing import RAW_SCHEMA, RecordShape, land_records, land_slices, tombstones
from connectors.runtime import paths
from connectors.vendors.hubspot.portal import IDS_PER_ASSOCIATION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from connectors.connector import Page
    from connectors.manifest import EntitySpec
    from connectors.vendors.hubspot.portal import Associated, Portal

TARGETS = {
    "contacts": ("companies",),
    "companies": (),
    "deals": ("companies", "contacts"),
    "calls": ("contacts", "companies", "deals"),
    "emails": ("contacts", "companies", "deals"),
    "meetings": ("contacts", "companies", "deals"),
    "notes": ("contacts", "companies", "deals"),
    "tasks": ("contacts", "companies", "deals"),
}
"""Which associations a record carries: the few it names, never the many that name it."""
_MERGED = "properties.hs_merged_object_ids"
_TIME = RAW_SCHEMA.get_field_index("source_updated_at")


class Completion:
    """Completes the pages of one entity's read; the names of its properties are asked for when first needed."""

    def __init__(self, portal: Portal, spec: EntitySpec) -> None:
        self._portal = portal
        self._spec = spec
        self._names: list[str] | None = None

    def pages(self, found: Iterable[Page]) -> Iterator[Page]:
        """Yield the pages with whole records, several read together; places and ends stay as they were."""
        waiting: list[Page] = []
        rows = 0
        for page in found:
            if rows and rows + page.rows.num_rows > IDS_PER_ASSOCIATION:
                yield from self._completed(waiting)
                waiting, rows = [], 0
            waiting.append(page)
            rows += page.rows.num_rows
        yield from self._completed(waiting)

    def _completed(self, pages: list[Page]) -> Iterator[Page]:
        ids = {key for page in pages for key in _live(page.rows)}
        records = self._records(sorted(ids))
        for page in pages:
            whole = [records[key] for key in _live(page.rows) if key in records]
            shape = RecordShape("$", self._spec.key, self._spec.timestamp, self._spec.timestamp_format)
            landed = land_slices(whole, shape)
            gone = page.rows.filter(page.rows["is_deleted"])
            live = records.keys()  # not all that were found: who was merged since is found and no longer read
            found = [landed.table, *absorbed(landed.table, live), archived(gone), *absorbed(gone, live)]
            table = pa.concat_tables(found)
            yield replace(page, rows=table, unreadable=(*page.unreadable, *landed.unreadable))

    def _records(self, ids: list[str]) -> dict[str, bytes]:
        """Return whole records by id; those that are gone by now are missing."""
        if not ids:
            return {}
        if self._names is None:
            self._names = [each["name"] for each in self._portal.properties(self._spec.name)]
        found = {key: bytes(raw) for raw in self._portal.read(self._spec.name, ids, self._names) if (key := _id(raw))}
        others = {
            target: self._portal.associated(self._spec.name, target, list(found))
            for target in TARGETS[self._spec.name]
            if found
        }
        return {key: _with_associations(raw, key, others) for key, raw in found.items()}


def absorbed(rows: pa.Table, live: Collection[str]) -> list[pa.Table]:
    """Return rows that say of merged records, which HubSpot no longer shows, into whom: deleted as of that record."""
    says = pc.match_substring_regex(rows["payload"], r'"hs_merged_object_ids"\s*:\s*"[^"]')
    found: list[tuple[str, str, Any]] = [
        (loser.strip(), row["external_id"], row["source_updated_at"])
        for row in rows.filter(says).to_pylist()
        for loser in str(paths.find_one(row["payload"].encode(), _MERGED) or "").split(";")
        if loser.strip() and loser.strip() != row["external_id"] and loser.strip() not in live
    ]
    if not found:
        return []
    said = [{"id": loser, "archived": True, "mergedInto": winner} for loser, winner, _ in found]
    landed = land_records(said, RecordShape("$", "id", deleted="archived"))
    times = pa.array([time for _, _, time in found], RAW_SCHEMA.field(_TIME).type)
    return [landed.table.set_column(_TIME, RAW_SCHEMA.field(_TIME), times)]


def archived(rows: pa.Table) -> pa.Table:
    """Return archived records as tombstones of now: the list shows a few properties, and the whole record is stored."""
    keys: list[Any] = rows["external_id"].to_pylist()
    return tombstones([(key, None) for key in keys])


def _live(rows: pa.Table) -> list[str]:
    keys: list[Any] = rows["external_id"].filter(pc.invert(rows["is_deleted"])).to_pylist()
    return keys


def _id(raw: msgspec.Raw) -> str | None:
    found = paths.find_one(raw, "id") if bytes(memoryview(raw)[:1]) == b"{" else None
    return str(found) if isinstance(found, str | int) else None


def _with_associations(raw: bytes, key: str, others: dict[str, Associated]) -> bytes:
    """Return a record as it is written with its associations as one more member."""
    if not others or not raw.endswith(b"}"):
        return raw
    said = msgspec.json.encode({target: associated.get(key, []) for target, associated in others.items()})
    return raw[:-1] + b',"associations":' + said + b"}"
