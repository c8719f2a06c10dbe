"""What an analyst finds in each mart."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gtm_pipelines.marts import build_marts, marts_are_current
from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from tests.unit.resolution.tenant import Tenant

MARTS = sql_files.files("marts")


def read(tenant: Tenant, mart: str) -> list[dict[str, Any]]:
    return list(tenant.warehouse.arrow(f"SELECT * FROM marts.{mart} ORDER BY ALL").to_pylist())


def test_person_360_holds_live_people_with_their_account_and_engagement(tenant: Tenant) -> None:
    (ann,) = read(tenant, "person_360")
    assert ann["full_name"] == " ".join(name for name in (ann["first_name"], ann["last_name"]) if name)
    assert (ann["email"], ann["account_name"], ann["activities"], ann["channels"]) == (
        "ann@acme.com",
        "Acme",
        2,
        ["email", "phone"],
    )


def test_account_360_counts_live_people_and_activities(tenant: Tenant) -> None:
    (acme,) = read(tenant, "account_360")
    assert (acme["people"], acme["engaged_people"], acme["activities"]) == (1, 1, 2)


def test_the_timeline_leaves_out_deleted_activities(tenant: Tenant) -> None:
    assert {row["external_id"] for row in read(tenant, "activity_timeline")} == {"call", "mail"}


def test_engagement_is_counted_by_utc_day_channel_and_type(tenant: Tenant) -> None:
    tenant.warehouse.execute("SET TimeZone = 'Asia/Tokyo'")
    rows = read(tenant, "engagement_daily")
    assert {(row["day"], row["channel"], row["type"], row["activities"]) for row in rows} == {
        (date(2026, 1, 1), "phone", "call", 1),
        (date(2026, 1, 1), "email", "sent", 1),
    }


def test_freshness_shows_what_was_synced_refined_and_refused(tenant: Tenant) -> None:
    (contact,) = read(tenant, "source_freshness")
    assert (contact["records"], contact["live_records"], contact["canonical_rows"], contact["quarantined_records"]) == (
        3,
        2,
        2,
        1,
    )
    assert contact["newest_change_at"] == datetime(2026, 1, 3, tzinfo=UTC)
    assert contact["last_change_synced_at"] == datetime(2026, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize("path", MARTS)
def test_each_mart_states_grain_key_and_owner_and_has_a_check(path: str) -> None:
    text = sql_files.load(path)
    assert [re.match(r"-- (\w+): \S", line)[1] for line in text.splitlines()[:3]] == ["grain", "key", "owner"]  # type: ignore[index]
    mart = path.removeprefix("marts/").removesuffix(".sql")
    assert any(f"marts.{mart}" in sql_files.load(check) for check in sql_files.files("checks"))


def test_building_again_changes_nothing(tenant: Tenant) -> None:
    before = {path: read(tenant, path.removeprefix("marts/").removesuffix(".sql")) for path in MARTS}
    assert len(build_marts(tenant.warehouse)) == len(MARTS) == 5
    assert {path: read(tenant, path.removeprefix("marts/").removesuffix(".sql")) for path in MARTS} == before


def test_marts_can_be_built_before_anything_was_ever_synced(tmp_path: Any) -> None:
    from tests.unit.resolution.tenant import open_tenant

    with open_tenant(tmp_path) as empty:
        empty.resolve()
        build_marts(empty.warehouse)
        assert read(empty, "source_freshness") == []


def test_views_of_another_release_are_known_for_old(tenant: Tenant) -> None:
    build_marts(tenant.warehouse)
    assert marts_are_current(tenant.warehouse)
    tenant.warehouse.execute("UPDATE quality.marts_built SET version = 'of another release'")
    assert not marts_are_current(tenant.warehouse)
    tenant.warehouse.execute("DROP TABLE quality.marts_built")
    assert not marts_are_current(tenant.warehouse)
