"""The oracle is proven on planted faults: a checker that cannot fail proves nothing."""

from __future__ import annotations

import base64
from pathlib import Path

import duckdb
import pytest

from tests.faults import oracle

_KEYS = "source VARCHAR, external_id VARCHAR, tenant_id VARCHAR, is_deleted BOOLEAN"
_PERSON = (
    f"CREATE TABLE canonical.person ({_KEYS}, email VARCHAR, first_name VARCHAR, last_name VARCHAR, title VARCHAR,"
    " phone VARCHAR, account_external_id VARCHAR, properties JSON)"
)
_ACCOUNT = (
    f"CREATE TABLE canonical.account ({_KEYS}, name VARCHAR, domain VARCHAR, industry VARCHAR, employee_count BIGINT,"
    " annual_revenue DOUBLE, properties JSON)"
)
_ACTIVITY = (
    f"CREATE TABLE canonical.activity ({_KEYS}, type VARCHAR, channel VARCHAR, occurred_at TIMESTAMPTZ,"
    " person_external_id VARCHAR, account_external_id VARCHAR, properties JSON)"
)
_ROW = "INSERT INTO canonical.person SELECT 'crm', ?, 'acme', false, ?, 'Ann', 'Lee', NULL, NULL, NULL, '{}'"


def build(file: Path, planted: str = "") -> Path:
    """A warehouse of five people, with one statement run over it afterwards."""
    with duckdb.connect(str(file)) as connection:
        for statement in ("CREATE SCHEMA canonical", _PERSON, _ACCOUNT, _ACTIVITY):
            connection.execute(statement)
        connection.execute("CREATE SCHEMA raw_crm; CREATE TABLE raw_crm.contact AS SELECT 1 AS external_id")
        for number in range(5):
            connection.execute(_ROW, [f"p{number}", f"p{number}@example.com"])
        if planted:
            connection.execute(planted)
    return file


def test_an_undisturbed_warehouse_is_judged_right(tmp_path: Path) -> None:
    assert oracle.judge(build(tmp_path / "a.duckdb"), build(tmp_path / "twin.duckdb"), "acme") == []


@pytest.mark.parametrize(
    ("kind", "planted"),
    [
        ("lost", "DELETE FROM canonical.person WHERE external_id = 'p3'"),
        ("lost", "UPDATE canonical.person SET is_deleted = true WHERE external_id = 'p3'"),
        ("duplicate", "INSERT INTO canonical.person SELECT * FROM canonical.person WHERE external_id = 'p3'"),
        ("duplicate", "INSERT INTO raw_crm.contact VALUES (1)"),
        ("stale", "UPDATE canonical.person SET email = 'old@example.com' WHERE external_id = 'p3'"),
        ("extra", "INSERT INTO canonical.person SELECT * REPLACE ('p9' AS external_id) FROM canonical.person LIMIT 1"),
        ("foreign", "UPDATE canonical.person SET tenant_id = 'globex' WHERE external_id = 'p3'"),
    ],
)
def test_each_planted_fault_is_found(tmp_path: Path, kind: str, planted: str) -> None:
    faults = oracle.judge(build(tmp_path / "a.duckdb", planted), build(tmp_path / "twin.duckdb"), "acme")
    assert [fault.kind for fault in faults] == [kind]


@pytest.mark.parametrize("form", ["plain", "hex", "base64 inside a header", "utf-16", "reversed"])
def test_a_secret_in_a_log_is_found_however_it_is_written(tmp_path: Path, form: str) -> None:
    secret = "s3cr3t-canary-value-0001"
    written = {
        "plain": f"GET /?key={secret}".encode(),
        "hex": secret.encode().hex().encode(),
        "base64 inside a header": b"Basic " + base64.b64encode(f"user:{secret}".encode()),
        "utf-16": secret.encode("utf-16"),
        "reversed": secret[::-1].encode(),
    }[form]
    (tmp_path / "run.log").write_bytes(b"started\n" + written + b"\nended\n")
    (tmp_path / "clean.log").write_bytes(b"nothing here")
    assert {fault.where for fault in oracle.find_secrets(tmp_path, [secret])} == {"run.log"}
