"""The contract every connector keeps, native or generic.

A connector reads one account at one vendor. It owns nothing but knowledge of that vendor: I/O goes through the
:class:`~connectors.runtime.transport.Transport` it is handed, time through the clock, rotated tokens through the
credential store. What it yields are pages of raw rows (:data:`connectors.landing.RAW_SCHEMA`) with the cursor that
resumes after them. It never decides what is new, what is stored or what a field means to us.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from connectors.manifest import Manifest
    from connectors.runtime.quota import Quota
    from connectors.runtime.redaction import Secret
    from connectors.runtime.transport import Transport

Cursor = Mapping[str, Any]
"""Small JSON object that resumes one entity: a watermark, a tie-breaking key, a vendor token. Never a growing list."""

UNREADABLE_CHARS = 2_000  # kept of the text of a record that no row could be made of

Clock = Callable[[], datetime]
"""Returns the present as an aware UTC datetime."""


class Mode(StrEnum):
    """How much of an entity a sync reads."""

    INCREMENTAL = "incremental"
    FULL = "full"


class DeleteDetection(StrEnum):
    """How a connector learns that a record is gone."""

    NONE = "none"  # the vendor never says and a full read proves nothing (a log that ages out)
    OBSERVED = "observed"  # flags or tombstones arrive with the incremental read
    FULL_DIFF = "full_diff"  # a record absent from a complete full read is deleted
    BOTH = "both"  # observed incrementally, and a complete full read settles the rest

    @property
    def is_observed(self) -> bool:
        """Whether an incremental read is told of deletes."""
        return self in (DeleteDetection.OBSERVED, DeleteDetection.BOTH)

    @property
    def proves_absence(self) -> bool:
        """Whether a record that a complete full read did not see is deleted."""
        return self in (DeleteDetection.FULL_DIFF, DeleteDetection.BOTH)


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of record a connector reads."""

    name: str
    description: str
    key: str  # JSONPath of the record's id inside the vendor's record
    cursor: str | None  # the field that drives incremental reads; None = every read is complete
    lag: timedelta = timedelta(0)  # how far behind the stored watermark each read starts again
    settle: timedelta = timedelta(0)  # the watermark never passes sync start - settle: vendors show rows late
    delete_detection: DeleteDetection = DeleteDetection.NONE
    selected: bool = True  # read unless a connection says otherwise


class CredentialStore(Protocol):
    """The vault as a connector sees it: the credential fields of its own connection and nothing else."""

    def read(self) -> Mapping[str, Secret]:
        """Return the fields as stored now, not as they were when the sync began."""

    def write(self, changed: Mapping[str, Secret]) -> None:
        """Store changed fields durably before returning; the others stay."""

    def lock(self) -> AbstractContextManager[None]:
        """Hold the one refresh of this connection across threads and processes."""


@dataclass(frozen=True, slots=True)
class ConnectorContext:
    """What a connector is given to work with. ``settings`` are the connection's non-secret settings."""

    settings: Mapping[str, Any]
    transport: Transport
    credentials: CredentialStore
    clock: Clock


@dataclass(frozen=True, slots=True)
class Credentials:
    """A live session at the vendor. ``auth`` is an ``httpx.Auth`` that refreshes itself; it is never printed."""

    base_url: str
    auth: Any = field(repr=False)  # typed in connectors.runtime.auth: this module imports no HTTP library
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """One entity's read. ``started_at`` is the start of the whole sync, the upper bound of every watermark."""

    entity: str
    mode: Mode
    started_at: datetime
    page_size: int | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not become a raw row. ``raw`` is its text, cut at ``UNREADABLE_CHARS``."""

    reason: str  # bad_key, too_deep, too_large, number_out_of_range, malformed
    raw: str
    external_id: str | None = None

    def under(self, scope: str) -> Unreadable:
        """Return it with ``scope:`` before its id, as the row it would have become has, so that it is not absent."""
        return self if self.external_id is None else replace(self, external_id=f"{scope}:{self.external_id}")


@dataclass(frozen=True, slots=True)
class Page:
    """Raw rows, and where to resume once they are stored.

    ``cursor`` is None while the connector has no new safe resume point (a vendor that gives its token on the last
    page). A row with a null payload is a tombstone: the record is deleted and the vendor sent nothing but its id.
    """

    rows: pa.Table
    cursor: Cursor | None
    has_more: bool
    unreadable: tuple[Unreadable, ...] = ()
    notices: tuple[str, ...] = ()  # what the operator should know though nothing failed: a guess made, a column renamed
    seen_whole: tuple[str, ...] = ()
    """Prefixes of ids, "" for all: this read has seen every live record whose id begins so, and stored ones are gone
    that it did not see."""


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One field of the vendor's catalogue and, where a default mapping uses it, what it becomes."""

    entity: str
    source: str
    type: str  # string, number, integer, boolean, timestamp, date, json
    label: str = ""
    target: str | None = None  # person, account, activity
    field: str | None = None
    transform: str = "none"


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """What a light probe of the live API found."""

    ok: bool
    detail: str
    checked_at: datetime


class Connector(ABC):
    """One account at one vendor. Built by :func:`connectors.registry.build`; building makes no I/O."""

    manifest: ClassVar[Manifest]

    def __init__(self, context: ConnectorContext) -> None:
        self.context = context

    @property
    def id(self) -> str:
        """The connector's id, as ``salesforce``."""
        return self.manifest.id

    @property
    def name(self) -> str:
        """The vendor's name as people write it."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """SemVer of the connector, not of the vendor's API."""
        return self.manifest.version

    @abstractmethod
    def authenticate(self) -> Credentials:
        """Turn the stored credential fields into a live session; raise Reauthorise when the vendor refuses them."""

    @abstractmethod
    def entities(self) -> list[Entity]:
        """List what this connection can read; no I/O."""

    @abstractmethod
    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read pages after ``cursor`` (None = from the beginning); the last page has ``has_more=False``.

        Re-reading what was read before is always allowed; leaving something out never is. A cursor the vendor no
        longer knows raises Resync. In full mode a walk that ends normally has seen every live record.
        """

    def quota(self) -> Quota | None:
        """Return what this connection may still spend at the vendor, as its answers told; None when they do not."""
        return None

    @abstractmethod
    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        """Return the vendor's field catalogue: the shipped one, or with credentials the account's own."""

    @abstractmethod
    def health_check(self, credentials: Credentials) -> HealthStatus:
        """Probe the live API with the cheapest authenticated call."""
