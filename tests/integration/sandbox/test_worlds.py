"""A world: the same for the same seed, true to itself, and full of the cases that make identity hard."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gtm_pipelines import sandbox
from gtm_pipelines.sandbox import store, words

Rows = list[dict[str, Any]]


def fingerprint(directory: Path, tenant: str) -> dict[str, tuple[int, int]]:
    """Count and hash every table of a world."""
    with store.opened(store.current(directory / tenant)) as world:
        tables = world.execute("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
        return {
            f"{schema}.{table}": world.execute(
                f'SELECT count(*), bit_xor(hash(t)) FROM {schema}."{table}" t'
            ).fetchall()[0]
            for schema, table in tables
        }


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("worlds")
    sandbox.create_world(made, "acme", size=4000, seed=3)
    return made


@pytest.fixture(scope="module")
def world(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with store.opened(store.current(directory / "acme")) as opened:
        yield opened


def rows(world: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    found: Rows = world.sql(sql).to_arrow_table().to_pylist()
    return found


def test_the_same_seed_makes_the_same_world_and_the_same_days(tmp_path: Path) -> None:
    for tenant in ("one", "two"):
        sandbox.create_world(tmp_path, tenant, size=300, seed=5)
    assert fingerprint(tmp_path, "one") == fingerprint(tmp_path, "two")
    sandbox.advance(tmp_path, "one", steps=2)
    for _ in range(2):
        sandbox.advance(tmp_path, "two")
    assert fingerprint(tmp_path, "one") == fingerprint(tmp_path, "two")


def test_another_seed_makes_another_world(tmp_path: Path) -> None:
    for tenant, seed in (("one", 5), ("two", 6)):
        sandbox.create_world(tmp_path, tenant, size=300, seed=seed, vendors=("file",))
    one, two = fingerprint(tmp_path, "one"), fingerprint(tmp_path, "two")
    assert one["truth.person"] != two["truth.person"]


@pytest.mark.parametrize("size", [9, 2_000_001])
def test_a_size_out_of_reach_is_refused_in_one_sentence(tmp_path: Path, size: int) -> None:
    with pytest.raises(ValueError, match="a world holds 10 to"):
        sandbox.create_world(tmp_path, "acme", size=size, seed=1)


def test_a_tenant_without_a_world_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(store.NoWorldError, match="gtm sandbox create acme"):
        sandbox.truth(tmp_path, "acme")


def test_making_a_world_anew_replaces_the_old_one(tmp_path: Path) -> None:
    sandbox.create_world(tmp_path, "acme", size=50, seed=1, vendors=("file",))
    sandbox.create_world(tmp_path, "acme", size=60, seed=1, vendors=("file",))
    assert sandbox.truth(tmp_path, "acme").people.num_rows == 60
    assert len(list((tmp_path / "acme").glob("*.duckdb"))) == 1


def test_importing_the_sandbox_loads_nothing_heavy() -> None:
    heavy = {"duckdb", "starlette", "uvicorn", "pyarrow", "faker"}
    check = f"import sys, gtm_pipelines.sandbox; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_the_lists_are_as_long_as_the_sql_counts_on() -> None:
    lengths = (words.COMPANY_FIRST, words.COMPANY_SECOND, words.COMPANY_TRADES, words.AREA_CODES)
    assert tuple(map(len, lengths)) == (96, 97, 30, 116)


def test_every_record_stands_for_somebody_who_exists(directory: Path, world: duckdb.DuckDBPyConnection) -> None:
    truth = sandbox.truth(directory, "acme")
    people = set(truth.people["person_id"].to_pylist())
    accounts = set(truth.accounts["account_id"].to_pylist())
    records = truth.records.to_pylist()
    assert len({(each["connector"], each["entity"], each["external_id"]) for each in records}) == len(records)
    assert {each["person_id"] for each in records} - {None} <= people
    assert {each["account_id"] for each in records} - {None} <= accounts
    by_entity = Counter((each["connector"], each["entity"]) for each in records)
    assert by_entity["salesforce", "Contact"] == rows(world, 'SELECT count(*) AS n FROM salesforce."Contact"')[0]["n"]
    assert {"Contact", "Lead", "Account", "Opportunity", "Task", "Event", "User"} <= {entity for _, entity in by_entity}
    assert {"people", "activities", "messages"} <= {
        entity for connector, entity in by_entity if connector == "customerio"
    }
    assert {"people", "accounts", "activities"} == {entity for connector, entity in by_entity if connector == "file"}


def test_mailboxes_and_domains_belong_to_one_each(world: duckdb.DuckDBPyConnection) -> None:
    clashes = """
        SELECT email FROM (
            SELECT email FROM truth.person UNION ALL SELECT personal_email FROM truth.person WHERE company IS NOT NULL
        ) GROUP BY ALL HAVING count(*) > 1
    """
    assert rows(world, clashes) == []
    assert rows(world, "SELECT domain FROM truth.company GROUP BY ALL HAVING count(*) > 1") == []
    assert rows(world, "SELECT phone FROM truth.person GROUP BY ALL HAVING count(*) > 1") == []


def test_ids_are_salesforces_own_shape(world: duckdb.DuckDBPyConnection) -> None:
    check = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    for table, prefix in (
        ("Contact", "003"),
        ("Lead", "00Q"),
        ("Task", "00T"),
        ("Account", "001"),
        ("Subscription__c", "a01"),
    ):
        for (record_id,) in world.execute(f'SELECT Id FROM salesforce."{table}" LIMIT 500').fetchall():
            assert re.fullmatch(rf"{prefix}[0-9A-Za-z]{{15}}", record_id)
            chunks = (record_id[at : at + 5] for at in (0, 5, 10))
            assert record_id[15:] == "".join(
                check[sum(1 << at for at, each in enumerate(chunk) if each.isupper())] for chunk in chunks
            )


def test_the_hard_cases_are_there(world: duckdb.DuckDBPyConnection) -> None:
    """Every case the pipeline must get right, and must not fall for, occurs in a world of 4,000."""
    seen = rows(
        world,
        """
        SELECT c.*, p.first_name, p.nickname, p.email, p.personal_email, p.previous_email
        FROM salesforce."Contact" c JOIN truth.person p ON p.n = c._person
        """,
    )
    profiles = rows(
        world,
        """
        SELECT q.*, p.email AS true_email, p.personal_email
        FROM customerio.person q JOIN truth.person p ON p.n = q._person
        """,
    )
    emails = [each["Email"] for each in seen if each["Email"]]
    cases = {
        "case": any(each != each.lower() for each in emails),
        "nickname": any(each["FirstName"] == each["nickname"] != each["first_name"] for each in seen),
        "typo in a name": any(
            sorted(each["FirstName"] or "") == sorted(each["first_name"]) and each["FirstName"] != each["first_name"]
            for each in seen
        ),
        "plus address": any("+" in (each["email"] or "") for each in profiles),
        "gmail dots": any(
            each["email"]
            and each["email"] != each["personal_email"]
            and each["email"].replace(".", "") == each["personal_email"].replace(".", "")
            for each in profiles
        ),
        "old address": any(each["Email"] and each["Email"].lower() == each["previous_email"] for each in seen),
        "private address": any(
            (each["email"] or "").endswith("gmail.com") and each["true_email"] != each["personal_email"]
            for each in profiles
        ),
        "role address shared": max(
            Counter(each for each in emails if each.startswith(("info@", "sales@", "office@"))).values()
        )
        > 1,
        "duplicate in Salesforce": max(Counter(each["_person"] for each in seen).values()) > 1,
        "cross-reference": any(each["Cio_Id__c"] for each in seen),
        "no email": len(emails) < len(seen),
    }
    assert [case for case, is_there in cases.items() if not is_there] == []
    owners = defaultdict(set)
    for each in seen:
        if each["Phone"]:
            owners[re.sub(r"\D", "", each["Phone"].split("x")[0])[-10:]].add(each["_person"])
    assert max(map(len, owners.values())) > 3, "a switchboard is many people's phone"
    namesakes = """
        SELECT 1 FROM truth.person WHERE company IS NOT NULL
        GROUP BY first_name, last_name, company HAVING count(*) > 1
    """
    assert rows(world, namesakes), "two people of one name in one company"
    assert rows(world, "SELECT 1 FROM truth.company GROUP BY name HAVING count(*) > 1"), "two companies of one name"
    assert rows(world, 'SELECT 1 FROM salesforce."Contact" c JOIN salesforce."Lead" l USING (_person)'), (
        "a lead who is a contact"
    )


def test_a_cross_reference_names_a_profile_of_the_same_person(world: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        SELECT 1 FROM salesforce."Contact" c LEFT JOIN customerio.person p ON p.cio_id = c.Cio_Id__c
        WHERE Cio_Id__c IS NOT NULL AND p._person IS DISTINCT FROM c._person
    """
    assert rows(world, wrong) == []


