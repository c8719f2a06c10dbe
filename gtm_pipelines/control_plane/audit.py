"""The append-only, hash-chained audit log: how an entry is written and read. Checking it is verification.py's work.

Each row's hash covers its content and the hash of the row before, so a change anywhere breaks every later link. The
head row repeats the newest hash, so that cutting off the end shows as well. Appending takes a lock on the head: entries
are totally ordered, and the order is the order of commits.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from connectors.runtime.redaction import redact
from gtm_pipelines.control_plane.records import AuditEntry
from gtm_pipelines.control_plane.schema import audit_head, audit_log

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from gtm_pipelines.control_plane.database import Transaction

START = "0" * 64
"""The hash before the first entry."""

MASK = "***"
_SENSITIVE = re.compile(r"(secret|passw|token|api_?key|private|credential|authori[sz]ation|cookie)", re.IGNORECASE)
_LOCAL = r"[^\s\"'<>()\[\]{},;:=&?/@]"  # what an address may have before its @
_PERSON = re.compile(rf"(?<!{_LOCAL}){_LOCAL}++(?=@[^\s\"'<>@]+\.[^\s\"'<>@])")  # linear, however long the text
_LONGEST = 8_192


def append(
    work: Transaction, action: str, subject: str, *, tenant: str | None = None, before: Any = None, after: Any = None
) -> int:
    """Write one entry in the caller's transaction and return its number; ``before`` and ``after`` are masked here."""
    head = work.connection.execute(select(audit_head).with_for_update()).one()
    row = {
        "seq": head.seq + 1,
        "at": work.clock().astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": work.actor,
        "tenant_id": tenant,
        "action": action,
        "subject": subject,
        "before": _text(before),
        "after": _text(after),
        "previous_hash": head.hash,
    }
    digest = row_hash(row)
    work.connection.execute(insert(audit_log).values(**row, hash=digest))
    work.connection.execute(update(audit_head).values(seq=row["seq"], hash=digest))
    work.audited = True
    return int(row["seq"])


def row_hash(row: Any) -> str:
    """Hash one entry: SHA-256 over a JSON array of its columns in a fixed order, the previous hash last."""
    columns = ("seq", "at", "actor", "tenant_id", "action", "subject", "before", "after", "previous_hash")
    content = json.dumps(["gtm-audit", 1, *(row[column] for column in columns)], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def masked(value: Any, key: str = "") -> Any:
    """Copy JSON with secrets hidden: by the name of their key, and by value where the process has revealed them.

    Of a person's address the domain is left: entries outlive the person's data, and cannot be taken out of the chain.
    """
    if isinstance(value, dict):
        return {str(name): masked(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, key) for inner in value]
    if value is not None and not isinstance(value, bool) and _SENSITIVE.search(key):
        return MASK
    return _PERSON.sub(MASK, redact(value)) if isinstance(value, str) else value


def entries(connection: Connection, tenant: str | None, limit: int) -> list[AuditEntry]:
    """List the newest entries first, of one tenant or of all."""
    query = select(audit_log).order_by(audit_log.c.seq.desc()).limit(limit)
    if tenant is not None:
        query = query.where(audit_log.c.tenant_id == tenant)
    return [as_entry(row) for row in connection.execute(query)]


def entry(connection: Connection, tenant: str, seq: int) -> AuditEntry:
    """Return one entry of a tenant."""
    return as_entry(
        connection.execute(select(audit_log).where(audit_log.c.tenant_id == tenant, audit_log.c.seq == seq)).one()
    )


def head(connection: Connection) -> tuple[int, str]:
    """Return number and hash of the newest entry: write it down elsewhere, and no rewriting of history can hide."""
    row = connection.execute(select(audit_head)).one()
    return int(row.seq), str(row.hash)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = json.dumps(masked(value), sort_keys=True, separators=(",", ":"), default=str)
    return text if len(text) <= _LONGEST else json.dumps({"cut": text[:_LONGEST]})


def as_entry(row: Row[Any]) -> AuditEntry:
    """Return a row of the log as it is handed out."""
    return AuditEntry(
        seq=row.seq,
        at=datetime.fromisoformat(row.at),
        actor=row.actor,
        tenant=row.tenant_id,
        action=row.action,
        subject=row.subject,
        before=None if row.before is None else json.loads(row.before),
        after=None if row.after is None else json.loads(row.after),
        hash=row.hash,
    )
