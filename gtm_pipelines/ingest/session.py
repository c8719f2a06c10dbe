"""The body of one sync: which entity is read when, and what each kind of error means for the rest.

It runs under a lease and in a directory of its own, both held by the caller. How an entity is read stands in
reading.py, how it is stored in flush.py; here stands only the order, and whose fault stops what.
"""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from connectors.connector import Mode, SyncOptions
from connectors.errors import ConnectorError, Deferred, Reauthorise, Resync, Retry, Stop
from connectors.landing import counted_repairs
from gtm_pipelines.control_plane import ConnectionStatus, ControlPlaneError, LeaseLostError, LockTimeoutError
from gtm_pipelines.ingest.flush import Target, flush
from gtm_pipelines.ingest.load import LoadError
from gtm_pipelines.ingest.reading import Reading, in_full, plan
from gtm_pipelines.ingest.report import Fault, QuotaReport, Status, overall
from gtm_pipelines.ingest.state import EntityState, read_states
from gtm_pipelines.warehouse import WarehouseBusyError, WarehouseError, WarehouseMissingError, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from connectors.connector import Clock, Connector, Credentials, Entity, Page
    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.ingest.report import SyncReport

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_BUSY_AGAIN = timedelta(minutes=1)


class UnknownEntityError(ValueError):
    """An entity was asked for that the connection does not have; the message lists those it has."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a watcher is told while an entity is read and stored."""

    tenant: str
    connection: str
    entity: str
    stage: str  # reading, storing
    pages: int
    rows: int


@dataclass(frozen=True, slots=True)
class Work:
    """What one sync is given: its right to store, its scratch directory, its report and its watcher."""

    target: Target
    control: ControlPlane
    connector: Connector
    directory: Path
    report: SyncReport
    clock: Clock
    on_progress: Callable[[Progress], None] | None


class _HaltedError(Exception):
    """Nothing more is to be asked of this vendor now; what was read so far is still stored."""


