"""Tenants, connections, secrets, mapping overrides, leases, sync ledger and audit log: the rows everything runs by.

Open it with :func:`open_control_plane`. It knows no vendor, no warehouse and no Dagster.
"""

from gtm_pipelines.control_plane.errors import (
    AlreadyExistsError,
    BusyError,
    ControlPlaneError,
    InvalidInputError,
    KeyExhaustedError,
    KeyMissingError,
    LeaseLostError,
    LockTimeoutError,
    NotFoundError,
    SchemaVersionError,
    TamperedError,
    UnboundRoleError,
    UnknownKeyError,
    UnreachableError,
    VaultError,
    WrongKeyError,
)
from gtm_pipelines.control_plane.leases import Lease
from gtm_pipelines.control_plane.plane import DEFAULT_SCHEDULE, ControlPlane, open_control_plane
from gtm_pipelines.control_plane.records import (
    AuditEntry,
    AuditFault,
    Connection,
    ConnectionStatus,
    KeyUse,
    Override,
    SyncRecord,
    Tenant,
)

__all__ = [
    "DEFAULT_SCHEDULE",
    "AlreadyExistsError",
    "AuditEntry",
    "AuditFault",
    "BusyError",
    "Connection",
    "ConnectionStatus",
    "ControlPlane",
    "ControlPlaneError",
    "InvalidInputError",
    "KeyExhaustedError",
    "KeyMissingError",
    "KeyUse",
    "Lease",
    "LeaseLostError",
    "LockTimeoutError",
    "NotFoundError",
    "Override",
    "SchemaVersionError",
    "SyncRecord",
    "TamperedError",
    "Tenant",
    "UnboundRoleError",
    "UnknownKeyError",
    "UnreachableError",
    "VaultError",
    "WrongKeyError",
    "open_control_plane",
]
