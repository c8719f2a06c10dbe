"""What a tenant's roles may do, tried statement by statement and asked of the catalogue for every table there is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.warehouse import hidden, open_published, open_warehouse
from gtm_pipelines.warehouse.postgres.address import parse
from gtm_pipelines.warehouse.postgres.store import Store
from gtm_pipelines.warehouse.protocol import WarehouseError
from tests.integration.postgres_warehouse import statements
from tests.integration.postgres_warehouse.conftest import DATABASE, SERVICE

if TYPE_CHECKING:
    from tests.integration.postgres_warehouse.conftest import House
    from tests.integration.postgres_warehouse.office import Office
FORBIDDEN = "42501"
ATTEMPTS = (
    "SELECT * FROM acme__golden.person",
    "SELECT count(*) FROM acme__marts.person_360",
    "SELECT payload FROM acme__raw_crm.people",
    'CREATE TABLE "_staging_acme__raw_crm".mine (id bigint)',
    "INSERT INTO acme__canonical.pending VALUES ('person', 'crm', 'p1')",
    "UPDATE acme__golden.person SET email = 'x@y.example'",
    "DELETE FROM acme__quality.quarantine",
    "TRUNCATE acme__golden.activity",
    "CREATE TABLE acme__raw.mine (id bigint)",
    "CREATE VIEW acme__marts.mine AS SELECT 1",
    "CREATE FUNCTION acme__marts.mine() RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE acme__golden.person",
    "DROP SCHEMA acme__golden CASCADE",
    "ALTER TABLE acme__golden.person OWNER TO CURRENT_ROLE",
    "ALTER SCHEMA acme__golden RENAME TO bolt__stolen",
    "COMMENT ON TABLE acme__golden.person IS 'mine'",
    "COMMENT ON SCHEMA acme__golden IS 'mine'",
    "GRANT SELECT ON acme__golden.person TO PUBLIC",
    "LOCK TABLE acme__golden.person",
    "ANALYZE acme__golden.person",
)
NOT_EVEN_ITS_OWN = {
    "ALTER SCHEMA acme__golden RENAME TO bolt__stolen": (FORBIDDEN,),  # the database is the service's
    "DROP TABLE acme__golden.person": ("2BP01",),  # views are made of it
}
_OPEN = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v') AND (starts_with(n.nspname, %(tenant)s || '__') OR n.nspname LIKE '\\_staging\\_%%')
  AND has_schema_privilege(%(role)s, n.oid, 'USAGE') AND has_table_privilege(%(role)s, c.oid, %(right)s)
"""
_WRITES = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"


def open_to(house: House, role: str, right: str, tenant: str = "acme") -> set[str]:
    """Every table and view of a tenant on which a role has one of these rights, and may reach."""
    with house.session() as cursor:
        cursor.execute(_OPEN, {"tenant": tenant, "role": role, "right": right})
        return {str(name) for (name,) in cursor.fetchall()}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_neither_of_another_tenants_roles_can_do_anything_here(house: House, worked: Office, attempt: str) -> None:
    del worked
    roles = house.roles("bolt")
    with house.session() as cursor:
        assert [statements.fate(cursor, role, attempt) for role in (roles.writer, roles.reader)] == [FORBIDDEN] * 2
        assert statements.fate(cursor, house.roles("acme").writer, attempt) in (
            None,
            *NOT_EVEN_ITS_OWN.get(attempt, ()),
        )


def test_no_table_of_a_tenant_is_open_to_another_ones_roles_or_to_the_service(house: House, worked: Office) -> None:
    del worked
    roles = house.roles("bolt")
    for role in (roles.writer, roles.reader, SERVICE, "public"):
        assert open_to(house, role, f"SELECT, {_WRITES}") == set()
    assert len(open_to(house, house.roles("acme").writer, "DELETE")) > 20


def test_no_role_of_a_tenant_is_a_member_of_any_other(house: House, worked: Office) -> None:
    del worked
    with house.session() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE NOT rolcanlogin"
        )
        ((members,),) = cursor.fetchall()
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE '%\\_\\_%' AND (rolcanlogin OR rolsuper OR rolcreaterole"
            " OR rolcreatedb OR rolbypassrls OR rolreplication)"
        )
        assert (members, cursor.fetchall()) == (3, [])  # Postgres' own monitoring roles are members of each other


