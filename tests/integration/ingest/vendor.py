"""A vendor made of a list of records, and one sync against it in a process of its own that a test may end at will."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.connector import DeleteDetection, Entity, Mode, Page
from connectors.landing import RAW_SCHEMA
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.ingest import Limits, SyncReport, sync_connection
from gtm_pipelines.warehouse import open_warehouse
from tests.stand_ins import QuietConnector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.context import ForkServerProcess

    from connectors.connector import Connector, Credentials, Cursor, SyncOptions
    from gtm_pipelines.settings import Settings

START = datetime(2026, 3, 1, tzinfo=UTC)
LIMITS = Limits(checkpoint_rows=150, warehouse_wait=20)
_PAGE = 50
_READY, _SERVING = "ready", "serving"
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.integration.ingest.vendor", "dlt", "dlt.destinations", "duckdb"])


@dataclass(frozen=True)
class Record:
    """One record of the vendor: when it last changed, what it says, and whether it is gone."""

    key: str
    second: int
    text: str
    deleted: bool = False


@dataclass(frozen=True)
class World:
    """What the vendor has."""

    records: tuple[Record, ...]

    def changed(self, keys: range, *, second: int, deleted: range = range(0)) -> World:
        """Return the world after these records were written again and those deleted."""
        now = {each.key: each for each in self.records}
        for number in keys:
            now[f"k{number}"] = Record(f"k{number}", second, f'{{"n":{number},"at":{second}}}')
        for number in deleted:
            now[f"k{number}"] = replace(now[f"k{number}"], second=second, deleted=True)
        return replace(self, records=tuple(now.values()))


def world(size: int) -> World:
    """Make a vendor with ``size`` records, seven to a second so that pages end within ties."""
    return World(tuple(Record(f"k{n}", n // 7, f'{{"n":{n}}}') for n in range(size)))


class ListConnector(QuietConnector):
    """Reads a world by time and key, with a lag of one second; ``serving`` is told of each page before it is given."""

    def __init__(self, seen: World, serving: Callable[[int], None] = lambda _: None) -> None:
        super().__init__(START)
        self._world, self._serving = seen, serving

    def entities(self) -> list[Entity]:
        return [Entity("people", "", "$.id", "at", delete_detection=DeleteDetection.BOTH)]

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        del credentials
        since = -1.0
        if cursor is not None and options.mode is Mode.INCREMENTAL:
            since = (datetime.fromisoformat(cursor["watermark"]) - START).total_seconds() - 1
        due = sorted((each for each in self._world.records if each.second >= since), key=lambda r: (r.second, r.key))
        for number, start in enumerate(range(0, max(len(due), 1), _PAGE), start=1):
            self._serving(number)
            part = due[start : start + _PAGE]
            reached = {"watermark": _at(part[-1].second).isoformat()} if part else None
            yield Page(_rows(part), reached, has_more=start + _PAGE < len(due))


def _at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def _rows(records: list[Record]) -> pa.Table:
    rows = [
        {
            "external_id": each.key,
            "source_updated_at": _at(each.second),
            "is_deleted": each.deleted,
            "payload": None if each.deleted else each.text,
            "payload_hash": None if each.deleted else blake2b(each.text.encode(), digest_size=16).hexdigest(),
        }
        for each in records
    ]
    return pa.Table.from_pylist(rows, schema=RAW_SCHEMA)


def sync(
    settings: Settings,
    seen: World,
    limits: Limits = LIMITS,
    mode: str | None = None,
    serving: Callable[[int], None] = lambda _: None,
) -> SyncReport:
    """Sync the one connection against ``seen`` in this process."""

    @contextmanager
    def opener(*_: object) -> Iterator[Connector]:
        yield ListConnector(seen, serving)

    with open_control_plane(settings) as control:
        return sync_connection(settings, control, "acme", "crm", mode=mode, opener=opener, limits=limits)


def _run(settings: Settings, seen: World, limits: Limits, mode: str | None, told: Pipe, holds_at: int) -> None:
    os.setsid()

    def serving(page: int) -> None:
        if page == holds_at:
            told.send(_SERVING)
            told.recv()

    if not holds_at:
        told.send(_READY)
    told.send(str(sync(settings, seen, limits, mode, serving).status))


@dataclass
class Running:
    """A sync in its own process."""

    process: ForkServerProcess
    told: Pipe

    def status(self, timeout: float = 60) -> str:
        """Wait for the sync's own word on how it ended."""
        if not self.told.poll(timeout):
            raise TimeoutError("the sync said nothing")
        return str(self.told.recv())

    def go_on(self) -> None:
        """Have the vendor give the page it holds back."""
        self.told.send("go on")

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        os.kill(self.process.pid or 0, number)


