"""What the control plane hands out: frozen rows without behaviour and without secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gtm_pipelines.tenancy import ConnectionName, TenantId


class ConnectionStatus(StrEnum):
    """Whether a connection is synced."""

    ACTIVE = "active"
    PAUSED = "paused"  # a person paused it
    REAUTH_REQUIRED = "reauth_required"  # the vendor refused the credential for good


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer whose data is kept apart from all others."""

    id: TenantId
    display_name: str
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """One tenant's configured account at one vendor, and the outcome of its last sync."""

    tenant: TenantId
    name: ConnectionName
    connector: str
    settings: Mapping[str, Any]
    schedule: str
    status: ConnectionStatus
    status_reason: str
    credential_fields: tuple[str, ...]
    created_at: datetime
    last_sync_status: str | None = None
    last_sync_started_at: datetime | None = None
    last_sync_finished_at: datetime | None = None
    last_success_at: datetime | None = None
    resume_at: datetime | None = None
    failures: int = 0
    """Failed syncs since the last one that was not."""
    quota: Mapping[str, Any] | None = None
    """What the vendor still allows, as last seen: remaining, limit, left_to_customer, resets_at, seen_at."""


@dataclass(frozen=True, slots=True)
class Override:
    """A tenant's own mapping of one field; ``spec`` has the shape of a field in mapping.yml, None unmaps the field."""

    entity: str
    target: str
    field: str
    spec: Any


@dataclass(frozen=True, slots=True)
class SyncRecord:
    """One ledger row: the outcome of one sync, with its whole report."""

    tenant: TenantId
    connection: ConnectionName
    connector: str
    run_id: str
    mode: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    resume_at: datetime | None
    report: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who changed what, when; ``before`` and ``after`` have secrets masked."""

    seq: int
    at: datetime
    actor: str
    tenant: str | None
    action: str
    subject: str
    before: Any
    after: Any
    hash: str


@dataclass(frozen=True, slots=True)
class AuditFault:
    """One place where the audit log does not hold: altered, missing, unlinked, head, guard or credential."""

    seq: int
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One vault key this control plane has sealed with, and how many credentials still need it."""

    kid: str
    is_primary: bool
    created_at: datetime
    retired_at: datetime | None
    encryptions: int
    credentials: int
