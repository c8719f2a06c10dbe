"""The control plane's tables as SQLAlchemy Core sees them; what a fresh migration must produce, no more.

Types are chosen to mean the same in SQLite and Postgres: JSON is text written by us (its bytes enter the audit hash),
times are UTC, lease expiry is seconds of the database's own clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on both databases; SQLite would otherwise hand back naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give every time its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NAME = String(30)
_WORD = String(120)

tenant = Table(
    "tenant",
    metadata,
    Column("id", _NAME, primary_key=True),
    Column("display_name", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
)

connection = Table(
    "connection",
    metadata,
    Column("tenant_id", _NAME, ForeignKey("tenant.id"), primary_key=True),
    Column("name", _NAME, primary_key=True),
    Column("connector", _WORD, nullable=False),
    Column("settings", Text, nullable=False),
    Column("schedule", _WORD, nullable=False),
    Column("status", String(20), nullable=False),
    Column("status_reason", String(500), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)


def _of_connection() -> ForeignKeyConstraint:
    """Rows that go when their connection goes."""
    return ForeignKeyConstraint(
        ["tenant_id", "connection"], ["connection.tenant_id", "connection.name"], ondelete="CASCADE"
    )


credential = Table(
    "credential",
    metadata,
    Column("tenant_id", _NAME, primary_key=True),
    Column("connection", _NAME, primary_key=True),
    Column("field", String(60), primary_key=True),
    Column("kid", String(16), nullable=False),
    Column("version", BigInteger, nullable=False),  # seq of the audit row that recorded this write; bound into the seal
    Column("envelope", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    _of_connection(),
    Index(None, "kid"),
)

vault_key = Table(
    "vault_key",
    metadata,
    Column("kid", String(16), primary_key=True),
    Column("canary", Text, nullable=False),
    Column("encryptions", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
)

mapping_override = Table(
    "mapping_override",
    metadata,
    Column("tenant_id", _NAME, primary_key=True),
    Column("connection", _NAME, primary_key=True),
    Column("entity", _WORD, primary_key=True),
    Column("target", _WORD, primary_key=True),
    Column("field", _WORD, primary_key=True),
    Column("spec", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    _of_connection(),
)

lease = Table(
    "lease",
    metadata,
    Column("tenant_id", _NAME, primary_key=True),
    Column("connection", _NAME, primary_key=True),
    Column("purpose", String(20), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", String(32), nullable=False),  # random per acquisition; fences even a re-created row
    Column("owner", String(200), nullable=False),
    Column("boot_id", String(80), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", BigInteger, nullable=False),
    Column("expires_at", Double, nullable=False),  # seconds since 1970 by the database's clock; 0 = free
    _of_connection(),
)

sync_run = Table(
    "sync_run",
    metadata,
    Column("tenant_id", _NAME, primary_key=True),
    Column("connection", _NAME, primary_key=True),
    Column("run_id", _WORD, primary_key=True),
    Column("connector", _WORD, nullable=False),
    Column("mode", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("resume_at", UtcDateTime),
    Column("report", Text, nullable=False),
    Index(None, "tenant_id", "connection", "started_at"),
)

sync_state = Table(
    "sync_state",
    metadata,
    Column("tenant_id", _NAME, primary_key=True),
    Column("connection", _NAME, primary_key=True),
    Column("last_status", String(20)),
    Column("last_started_at", UtcDateTime),
    Column("last_finished_at", UtcDateTime),
    Column("last_success_at", UtcDateTime),
    Column("resume_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("quota", Text),  # JSON: what was left at the vendor when the last sync that saw it ended
    _of_connection(),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),  # ISO 8601 text: its exact bytes are hashed
    Column("actor", String(200), nullable=False),
    Column("tenant_id", _NAME),
    Column("action", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "tenant_id", "subject", "seq"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