def start(
    settings: Settings, seen: World, limits: Limits = LIMITS, mode: str | None = None, holds_at: int = 0
) -> Running:
    """Start a sync in a process of its own and return once it is about to begin.

    With ``holds_at``, the vendor holds that page back until it is told to go on; this returns once it was asked for.
    """
    here, there = _processes.Pipe()
    process = _processes.Process(target=_run, args=(settings, seen, limits, mode, there, holds_at), daemon=True)
    process.start()
    there.close()
    running = Running(process, here)
    if running.status() != (_SERVING if holds_at else _READY):
        raise RuntimeError("the process did not begin")
    return running


def stored(settings: Settings) -> dict[str, tuple[Any, ...]]:
    """Return what is stored: (second, text, or None of a deleted one) by key; checks that no key is there twice."""
    with open_warehouse(settings, "acme") as warehouse:
        if not warehouse.has_table("raw_crm", "people"):
            return {}
        rows = warehouse.rows("SELECT external_id, source_updated_at, is_deleted, payload::VARCHAR FROM raw_crm.people")
    if settings.warehouse_url is not None:  # jsonb keeps what a payload says, not how it is spelt
        rows = [(*row, text and json.dumps(json.loads(text), separators=(",", ":"))) for *row, text in rows]
    if len({row[0] for row in rows}) != len(rows):
        raise AssertionError("a key is stored twice")
    return {key: (int((at - START).total_seconds()), None if deleted else text) for key, at, deleted, text in rows}


def versions(seen: World) -> dict[str, tuple[Any, ...]]:
    """Return what is stored once everything was read. Of a deleted record, the vendor no longer tells the text."""
    return {each.key: (each.second, None if each.deleted else each.text) for each in seen.records}


class WideConnector(ListConnector):
    """Yields ``rows`` made-up records of ``size`` bytes in pages of a megabyte or so, without holding them."""

    def __init__(self, rows: int, size: int) -> None:
        super().__init__(world(0))
        self._count, self._size, self._page = rows, size, max(1_400_000 // size, 1)

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        del credentials, cursor, options
        for first in range(0, self._count, self._page):
            keys = range(first, min(first + self._page, self._count))
            texts = [f'{{"n":{n},"filler":"{str(n) * (self._size // len(str(n)))}"}}' for n in keys]
            moments = [_at(n // 7) for n in keys]
            rows = {
                "external_id": [f"k{n}" for n in keys],
                "source_updated_at": moments,
                "is_deleted": [False] * len(keys),
                "payload": texts,
                "payload_hash": [blake2b(text.encode(), digest_size=16).hexdigest() for text in texts],
            }
            reached = {"watermark": moments[-1].isoformat()}
            yield Page(pa.table(rows, schema=RAW_SCHEMA), reached, has_more=keys[-1] + 1 < self._count)


def _measure(settings: Settings, rows: int, size: int, told: Pipe) -> None:
    @contextmanager
    def opener(*_: object) -> Iterator[Connector]:
        yield WideConnector(rows, size)

    with open_control_plane(settings) as control:
        report = sync_connection(settings, control, "acme", "crm", opener=opener)
    told.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, report.entities["people"].created))


def measured(settings: Settings, rows: int, size: int) -> tuple[int, int]:
    """Sync records of ``size`` bytes in a process of its own; return its peak memory in bytes and what it created."""
    here, there = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_measure, args=(settings, rows, size, there), daemon=True)
    process.start()
    there.close()
    peak, created = here.recv()
    process.join()
    return int(peak), int(created)
