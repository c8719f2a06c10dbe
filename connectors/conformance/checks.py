"""What every connector must do, as plain functions: each returns nothing, or raises NotConformant.

Only the contract is known here (connectors.connector, connectors.errors); no vendor, no pytest. A check is handed what
a connector did, or a way to make it do it again, so the same functions serve the suite and ``gtm connectors check``.
tests/contract/test_the_checks_can_fail.py plants one fault for each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from connectors.connector import Connector, Cursor, Entity, FieldMapping, Mode, Page, SyncOptions
from connectors.errors import ConnectorError, Reauthorise, Stop
from connectors.landing import RAW_SCHEMA
from connectors.runtime.redaction import spellings

PAGE_CAP = 2_000
"""More pages than any test world has: a read that gets here does not end."""

CURSOR_BYTES = 32_768
"""A cursor travels with every load and is kept for ever, so it stays small however large the source."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_EPOCH_SECONDS = range(1_000_000_000, 10_000_000_000)


class NotConformant(Exception):  # noqa: N818 - it names the verdict, not a failure of the check
    """A connector broke a promise of the contract."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the vendor really holds of one entity: ids that live, and ids it would report as deleted."""

    live: frozenset[str]
    deleted: frozenset[str] = frozenset()


@dataclass(slots=True)
class Read:
    """What one read gave: its pages, and the error that ended it if one did."""

    pages: list[Page] = field(default_factory=list)
    error: Exception | None = None

    @property
    def cursor(self) -> Cursor | None:
        """The place to go on from: the last cursor that any page carried."""
        return next((page.cursor for page in reversed(self.pages) if page.cursor is not None), None)

    def versions(self) -> dict[str, tuple[bool, str | None]]:
        """Return the newest version of each record, as merging on the key would leave it."""
        return _merge(row for page in self.pages for row in _rows(page))


Again = Callable[[Cursor | None], Read]
"""Reads the same entity of the same vendor once more, from a cursor."""


def read(
    connector: Connector,
    entity: str,
    *,
    started_at: datetime,
    cursor: Cursor | None = None,
    mode: Mode = Mode.INCREMENTAL,
    page_size: int | None = None,
) -> Read:
    """Read an entity to its end, to its error, or to the page cap; never raises what the connector raised."""
    done = Read()
    try:
        options = SyncOptions(entity, mode, started_at, page_size)
        for page in connector.sync(connector.authenticate(), cursor, options):
            done.pages.append(page)
            if len(done.pages) >= PAGE_CAP:
                break
    except Exception as error:  # noqa: BLE001 - whatever came out is evidence, and the checks judge it
        done.error = error
    return done


def check_ends(done: Read) -> None:
    """A read ends by saying so on its last page, and on no page before."""
    if done.error is not None:
        raise NotConformant(f"the read ended in {type(done.error).__name__}: {done.error}")
    if len(done.pages) >= PAGE_CAP:
        raise NotConformant(f"the read goes on after {PAGE_CAP} pages")
    if not done.pages:
        raise NotConformant("the read gave no page: an empty entity is one empty page")
    if done.pages[-1].has_more:
        raise NotConformant("the last page says that more follow")
    if any(not page.has_more for page in done.pages[:-1]):
        raise NotConformant("a page before the last says that none follow")


def check_rows(done: Read) -> None:
    """Rows have exactly the raw shape: a key on each, a payload unless deleted, a hash with each payload."""
    for page in done.pages:
        if not page.rows.schema.equals(RAW_SCHEMA):
            raise NotConformant(f"a page has the schema {page.rows.schema.names}, not the raw one")
        for row in page.rows.to_pylist():
            if not str(row["external_id"] or "").strip():
                raise NotConformant("a row has a blank key")
            if row["payload"] is None and not row["is_deleted"]:
                raise NotConformant("a live row has no payload")
            if (row["payload"] is None) != (row["payload_hash"] is None):
                raise NotConformant("payload and payload_hash do not come together")
            if row["payload"] is not None:
                json.loads(row["payload"])


def check_complete(done: Read, truth: Truth) -> None:
    """A complete read has every record the vendor holds, invents none, and revives none."""
    versions = done.versions()
    live = {key for key, (is_deleted, _) in versions.items() if not is_deleted}
    if missing := truth.live - live:
        raise NotConformant(f"{len(missing)} of {len(truth.live)} live records are missing, as {sorted(missing)[:3]}")
    if invented := live - truth.live:
        raise NotConformant(f"{len(invented)} records are read as live that are not, as {sorted(invented)[:3]}")


def check_deletes(done: Read, truth: Truth) -> None:
    """Deletes the vendor reports come out as deleted rows."""
    versions = done.versions()
    unsaid = {key for key in truth.deleted if not versions.get(key, (False, None))[0]}
    if unsaid:
        raise NotConformant(f"{len(unsaid)} of {len(truth.deleted)} deletes go unsaid, as {sorted(unsaid)[:3]}")