class Session:
    """One sync that holds its lease and its directory."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._readings: list[Reading] = []
        self._spools = self._loads = 0

    def run(self, wanted: Mode | None, names: Sequence[str] | None) -> None:
        """Read every chosen entity, store it, and sum up in the report."""
        report = self._work.report
        try:
            offered = _ours_as_theirs(self._work.connector.entities)
        except ConnectorError as error:  # settings may name entities, and be wrong
            self._end(Status.FAILED, Fault(code=error.code, message=error.message))
            return
        chosen = _choose(offered, names)
        try:
            self._plan(chosen, wanted)
            self._read_all()
            self._flush()
        except WarehouseBusyError as error:
            again = self._work.clock() + _BUSY_AGAIN
            self._end(Status.DEFERRED, Fault(code="warehouse_busy", message=str(error)))
            report.resume_at = again
        except WarehouseMissingError:  # the tenant is gone, and its ledger with it
            raise
        except WarehouseError as error:
            self._end(Status.FAILED, Fault(code="warehouse_failed", message=str(error)))
        except LoadError as error:
            self._end(Status.FAILED, Fault(code="load_failed", message=str(error)))
        else:
            report.status = overall([each.report.status for each in self._readings])
            self._reinstate()
        report.quota = self._quota()
        times = [each.report.resume_at for each in self._readings if each.report.resume_at is not None]
        report.resume_at = max([*times, *([report.resume_at] if report.resume_at else [])], default=None)

    def _plan(self, chosen: Sequence[Entity], wanted: Mode | None) -> None:
        target, report = self._work.target, self._work.report
        wait = target.limits.warehouse_wait
        with open_warehouse(target.settings, report.tenant, wait=wait, brief=True) as warehouse:
            states = read_states(warehouse, target.connection.name)
        for entity in chosen:
            stored = states.get(entity.name, EntityState())
            self._readings.append(plan(entity, stored, wanted, self._new_spool(), report.started_at))
            report.entities[entity.name] = self._readings[-1].report
        if self._readings and all(reading.is_full for reading in self._readings):
            report.mode = Mode.FULL

    def _read_all(self) -> None:
        """Read entity after entity, until one meets something that concerns the whole account."""
        try:
            credentials = self._authenticate()
            for index in range(len(self._readings)):
                self._read(index, credentials)
        except _HaltedError:
            return

    def _authenticate(self) -> Credentials:
        try:
            return _ours_as_theirs(self._work.connector.authenticate)
        except ConnectorError as error:
            self._halt(0, error)
            raise _HaltedError from error

    def _read(self, index: int, credentials: Credentials) -> None:
        """Read one entity. What goes wrong is its own affair unless it concerns the whole account."""
        report, began, before = self._readings[index].report, time.monotonic(), self._cost()
        try:
            with counted_repairs() as repairs:
                self._walk_or_begin_again(index, credentials)
        except (Reauthorise, Deferred) as error:
            self._halt(index, error)
            raise _HaltedError from error
        except ConnectorError as error:
            self._readings[index].fail(Status.FAILED, error.code, error.message)
            if not isinstance(error, Retry):  # after a mere interruption, what came before can be resumed from
                self._readings[index].abandon()
        finally:
            report.notices += [f"{count:,} record{'s'[: count > 1]} held {what}" for what, count in repairs.items()]
            after = self._cost()
            report.requests += after[0] - before[0]
            report.bytes += after[1] - before[1]
            report.seconds = round(report.seconds + time.monotonic() - began, 3)

    def _walk_or_begin_again(self, index: int, credentials: Credentials) -> None:
        try:
            self._walk(self._readings[index], credentials)
        except Resync as error:
            lost = self._readings[index]
            if lost.is_full:
                raise Stop(error.code, f"{error.message}; it happened in a full read, which has no cursor") from error
            _LOG.warning("cursor of %s/%s lost (%s): reading in full", self._name, lost.entity.name, error.code)
            self._readings[index] = in_full(lost, self._new_spool())
            self._walk(self._readings[index], credentials)

    def _walk(self, reading: Reading, credentials: Credentials) -> None:
        limits = self._work.target.limits
        for page in self._pages(reading, credentials):
            reading.take(page, limits)
            self._tell(reading, "reading")
            if reading.is_complete:
                return
            if (
                reading.spool.batch_rows >= limits.checkpoint_rows
                or reading.spool.batch_bytes >= limits.checkpoint_bytes
            ):
                self._flush()
        raise Stop("walk_incomplete", f"the read of {reading.entity.name} ended without its last page")

    def _pages(self, reading: Reading, credentials: Credentials) -> Iterator[Page]:
        """Ask the connector for pages; a bug in it is that entity's failure and not the end of the others."""
        options = SyncOptions(reading.entity.name, reading.mode, self._work.report.started_at)
        pages = iter(self._work.connector.sync(credentials, reading.starts_at, options))
        while (page := _ours_as_theirs(lambda: next(pages, None))) is not None:
            yield page

    def _flush(self) -> None:
        self._loads += 1
        for reading in self._readings:
            if reading.spool.batch_rows:
                self._tell(reading, "storing")
        flush(self._work.target, self._readings, self._work.directory / f"load-{self._loads:04}")

    def _halt(self, index: int, error: ConnectorError) -> None:
        """Say in this entity and those not read yet why the sync ends here."""
        for reading in self._readings[index:]:
            reading.fail(Status.DEFERRED if isinstance(error, Deferred) else Status.FAILED, error.code, error.message)
            if isinstance(error, Deferred):
                reading.report.resume_at = error.resume_at
        if isinstance(error, Reauthorise):
            report = self._work.report
            status = ConnectionStatus.REAUTH_REQUIRED
            self._work.control.set_status(report.tenant, report.connection, status, str(error))

    def _end(self, status: Status, fault: Fault) -> None:
        """Nothing could be stored: say so for the sync and for each entity that had something to store."""
        report = self._work.report
        report.status = status
        report.errors.append(fault)
        for reading in self._readings:
            if reading.spool.batch_rows or not reading.is_complete:
                reading.fail(status, fault.code, fault.message)
                reading.abandon()

    def _reinstate(self) -> None:
        """Put a connection that waited for a person back on the schedule, now that its credential works again."""
        report, connection = self._work.report, self._work.target.connection
        if report.status is Status.OK and connection.status is ConnectionStatus.REAUTH_REQUIRED:
            self._work.control.resume_connection(report.tenant, report.connection)

    def _quota(self) -> QuotaReport | None:
        known = self._work.connector.quota()
        if known is None:
            return None
        return QuotaReport(
            remaining=known.remaining,
            limit=known.limit,
            left_to_customer=known.left_to_customer,
            resets_at=known.resets_at,
            seen_at=self._work.clock(),
        )

    @property
    def _name(self) -> str:
        return f"{self._work.report.tenant}/{self._work.report.connection}"

    def _new_spool(self) -> Path:
        self._spools += 1
        return self._work.directory / f"entity-{self._spools:04}"

    def _cost(self) -> tuple[int, int]:
        stats = self._work.connector.context.transport.stats
        return stats.requests, stats.bytes

    def _tell(self, reading: Reading, stage: str) -> None:
        if self._work.on_progress is not None:
            report = self._work.report
            what = reading.entity.name, stage, reading.report.pages, reading.report.read
            self._work.on_progress(Progress(report.tenant, report.connection, *what))


def _choose(offered: Sequence[Entity], names: Sequence[str] | None) -> list[Entity]:
    """Return the entities to read: those named, or those read by default."""
    if names is None:
        return [entity for entity in offered if entity.selected]
    known = {entity.name: entity for entity in offered}
    if unknown := sorted(set(names) - set(known)):
        raise UnknownEntityError(f"no entity {', '.join(unknown)}: this connection has {', '.join(sorted(known))}")
    return [known[name] for name in dict.fromkeys(names)]


def _ours_as_theirs(ask: Callable[[], T]) -> T:
    """Run connector code; give what is not a vendor's error the type that says what to do about it."""
    try:
        return ask()
    except (ConnectorError, LeaseLostError):
        raise
    except LockTimeoutError as error:
        raise Retry("credentials_locked", str(error)) from error
    except ControlPlaneError as error:
        raise Stop(str(getattr(error, "code", "control_plane")), str(error)) from error
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]  # its text may hold a record or a credential
        where = f"{type(error).__name__} at {place.filename}:{place.lineno}"
        _LOG.error("connector bug: %s", where)
        raise Stop("connector_bug", f"the connector failed with {where}; this is a bug to report") from error
