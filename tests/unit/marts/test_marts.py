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
    found = tenant.warehouse.served.arrow(f"SELECT * FROM marts.{mart}").to_pylist()
    return sorted(found, key=repr)


def test_person_360_holds_live_people_with_their_account_and_engagement(sound: Tenant) -> None:
    (ann,) = read(sound, "person_360")
    assert ann["full_name"] == " ".join(name for name in (ann["first_name"], ann["last_name"]) if name)
    assert (ann["email"], ann["account_name"], ann["activities"], ann["channels"]) == (
        "ann@acme.com",
        "Acme",
        2,
        ["email", "phone"],
    )


def test_account_360_counts_live_people_and_activities(sound: Tenant) -> None:
    (acme,) = read(sound, "account_360")
    assert (acme["people"], acme["engaged_people"], acme["activities"]) == (1, 1, 2)


_A_MEETING_TO_COME = (
    "INSERT INTO golden.activity (source, external_id, connector, type, channel, occurred_at, person_id, account_id,"
    " is_deleted, updated_at) SELECT source, 'next', connector, 'meeting', 'meeting', now() + INTERVAL '9 days',"
    " person_id, account_id, false, updated_at FROM golden.activity WHERE external_id = 'call'"
)


@pytest.mark.parametrize("mart", ["person_360", "account_360"])
def test_what_is_planned_is_told_apart_from_what_has_happened(mart: str, sound: Tenant) -> None:
    (before,) = read(sound, mart)
    with sound.for_now(_A_MEETING_TO_COME):
        (after,) = read(sound, mart)
        assert len(read(sound, "activity_timeline")) == after["activities"] + after["planned_activities"]
    assert after.pop("next_activity_at") > after["last_activity_at"]
    assert (before.pop("planned_activities"), after.pop("planned_activities")) == (0, 1)
    assert before.pop("next_activity_at") is None
    assert after == before


@pytest.mark.parametrize("mart", ["person_360", "account_360"])
def test_who_has_only_plans_has_no_last_activity(mart: str, sound: Tenant) -> None:
    with sound.for_now("UPDATE golden.activity SET occurred_at = now() + INTERVAL '9 days'"):
        (found,) = read(sound, mart)
    assert (found["activities"], found["planned_activities"]) == (0, 2)
    assert (found["first_activity_at"], found["last_activity_at"], found["last_activity_type"]) == (None, None, None)


def test_the_timeline_leaves_out_deleted_activities(sound: Tenant) -> None:
    assert {row["external_id"] for row in read(sound, "activity_timeline")} == {"call", "mail"}


def test_engagement_is_counted_by_utc_day_channel_and_type(sound: Tenant) -> None:
    sound.warehouse.served.execute("SET TimeZone = 'Asia/Tokyo'")
    rows = read(sound, "engagement_daily")
    sound.warehouse.served.execute("SET TimeZone = 'UTC'")
    assert {(row["day"], row["channel"], row["type"], row["activities"]) for row in rows} == {
        (date(2026, 1, 1), "phone", "call", 1),
        (date(2026, 1, 1), "email", "sent", 1),
    }


def test_freshness_shows_what_was_synced_refined_and_refused(sound: Tenant) -> None:
    (contact,) = read(sound, "source_freshness")
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


def test_building_again_changes_nothing(sound: Tenant) -> None:
    before = {path: read(sound, path.removeprefix("marts/").removesuffix(".sql")) for path in MARTS}
    assert len(build_marts(sound.warehouse)) == len(MARTS) == 5
    assert {path: read(sound, path.removeprefix("marts/").removesuffix(".sql")) for path in MARTS} == before


def test_marts_can_be_built_before_anything_was_ever_synced(tmp_path: Any) -> None:
    from tests.unit.resolution.tenant import open_tenant

    with open_tenant(tmp_path) as empty:
        empty.resolve()
        build_marts(empty.warehouse)
        assert read(empty, "source_freshness") == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE quality.marts_built SET version = 'of another release'",
        "DROP TABLE quality.marts_built",
        "DROP VIEW marts.account_360",
    ],
)
def test_views_of_another_release_are_known_for_old(change: str, sound: Tenant) -> None:
    assert marts_are_current(sound.warehouse)
    with sound.for_now(change):
        assert not marts_are_current(sound.warehouse)
    assert marts_are_current(sound.warehouse)


def test_views_of_another_release_are_replaced_whatever_columns_they_have(sound: Tenant) -> None:
    served = sound.warehouse.served
    before = served.columns("marts", "account_360")
    served.execute("DROP VIEW marts.account_360; CREATE VIEW marts.account_360 AS SELECT 1 AS number, 2 AS domain")
    served.execute("UPDATE quality.marts_built SET version = 'of another release'")
    build_marts(sound.warehouse)
    assert served.columns("marts", "account_360") == before
    assert marts_are_current(sound.warehouse)