def check_cursors(done: Read, entity: Entity) -> None:
    """Cursors are small plain JSON objects, and an incremental read leaves one."""
    for page in done.pages:
        if page.cursor is None:
            continue
        text = json.dumps(page.cursor)
        if json.loads(text) != dict(page.cursor):
            raise NotConformant("a cursor does not survive JSON")
        if len(text) > CURSOR_BYTES:
            raise NotConformant(f"a cursor has {len(text)} bytes; it must not grow with the source")
    if entity.cursor is not None and done.cursor is None and done.pages and any(p.rows.num_rows for p in done.pages):
        raise NotConformant("a finished incremental read leaves no cursor: every read would start from the beginning")


def check_watermark(done: Read, entity: Entity, started_at: datetime) -> None:
    """No moment in a cursor is later than the sync's start less the settle time: vendors show rows late."""
    bound = started_at - entity.settle
    for page in done.pages:
        if late := [moment for moment in _moments(page.cursor) if moment > bound]:
            raise NotConformant(f"a cursor reaches {max(late)}, past {bound} (start less settle)")


def check_resumable(done: Read, again: Again, *, most: int | None = None) -> None:
    """Stopping after any page and going on from its cursor loses nothing: no cursor runs ahead of its rows.

    ``most`` tries so many pages, evenly chosen, where trying each would read a large account over and over.
    """
    whole = done.versions()
    for number, page in _tried(done, most):
        rest = again(page.cursor)
        if rest.error is not None:
            raise NotConformant(f"the cursor of page {number + 1} cannot be resumed: {rest.error}") from rest.error
        kept = [*done.pages[: number + 1], *rest.pages]
        if lost := whole.keys() - Read(kept).versions().keys():
            where = f"stopping after page {number + 1} of {len(done.pages)}"
            raise NotConformant(f"{where} loses {len(lost)} records, as {sorted(lost)[:3]}")


def check_forward(done: Read, again: Again, *, most: int | None = None) -> None:
    """A later cursor leaves less to read: what remains after each page is part of what remained before it.

    ``most`` as in :func:`check_resumable`.
    """
    remained: set[str] | None = None
    for number, page in _tried(done, most):
        remains = set(again(page.cursor).versions())
        if remained is not None and not remains <= remained:
            raise NotConformant(f"the cursor of page {number + 1} lies before an earlier one")
        remained = remains


def check_progress(done: Read, again: Again, entity: Entity) -> None:
    """A finished read is not repeated: what is read again is no older than what the entity holds back.

    One page is allowed beyond that: a vendor that answers newest first cannot be asked for half a page.
    """
    stamps = [row["source_updated_at"] for page in done.pages for row in _rows(page) if row["source_updated_at"]]
    if not stamps:
        return
    bound = max(stamps) - entity.lag - entity.settle
    known = done.versions()
    stale = [
        row["external_id"]
        for page in again(done.cursor).pages
        for row in _rows(page)
        if row["external_id"] in known and row["source_updated_at"] and row["source_updated_at"] < bound
    ]
    if len(stale) > max(page.rows.num_rows for page in done.pages):
        raise NotConformant(f"{len(stale)} records from before {bound} are read again after a finished read")


def check_reread(done: Read, again: Again) -> None:
    """Reading an unchanged vendor twice gives equal records, byte for byte: otherwise idle syncs never rest."""
    second = again(None)
    if second.error is not None:
        raise NotConformant(f"a second read fails: {second.error}") from second.error
    if done.versions() != second.versions():
        changed = [key for key, version in done.versions().items() if second.versions().get(key) != version]
        raise NotConformant(f"a second read differs in {len(changed)} records, as {changed[:3]}")


def check_incremental(base: Read, change: Read, truth: Truth, changed: Iterable[str]) -> None:
    """What changed at the vendor since a cursor is in the next read; both reads together are the vendor's present."""
    check_ends(change)
    if unseen := set(changed) - change.versions().keys():
        raise NotConformant(f"{len(unseen)} changes are not read, as {sorted(unseen)[:3]}")
    together = Read([*base.pages, *change.pages])
    live = {key for key, (is_deleted, _) in together.versions().items() if not is_deleted}
    if missing := truth.live - live:
        raise NotConformant(f"{len(missing)} live records were never read, as {sorted(missing)[:3]}")


def check_ties(done: Read, truth: Truth) -> None:
    """Records that share one timestamp survive a page boundary that falls among them."""
    if lost := truth.live - done.versions().keys():
        raise NotConformant(f"{len(lost)} records are lost where many share a timestamp, as {sorted(lost)[:3]}")
    stamps = [{row["source_updated_at"] for row in _rows(page)} for page in done.pages]
    if not any(left & right for left, right in pairwise(stamps)):
        raise NotConformant("no tie lies across a page boundary: the vendor's scenario proves nothing")


def check_rate(moments: Sequence[float], *, per_second: float, burst: float) -> None:
    """Requests keep to the vendor's limit in every window of a second."""
    for number, start in enumerate(moments):
        inside = sum(1 for moment in moments[number:] if moment < start + 1.0)
        if inside > per_second + burst:
            raise NotConformant(f"{inside} requests within a second, {per_second:g} are allowed")


