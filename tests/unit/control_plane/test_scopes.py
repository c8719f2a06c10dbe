"""Tenants kept apart by Postgres itself: every statement of every method, issued in another tenant's transaction."""

from __future__ import annotations

import inspect
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import ControlPlaneError
from gtm_pipelines.control_plane.schema import metadata
from gtm_pipelines.control_plane.scope import Every, enter
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.control_plane.scope import Scope
    from tests.unit.control_plane.databases import ControlDatabase

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)

MINE, THEIRS = TenantId("acme"), TenantId("globex")
TABLES = {"tenant": "id"} | {table.name: "tenant_id" for table in metadata.sorted_tables if "tenant_id" in table.c}
NOBODYS = {"vault_key", "audit_head", "alembic_version"}  # no row of theirs belongs to a tenant
NOW = datetime(2026, 5, 5, tzinfo=UTC)


def report(run: str, tenant: str = MINE) -> dict[str, Any]:
    told = {"tenant": tenant, "connection": "crm", "connector": "salesforce", "run_id": run, "mode": "full"}
    return {**told, "status": "ok", "started_at": "2026-05-04T10:00:00+00:00"}


def held(plane: ControlPlane) -> None:
    """Everything a lease does."""
    lease = plane.acquire_lease(MINE, "crm", "me")
    assert lease is not None
    lease.check()
    lease.release()


def vault(plane: ControlPlane) -> None:
    """Everything a credential store does."""
    store = plane.credential_store(MINE, "crm")
    with store.lock():
        store.write({"client_secret": Secret("rotated-value"), "token": Secret("a-new-token")})
    store.read()


def restored(plane: ControlPlane) -> None:
    """A tenant removed and brought back."""
    plane.remove_tenant(MINE)
    plane.add_tenant(MINE)


def erased(plane: ControlPlane) -> None:
    """A tenant erased, from beginning to end."""
    plane.begin_erasure(MINE)
    plane.finish_erasure(MINE, [])
    plane.last_erasure(MINE)


def read_whole(plane: ControlPlane) -> None:
    """All there is of a tenant."""
    with plane.snapshot(MINE) as of:
        assert of.tenant()
        assert all(map(list, (of.connections(), of.overrides(), of.syncs(), of.audit())))


def resumed(plane: ControlPlane) -> None:
    """A connection paused and resumed."""
    plane.pause_connection(MINE, "crm")
    plane.resume_connection(MINE, "crm")


def overridden(plane: ControlPlane) -> None:
    """A field's override set, and set anew."""
    for number in (1, 2):
        plane.set_override(MINE, "crm", "Contact", "person", "email", number)


def recorded(plane: ControlPlane) -> None:
    """A sync recorded, and recorded again."""
    for _ in range(2):
        plane.record_sync(report("two"))


def refused_retirement(plane: ControlPlane) -> None:
    """Retiring the key in use."""
    with pytest.raises(ControlPlaneError, match="sealing key"):
        plane.retire_key(plane.list_keys()[0].kid)


