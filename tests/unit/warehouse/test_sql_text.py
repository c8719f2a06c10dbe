"""Statements with the layers' names become statements with the tenant's schemas, and nothing else of them changes."""

from __future__ import annotations

import pytest

from gtm_pipelines.warehouse.postgres import sql_text
from gtm_pipelines.warehouse.protocol import WarehouseRefusedError


@pytest.mark.parametrize(
    ("written", "run"),
    [
        ("SELECT p.email FROM golden.person p", 'SELECT p.email FROM "acme__golden".person p'),
        ('FROM "marts"."X", crm.contact', 'FROM "acme__marts"."X", "acme__crm".contact'),
        (
            "SELECT crm.a, b FROM (crm.x JOIN crm.y crm ON crm.a = crm.b)",
            'SELECT crm.a, b FROM ("acme__crm".x JOIN "acme__crm".y crm ON crm.a = crm.b)',
        ),
        (
            "SELECT extract(day FROM crm.at) FROM crm.contact crm",
            'SELECT extract(day FROM crm.at) FROM "acme__crm".contact crm',
        ),
        ("SELECT 1 WHERE crm.a IS DISTINCT FROM crm.b", "SELECT 1 WHERE crm.a IS DISTINCT FROM crm.b"),
        (
            "SELECT golden.person.email FROM golden.person",
            'SELECT "acme__golden".person.email FROM "acme__golden".person',
        ),
        ("SELECT 'from golden.x', $$ from golden.y $$", "SELECT 'from golden.x', $$ from golden.y $$"),
        ("SELECT 1 -- from golden.z", "SELECT 1 -- from golden.z"),
        ("SELECT * FROM pg_catalog.pg_class, bolt__golden.x", "SELECT * FROM pg_catalog.pg_class, bolt__golden.x"),
        ("COMMENT ON COLUMN marts.x.y IS 'a;b'", "COMMENT ON COLUMN \"acme__marts\".x.y IS 'a;b'"),
        ("DROP VIEW IF EXISTS marts.x, marts.y", 'DROP VIEW IF EXISTS "acme__marts".x, "acme__marts".y'),
        ("CREATE SCHEMA IF NOT EXISTS marts", 'CREATE SCHEMA IF NOT EXISTS "acme__marts"'),
        (
            "SELECT schema, view, crm.a FROM (SELECT 1 FROM raw.entity) crm",
            'SELECT schema, view, crm.a FROM (SELECT 1 FROM "acme__raw".entity) crm',
        ),
        (
            "WITH a AS (SELECT 1 FROM raw.x) DELETE FROM raw.y USING raw.z",
            'WITH a AS (SELECT 1 FROM "acme__raw".x) DELETE FROM "acme__raw".y USING "acme__raw".z',
        ),
    ],
)
def test_schemas_are_the_tenants_where_a_table_may_stand(written: str, run: str) -> None:
    assert sql_text.physical(written, "acme") == run


def test_a_text_is_taken_apart_at_semicolons_that_end_a_statement() -> None:
    text = "SELECT ';'; -- ;\n ; SELECT $$;$$ /* ; */"
    assert sql_text.statements(text) == ("SELECT ';'", "SELECT $$;$$ /* ; */")


def test_parameters_are_numbered_and_literals_left_alone() -> None:
    assert sql_text.numbered("SELECT ?, '?', ?", ["a", "b"]) == ("SELECT $1, '?', $2", ["a", "b"])
    assert sql_text.numbered("SELECT $b, $a, $b, '$a'", {"a": 1, "b": 2}) == ("SELECT $1, $2, $1, '$a'", [2, 1])
    assert sql_text.numbered("SELECT payload ? 'a'", None) == ("SELECT payload ? 'a'", [])
    with pytest.raises(WarehouseRefusedError, match=r"\$b"):
        sql_text.numbered("SELECT $b", {"a": 1})


@pytest.mark.parametrize(
    "sql",
    [
        "SET ROLE bolt__reader",
        "RESET ROLE",
        "DO $$ BEGIN RESET ROLE; END $$",
        "SELECT set_config('role', 'none', true)",
        "SELECT \"set_config\"('role', 'none', true)",
        "SELECT U&\"set\\005fconfig\"('role', 'none', true)",
        "SELECT query_to_xml('SELECT set_con' || 'fig(...)', true, true, '')",
        "COPY golden.person TO PROGRAM 'cat'",
        # What Postgres reads otherwise than a reader of tokens would: each hides set_config from one.
        "SELECT 1 --\r, set_config('role', 'bolt__writer', false)",
        "SELECT /* /* */ ' */ set_config('role', 'bolt__writer', false) --'\n AS x",
        "SELECT E''\n'\\'', set_config('role', 'bolt__writer', false) --'\n AS x",
        "SELECT $\u00e9$ ' $\u00e9$, set_config('role', 'bolt__writer', false) --'\n AS x",
        "SELECT pg_advisory_lock(1)",  # of another tenant's syncs
        "EXPLAIN ANALYZE UPDATE pg_settings SET setting = 'bolt__writer' WHERE name = 'role'",
    ],
)
def test_no_question_takes_another_role(sql: str) -> None:
    assert not sql_text.is_question(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT 'setting'", "(SELECT 1)", "-- x\nWITH a AS (SELECT 1) TABLE a", "SHOW timezone"]
)
def test_what_only_asks_is_a_question(sql: str) -> None:
    assert sql_text.is_question(sql)
