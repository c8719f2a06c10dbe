"""After any sequence of changes, golden built step by step is golden built at once."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from quality.identity import ACCOUNT_RULES, PERSON_RULES, IdentityPolicy
from tests import warehouses
from tests.unit.resolution.tenant import START, Tenant, open_tenant

if TYPE_CHECKING:
    from pathlib import Path

# Small limits, so that keys cross them all the time.
POLICY = IdentityPolicy(
    person_rules=tuple(
        replace(rule, max_owners=min(rule.max_owners, 4), max_qualifiers=min(rule.max_qualifiers, 2))
        for rule in PERSON_RULES
    ),
    account_rules=tuple(
        replace(rule, max_owners=min(rule.max_owners, 4), max_qualifiers=min(rule.max_qualifiers, 3))
        for rule in ACCOUNT_RULES
    ),
)
SOURCES = ("crm", "crm_two", "mail", "export")
STEPS = 6


def change(tenant: Tenant, dice: random.Random) -> None:
    """Make one random change: insert, update, delete, merge, or take away."""
    kind = dice.choices(("person", "account", "activity"), (6, 3, 2))[0]
    source, external_id = dice.choice(SOURCES), f"{kind[:2]}{dice.randrange(7)}"
    if dice.random() < 0.12:
        tenant.drop(kind, source, external_id)
        return
    common: dict[str, Any] = {
        "source_updated_at": START + timedelta(days=dice.randrange(3)),
        "is_deleted": dice.random() < 0.15,
    }
    fields = {"person": person, "account": account, "activity": activity}[kind](dice)
    tenant.put(kind, source, external_id, **common, **fields)


def maybe(dice: random.Random, *values: Any) -> Any:
    return dice.choice((None, *values))


def person(dice: random.Random) -> dict[str, Any]:
    hosts = ("acme.com", "eu.bolt.com", "gmail.com", "cord.com")
    return {
        "email": maybe(
            dice, *(f"{name}@{dice.choice(hosts)}" for name in ("ann", "bob+news", "ann+x", "robert.lombard", "info"))
        ),
        "first_name": maybe(dice, "Ann", "Bob", "Robert"),
        "last_name": maybe(dice, "Doe", "Lombard", "Lombart"),
        "title": maybe(dice, "CTO", "VP"),
        "phone": maybe(dice, "+14155550100", "+14155550101", "+14155550102"),
        "account_external_id": maybe(dice, *(f"ac{number}" for number in range(7))),
        "properties": maybe(dice, *(json.dumps({"company": name}) for name in ("Acme", "ACME, Inc.", "Bolt", "Cord"))),
        "_references": dice.choice(
            (None, None, [f"{dice.choice(('salesforce', 'customerio', 'file'))}:pe{dice.randrange(7)}"])
        ),
        "_merged_into": f"pe{dice.randrange(7)}" if dice.random() < 0.08 else None,
    }


def account(dice: random.Random) -> dict[str, Any]:
    return {
        "name": dice.choice(("Acme", "Acme Inc", "Bolt", "Cord", "Dust")),
        "domain": maybe(dice, "acme.com", "bolt.com", "cord.com", "gmail.com"),
        "employee_count": maybe(dice, 1, 2),
        "_references": dice.choice((None, None, None, [f"file:ac{dice.randrange(7)}"])),
    }


def activity(dice: random.Random) -> dict[str, Any]:
    return {
        "person_external_id": maybe(dice, *(f"pe{number}" for number in range(7))),
        "account_external_id": maybe(dice, *(f"ac{number}" for number in range(7))),
    }


@pytest.mark.parametrize(("seed", "database"), [(0, "duckdb"), (3, "postgres")])
def test_incremental_equals_full(seed: int, database: str, tmp_path: Path) -> None:
    """On Postgres also against DuckDB, which resolves in full from the same canonical rows."""
    dice = random.Random(seed)
    with open_tenant(tmp_path / "step", POLICY, warehouses.address(database)) as stepped:
        for step in range(STEPS):
            for _ in range(dice.choice((1, 3, 25))):
                change(stepped, dice)
            assert stepped.resolve().is_full is (step == 0)
            got = stepped.everything()
            tables = {
                kind: stepped.warehouse.arrow(f"SELECT * FROM canonical.{kind}")
                for kind in ("person", "account", "activity")
            }
            golden = stepped.warehouse.rows("SELECT person_id FROM golden.person")
            with open_tenant(tmp_path / f"full{step}", POLICY) as fresh:
                for kind, table in tables.items():
                    with fresh.warehouse.registered("given", table):
                        fresh.warehouse.execute(f"INSERT INTO canonical.{kind} BY NAME SELECT * FROM given")
                fresh.resolve(full=True)
                wanted = fresh.everything()
            for name, rows in wanted.items():
                assert got[name] == rows, f"seed {seed}, step {step}: {name}"
            assert len(golden) == len(set(golden))