OF_ONE_TENANT: dict[str, Callable[[ControlPlane], object]] = {
    "add_tenant": restored,
    "get_tenant": lambda plane: plane.get_tenant(MINE),
    "find_tenant": lambda plane: plane.find_tenant(MINE),
    "remove_tenant": lambda plane: plane.remove_tenant(MINE),
    "begin_erasure": lambda plane: plane.begin_erasure(MINE),
    "finish_erasure": erased,
    "last_erasure": lambda plane: plane.last_erasure(MINE),
    "snapshot": read_whole,
    "add_connection": lambda plane: plane.add_connection(MINE, "more", "salesforce", {}, {"token": "a-token-of-acme"}),
    "list_connections": lambda plane: plane.list_connections(MINE),
    "get_connection": lambda plane: plane.get_connection(MINE, "crm"),
    "change_connection": lambda plane: plane.change_connection(MINE, "crm", schedule="0 * * * *"),
    "pause_connection": lambda plane: plane.pause_connection(MINE, "crm"),
    "resume_connection": resumed,
    "set_status": lambda plane: plane.set_status(MINE, "crm", "reauth_required", "because"),
    "remove_connection": lambda plane: plane.remove_connection(MINE, "crm"),
    "credential_store": vault,
    "list_overrides": lambda plane: plane.list_overrides(MINE, "crm"),
    "set_override": overridden,
    "unset_override": lambda plane: plane.unset_override(MINE, "crm", "Contact", "person", "phone"),
    "acquire_lease": held,
    "record_sync": recorded,
    "forget_syncs": lambda plane: plane.forget_syncs(MINE, NOW),
    "last_syncs": lambda plane: (plane.last_syncs(MINE), plane.last_syncs(MINE, "crm")),
    "list_audit": lambda plane: plane.list_audit(MINE),
}
OF_MANY: dict[str, tuple[Every, Callable[[ControlPlane], object]]] = {
    "list_tenants": (Every.DIRECTORY, lambda plane: plane.list_tenants()),
    "due_connections": (Every.SCHEDULER, lambda plane: plane.due_connections(NOW)),
    "unsynced_connections": (Every.SCHEDULER, lambda plane: plane.unsynced_connections()),
    "check_key": (Every.VAULT, lambda plane: plane.check_key()),
    "list_keys": (Every.VAULT, lambda plane: plane.list_keys()),
    "rewrap_credentials": (Every.VAULT, lambda plane: plane.rewrap_credentials()),
    "retire_key": (Every.VAULT, refused_retirement),
    "audit_head": (Every.AUDIT, lambda plane: plane.audit_head()),
    "verify_audit": (Every.AUDIT, lambda plane: plane.verify_audit()),
}
NO_STATEMENT = {"close"}


@pytest.fixture
def twins(acme: ControlPlane) -> ControlPlane:
    """Two tenants that have everything, under the same names."""
    acme.add_tenant(THEIRS)
    acme.add_connection(THEIRS, "crm", "salesforce", {"login_url": "https://theirs"}, {"client_secret": "theirs-value"})
    for tenant in (MINE, THEIRS):
        acme.set_override(tenant, "crm", "Contact", "person", "phone", "Phone")
        acme.record_sync(report("one", tenant))
    return acme


@contextmanager
def scoped(plane: ControlPlane, scope: Scope) -> Iterator[Connection]:
    """Open a transaction that may write, and undo it."""
    with plane._database.engine.connect() as connection, connection.begin() as transaction:
        enter(connection, scope)
        yield connection
        transaction.rollback()


@dataclass
class Statement:
    """One statement as it was sent, and in whose scope."""

    sql: str
    parameters: Any
    scope: str = ""

    @property
    def verb(self) -> str:
        return self.sql.split()[0].upper()


def issued(plane: ControlPlane, call: Callable[[ControlPlane], object]) -> list[Statement]:
    """Every statement that ``call`` sends, with the scope stated last before it in its transaction."""
    sent: list[Statement] = []
    state = {"scope": ""}

    def note(*given: Any) -> None:
        statement = Statement(given[2], given[3])
        if "'gtm.scope', %(scope)s" in statement.sql:
            state["scope"] = statement.parameters["scope"]
            return
        statement.scope = state["scope"]
        sent.append(statement)

    def ended(*_: Any) -> None:
        state["scope"] = ""

    engine = plane._database.engine
    listeners: list[tuple[str, Any]] = [("before_cursor_execute", note), ("commit", ended), ("rollback", ended)]
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        call(plane)
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)
    return sent


def touches_tenants(statement: Statement) -> bool:
    words = set(statement.sql.replace(".", " ").replace(",", " ").replace("(", " ").split())
    return bool(words & TABLES.keys())


def test_every_public_method_is_sorted_into_one_tenants_or_many(plane: ControlPlane) -> None:
    public = {name for name, _ in inspect.getmembers(type(plane), inspect.isfunction) if not name.startswith("_")}
    assert public == OF_ONE_TENANT.keys() | OF_MANY.keys() | NO_STATEMENT


