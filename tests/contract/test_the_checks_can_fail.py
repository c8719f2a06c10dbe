"""Proof that the conformance suite can fail: one fault at a time is planted in an honest connector, and found."""

from __future__ import annotations

import base64
import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import NotConformant, Read, Truth
from connectors.connector import Credentials, Cursor, FieldMapping, Page, SyncOptions
from connectors.errors import Retry, Stop
from tests.contract.scripted import PAGE, SECRET, START, THING, HonestConnector, Thing, Vendor, table

TRUTH = Truth(
    live=frozenset(record.id for record in Vendor().records if not record.is_deleted), deleted=frozenset({"gone"})
)


class NewestFirst(HonestConnector):
    """Reads from the newest record on and remembers the newest after the first page: a kill loses all the rest."""

    def cut(self, records: list[Thing]) -> list[list[Thing]]:
        return super().cut(records[::-1])

    def cursor_of(self, page: Sequence[Thing]) -> Cursor:
        return super().cursor_of(sorted(page, key=lambda record: record.updated))


class Backwards(HonestConnector):
    """Reads from the newest record on and remembers the oldest of each page."""

    def cut(self, records: list[Thing]) -> list[list[Thing]]:
        return super().cut(records[::-1])


class StrictlyNewer(HonestConnector):
    """Asks for each page with ``updated > last``: whatever shares the last moment is lost."""

    def cut(self, records: list[Thing]) -> list[list[Thing]]:
        pages: list[list[Thing]] = []
        while records:
            pages.append(records[:PAGE])
            records = [record for record in records if record.updated > pages[-1][-1].updated]
        return pages or [[]]


class Endless(HonestConnector):
    """Gives its last page for ever."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        *pages, last = super().sync(credentials, cursor, options)
        yield from pages
        yield from itertools.repeat(dataclasses.replace(last, has_more=True))


class Swallows(HonestConnector):
    """Takes any error for the end of the data."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        try:
            yield from super().sync(credentials, cursor, options)
        except Retry:
            yield Page(table([]), cursor, has_more=False)


class RaisesUntyped(HonestConnector):
    """Lets a parser's own exception out."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        try:
            yield from super().sync(credentials, cursor, options)
        except Retry as error:
            raise ValueError("Expecting value: line 1 column 1") from error


class DropsLastPage(HonestConnector):
    """Forgets the page after which no other follows."""

    def cut(self, records: list[Thing]) -> list[list[Thing]]:
        return super().cut(records)[:-1] or [[]]


class CursorBeforeRows(HonestConnector):
    """Hands out the cursor of the page that comes next."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        pages = list(super().sync(credentials, cursor, options))
        for page, following in itertools.zip_longest(pages, pages[1:]):
            yield dataclasses.replace(page, cursor=(following or page).cursor)


class GrowingCursor(HonestConnector):
    """Keeps every id it has seen in its cursor."""

    def cursor_of(self, page: Sequence[Thing]) -> Cursor:
        return {**super().cursor_of(page), "seen": [record.id * 1_000 for record in self.vendor.records]}


class NoCursor(HonestConnector):
    """Never says where it got to."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        for page in super().sync(credentials, cursor, options):
            yield dataclasses.replace(page, cursor=None)


class StartsOver(HonestConnector):
    """Leaves a cursor and does not look at it."""

    def after(self, cursor: Cursor | None) -> list[Thing]:
        del cursor
        return super().after(None)


class AheadOfSettle(HonestConnector):
    """Takes the clock's present for a watermark."""

    def cursor_of(self, page: Sequence[Thing]) -> Cursor:
        return {"updated": START.isoformat(), "id": page[-1].id}


class DatetimeCursor(HonestConnector):
    """Puts something into the cursor that JSON turns into something else."""

    def cursor_of(self, page: Sequence[Thing]) -> Cursor:
        return {**super().cursor_of(page), "pair": (1, 2)}


class Revives(HonestConnector):
    """Does not look at the flag of deletion."""

    def cut(self, records: list[Thing]) -> list[list[Thing]]:
        return super().cut([dataclasses.replace(record, is_deleted=False) for record in records])


class Restless(HonestConnector):
    """Adds something of its own to each payload, so that nothing ever stays unchanged."""

    counter = itertools.count()

    def cut(self, records: list[Thing]) -> list[list[Thing]]:
        return super().cut([dataclasses.replace(record, note=str(next(self.counter))) for record in records])


class HalfOfBrokenPage(HonestConnector):
    """Keeps what could be read of a page that broke off."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        try:
            yield from super().sync(credentials, cursor, options)
        except Retry:
            torn = [dataclasses.replace(record, note="half of") for record in self.after(cursor)[PAGE : PAGE + 2]]
            yield Page(table(torn), None, has_more=True)
            raise


class StopsShort(HonestConnector):
    """Says on every page that none follow."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        for page in super().sync(credentials, cursor, options):
            yield dataclasses.replace(page, has_more=False)


