"""What an operator makes of the marts stands while they have the columns it reads, and is named when they have not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.marts import build_marts, marts_are_current, run_checks
from gtm_pipelines.warehouse import WarehouseRefusedError
from tests.unit.resolution.tenant import Tenant, open_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD = "UPDATE quality.marts_built SET version = 'of another release'"
THEIRS = "CREATE VIEW marts.theirs AS SELECT source, entity, records FROM marts.source_freshness"


@pytest.fixture
def tenant(tmp_path: Path, warehouse_url: str | None) -> Iterator[Tenant]:
    """A tenant of one raw entity, and an operator's view on a mart that shows it."""
    with open_tenant(tmp_path, warehouse_url=warehouse_url) as opened:
        add_entity(opened, "contact")
        opened.resolve()
        build_marts(opened.warehouse)
        opened.warehouse.served.execute(THEIRS)
        yield opened


def add_entity(tenant: Tenant, entity: str) -> None:
    """Have a sync bring an entity with one record."""
    tenant.warehouse.execute(
        f"CREATE SCHEMA IF NOT EXISTS raw_crm; CREATE TABLE raw_crm.{entity} (external_id VARCHAR,"
        " source_updated_at TIMESTAMPTZ, is_deleted BOOLEAN, synced_at TIMESTAMPTZ)"
    )
    tenant.warehouse.execute(f"INSERT INTO raw_crm.{entity} VALUES ('1', now(), false, now())")
    tenant.warehouse.execute("INSERT INTO raw.entity VALUES ('crm', 'salesforce', ?, ?, now())", [entity, entity])


def theirs(tenant: Tenant) -> list[tuple[str, int]]:
    return tenant.warehouse.served.rows("SELECT entity, records FROM marts.theirs ORDER BY entity")


def test_a_new_entity_is_shown_by_marts_and_by_what_others_made_of_them(tenant: Tenant) -> None:
    add_entity(tenant, "lead")
    assert not marts_are_current(tenant.warehouse)
    build_marts(tenant.warehouse)
    assert marts_are_current(tenant.warehouse)
    assert theirs(tenant) == [("contact", 1), ("lead", 1)]


def test_a_new_entity_is_counted_by_checks_though_marts_are_not_built_again(tenant: Tenant) -> None:
    add_entity(tenant, "lead")
    offences = {check.name: check.offending for check in run_checks(tenant.warehouse)}
    assert offences["raw_is_accounted_for"] == 2
    assert marts_are_current(tenant.warehouse)


def test_a_release_whose_marts_have_the_same_columns_leaves_others_views_standing(tenant: Tenant) -> None:
    tenant.warehouse.served.execute(OLD)
    build_marts(tenant.warehouse)
    assert theirs(tenant) == [("contact", 1)]


def test_a_release_says_anew_what_another_said_of_a_column(tenant: Tenant) -> None:
    served = tenant.warehouse.served
    (meant,) = [column.comment for column in served.catalogue(["marts"]) if column[1:3] == ("person_360", "person_id")]
    served.execute(f"{OLD}; COMMENT ON COLUMN marts.person_360.person_id IS 'as it was meant then'")
    build_marts(tenant.warehouse)
    assert ("marts", "person_360", "person_id", "VARCHAR", meant) in served.catalogue(["marts"])


@pytest.mark.parametrize("warehouse_url", ["postgres"], indirect=True)
def test_a_view_on_a_column_that_a_release_takes_away_is_named_with_what_to_do(tenant: Tenant) -> None:
    served = tenant.warehouse.served
    served.execute(f"{OLD}; DROP VIEW marts.engagement_daily; CREATE VIEW marts.engagement_daily AS SELECT 1 AS former")
    served.execute("CREATE VIEW marts.on_it AS SELECT former FROM marts.engagement_daily")
    with pytest.raises(WarehouseRefusedError) as refused:
        build_marts(tenant.warehouse)
    assert str(refused.value) == (
        "something that is not ours stands in the way: cannot drop view marts.engagement_daily because other objects"
        " depend on it; view marts.on_it depends on view marts.engagement_daily; nothing was changed: drop what depends"
        " on it, try again, make it anew"
    )
    served.execute("DROP VIEW marts.on_it")
    build_marts(tenant.warehouse)
    assert marts_are_current(tenant.warehouse)