@pytest.mark.parametrize("method", OF_ONE_TENANT)
def test_no_statement_of_a_tenant_does_anything_in_another_tenants_transaction(
    twins: ControlPlane, method: str
) -> None:
    """Reads give none of its rows, changes hit none, and inserts are refused."""
    sent = issued(twins, OF_ONE_TENANT[method])
    tried = [statement for statement in sent if touches_tenants(statement)]
    assert tried
    assert {statement.scope for statement in tried} == {"tenant acme"}
    for statement in tried:
        with scoped(twins, THEIRS) as connection:
            before = _rows_of(twins, MINE)
            assert _outcome(connection, statement) in {"refused", "nothing"}, statement
        assert _rows_of(twins, MINE) == before


def test_the_replay_finds_what_row_security_would_let_through(twins: ControlPlane, database: ControlDatabase) -> None:
    sent = issued(twins, OF_ONE_TENANT["get_connection"])
    database.run("alter table connection disable row level security")
    with scoped(twins, THEIRS) as connection:
        assert "rows" in [_outcome(connection, statement) for statement in sent]


@pytest.mark.parametrize("method", OF_MANY)
def test_what_looks_at_many_tenants_says_so_by_its_name(twins: ControlPlane, method: str) -> None:
    scope, call = OF_MANY[method]
    sent = issued(twins, call)
    assert sent
    assert {statement.scope for statement in sent} == {f"every {scope}"}


def test_a_statement_without_its_where_sees_one_tenant(twins: ControlPlane) -> None:
    """What protects when an author forgets the condition."""
    for table, column in TABLES.items():
        with scoped(twins, MINE) as connection:
            seen = set(connection.scalars(text(f"select {column} from {table}")))
            assert seen == {MINE}, table
            if table != "audit_log":
                assert connection.execute(text(f"update {table} set {column} = {column}")).rowcount > 0
        with scoped(twins, MINE) as connection, pytest.raises(ProgrammingError, match="row-level security"):
            connection.execute(text(f"update {table} set {column} = 'globex'" if table != "audit_log" else _FORGED))
        with scoped(twins, THEIRS) as connection:
            assert set(connection.scalars(text(f"select {column} from {table}"))) == {THEIRS}


_FORGED = "insert into audit_log select seq + 1, '', '', 'globex', '', '', null, null, '', '' from audit_head"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("state", ["of a fresh connection", "left by an earlier transaction"])
def test_a_transaction_that_states_no_scope_is_refused_and_never_finds_nothing(
    twins: ControlPlane, table: str, state: str
) -> None:
    """After a transaction the setting is empty, not gone: that must not mean "no rows"."""
    column = TABLES[table]
    for sql in (
        f"select * from {table}",
        f"select count(*) from {table} where {column} = 'nobody'",
        f"update {table} set {column} = {column} where {column} = 'nobody'",
        f"delete from {table} where {column} = 'nobody'",
    ):
        if table == "audit_log" and not sql.startswith("select"):
            continue  # not granted at all
        if state == "of a fresh connection":
            twins.close()
        with twins._database.engine.connect() as connection:
            if state == "left by an earlier transaction":
                with connection.begin():
                    enter(connection, MINE)
            with pytest.raises(ProgrammingError, match="states no scope"):
                connection.execute(text(sql))


def test_every_table_with_tenants_rows_is_under_forced_row_security_and_its_owner_is_bound(
    twins: ControlPlane, database: ControlDatabase
) -> None:
    """A new table must not be forgotten."""
    present = database.run(
        "select relname, relrowsecurity and relforcerowsecurity, pg_get_userbyid(relowner) from pg_class"
        " where relkind in ('r', 'p', 'm', 'v') and relnamespace = 'public'::regnamespace"
    )
    assert {name for name, forced, _ in present if forced} == TABLES.keys()
    assert {name for name, forced, _ in present if not forced} == NOBODYS
    assert {owner for _, _, owner in present} == {"gtm"}
    assert database.run("select rolsuper, rolbypassrls from pg_roles where rolname = 'gtm'") == [(False, False)]
    assert twins.verify_audit() == []


def test_row_security_that_was_switched_off_is_reported(twins: ControlPlane, database: ControlDatabase) -> None:
    database.run("alter table credential no force row level security")
    database.run("alter table lease disable row level security")
    assert [fault.detail for fault in twins.verify_audit()] == [
        "row-level security of the table credential is off",
        "row-level security of the table lease is off",
    ]


