"""Checking the audit log. Finds faults; mends none.

Checked are every hash, every link, the end, the triggers that guard the log, and that the credentials stored are those
it recorded last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from gtm_pipelines.control_plane.audit import START, row_hash
from gtm_pipelines.control_plane.records import AuditFault
from gtm_pipelines.control_plane.schema import audit_head, audit_log, credential, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_GUARDS = {"audit_log_no_update", "audit_log_no_delete", "audit_log_only_append", "audit_head_no_delete"}
_GUARDS_OF = {"sqlite": _GUARDS, "postgresql": _GUARDS | {"audit_log_in_order"}}
_GUARD_QUERY = {
    "sqlite": "select name from sqlite_master where type = 'trigger' and tbl_name in ('audit_log', 'audit_head')",
    "postgresql": "select tgname from pg_trigger where tgenabled in ('O', 'A')"
    " and tgrelid in ('audit_log'::regclass, 'audit_head'::regclass)",
}
_TENANTS_TABLES = {"tenant", *(table.name for table in metadata.sorted_tables if "tenant_id" in table.c)}
_FORCED = (
    "select relname from pg_class where relnamespace = current_schema()::regnamespace"
    " and relrowsecurity and relforcerowsecurity"
)


def find_faults(connection: Connection, anchor: tuple[int, str] | None) -> list[AuditFault]:
    """Return every fault found, in order of entry; ``anchor`` is a (number, hash) written down elsewhere earlier."""
    return [
        *_chain_faults(connection, anchor),
        *_guard_faults(connection),
        *_credential_faults(connection),
    ]


def _chain_faults(connection: Connection, anchor: tuple[int, str] | None) -> Iterator[AuditFault]:
    seq, link, hashes = 0, START, {0: START}
    query = select(audit_log).order_by(audit_log.c.seq).execution_options(yield_per=1000)
    for row in connection.execute(query).mappings():
        if row["seq"] != seq + 1:
            yield AuditFault(seq + 1, "missing", f"entries {seq + 1} to {row['seq'] - 1} are not there")
        elif row["previous_hash"] != link:
            yield AuditFault(
                row["seq"], "unlinked", "does not follow from the entry before it: one of them was replaced"
            )
        if row_hash(row) != row["hash"]:
            yield AuditFault(row["seq"], "altered", "its content is not what was hashed")
        seq, link = row["seq"], row["hash"]
        if anchor is not None and seq == anchor[0]:
            hashes[seq] = link
    yield from _end_faults(connection, seq, link)
    if anchor is not None and hashes.get(anchor[0]) != anchor[1]:
        yield AuditFault(anchor[0], "head", "differs from the anchor kept elsewhere: history was rewritten or cut off")


def _end_faults(connection: Connection, seq: int, link: str) -> Iterator[AuditFault]:
    head = connection.execute(select(audit_head)).one_or_none()
    if head is None:
        yield AuditFault(seq, "head", "the record of the newest entry is gone")
    elif (head.seq, head.hash) != (seq, link):
        yield AuditFault(head.seq, "head", f"the newest entry recorded is {head.seq}, the newest there is {seq}")


def _guard_faults(connection: Connection) -> Iterator[AuditFault]:
    dialect = connection.dialect.name
    present = set(connection.scalars(text(_GUARD_QUERY[dialect])))
    for name in sorted(_GUARDS_OF[dialect] - present):
        yield AuditFault(0, "guard", f"the trigger {name} that refuses changes is gone")
    if dialect == "postgresql":
        for table in sorted(_TENANTS_TABLES - set(connection.scalars(text(_FORCED)))):
            yield AuditFault(0, "guard", f"row-level security of the table {table} is off")


def _credential_faults(connection: Connection) -> Iterator[AuditFault]:
    """Compare stored credentials with the newest entry about each; either side may lack what the other has."""
    newest = (
        select(func.max(audit_log.c.seq).label("seq"))
        .where(audit_log.c.subject.startswith("credential:", autoescape=True))
        .group_by(audit_log.c.tenant_id, audit_log.c.subject)
        .subquery()
    )
    rows = connection.execute(
        select(audit_log.c.tenant_id, audit_log.c.subject, audit_log.c.seq)
        .join(newest, audit_log.c.seq == newest.c.seq)
        .where(audit_log.c.action != "credential.removed")
    )
    recorded = {(row.tenant_id, row.subject): row.seq for row in rows}
    stored = {
        (row.tenant_id, f"credential:{row.connection}/{row.field}"): row.version
        for row in connection.execute(select(credential))
    }
    for key in sorted(recorded.keys() | stored.keys()):
        if recorded.get(key) != stored.get(key):
            yield AuditFault(
                recorded.get(key, stored.get(key, 0)),
                "credential",
                f"{key[0]} {key[1]}: version {stored.get(key)} is stored, version {recorded.get(key)} was recorded",
            )