def check_refused(attempt: Callable[[], Any]) -> None:
    """A refused credential asks for a person; it is neither retried for ever nor taken for an empty vendor."""
    try:
        result = attempt()
    except Reauthorise:
        return
    except ConnectorError as error:
        raise NotConformant(f"a refused credential gives {type(error).__name__}, not Reauthorise") from error
    if isinstance(result, Read) and isinstance(result.error, Reauthorise):
        return
    found = result.error if isinstance(result, Read) and result.error else "no error"
    raise NotConformant(f"a refused credential gives {found!r}, not Reauthorise")


def check_failure_is_said(done: Read, *, code: str | None = None, kind: type[ConnectorError] = ConnectorError) -> None:
    """A page that cannot be read ends the read with a typed error, never with an end of data."""
    if done.error is None:
        raise NotConformant("a page could not be read, and the read ended as if all were well")
    if not isinstance(done.error, kind):
        raise NotConformant(f"a page that cannot be read raises {done.error!r}, not {kind.__name__}")
    if code is not None and isinstance(done.error, ConnectorError) and done.error.code != code:
        raise NotConformant(f"the error's code is {done.error.code!r}, not {code!r}")
    if any(not page.has_more for page in done.pages):
        raise NotConformant("a page said that none follow, and then the read failed")


def check_nothing_from_broken_page(done: Read, before: Read) -> None:
    """No row comes out of a page that is broken: what was read is a true part of what stands at the vendor."""
    whole = before.versions()
    if invented := [key for key, version in done.versions().items() if whole.get(key) != version]:
        raise NotConformant(f"{len(invented)} rows come from a broken page, as {sorted(invented)[:3]}")


def check_loop_is_caught(done: Read, requests: int, *, allowed: int) -> None:
    """A vendor that pages in a circle is left at the first repeat."""
    if len(done.pages) >= PAGE_CAP or done.error is None:
        raise NotConformant("a vendor that pages in a circle is read for ever")
    if not isinstance(done.error, Stop) or done.error.code != "pagination_loop":
        raise NotConformant(f"a circle gives {done.error!r}, not Stop(pagination_loop)")
    if requests > allowed:
        raise NotConformant(f"{requests} requests were spent on a circle, {allowed} are allowed")


def check_no_secret(texts: Mapping[str, str], secrets: Iterable[str]) -> None:
    """No credential stands in any text, in any spelling: plain, URL, JSON, hex, base64."""
    for secret in secrets:
        for form in spellings(secret):
            for place, text in texts.items():
                if form in text:
                    raise NotConformant(f"a credential stands in {place}")


def check_schema(fields: Sequence[FieldMapping], entities: Sequence[Entity]) -> None:
    """The field catalogue speaks of this connector's entities, in the closed list of types, each field once."""
    types = {"string", "number", "integer", "boolean", "timestamp", "date", "json"}
    names = {entity.name for entity in entities}
    if strangers := {item.entity for item in fields} - names:
        raise NotConformant(f"the field catalogue speaks of unknown entities: {sorted(strangers)}")
    if unknown := {item.type for item in fields} - types:
        raise NotConformant(f"the field catalogue has unknown types: {sorted(unknown)}")
    if not fields:
        raise NotConformant("the field catalogue is empty")


def check_full_read_proves_absence(done: Read, entity: Entity) -> None:
    """Where absence means deletion, a full read must have ended well; nothing may be inferred from half of one."""
    if entity.delete_detection.proves_absence:
        check_ends(done)


def _tried(done: Read, most: int | None) -> list[tuple[int, Page]]:
    """Return the pages that carry a cursor with their numbers, or ``most`` of them, the last among them."""
    pages = [(number, page) for number, page in enumerate(done.pages) if page.cursor is not None]
    if most is None or len(pages) <= most:
        return pages
    return [pages[(place + 1) * len(pages) // most - 1] for place in range(most)]


def _rows(page: Page) -> Iterator[dict[str, Any]]:
    yield from page.rows.to_pylist()


def _merge(rows: Iterable[dict[str, Any]]) -> dict[str, tuple[bool, str | None]]:
    """Merge on the key as storage does: an older version never replaces a newer one, else the last has the word."""
    newest: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = newest.get(row["external_id"])
        if known is None or not _older(row["source_updated_at"], known["source_updated_at"]):
            newest[row["external_id"]] = row
    return {key: (row["is_deleted"], row["payload_hash"]) for key, row in newest.items()}


def _older(left: datetime | None, right: datetime | None) -> bool:
    return left is not None and right is not None and left < right


def _moments(value: Any) -> Iterator[datetime]:
    """Find every moment in a cursor, written as ISO 8601 or as epoch seconds."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _moments(item)
    elif isinstance(value, list):
        for item in value:
            yield from _moments(item)
    elif isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        moment = datetime.fromisoformat(value)
        yield moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    elif isinstance(value, int | float) and not isinstance(value, bool) and int(value) in _EPOCH_SECONDS:
        yield datetime.fromtimestamp(value, UTC)