MAY_READ = {
    Every.DIRECTORY: {"tenant"},
    Every.SCHEDULER: {"connection", "sync_state"},
    Every.VAULT: {"credential"},
    Every.AUDIT: {"audit_log", "credential"},
    Every.MIGRATION: set(TABLES),
}


@pytest.mark.parametrize("scope", Every)
def test_a_named_scope_reads_what_it_needs_and_writes_nothing(twins: ControlPlane, scope: Every) -> None:
    for table, column in TABLES.items():
        with scoped(twins, scope) as connection:
            seen = set(connection.scalars(text(f"select {column} from {table} where {column} is not null")))
        assert seen == ({MINE, THEIRS} if table in MAY_READ[scope] else set()), table
        if scope is Every.MIGRATION or table == "audit_log":
            continue
        with scoped(twins, scope) as connection:
            assert connection.execute(text(f"update {table} set {column} = {column}")).rowcount == 0, table
            assert connection.execute(text(f"delete from {table}")).rowcount == 0, table


def test_a_pooled_connection_forgets_its_tenant_however_the_transaction_ends(
    twins: ControlPlane,
) -> None:
    """One connection, used by both in turn: by commit, rollback, error and a broken statement."""
    for ending in ("commit", "rollback", "error", "broken"):
        backend = _one_use(twins, ending)
        with twins._database.engine.connect() as connection:
            assert connection.scalar(text("select pg_backend_pid()")) == backend, "another connection was used"
            assert not connection.scalar(text("select current_setting('gtm.scope', true)")), ending
            assert connection.scalar(text("show lock_timeout")) == "0"


def _one_use(plane: ControlPlane, ending: str) -> int:
    backend = 0
    with suppress(ZeroDivisionError, DBAPIError), plane._database.coordinate(MINE) as connection:
        backend = connection.scalar(text("select pg_backend_pid()")) or 0
        if ending == "rollback":
            connection.rollback()
        if ending == "broken":
            connection.execute(text("select 1 / 0"))
        if ending == "error":
            divmod(1, 0)
    return int(backend)


def test_interleaved_work_for_many_tenants_on_few_connections_never_shows_a_foreign_row(twins: ControlPlane) -> None:
    seen: set[tuple[str, str]] = set()

    def work(tenant: TenantId) -> None:
        for _ in range(60):
            with twins._database.read(tenant) as connection:
                rows = connection.scalars(text("select tenant_id from connection union all select id from tenant"))
                seen.update((tenant, row) for row in rows)

    threads = [threading.Thread(target=work, args=(tenant,)) for tenant in (MINE, THEIRS) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {(MINE, MINE), (THEIRS, THEIRS)}


def test_an_error_about_a_foreign_row_does_not_tell_it(twins: ControlPlane) -> None:
    """Naming another tenant's key is refused the same way whether it exists or not."""
    messages = set()
    for field in ("client_secret", "no_such_field"):
        insert = text(f"insert into credential values ('globex', 'crm', '{field}', 'k', 1, 'e', now())")
        with scoped(twins, MINE) as connection, pytest.raises(DBAPIError) as refusal:
            connection.execute(insert)
        messages.add(str(refusal.value.orig))
    assert messages == {'new row violates row-level security policy for table "credential"\n'}


def _outcome(connection: Connection, statement: Statement) -> str:
    parameters = statement.parameters
    if statement.sql.startswith("INSERT INTO audit_log"):  # in its order, so that only the tenant is wrong about it
        parameters = parameters | {"seq": connection.scalar(text("select seq + 1 from audit_head"))}
    try:
        result = connection.exec_driver_sql(statement.sql, parameters)
    except ProgrammingError as error:
        return "refused" if "row-level security" in str(error.orig) else str(error.orig)
    if result.returns_rows:
        return "nothing" if not [row for row in result if any(row)] else "rows"
    return "nothing" if not result.rowcount else f"{result.rowcount} changed"


def _rows_of(plane: ControlPlane, tenant: TenantId) -> dict[str, int]:
    with scoped(plane, tenant) as connection:
        return {table: connection.scalar(text(f"select count(*) from {table}")) or 0 for table in TABLES}
