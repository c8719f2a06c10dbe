"""The oracle is proven on planted faults, in both warehouses: a checker that cannot fail proves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg2
import pytest

from tests import warehouses
from tests.faults import oracle
from tests.faults.stored import Stored, in_duckdb, in_file, in_postgres

Judged = Callable[..., list[oracle.Fault]]

_FIVE_PEOPLE = """
CREATE SCHEMA canonical; CREATE SCHEMA golden; CREATE SCHEMA raw_crm;
CREATE TABLE canonical.person (
    source VARCHAR, external_id VARCHAR, tenant_id VARCHAR, is_deleted BOOLEAN, email VARCHAR, first_name VARCHAR,
    last_name VARCHAR, title VARCHAR, phone VARCHAR, account_external_id VARCHAR, properties JSON
);
CREATE TABLE canonical.account (
    source VARCHAR, external_id VARCHAR, tenant_id VARCHAR, is_deleted BOOLEAN, name VARCHAR, domain VARCHAR,
    industry VARCHAR, employee_count BIGINT, annual_revenue DOUBLE PRECISION, properties JSON
);
CREATE TABLE canonical.activity (
    source VARCHAR, external_id VARCHAR, tenant_id VARCHAR, is_deleted BOOLEAN, type VARCHAR, channel VARCHAR,
    occurred_at TIMESTAMPTZ, person_external_id VARCHAR, account_external_id VARCHAR, properties JSON
);
CREATE TABLE golden.person_link (source VARCHAR, external_id VARCHAR, person_id VARCHAR);
CREATE TABLE golden.account_link (source VARCHAR, external_id VARCHAR, account_id VARCHAR);
CREATE TABLE raw_crm.contact (external_id VARCHAR, is_deleted BOOLEAN, source_updated_at TIMESTAMPTZ);
CREATE TABLE raw_crm._dlt_loads (load_id VARCHAR);

INSERT INTO canonical.person
SELECT 'crm', 'p' || n, 'acme', false, 'p' || n || '@x.example', 'Ann', 'Lee', 'CTO', '', NULL, '{}'
FROM (VALUES (0), (1), (2), (3), (4)) AS people(n);
INSERT INTO canonical.account
VALUES ('crm', 'a0', 'acme', false, 'A', 'a.example', 'Trade', 7, 1234567.89, '{"n": 1.50}');
INSERT INTO canonical.activity
VALUES ('crm', 't0', 'acme', false, 'call', 'phone', '2026-03-01 10:00:00.123457+02', 'p0', NULL, '{}');
INSERT INTO golden.person_link
VALUES ('crm', 'p0', 'g1'), ('crm', 'p1', 'g1'), ('crm', 'p2', 'g2'), ('crm', 'p3', 'g3'), ('crm', 'p4', 'g4');
INSERT INTO golden.account_link VALUES ('crm', 'a0', 'g9');
INSERT INTO raw_crm.contact VALUES ('p3', false, '2026-03-01 10:00:00.123457+02'), ('p5', true, NULL);
"""
_PERSON_SAYS = "false, 'p3@x.example', 'Ann', 'Lee', 'CTO', '', NULL, '{}'"
_JOINED_BY_A_DELETED_ONE = f"""
INSERT INTO canonical.person VALUES ('crm', 'p9', 'acme', {_PERSON_SAYS.replace("false", "true")});
INSERT INTO golden.person_link VALUES ('crm', 'p9', 'g3');
UPDATE golden.person_link SET person_id = 'g3' WHERE external_id = 'p4';
"""


@pytest.fixture(scope="module")
def twin() -> Iterator[Stored]:
    """Five people, of whom two are one."""
    with duckdb.connect() as connection:
        connection.execute(_FIVE_PEOPLE)
        yield in_duckdb(connection)


@contextmanager
def in_a_file(file: Path, planted: str) -> Iterator[Stored]:
    """The same in a file; ``planted`` runs over it."""
    with duckdb.connect(str(file)) as connection:
        connection.execute(_FIVE_PEOPLE + planted)
    with in_file(file) as stored:
        yield stored


@contextmanager
def on_a_server(planted: str) -> Iterator[Stored]:
    """The same in a tenant's schemas."""
    dsn = warehouses.fresh()
    sql = re.sub(r"\b(canonical|golden|raw_crm)\b", r"acme__\1", _FIVE_PEOPLE + planted)
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
    connection.close()
    with in_postgres(dsn, "acme") as stored:
        yield stored


