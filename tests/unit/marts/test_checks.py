"""Each check passes on a sound tenant, and finds the one fault planted for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.marts import CheckResult, run_checks
from gtm_pipelines.marts.checks import _run
from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Warehouse
    from tests.unit.resolution.tenant import Tenant

FAULTS = {
    "raw_is_accounted_for": ["DELETE FROM canonical.person WHERE external_id = 'bob'"],
    "person_links_are_unique": [
        "INSERT INTO golden.person_link SELECT * FROM golden.person_link WHERE external_id = 'ann'"
    ],
    "account_links_are_unique": ["INSERT INTO golden.account_link SELECT * FROM golden.account_link"],
    "every_person_is_linked": ["DELETE FROM golden.person_link WHERE external_id = 'ann'"],
    "every_account_is_linked": ["DELETE FROM golden.account_link"],
    "person_links_have_both_ends": ["UPDATE golden.person_link SET person_id = 'per_x' WHERE external_id = 'ann'"],
    "account_links_have_both_ends": ["DELETE FROM canonical.account"],
    "golden_person_ids_are_unique": ["INSERT INTO golden.person SELECT * FROM golden.person WHERE NOT is_deleted"],
    "golden_account_ids_are_unique": ["INSERT INTO golden.account_identity SELECT * FROM golden.account_identity"],
    "golden_person_holds_its_records": ["UPDATE canonical.person SET is_deleted = true"],
    "golden_account_holds_its_records": ["UPDATE golden.account SET record_count = 2"],
    "no_foreign_tenant_rows": ["UPDATE canonical.activity SET tenant_id = 'bolt' WHERE external_id = 'call'"],
    "no_duplicate_canonical_keys": [
        "INSERT INTO canonical.activity SELECT * FROM canonical.activity WHERE external_id = 'call'"
    ],
    "activities_are_resolved": ["UPDATE golden.activity SET person_id = NULL WHERE external_id = 'call'"],
    "person_360_has_its_grain": ["INSERT INTO golden.account SELECT * FROM golden.account"],
    "account_360_has_its_grain": ["INSERT INTO golden.account SELECT * FROM golden.account"],
    "activity_timeline_has_its_grain": ["INSERT INTO golden.account SELECT * FROM golden.account"],
    "engagement_daily_adds_up": ["INSERT INTO golden.account SELECT * FROM golden.account"],
    "source_freshness_has_its_grain": [
        "DROP VIEW marts.source_freshness",
        "CREATE VIEW marts.source_freshness AS SELECT 'crm' AS source, 'Contact' AS entity, 2 AS records",
    ],
}


def check(warehouse: Warehouse, name: str) -> CheckResult:
    """Return what one check finds."""
    return _run(warehouse.served, f"checks/{name}.sql")


def test_a_sound_tenant_passes_every_check(sound: Tenant) -> None:
    results = run_checks(sound.warehouse)
    assert [(result.name, result.samples) for result in results if not result.passed] == []
    assert len(results) == len(sql_files.files("checks")) == len(FAULTS)
    assert all(result.description for result in results)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_planted_fault_is_found(name: str, sound: Tenant) -> None:
    with sound.for_now(*FAULTS[name]):
        result = check(sound.warehouse, name)
    assert not result.passed
    assert result.offending >= len(result.samples) >= 1


def test_samples_show_no_address(sound: Tenant) -> None:
    with sound.for_now("UPDATE canonical.person SET external_id = 'ann@acme.com' WHERE external_id = 'ann'"):
        (sample,) = check(sound.warehouse, "every_person_is_linked").samples
    assert sample.startswith("md5:")
    assert "@" not in sample


@pytest.mark.parametrize(
    ("kind", "external_id", "name"),
    [("person", "ann", "every_person_is_linked"), ("activity", "call", "activities_are_resolved")],
)
def test_rows_resolution_has_not_looked_at_yet_are_no_fault(
    kind: str, external_id: str, name: str, sound: Tenant
) -> None:
    waits = f"INSERT INTO canonical.pending VALUES ('{kind}', 'crm', '{external_id}')"
    with sound.for_now(*FAULTS[name], waits):
        assert check(sound.warehouse, name).passed
