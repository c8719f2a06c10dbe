"""First schema: tenants, connections, vault, overrides, leases, sync ledger and the append-only audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NAME = sa.String(30)
_WORD = sa.String(120)
_TIME = sa.DateTime(timezone=True)
_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything from nothing."""
    _tenants_and_connections()
    _vault()
    _overrides_and_leases()
    _ledger()
    _audit()
    if op.get_context().dialect.name == "postgresql":
        _guard_audit_in_postgres()
    else:
        _guard_audit_in_sqlite()


def _scope() -> list[sa.Column[str]]:
    return [sa.Column("tenant_id", _NAME, nullable=False), sa.Column("connection", _NAME, nullable=False)]


def _goes_with_connection(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "connection"],
        ["connection.tenant_id", "connection.name"],
        name=f"fk_{table}_connection",
        ondelete="CASCADE",
    )


def _tenants_and_connections() -> None:
    op.create_table(
        "tenant",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("removed_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_tenant"),
    )
    op.create_table(
        "connection",
        sa.Column("tenant_id", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("connector", _WORD, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("schedule", _WORD, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("status_reason", sa.String(500), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_connection"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_connection_tenant"),
    )


def _vault() -> None:
    op.create_table(
        "credential",
        *_scope(),
        sa.Column("field", sa.String(60), nullable=False),
        sa.Column("kid", sa.String(16), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection", "field", name="pk_credential"),
        _goes_with_connection("credential"),
    )
    op.create_index("ix_credential_kid", "credential", ["kid"])
    op.create_table(
        "vault_key",
        sa.Column("kid", sa.String(16), nullable=False),
        sa.Column("canary", sa.Text(), nullable=False),
        sa.Column("encryptions", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("retired_at", _TIME),
        sa.PrimaryKeyConstraint("kid", name="pk_vault_key"),
    )


def _overrides_and_leases() -> None:
    op.create_table(
        "mapping_override",
        *_scope(),
        sa.Column("entity", _WORD, nullable=False),
        sa.Column("target", _WORD, nullable=False),
        sa.Column("field", _WORD, nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection", "entity", "target", "field", name="pk_mapping_override"),
        _goes_with_connection("mapping_override"),
    )
    op.create_table(
        "lease",
        *_scope(),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("boot_id", sa.String(80), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection", "purpose", name="pk_lease"),
        _goes_with_connection("lease"),
    )


def _ledger() -> None:
    op.create_table(
        "sync_run",
        *_scope(),
        sa.Column("run_id", _WORD, nullable=False),
        sa.Column("connector", _WORD, nullable=False),
        sa.Column("mode", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        sa.Column("resume_at", _TIME),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection", "run_id", name="pk_sync_run"),
    )
    op.create_index(
        "ix_sync_run_tenant_id_connection_started_at", "sync_run", ["tenant_id", "connection", "started_at"]
    )
    op.create_table(
        "sync_state",
        *_scope(),
        sa.Column("last_status", sa.String(20)),
        sa.Column("last_started_at", _TIME),
        sa.Column("last_finished_at", _TIME),
        sa.Column("last_success_at", _TIME),
        sa.Column("resume_at", _TIME),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection", name="pk_sync_state"),
        _goes_with_connection("sync_state"),
    )


def _audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column("seq", _SEQ, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("tenant_id", _NAME),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_tenant_id_subject_seq", "audit_log", ["tenant_id", "subject", "seq"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])


def _guard_audit_in_sqlite() -> None:
    refuse = "BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END"
    op.execute(f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log {refuse}")
    op.execute(f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log {refuse}")
    # REPLACE deletes the old row without firing a delete trigger unless recursive triggers are on: guard inserts too
    is_old = "NEW.seq <= (SELECT coalesce(max(seq), 0) FROM audit_log)"
    op.execute(f"CREATE TRIGGER audit_log_only_append BEFORE INSERT ON audit_log WHEN {is_old} {refuse}")
    op.execute(f"CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head {refuse}")


def _guard_audit_in_postgres() -> None:
    op.execute(
        "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit_log is append-only'; END $$"
    )
    run = "EXECUTE FUNCTION audit_log_refuse()"
    op.execute(f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW {run}")
    op.execute(f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW {run}")
    op.execute(f"CREATE TRIGGER audit_log_only_append BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT {run}")
    op.execute(f"CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head FOR EACH ROW {run}")
