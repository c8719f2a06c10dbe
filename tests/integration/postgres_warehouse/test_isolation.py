"""Tenants are kept apart by the database: what is done for one cannot be done as another, nor as the service itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.integration.postgres_warehouse import statements
from tests.integration.postgres_warehouse.conftest import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.integration.postgres_warehouse.conftest import House, SecondDay
    from tests.integration.postgres_warehouse.statements import Sent
FORBIDDEN = "42501"
SET_BY_US = r"TimeZone|(lock|statement|idle_(in_transaction_)?session)_timeout|tcp_keepalives_\w+"
SERVICE_SENDS = (
    r"SELECT version\(\);",  # the driver does
    "BEGIN.*|COMMIT|ROLLBACK",
    rf"SELECT (set_config\('({SET_BY_US})', '\w+', false\)(, )?)+",
    r"SELECT pg_(try_)?advisory_(xact_)?lock\(-?\d+\)",
    "SELECT (1|count[(][*][)]) FROM pg_(roles|namespace) WHERE .*",
    r'CREATE ROLE "(acme|bolt)__(writer|reader)_\w+" NOLOGIN',
    r'GRANT "(acme|bolt)__(writer|reader)_\w+" TO SESSION_USER WITH INHERIT FALSE, SET TRUE',
    r'CREATE SCHEMA "(_staging_)?(acme|bolt)__\w+" AUTHORIZATION "(acme|bolt)__writer_\w+"',
    "RESET ROLE",
)
"""All that is done under the service's own role: finding, making and giving out tenants' roles and schemas."""

HARMLESS = ("SET ROLE .*", "ALTER DEFAULT PRIVILEGES .*")
"""The first is the question itself. The second says something of what its own giver makes later, whoever's schema."""


def touching(sent: Iterable[Sent], tenant: str) -> list[str]:
    """Each text that names a schema of the tenant's and is no change of role, once."""
    found = dict.fromkeys(each.sql for each in sent if each.touches(tenant))
    return [sql for sql in found if not re.fullmatch("|".join((*SERVICE_SENDS, *HARMLESS)), sql, re.DOTALL)]


@pytest.mark.parametrize("who", ["bolt's writer", "bolt's reader", "the service"])
def test_no_statement_for_one_tenant_can_be_run_as_anybody_else(house: House, second_day: SecondDay, who: str) -> None:
    other = house.roles("bolt")
    role = {"bolt's writer": other.writer, "bolt's reader": other.reader, "the service": SERVICE}[who]
    asked = touching(second_day.sent, "acme")
    with house.session() as cursor:
        fates = {sql: statements.fate(cursor, role, sql) for sql in asked}
    assert {sql: fate for sql, fate in fates.items() if fate != FORBIDDEN} == {}
    said = " ".join(asked).lower()
    for verb in ("copy", "select", "insert", "update", "delete", "create table", "create view", "comment", "drop view"):
        assert verb in said, f"the work holds no {verb}"


def test_each_of_them_may_be_run_as_the_tenants_own_writer(house: House, second_day: SecondDay) -> None:
    """Else their being refused to others would prove nothing."""
    with house.session() as cursor:
        fates = {
            sql: statements.fate(cursor, house.roles("acme").writer, sql) for sql in touching(second_day.sent, "acme")
        }
    assert [sql for sql, fate in fates.items() if fate == FORBIDDEN] == []


def test_the_services_own_role_is_used_to_make_and_give_out_roles_and_for_nothing_else(second_day: SecondDay) -> None:
    role: dict[int, str] = {}
    dlts = {each.pid for each in second_day.sent if each.sql == "DISCARD ALL"}  # they begin under a tenant's role
    own = []
    for each in second_day.sent:
        if each.sql == "RESET ROLE" or each.sql.startswith("SET ROLE"):
            role[each.pid] = each.sql.removeprefix("SET ROLE").removeprefix("RESET ROLE")
        elif not role.get(each.pid) and each.pid not in dlts:
            own.append(_bare(each.sql))
    assert [sql for sql in own if not re.fullmatch("|".join(SERVICE_SENDS), sql, re.DOTALL)] == []
    assert any(sql.startswith("CREATE ROLE") for sql in own)


def _bare(sql: str) -> str:
    """A question as it was asked, without the driver's COPY about it."""
    copied = re.fullmatch(r"COPY \((.*)\) TO STDOUT \(FORMAT binary\)", sql, re.DOTALL)
    return " ".join((copied[1] if copied else sql).split())


def test_a_session_works_for_one_tenant(second_day: SecondDay) -> None:
    of: dict[int, set[str]] = {}
    for each in second_day.sent:
        of.setdefault(each.pid, set()).update(tenant for tenant in ("acme", "bolt") if f"{tenant}__" in each.sql)
    assert {tenant for tenants in of.values() for tenant in tenants} == {"acme", "bolt"}
    assert [tenants for tenants in of.values() if len(tenants) > 1] == []