@pytest.fixture(params=warehouses.KINDS)
def judged(request: pytest.FixtureRequest, twin: Stored, tmp_path: Path) -> Judged:
    """Judge a warehouse of either kind against the twin, with a fault planted in it."""

    def judge(planted: str = "") -> list[oracle.Fault]:
        is_file = request.param == "duckdb"
        with in_a_file(tmp_path / "a.duckdb", planted) if is_file else on_a_server(planted) as stored:
            return oracle.judge(stored, twin, "acme")

    return judge


def test_an_undisturbed_warehouse_is_judged_right(judged: Judged) -> None:
    assert judged() == []


@pytest.mark.parametrize(
    "planted",
    ["UPDATE raw_crm.contact SET source_updated_at = '2026-03-02' WHERE NOT is_deleted", _JOINED_BY_A_DELETED_ONE],
    ids=["an event dated it", "a deleted record joins two"],
)
def test_what_only_a_warehouse_with_a_past_can_know_is_no_fault(judged: Judged, planted: str) -> None:
    assert judged(planted) == []


@pytest.mark.parametrize(
    ("kind", "where", "planted"),
    [
        ("lost", "canonical.person", "DELETE FROM canonical.person WHERE external_id = 'p3'"),
        ("lost", "canonical.person", "UPDATE canonical.person SET is_deleted = true WHERE external_id = 'p3'"),
        ("lost", "golden.person", "DELETE FROM golden.person_link WHERE external_id = 'p3'"),
        ("lost", "raw_crm.contact", "DELETE FROM raw_crm.contact WHERE external_id = 'p3'"),
        ("lost", "raw_crm.contact", "DROP TABLE raw_crm.contact"),
        ("duplicate", "canonical.person", f"INSERT INTO canonical.person VALUES ('crm', 'p3', 'acme', {_PERSON_SAYS})"),
        ("duplicate", "golden.person_link", "INSERT INTO golden.person_link VALUES ('crm', 'p3', 'g3')"),
        ("duplicate", "raw_crm.contact", "INSERT INTO raw_crm.contact VALUES ('p5', true, NULL)"),
        ("stale", "canonical.person", "UPDATE canonical.person SET email = 'old@x.example' WHERE external_id = 'p3'"),
        ("stale", "canonical.activity", "UPDATE canonical.activity SET occurred_at = '2026-03-01 08:00:00.123456Z'"),
        ("stale", "canonical.account", "UPDATE canonical.account SET properties = '{\"n\": 1.51}'"),
        ("stale", "golden.person", "UPDATE golden.person_link SET person_id = 'g3' WHERE external_id = 'p4'"),
        ("stale", "golden.person", "UPDATE golden.person_link SET person_id = 'g7' WHERE external_id = 'p0'"),
        (
            "stale",
            "raw_crm.contact",
            "UPDATE raw_crm.contact SET source_updated_at = '2026-02-28' WHERE NOT is_deleted",
        ),
        ("extra", "canonical.person", f"INSERT INTO canonical.person VALUES ('crm', 'p9', 'acme', {_PERSON_SAYS})"),
        ("extra", "raw_crm.contact", "INSERT INTO raw_crm.contact VALUES ('p9', false, NULL)"),
        ("foreign", "canonical.person", "UPDATE canonical.person SET tenant_id = 'globex' WHERE external_id = 'p3'"),
    ],
)
def test_each_planted_fault_is_found(judged: Judged, kind: str, where: str, planted: str) -> None:
    faults = judged(planted)
    assert {fault.kind for fault in faults} == {kind}
    assert where in {fault.where for fault in faults}
