"""Row-level security in Postgres: a transaction sees the rows of the scope it states, and none states none.

Forced, so that the tables' owner, which is who we are, obeys as well. SQLite has no such thing; nothing changes there.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_OWN = ("connection", "credential", "mapping_override", "lease", "sync_run", "sync_state", "audit_log")
_READ_BY_NAME = {
    "directory": ("tenant",),
    "scheduler": ("connection", "sync_state"),
    "vault": ("credential",),
    "audit": ("audit_log", "credential"),
}

# An empty setting is what a pooled connection keeps of a transaction that ended: it must not mean "no rows".
_SCOPE = """
CREATE FUNCTION {name}() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE scope text := coalesce(current_setting('gtm.scope', true), '');
BEGIN
  IF scope = '' THEN
    RAISE EXCEPTION 'this transaction states no scope' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN CASE WHEN split_part(scope, ' ', 1) = '{kind}' THEN split_part(scope, ' ', 2) END;
END $$
"""

_IN_ORDER = """
CREATE FUNCTION audit_log_in_order() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.seq IS DISTINCT FROM (SELECT seq + 1 FROM audit_head) THEN
    RAISE EXCEPTION 'audit_log is append-only';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Put every table that holds tenants' rows under row-level security, and let the log grow at its end only."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(_SCOPE.format(name="control_tenant", kind="tenant"))
    op.execute(_SCOPE.format(name="control_every", kind="every"))
    for table in _OWN:
        # an entry of the log may be about no tenant: keys are everybody's
        extra = " WITH CHECK (tenant_id = control_tenant() OR tenant_id IS NULL)" if table == "audit_log" else ""
        _secure(table, f"USING (tenant_id = control_tenant()){extra}")
    _secure("tenant", "USING (id = control_tenant())")
    for name, tables in _READ_BY_NAME.items():
        for table in tables:
            op.execute(f"CREATE POLICY {name} ON {table} FOR SELECT USING (control_every() = '{name}')")
    op.execute(_IN_ORDER)
    op.execute(
        "CREATE TRIGGER audit_log_in_order BEFORE INSERT ON audit_log"
        " FOR EACH ROW EXECUTE FUNCTION audit_log_in_order()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM CURRENT_USER, PUBLIC")


def _secure(table: str, own: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON {table} {own}")
    op.execute(f"CREATE POLICY migration ON {table} USING (control_every() = 'migration')")