class SilentWhenEmpty(HonestConnector):
    """Gives no page at all."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        del credentials, cursor, options
        return iter(())


class OtherColumns(HonestConnector):
    """Yields rows in a shape of its own."""

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        for page in super().sync(credentials, cursor, options):
            yield dataclasses.replace(page, rows=page.rows.rename_columns(["id", "at", "gone", "body", "hash"]))


class BlankKey(HonestConnector):
    """Lets a record without a key through."""

    def cut(self, records: list[Thing]) -> list[list[Thing]]:
        return super().cut([dataclasses.replace(records[0], id=" "), *records[1:]] if records else [])


class TakesRefusalForEmpty(HonestConnector):
    """Reads nothing from a vendor that does not know it, and is content."""

    def authenticate(self) -> Credentials:
        return Credentials("https://things.example.com", auth=None)

    def after(self, cursor: Cursor | None) -> list[Thing]:
        return super().after(cursor) if self.vendor.knows_us else []


def read(connector: HonestConnector, cursor: Cursor | None = None) -> Read:
    return checks.read(connector, "thing", started_at=START, cursor=cursor)


def again(kind: type[HonestConnector]) -> checks.Again:
    return lambda cursor: read(kind(Vendor()), cursor)


def broken(kind: type[HonestConnector]) -> Read:
    return read(kind(Vendor(broken_page=1)))


def refused(kind: type[HonestConnector]) -> Read:
    return read(kind(Vendor(knows_us=False)))


def changed_since(kind: type[HonestConnector]) -> None:
    """Read, let three records change and one go, read from the cursor, and judge the second read."""
    vendor = Vendor()
    base = read(kind(vendor))
    moment = START + timedelta(hours=1)
    touched = {"a1", "t3", "z2"}
    vendor.records = [
        dataclasses.replace(record, updated=moment, note="new") if record.id in touched else record
        for record in vendor.records
    ]
    change = checks.read(kind(vendor), "thing", started_at=moment + timedelta(hours=1), cursor=base.cursor)
    checks.check_incremental(base, change, TRUTH, touched)


def changed_ahead(kind: type[HonestConnector]) -> None:
    """Kill a read after its first page, go on from its cursor, and judge both together."""
    first = read(kind(Vendor()))
    killed = Read(first.pages[:1])
    checks.check_incremental(killed, read(kind(Vendor()), killed.cursor), TRUTH, ())


Kind = type[HonestConnector]

CASES: dict[str, tuple[Kind, Callable[[Kind], Any], str]] = {
    "wrong cursor direction": (NewestFirst, lambda k: checks.check_resumable(read(k(Vendor())), again(k)), "loses"),
    "cursor runs backwards": (
        Backwards,
        lambda k: checks.check_forward(read(k(Vendor())), again(k)),
        "before an earlier",
    ),
    "finished cursor at the start": (
        Backwards,
        lambda k: checks.check_progress(read(k(Vendor())), again(k), THING),
        "read again",
    ),
    "lost tie": (StrictlyNewer, lambda k: checks.check_ties(read(k(Vendor())), TRUTH), "lost where many share"),
    "lost tie in a full read": (StrictlyNewer, lambda k: checks.check_complete(read(k(Vendor())), TRUTH), "missing"),
    "endless page": (Endless, lambda k: checks.check_ends(read(k(Vendor()))), "goes on after"),
    "circle not noticed": (
        Endless,
        lambda k: checks.check_loop_is_caught(read(k(Vendor())), 1, allowed=3),
        "read for ever",
    ),
    "unread error": (Swallows, lambda k: checks.check_failure_is_said(broken(k)), "as if all were well"),
    "untyped error": (RaisesUntyped, lambda k: checks.check_failure_is_said(broken(k)), "ValueError"),
    "rows of a broken page": (
        HalfOfBrokenPage,
        lambda k: checks.check_nothing_from_broken_page(broken(k), read(HonestConnector(Vendor()))),
        "broken page",
    ),
    "dropped last page": (DropsLastPage, lambda k: checks.check_complete(read(k(Vendor())), TRUTH), "missing"),
    "cursor before rows": (CursorBeforeRows, lambda k: checks.check_resumable(read(k(Vendor())), again(k)), "loses"),
    "growing cursor": (GrowingCursor, lambda k: checks.check_cursors(read(k(Vendor())), THING), "must not grow"),
    "cursor that is no JSON": (DatetimeCursor, lambda k: checks.check_cursors(read(k(Vendor())), THING), "survive"),
    "no cursor": (NoCursor, lambda k: checks.check_cursors(read(k(Vendor())), THING), "leaves no cursor"),
    "cursor ignored": (StartsOver, lambda k: checks.check_progress(read(k(Vendor())), again(k), THING), "read again"),
    "watermark too late": (AheadOfSettle, lambda k: checks.check_watermark(read(k(Vendor())), THING, START), "past"),
    "deleted record revived": (Revives, lambda k: checks.check_complete(read(k(Vendor())), TRUTH), "read as live"),
    "delete unsaid": (Revives, lambda k: checks.check_deletes(read(k(Vendor())), TRUTH), "unsaid"),
    "never unchanged": (Restless, lambda k: checks.check_reread(read(k(Vendor())), again(k)), "differs"),
    "end on every page": (StopsShort, lambda k: checks.check_ends(read(k(Vendor()))), "before the last"),
    "no page at all": (SilentWhenEmpty, lambda k: checks.check_ends(read(k(Vendor()))), "no page"),
    "rows of another shape": (OtherColumns, lambda k: checks.check_rows(read(k(Vendor()))), "schema"),
    "blank key": (BlankKey, lambda k: checks.check_rows(read(k(Vendor()))), "blank key"),
    "refusal taken for emptiness": (TakesRefusalForEmpty, lambda k: checks.check_refused(lambda: refused(k)), "Reauth"),
    "change behind the cursor": (CursorBeforeRows, changed_ahead, "never read"),
}


@pytest.mark.parametrize("fault", CASES)
def test_a_planted_fault_is_found(fault: str) -> None:
    kind, check, found = CASES[fault]
    with pytest.raises(NotConformant, match=found):
        check(kind)


@pytest.mark.parametrize("fault", [fault for fault in CASES if fault != "circle not noticed"])
def test_the_honest_connector_passes_the_same_check(fault: str) -> None:
    CASES[fault][1](HonestConnector)


def test_changes_since_a_cursor_are_read_by_the_honest_connector_and_missed_by_one_without_them() -> None:
    changed_since(HonestConnector)

    class Deaf(HonestConnector):
        def after(self, cursor: Cursor | None) -> list[Thing]:
            return super().after(None) if cursor is None else []

    with pytest.raises(NotConformant, match="3 changes are not read"):
        changed_since(Deaf)


def test_a_scenario_without_a_tie_across_pages_proves_nothing_and_says_so() -> None:
    moments = itertools.count()
    apart = [dataclasses.replace(r, updated=START - timedelta(hours=next(moments) + 1)) for r in Vendor().records]
    with pytest.raises(NotConformant, match="proves nothing"):
        checks.check_ties(read(HonestConnector(Vendor(records=apart))), TRUTH)


@pytest.mark.parametrize(
    "leak",
    [
        f"GET /things?key={SECRET}",
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        SECRET.encode().hex(),
        f"Bearer {SECRET}"[:-1] + SECRET[-1],
    ],
)
def test_a_secret_is_found_in_every_spelling(leak: str) -> None:
    with pytest.raises(NotConformant, match="a credential stands in the log"):
        checks.check_no_secret({"the log": f"12:00 INFO {leak} done"}, [SECRET])


def test_text_without_a_secret_is_clean() -> None:
    checks.check_no_secret({"the log": "12:00 INFO GET /things?key=[redacted]"}, [SECRET])


def test_too_many_requests_in_a_second_are_found() -> None:
    checks.check_rate([0.0, 0.1, 0.2, 1.0, 1.1], per_second=3, burst=0)
    with pytest.raises(NotConformant, match="within a second"):
        checks.check_rate([0.0, 0.1, 0.2, 0.9], per_second=3, burst=0)


def test_a_circle_left_late_is_found() -> None:
    late = Read(error=Stop("pagination_loop", "the same link twice"))
    checks.check_loop_is_caught(late, 3, allowed=3)
    with pytest.raises(NotConformant, match="40 requests"):
        checks.check_loop_is_caught(late, 40, allowed=3)
    with pytest.raises(NotConformant, match="not Stop"):
        checks.check_loop_is_caught(Read(error=Retry("vendor_unavailable", "tired")), 3, allowed=3)


def test_a_catalogue_of_unknown_entities_or_types_is_found() -> None:
    checks.check_schema([FieldMapping("thing", "id", "string")], [THING])
    for fields in ([FieldMapping("other", "id", "string")], [FieldMapping("thing", "id", "varchar")], []):
        with pytest.raises(NotConformant, match="field catalogue"):
            checks.check_schema(fields, [THING])


def test_a_live_row_without_payload_is_found() -> None:
    rows = table(Vendor().records[:1]).to_pylist()
    bare = pa.Table.from_pylist([{**rows[0], "payload": None}], schema=table([]).schema)
    with pytest.raises(NotConformant, match="no payload"):
        checks.check_rows(Read([Page(bare, None, has_more=False)]))


def test_an_older_version_never_replaces_a_newer_one_in_the_checks_own_merge() -> None:
    old, new = Thing("x", datetime(2026, 1, 1, tzinfo=START.tzinfo)), Thing("x", START, note="new")
    done = Read([Page(table([new]), None, has_more=True), Page(table([old]), None, has_more=False)])
    assert done.versions()["x"][1] == new.row()["payload_hash"]