def test_references_inside_salesforce_lead_somewhere(world: duckdb.DuckDBPyConnection) -> None:
    for table, field, target in (
        ("Contact", "AccountId", "Account"),
        ("Opportunity", "AccountId", "Account"),
        ("Contact", "OwnerId", "User"),
        ("Lead", "ConvertedContactId", "Contact"),
    ):
        dangling = f"""
            SELECT 1 FROM salesforce."{table}" t
            WHERE "{field}" IS NOT NULL AND NOT EXISTS (FROM salesforce."{target}" x WHERE x.Id = t."{field}")
        """
        assert rows(world, dangling) == [], f"{table}.{field}"
    strangers = """
        SELECT 1 FROM salesforce."Task" t
        WHERE NOT EXISTS (FROM salesforce."Contact" c WHERE c.Id = WhoId AND c._person = t._person)
          AND NOT EXISTS (FROM salesforce."Lead" l WHERE l.Id = WhoId AND l._person = t._person)
    """
    assert rows(world, strangers) == []


def test_nothing_happened_after_the_present(world: duckdb.DuckDBPyConnection) -> None:
    for table in ("Contact", "Lead", "Account", "Opportunity", "Task", "Event", "User"):
        late = f"""
            SELECT 1 FROM salesforce."{table}"
            WHERE SystemModstamp > TIMESTAMP '2026-01-01' OR CreatedDate > SystemModstamp
               OR LastModifiedDate > SystemModstamp
        """
        assert rows(world, late) == [], table


def test_exports_are_files_as_people_send_them(tmp_path: Path) -> None:
    sandbox.create_world(tmp_path, "acme", size=3000, seed=2, vendors=("file",))
    folder = sandbox.files(tmp_path, "acme")
    people = (folder / "people.csv").read_bytes()
    assert people.startswith(b"\xef\xbb\xbfid,email,"), "a byte order mark"
    table = list(csv.reader((folder / "people.csv").read_text("utf-8-sig").splitlines()))
    assert any(len(row) != len(table[0]) for row in table), "ragged rows"
    assert all(row[0].startswith("0") for row in table[1:]), "leading zeros"
    truth = {
        each["external_id"]
        for each in sandbox.truth(tmp_path, "acme").records.to_pylist()
        if (each["connector"], each["entity"]) == ("file", "people")
    }
    assert {row[0] for row in table[1:]} == truth
    before = (folder / "people.csv").read_text("utf-8-sig")
    sandbox.advance(tmp_path, "acme")
    after = (folder / "people.csv").read_text("utf-8-sig")
    changed = set(after.splitlines()) ^ set(before.splitlines())
    assert 0 < len(changed) < len(table) / 10, "a day changes some rows, not all"
