"""What survives, where it came from, what lost; and where activities and people belong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gtm_pipelines.resolution import why
from tests.unit.resolution.tenant import START
from tests.warehouses import DUCKDB_ALONE

if TYPE_CHECKING:
    from tests.unit.resolution.tenant import Tenant

EMAIL = {"email": "ann@acme.com"}
LATER = START + timedelta(days=1)


@DUCKDB_ALONE
def test_the_trusted_source_wins_the_name_and_the_newest_the_title_and_losers_stay_visible(tenant: Tenant) -> None:
    tenant.person("crm", "a", first_name="Ann", last_name="Doe", title="Engineer", **EMAIL)
    tenant.person("mail", "b", first_name="Annie", last_name="Doe", title="CTO", source_updated_at=LATER, **EMAIL)
    tenant.resolve()
    golden = tenant.golden("a")
    assert (golden["first_name"], golden["last_name"], golden["title"]) == ("Ann", "Doe", "CTO")
    assert golden["sources"] == ["crm", "mail"]
    assert golden["provenance"]["title"] == {
        "value": "CTO",
        "source": "mail",
        "external_id": "b",
        "at": "2026-01-02 00:00:00+00",
        "losers": [{"value": "Engineer", "source": "crm", "external_id": "a", "at": "2026-01-01 00:00:00+00"}],
    }
    assert golden["provenance"]["last_name"]["losers"] == []
    assert golden["provenance"]["phone"] is None


@DUCKDB_ALONE
def test_a_first_name_never_survives_with_another_records_last_name(tenant: Tenant) -> None:
    tenant.person("crm", "a", first_name="Ann", **EMAIL)
    tenant.person("mail", "b", first_name="Anna", last_name="Doe", **EMAIL)
    tenant.resolve()
    golden = tenant.golden("a")
    assert (golden["first_name"], golden["last_name"]) == ("Anna", "Doe")
    assert golden["provenance"]["first_name"]["losers"][0]["value"] == "Ann"


@DUCKDB_ALONE
def test_a_missing_value_never_beats_a_present_one(tenant: Tenant) -> None:
    tenant.person("crm", "a", **EMAIL)
    tenant.person("export", "b", phone="+14155550100", **EMAIL)
    tenant.resolve()
    assert tenant.golden("a")["phone"] == "+14155550100"


def test_a_record_alone_gives_the_row_that_survivorship_would_give_it(tenant: Tenant) -> None:
    """Such a row is written straight; looking at everything again weighs it, and finds nothing to mend."""
    tenant.account("crm", "acme", name='Acme "West"', domain="acme.com", employee_count=12, annual_revenue=1.5e6)
    tenant.person("crm", "a", last_name="Doe", source_updated_at=None, account_external_id="acme", **EMAIL)
    tenant.person("crm", "b")
    first, again = tenant.resolve(), tenant.resolve(full=True)
    assert (first.account.written, first.person.written) == (1, 2)
    assert (again.account.written, again.person.written) == (0, 0)


def test_values_that_need_escaping_come_back_as_they_were(tenant: Tenant) -> None:
    title = 'VP "Growth" \\ \n\t\u2028 名'
    tenant.person("crm", 'a"\\', title=title, **EMAIL)
    tenant.resolve()
    golden = tenant.golden('a"\\')
    assert golden["provenance"]["title"]["value"] == golden["title"] == title
    assert golden["provenance"]["title"]["external_id"] == 'a"\\'


def test_numbers_stay_numbers_in_provenance(tenant: Tenant) -> None:
    tenant.account("crm", "a", domain="acme.com", employee_count=7, annual_revenue=1.5)
    tenant.account("export", "b", domain="acme.com", employee_count=9, source_updated_at=LATER)
    tenant.resolve()
    golden = tenant.golden("a", "account")
    assert (golden["employee_count"], golden["annual_revenue"]) == (9, 1.5)
    assert golden["provenance"]["employee_count"]["value"] == 9
    assert golden["provenance"]["employee_count"]["losers"][0]["value"] == 7


def test_a_person_belongs_to_the_stated_account_before_the_one_of_the_mail_domain(tenant: Tenant) -> None:
    tenant.account("crm", "acme", domain="acme.com")
    tenant.account("crm", "bolt", domain="bolt.com")
    tenant.person("mail", "b", source_updated_at=LATER, **EMAIL)
    tenant.resolve()
    assert tenant.golden("b")["account_id"] == tenant.id_of("acme", "account")
    tenant.person("crm", "a", account_external_id="bolt", **EMAIL)
    tenant.resolve()
    assert tenant.golden("b")["account_id"] == tenant.id_of("bolt", "account")


def test_people_and_activities_follow_when_their_account_moves(tenant: Tenant) -> None:
    tenant.account("crm", "one", name="One", domain="one.com")
    tenant.account("crm", "two", name="Two", domain="two.com")
    tenant.person("crm", "p", account_external_id="two")
    tenant.activity("crm", "call", person_external_id="p")
    tenant.activity("crm", "deal", account_external_id="two")
    tenant.resolve()
    tenant.account("crm", "two", name="Two", domain="one.com")
    tenant.resolve()
    one = tenant.id_of("one", "account")
    assert tenant.golden("p")["account_id"] == one
    assert tenant.warehouse.rows("SELECT DISTINCT account_id FROM golden.activity") == [(one,)]


def test_an_activity_waits_for_its_person_and_then_belongs_to_them(tenant: Tenant) -> None:
    tenant.activity("crm", "call", person_external_id="a")
    tenant.resolve()
    assert tenant.warehouse.rows("SELECT person_id FROM golden.activity") == [(None,)]
    tenant.person("crm", "a", **EMAIL)
    tenant.resolve()
    assert tenant.warehouse.rows("SELECT person_id FROM golden.activity") == [(tenant.id_of("a"),)]
    tenant.drop("activity", "crm", "call")
    tenant.resolve()
    assert tenant.warehouse.rows("SELECT count(*) FROM golden.activity") == [(0,)]


def test_why_names_records_rules_keys_and_losing_values(tenant: Tenant) -> None:
    tenant.person("crm", "a", phone="+14155550100", first_name="Ann", last_name="Doe", **EMAIL)
    tenant.person("mail", "b", title="CTO", **EMAIL)
    tenant.person("export", "c", phone="+14155550100", first_name="Ann", last_name="Doe", title="Boss")
    tenant.resolve()
    told = why(tenant.warehouse.served, tenant.id_of("c"))
    rules = {record.external_id: record.rule for record in told.records}
    assert rules == {"a": "anchor", "b": "email", "c": "phone"}
    phone = next(key for key in told.keys if key.rule == "phone")
    assert (phone.records, phone.owners, phone.is_used) == (["crm:a", "export:c"], 2, True)
    title = told.fields["title"]
    assert title is not None
    assert (title.value, title.losers[0]["value"]) == ("CTO", "Boss")


@DUCKDB_ALONE
def test_evidence_says_through_whom_a_group_came_in(tenant: Tenant) -> None:
    """A record that only shares a mailbox with the one that shares the phone is in because of the phone."""
    ann = {"first_name": "Ann", "last_name": "Doe", "phone": "+14155550100"}
    for external_id in ("a", "b", "c"):
        tenant.person("crm", external_id, **EMAIL, **(ann if external_id == "a" else {}))
    tenant.person("mail", "x", email="ann@home.org", **ann)
    tenant.person("mail", "y", email="ann@home.org")
    tenant.resolve()
    assert tenant.link("x")["rule"] == tenant.link("y")["rule"] == "phone"
    assert tenant.link("x")["evidence"] == {"key": "+14155550100", "with": "crm:a"}
    assert tenant.link("y")["evidence"] == {"key": "+14155550100", "with": "crm:a", "through": "mail:x"}
    assert tenant.link("y")["confidence"] == 0.9


def test_why_says_who_carries_a_key_loosely(tenant: Tenant) -> None:
    tenant.person("crm", "a", **EMAIL)
    local, host = EMAIL["email"].split("@")
    tenant.person("mail", "b", email=f"{local}+news@{host}")
    tenant.resolve()
    keys = {key.value: key for key in why(tenant.warehouse.served, tenant.id_of("a")).keys}
    plain, tagged = keys[EMAIL["email"]], keys[f"{local}+news@{host}"]
    assert (plain.records, plain.loosely) == (["crm:a", "mail:b"], ["mail:b"])
    assert (tagged.records, tagged.loosely) == (["mail:b"], [])
