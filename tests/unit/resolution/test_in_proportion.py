"""What a resolution brings from the server is in proportion to what changed, and not to what is stored."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from gtm_pipelines.warehouse.postgres.workset import Workset
from tests import warehouses
from tests.unit.resolution.tenant import Tenant, open_tenant

if TYPE_CHECKING:
    from pathlib import Path

COMPANIES = 6  # each of them is two accounts, and has three people
PLACES = "SELECT count(*) FROM {}"


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Where the rows stand that were brought, by table."""
    found: dict[str, set[str]] = defaultdict(set)
    take_in = Workset._take_in

    def noting(self: Workset, table: tuple[str, str], rows: Any, **more: bool) -> None:
        found[".".join(table)].update(rows.column("_ctid").to_pylist())
        take_in(self, table, rows, **more)

    monkeypatch.setattr(Workset, "_take_in", noting)
    return found


def fill(tenant: Tenant) -> None:
    with tenant.together():
        for number in range(COMPANIES):
            at, stated = f"c{number}.com", f"a{(number + 1) % COMPANIES}"
            tenant.account("crm", f"a{number}", name=f"Company {number}", domain=at)
            tenant.account("export", f"x{number}", name=f"Company {number}", domain=at)
            tenant.person("crm", f"p{number}", email=f"p{number}@{at}", account_external_id=stated)
            tenant.person("mail", f"m{number}", email=f"m{number}@mail.{at}")
            tenant.person("export", f"e{number}", properties=f'{{"company": "Company {number}, Inc."}}')
    tenant.resolve()


def check(tenant: Tenant, brought: dict[str, set[str]]) -> None:
    """See that of no golden table more than half of what it has was brought."""
    tables = [table for table in brought if table.startswith("golden.") and not table.endswith(("rule", "resolution"))]
    for table in tables:
        rows, stored = len(brought[table]), tenant.warehouse.served.rows(PLACES.format(table))[0][0]
        assert rows <= stored / 2, f"{rows} of {stored} rows of {table} were brought"
    assert "golden.account_link" in tables
    brought.clear()


def test_a_change_brings_the_rows_it_concerns(tmp_path: Path, brought: dict[str, set[str]]) -> None:
    with open_tenant(tmp_path, warehouse_url=warehouses.fresh()) as tenant:
        fill(tenant)
        tenant.person("mail", "m3", email="m3@mail.c4.com")
        brought.clear()
        tenant.resolve()
        check(tenant, brought)
        tenant.account("crm", "a4", name="Company 4", domain="c5.com")
        brought.clear()
        tenant.resolve()
        check(tenant, brought)
        assert tenant.golden("m3")["account_id"] == tenant.id_of("x4", "account") != tenant.id_of("a4", "account")
        assert tenant.golden("e2")["account_id"] == tenant.id_of("a2", "account")
        tenant.account("crm_two", "n2", name="Company 2", domain="c2.org")
        brought.clear()
        tenant.resolve()
        check(tenant, brought)
        assert tenant.golden("e2")["account_id"] is None


def test_a_resolution_leaves_nothing_for_its_commit_to_write_but_golden(tmp_path: Path) -> None:
    """Temporary relations that are there at a commit are written out, which takes longer than golden does."""
    left = (
        "SELECT table_name FROM duckdb_tables() WHERE temporary UNION ALL"
        " SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal"
    )
    with open_tenant(tmp_path) as tenant:
        fill(tenant)
        assert tenant.warehouse.rows(left) == []
        tenant.person("mail", "m3", email="m3@mail.c4.com")
        tenant.resolve()
        assert tenant.warehouse.rows(left) == []


def looked_at(tenant: Tenant) -> set[str]:
    """Resolve, and return the kinds whose records were compared."""
    steps = tenant.resolve().steps
    return {
        kind for kind in ("person", "account", "activity") if {f"{kind}.identify", f"{kind}.activity"} & steps.keys()
    }


def test_a_kind_of_which_nothing_changed_is_left_alone(tenant: Tenant) -> None:
    """What there is to do stands in few rows, and most of what a small resolution takes is asking for them."""
    fill(tenant)
    assert looked_at(tenant) == set()
    tenant.activity("crm", "call", person_external_id="p3", account_external_id="a3")
    assert looked_at(tenant) == {"activity"}
    tenant.person("crm", "p3", email="p3@c3.com", title="Head of Sales")
    assert looked_at(tenant) == {"person", "activity"}  # her row is another one, and the call takes its account from it
    tenant.account("crm", "a5", name="Company 5", domain="c5.com", industry="Retail")
    assert looked_at(tenant) == {"account"}  # nobody belongs elsewhere because of it
