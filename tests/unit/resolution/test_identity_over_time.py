"""Golden ids, links and rows while records join, leave, merge, split and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.resolution import UnknownPersonError, resolve, resolve_tenant, why

if TYPE_CHECKING:
    from tests.unit.resolution.tenant import Tenant

ANN = {"email": "ann@acme.com", "first_name": "Ann", "last_name": "Doe"}


def test_an_id_stays_when_records_join_and_leave(tenant: Tenant) -> None:
    tenant.person("mail", "z", **ANN)
    tenant.resolve()
    given = tenant.id_of("z")
    since = tenant.link("z")["since"]
    tenant.person("crm", "a", **ANN)
    tenant.resolve()
    assert tenant.id_of("a") == tenant.id_of("z") == given
    assert tenant.link("z")["since"] == since
    tenant.person("mail", "z", email="zoe@acme.com")
    tenant.resolve()
    assert tenant.id_of("a") != tenant.id_of("z")


def test_the_biggest_part_of_a_split_keeps_the_id_and_the_other_gets_a_new_one(tenant: Tenant) -> None:
    for external_id in ("a", "b", "c"):
        tenant.person("crm", external_id, **ANN)
    tenant.resolve()
    given = tenant.id_of("a")
    tenant.person("crm", "a", email="other@acme.com")  # the founder leaves
    tenant.resolve()
    assert tenant.id_of("b") == tenant.id_of("c") == given
    assert tenant.id_of("a") != given


def test_of_two_merged_people_the_bigger_keeps_its_id_and_the_other_points_at_it(tenant: Tenant) -> None:
    tenant.person("crm", "a", email="old@acme.com")
    for external_id in ("b", "c"):
        tenant.person("mail", external_id, **ANN)
    tenant.resolve()
    small, big = tenant.id_of("a"), tenant.id_of("b")
    tenant.person("crm", "a", **ANN)
    tenant.resolve()
    assert {tenant.id_of(external_id) for external_id in "abc"} == {big}
    assert why(tenant.warehouse.served, small).person_id == big
    assert tenant.warehouse.rows("SELECT person_id FROM golden.person") == [(big,)]


def test_an_id_once_retired_is_never_given_out_again(tenant: Tenant) -> None:
    seen = set()
    for _ in range(3):
        tenant.person("crm", "a", email="ann@acme.com")
        tenant.resolve()
        seen.add(tenant.id_of("a"))
        tenant.drop("person", "crm", "a")
        tenant.resolve()
        assert tenant.groups() == set()
    assert len(seen) == 3
    with pytest.raises(UnknownPersonError, match="gone from every source"):
        why(tenant.warehouse.served, seen.pop())


def test_a_full_rebuild_of_what_stands_changes_nothing(tenant: Tenant) -> None:
    tenant.account("crm", "acc", domain="acme.com")
    for external_id in ("a", "b"):
        tenant.person("crm", external_id, account_external_id="acc", **ANN)
    tenant.activity("crm", "call", person_external_id="a")
    tenant.resolve()
    tables = ("person", "account", "activity", "person_link", "account_link", "person_identity")
    before = {table: tenant.warehouse.rows(f"SELECT * FROM golden.{table} ORDER BY ALL") for table in tables}
    report = tenant.resolve(full=True)
    assert {table: tenant.warehouse.rows(f"SELECT * FROM golden.{table} ORDER BY ALL") for table in tables} == before
    assert (report.person.written, report.person.moved, report.activity.written) == (0, 0, 0)


def test_the_same_records_get_the_same_ids_on_another_machine(tenant: Tenant) -> None:
    tenant.person("crm", "a", **ANN)
    tenant.resolve()
    first = tenant.id_of("a")
    for table in ("person", "person_link", "person_identity", "person_key", "resolution"):
        tenant.warehouse.execute(f"TRUNCATE golden.{table}")
    tenant.resolve()
    assert tenant.id_of("a") == first


def test_nothing_pending_costs_nothing_and_looks_at_nothing(tenant: Tenant) -> None:
    tenant.person("crm", "a", **ANN)
    tenant.resolve()
    report = tenant.resolve()
    assert (report.is_full, report.person.looked_at, report.steps) == (False, 0, {})


def test_only_the_neighbourhood_of_a_change_is_looked_at(tenant: Tenant) -> None:
    with tenant.together():
        for number in range(200):
            tenant.person("crm", f"c{number}", email=f"p{number}@acme.com")
            tenant.person("mail", f"m{number}", email=f"p{number}@acme.com")
    tenant.resolve()
    tenant.person("crm", "c7", email="p7@acme.com", title="CTO")
    report = tenant.resolve()
    assert (report.person.changed, report.person.looked_at, report.person.written) == (1, 2, 1)


def test_a_deleted_record_keeps_its_place_and_the_person_goes_only_with_the_last(tenant: Tenant) -> None:
    tenant.person("crm", "a", title="CTO", **ANN)
    tenant.person("mail", "b", title="Engineer", **ANN)
    tenant.resolve()
    tenant.person("crm", "a", title="CTO", is_deleted=True, **ANN)
    tenant.resolve()
    golden = tenant.golden("a")
    assert (golden["is_deleted"], golden["title"], golden["record_count"]) == (False, "Engineer", 2)
    tenant.person("mail", "b", title="Engineer", is_deleted=True, **ANN)
    tenant.resolve()
    assert tenant.golden("a")["is_deleted"] is True
    assert tenant.id_of("a") == tenant.id_of("b")


def test_the_pending_list_is_consumed_with_its_effect_or_not_at_all(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.person("crm", "a", **ANN)
    tenant.resolve()
    tenant.person("crm", "b", **ANN)
    monkeypatch.setattr(resolve, "_place_activities", lambda at, **_: at.execute("SELECT nonesuch", "broken"))
    with pytest.raises(Exception, match="nonesuch"):
        tenant.resolve()
    assert tenant.warehouse.rows("SELECT external_id FROM canonical.pending") == [("b",)]
    assert tenant.groups() == {frozenset({"a"})}


def test_another_tenants_warehouse_is_refused(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="belongs to 'acme'"):
        resolve_tenant(tenant.warehouse, "bolt", clock=lambda: tenant.now)