def test_a_reader_sees_what_people_read_and_no_bookkeeping(house: House, worked: Office) -> None:
    del worked
    reader, prefix = house.roles("acme").reader, "acme__"
    seen = open_to(house, reader, "SELECT")
    assert {"acme__golden.person", "acme__marts.person_360", "acme__crm.people", "acme__raw_crm.people"} <= seen
    named = [name.removeprefix(prefix).split(".") for name in seen]
    assert [(schema, table) for schema, table in named if hidden.is_bookkeeping(schema, table)] == []
    assert [name for name in seen if name.startswith("_staging") or "._dlt" in name] == []


def test_a_reader_can_write_nothing(house: House, worked: Office) -> None:
    reader = house.roles("acme").reader
    assert open_to(house, reader, _WRITES) == set()
    with house.session() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE has_schema_privilege(%s, oid, 'CREATE')", [reader])
        assert cursor.fetchall() == []
    with open_published(worked.settings, "acme") as served:
        for attempt in ("CREATE TEMP TABLE mine AS SELECT 1", "DROP VIEW crm.people", "DELETE FROM golden.person"):
            with pytest.raises(WarehouseError, match="does not allow it"):
                served.execute(attempt)
        with pytest.raises(WarehouseError, match="read-only"):
            served.rows("SELECT lo_from_bytea(0, 'x')")
        with pytest.raises(WarehouseError, match="permission denied"):
            served.rows("SELECT pg_read_file('PG_VERSION')")


def test_a_session_stays_under_the_tenants_role_whatever_happens(house: House, acme: Office) -> None:
    writer = house.roles("acme").writer

    def role() -> str:
        return str(warehouse.served.rows("SELECT current_user")[0][0])

    with open_warehouse(acme.settings, "acme") as warehouse:
        assert role() == writer
        with pytest.raises(WarehouseError):
            warehouse.served.execute("SELECT 1 / 0")
        assert role() == writer
        with suppress(ZeroDivisionError), warehouse.transaction():
            warehouse.served.ensure_schema("one")  # which another role makes
            assert role() == writer
            raise ZeroDivisionError
        assert role() == writer
        with warehouse.transaction():
            warehouse.served.ensure_schema("two")
        assert role() == writer
        warehouse.load_target("new")
        assert role() == writer


def test_a_schema_that_cannot_be_made_leaves_the_session_under_the_tenants_role(house: House, acme: Office) -> None:
    with house.session() as cursor:
        cursor.execute(f"ALTER DATABASE {DATABASE} OWNER TO postgres")
    with open_warehouse(acme.settings, "acme") as warehouse:
        for make in (lambda: warehouse.served.ensure_schema("three"), lambda: warehouse.load_target("new")):
            with pytest.raises(WarehouseError, match="does not allow it: permission denied for database"):
                make()
            assert warehouse.served.rows("SELECT current_user") == [(house.roles("acme").writer,)]


@pytest.mark.parametrize("after", ["ROLLBACK", "COMMIT", "RESET ROLE", "DISCARD ALL"])
def test_dlts_sessions_begin_under_the_tenants_role_and_come_back_to_it(
    house: House, worked: Office, after: str
) -> None:
    """dlt itself resets a session as soon as it has it."""
    import psycopg2

    writer = house.roles(worked.tenant).writer
    connection = psycopg2.connect(parse(house.url).for_dlt(writer, 30))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1" if after == "DISCARD ALL" else "BEGIN")
            cursor.execute(after)
            cursor.execute("SELECT current_user, session_user")
            assert cursor.fetchone() == (writer, SERVICE)
    finally:
        connection.close()


def test_a_role_lasts_from_one_transaction_to_the_next(house: House, worked: Office) -> None:
    del worked
    store = Store(parse(house.url), "acme")
    try:
        store.become(house.roles("acme").writer)
        store.commit()
        for end in (store.commit, store.rollback):
            store.execute("SELECT 1")
            end()
            assert store.execute("SELECT current_user") == [(house.roles("acme").writer,)]
        with pytest.raises(WarehouseError):
            store.execute("SELECT * FROM bolt__raw.entity")
        store.rollback()
        assert store.execute("SELECT current_user") == [(house.roles("acme").writer,)]
    finally:
        store.close()
