"""What a sync tells: the one structure the CLI prints, Dagster shows and the ledger keeps. No behaviour."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from connectors.connector import Mode


class Status(StrEnum):
    """How a sync, or one entity of it, ended."""

    OK = "ok"
    PARTIAL = "partial"  # some entities ended ok, others did not
    FAILED = "failed"
    DEFERRED = "deferred"  # put off: the vendor or the warehouse said to come back later
    SKIPPED_LOCKED = "skipped_locked"  # another sync of the same connection is running; nothing was asked of the vendor


class Fault(BaseModel):
    """One thing that went wrong: a stable machine word and a sentence."""

    code: str
    message: str


class EntityReport(BaseModel):
    """One entity's part. ``read`` = created + updated + deleted - absent + unchanged + stale + duplicates."""

    mode: Mode = Mode.INCREMENTAL
    status: Status = Status.OK
    read: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    absent: int = 0  # those of ``deleted`` that a complete read no longer saw
    unchanged: int = 0
    stale: int = 0  # older than what is stored
    duplicates: int = 0  # superseded by another row of the same read
    rejected: int = 0  # unreadable; in quarantine
    errors: list[Fault] = Field(default_factory=list)
    notices: list[str] = Field(default_factory=list)  # what was guessed or renamed, at most 20, and what was mended
    pages: int = 0
    requests: int = 0
    bytes: int = 0
    cursor_before: dict[str, Any] | None = None
    cursor_after: dict[str, Any] | None = None
    full_pending: str | None = None  # a full read was interrupted; the deletes it would have found are still owed
    resume_at: datetime | None = None
    seconds: float = 0.0


class QuotaReport(BaseModel):
    """What the vendor still allows this connection, in its own unit (requests, points), when the sync ended."""

    remaining: int
    limit: int | None = None
    left_to_customer: int = 0  # the part of ``remaining`` that the pipeline leaves to whoever else uses the account
    resets_at: datetime | None = None
    seen_at: datetime


class SyncReport(BaseModel):
    """One sync of one connection."""

    tenant: str
    connection: str
    connector: str
    run_id: str
    mode: Mode
    status: Status = Status.OK
    started_at: datetime
    finished_at: datetime | None = None
    resume_at: datetime | None = None
    errors: list[Fault] = Field(default_factory=list)
    entities: dict[str, EntityReport] = Field(default_factory=dict)
    quota: QuotaReport | None = None

    @property
    def changed(self) -> int:
        """Rows this sync wrote."""
        return sum(each.created + each.updated + each.deleted for each in self.entities.values())


def overall(statuses: list[Status]) -> Status:
    """Sum up the entities: a failure weighs more than a deferral, and either beside a success is partial."""
    kinds = set(statuses)
    if kinds <= {Status.OK}:
        return Status.OK
    if Status.DEFERRED in kinds and Status.FAILED not in kinds:
        return Status.DEFERRED
    return Status.PARTIAL if Status.OK in kinds else Status.FAILED
