"""What an operator puts beside our tables, or takes from them: work goes on, or it is said what is to be mended."""

from __future__ import annotations

import pytest

from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import WarehouseError, open_published, open_warehouse
from tests import postgres, warehouses
from tests.unit.resolution.tenant import open_tenant
from tests.unit.warehouse.operating import database, operator


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A tenant that was worked through, its database saved beside itself."""
    made = Settings(home=tmp_path_factory.mktemp("saved"), warehouse_url=warehouses.another())
    with open_tenant(made.home, warehouse_url=made.warehouse_url) as tenant:
        tenant.person("crm", "ann", email="ann@acme.com")
        tenant.account("crm", "acme", name="Acme", domain="acme.com", employee_count=5)
        tenant.resolve()
    postgres.shared().psql(f"CREATE DATABASE {database(made)}_saved TEMPLATE {database(made)} STRATEGY file_copy")
    return made


@pytest.fixture
def settings(saved: Settings) -> Settings:
    """The tenant as it was saved."""
    named = database(saved)
    postgres.shared().psql(f"DROP DATABASE {named} WITH (FORCE)")
    postgres.shared().psql(f"CREATE DATABASE {named} OWNER gtm TEMPLATE {named}_saved STRATEGY file_copy")
    return saved


def go_on(settings: Settings) -> None:
    """Change everything, and see that it is so."""
    with open_tenant(settings.home, warehouse_url=settings.warehouse_url) as tenant:
        tenant.person("mail", "ann@acme.com", email="ann@acme.com", first_name="Ann")
        tenant.account("crm", "acme", name="Acme Ltd", domain="acme.com", employee_count=6)
        tenant.resolve()
        assert tenant.groups() == {frozenset({"ann", "ann@acme.com"})}
        assert tenant.golden("ann")["first_name"] == "Ann"
        assert tenant.golden("acme", "account")["name"] == "Acme Ltd"


DEEDS = (
    "ALTER TABLE acme__golden.person ADD COLUMN note date",
    "ALTER TABLE acme__golden.account ADD COLUMN note text",
    "ALTER TABLE acme__canonical.person ADD COLUMN owner numeric[]",
    "ALTER TABLE acme__canonical.pending ADD COLUMN note text",
    'ALTER TABLE acme__golden.person_link ADD COLUMN "Source" text',
    "ALTER TABLE acme__raw.entity ADD COLUMN note jsonb DEFAULT '{}'",
    'CREATE TABLE acme__golden."Person" (person_id int, "Person_ID" point)',
    "CREATE TABLE acme__golden.notes (said xml, span int4range)",
    "CREATE TABLE acme__golden.parts (a int) PARTITION BY LIST (a)",
    "CREATE VIEW acme__golden.people AS SELECT email FROM acme__golden.person",
    "CREATE SCHEMA acme__theirs CREATE TABLE mine (a date)",
)
THERE = "SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE attrelid::regclass::text ~ '^acme__'"


def test_what_others_put_there_breaks_nothing_and_stays(settings: Settings) -> None:
    with operator(settings) as cursor:
        for deed in DEEDS:
            cursor.execute(deed)
        cursor.execute(THERE)
        there = set(cursor.fetchall())
        go_on(settings)
        cursor.execute(THERE)
        assert there <= set(cursor.fetchall())


def test_columns_of_others_are_passed_over_before_any_definition_of_ours(settings: Settings) -> None:
    with operator(settings) as cursor:
        cursor.execute('ALTER TABLE acme__golden.person ADD COLUMN "EMAIL" text, ADD COLUMN size numeric')
    with open_warehouse(settings, "acme") as warehouse:
        assert warehouse.columns("golden", "person")["size"] == "numeric"
        assert warehouse.rows("SELECT email FROM golden.person") == [("ann@acme.com",)]


def test_a_column_of_ours_that_somebody_changed_is_named(settings: Settings) -> None:
    with operator(settings) as cursor:
        cursor.execute("ALTER TABLE acme__golden.account ALTER COLUMN employee_count TYPE numeric")
    said = r"^golden\.account\.employee_count is numeric in the warehouse and BIGINT in this release"
    with pytest.raises(WarehouseError, match=said):
        go_on(settings)


def test_a_column_of_a_type_that_postgres_is_not_told_of_is_named(settings: Settings) -> None:
    with (
        open_warehouse(settings, "acme") as warehouse,
        pytest.raises(WarehouseError, match=r"^golden\.odd\.amount is of type DECIMAL\(18,2\), which is not kept"),
    ):
        warehouse.execute("CREATE SCHEMA golden; CREATE TABLE golden.odd (amount DECIMAL(18,2))")


def test_a_warehouse_restored_without_its_comments_is_the_same(settings: Settings) -> None:
    """As ``pg_dump --no-comments`` leaves it."""
    without_comments(settings)
    go_on(settings)
    with open_published(settings, "acme") as served:
        assert served.rows("SELECT count(*) FROM golden.person") == [(1,)]


def test_a_name_that_the_server_has_cut_is_known_without_its_comment(settings: Settings) -> None:
    tenant, connection = "t" * 30, "c" * 30
    with open_warehouse(settings, tenant) as warehouse:
        warehouse.ensure_tables()
        warehouse.execute(f"CREATE SCHEMA raw_{connection}; CREATE TABLE raw_{connection}.people (external_id VARCHAR)")
        warehouse.execute("INSERT INTO raw.entity VALUES (?, 'file', 'people', 'people', now())", [connection])
        warehouse.execute(f"INSERT INTO raw_{connection}.people VALUES ('p1')")
    without_comments(settings)
    with open_warehouse(settings, tenant) as warehouse:
        assert warehouse.raw_entities() == [(connection, "people")]
        assert warehouse.rows(f"SELECT external_id FROM raw_{connection}.people") == [("p1",)]


def test_a_view_that_others_made_of_ours_stands_while_ours_gains_columns(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse, operator(settings) as cursor:
        warehouse.served.ensure_schema("marts")
        warehouse.served.replace_view("marts", "later", "SELECT 1 AS a, '$$' AS b FROM golden.person")
        cursor.execute("CREATE VIEW acme__marts.theirs AS SELECT a FROM acme__marts.later")
        warehouse.served.replace_view("marts", "later", "SELECT 2 AS a, '$$' AS b, 3 AS c FROM golden.person")
        cursor.execute("SELECT a FROM acme__marts.theirs")
        assert cursor.fetchall() == [(2,)]
        with pytest.raises(WarehouseError, match=r"view marts\.theirs depends on view marts\.later"):
            warehouse.served.replace_view("marts", "later", "SELECT 3 AS c FROM golden.person")
        cursor.execute("DROP VIEW acme__marts.theirs")
        warehouse.served.replace_view("marts", "later", "SELECT 3 AS c FROM golden.person")
        assert warehouse.served.rows("SELECT * FROM marts.later") == [(3,)]


def test_names_that_others_gave_to_values_are_read_as_text(settings: Settings) -> None:
    with operator(settings) as cursor:
        cursor.execute("CREATE TYPE acme__golden.mood AS ENUM ('glad', 'sad')")
    with open_published(settings, "acme") as served:
        assert served.rows("SELECT 'sad'::acme__golden.mood, ARRAY['glad']::acme__golden.mood[]::text[]") == [
            ("sad", ["glad"])
        ]


def without_comments(settings: Settings) -> None:
    with operator(settings) as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%\\_\\_%' AND nspname !~ '^pg_'")
        for (schema,) in cursor.fetchall():
            cursor.execute(f'COMMENT ON SCHEMA "{schema}" IS NULL')
