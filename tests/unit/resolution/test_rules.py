"""What makes two records one, and what must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.warehouses import DUCKDB_ALONE

if TYPE_CHECKING:
    from tests.unit.resolution.tenant import Tenant


def together(tenant: Tenant, *external_ids: str, kind: str = "person") -> bool:
    return any(set(external_ids) <= group for group in tenant.groups(kind))


@DUCKDB_ALONE
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ann@acme.com", "ann@acme.com", True),
        ("a.n.n+news@gmail.com", "ann@googlemail.com", True),
        ("ann+news@outlook.com", "ann@outlook.com", True),
        ("ann+news@acme.com", "ann@acme.com", True),  # who knows what Acme's server does with a plus: a weak rule
        ("a.nn@acme.com", "ann@acme.com", False),
        ("ann@acme.com", "аnn@acme.com", False),  # noqa: RUF001  the second starts with a Cyrillic letter
        ("ann@acme.com", "ánn@acme.com", False),
    ],
)
def test_one_mailbox_is_one_person_and_a_lookalike_is_another(
    tenant: Tenant,
    one: str,
    other: str,
    *,
    same: bool,
) -> None:
    tenant.person("crm", "1", email=one)
    tenant.person("mail", "2", email=other)
    tenant.resolve()
    assert together(tenant, "1", "2") is same


def test_a_tagged_address_is_joined_by_a_weaker_rule_and_not_where_names_disagree(tenant: Tenant) -> None:
    tenant.person("crm", "plain", email="ann@acme.com", first_name="Ann", last_name="Lombard")
    tenant.person("mail", "tagged", email="ann+news@acme.com")
    tenant.person("mail", "typo", email="ann+typo@acme.com", first_name="Ann", last_name="Lombrad")
    tenant.resolve()
    assert together(tenant, "plain", "typo")  # of two names nobody knows which one the nameless record has
    assert not together(tenant, "plain", "tagged")
    tenant.drop("person", "mail", "typo")
    tenant.resolve()
    assert together(tenant, "plain", "tagged")
    assert tenant.link("tagged")["rule"] == "email_tag"
    assert tenant.link("tagged")["evidence"] == {"key": "ann@acme.com", "with": "crm:plain"}


@DUCKDB_ALONE
def test_role_mailboxes_and_placeholder_domains_join_nobody(tenant: Tenant) -> None:
    for number, email in enumerate(["info@acme.com", "sales@acme.com", "sales+eu@acme.com", "a@example.com"]):
        tenant.person("crm", f"c{number}", email=email)
        tenant.person("mail", f"m{number}", email=email)
    tenant.resolve()
    assert all(len(group) == 1 for group in tenant.groups())


def test_a_mailbox_borne_by_more_than_four_names_is_shared_and_joins_nobody(tenant: Tenant) -> None:
    for number, name in enumerate(["Ann", "Ben", "Cid", "Dee"]):
        tenant.person("crm", f"p{number}", email="team7@acme.com", first_name=name, last_name="Doe")
    tenant.resolve()
    assert together(tenant, "p0", "p1", "p2", "p3")
    tenant.person("crm", "p4", email="team7@acme.com", first_name="Eve", last_name="Doe")
    tenant.resolve()
    assert all(len(group) == 1 for group in tenant.groups())
    tenant.drop("person", "crm", "p4")
    tenant.resolve()
    assert together(tenant, "p0", "p1", "p2", "p3")


@DUCKDB_ALONE
def test_a_phone_joins_agreeing_names_only(tenant: Tenant) -> None:
    phone = "+14155550100"
    tenant.person("crm", "bob", phone=phone, first_name="Bob", last_name="Müller")
    tenant.person("mail", "robert", phone=phone, first_name="Robert J.", last_name="Muller")
    tenant.person("mail", "typo", phone=phone, first_name="Robert", last_name="Mueller")
    tenant.person("mail", "ann", phone=phone, first_name="Ann", last_name="Muller")
    tenant.person("mail", "nameless", phone=phone)
    tenant.resolve()
    assert tenant.groups() == {frozenset({"bob", "robert", "typo"}), frozenset({"ann"}), frozenset({"nameless"})}
    assert tenant.link("typo")["rule"] == "phone_typo" or tenant.link("bob")["rule"] == "phone_typo"


@DUCKDB_ALONE
def test_a_switchboard_joins_nobody(tenant: Tenant) -> None:
    for number, name in enumerate(["Ann", "Ben", "Cid", "Dee", "Eve"]):
        tenant.person("crm", f"c{number}", phone="+14155550100", first_name=name, last_name="Doe")
        tenant.person("mail", f"m{number}", phone="+14155550100", first_name=name, last_name="Doe")
    tenant.resolve()
    assert all(len(group) == 1 for group in tenant.groups())


@DUCKDB_ALONE
def test_a_mailbox_that_spells_the_name_stands_for_it_where_the_phone_is_the_same(tenant: Tenant) -> None:
    phone = "+14155550100"
    tenant.person("crm", "bob", phone=phone, first_name="Bob", last_name="Müller")
    tenant.person("mail", "nameless", phone=phone, email="robert.muller7@gmail.com")
    tenant.person("mail", "half", phone=phone, email="robert_muller+x@web.de", last_name="Muller")
    tenant.person("mail", "other", phone=phone, email="robert.muller8@gmail.com", first_name="Ann")
    tenant.resolve()
    assert tenant.groups() == {frozenset({"bob", "nameless", "half"}), frozenset({"other"})}
    assert tenant.link("nameless")["rule"] == "phone_read"


@DUCKDB_ALONE
def test_a_mailbox_that_spells_the_name_without_the_typo_stands_for_it_at_the_same_account(tenant: Tenant) -> None:
    tenant.account("crm", "a", name="Acme", domain="acme.com")
    tenant.person("crm", "right", email="caren@acme.com", first_name="Caren", last_name="Allen")
    tenant.person(
        "crm", "typo", email="caren.allen@gmail.com", first_name="Craen", last_name="Allen", account_external_id="a"
    )
    tenant.person(
        "crm", "mute", email="callen2@gmail.com", first_name="Craen", last_name="Allen", account_external_id="a"
    )
    tenant.resolve()
    assert together(tenant, "right", "typo")
    assert together(tenant, "typo", "mute")
    assert {tenant.link(name)["rule"] for name in ("right", "typo", "mute")} == {
        "anchor",
        "name_account",
        "name_account_read",
    }


@DUCKDB_ALONE
def test_a_value_that_is_no_e164_number_is_no_key(tenant: Tenant) -> None:
    for external_id in ("1", "2"):
        tenant.person("crm", external_id, phone="+0", first_name="Ann", last_name="Doe")
    tenant.resolve()
    assert not together(tenant, "1", "2")


@DUCKDB_ALONE
def test_vendor_references_join_across_connectors(tenant: Tenant) -> None:
    tenant.person("crm", "c1", _references=["customerio:m1", "customerio:nowhere"])
    tenant.person("mail", "m1")
    tenant.resolve()
    assert together(tenant, "c1", "m1")
    assert tenant.link("m1")["evidence"] | tenant.link("c1")["evidence"]


def test_a_reference_to_a_record_that_arrives_later_joins_then(tenant: Tenant) -> None:
    tenant.person("crm", "c1", _references=["customerio:m1"])
    tenant.resolve()
    tenant.person("mail", "m1")
    tenant.resolve()
    assert together(tenant, "c1", "m1")


def test_a_reference_to_a_record_that_was_there_first_joins_too(tenant: Tenant) -> None:
    tenant.person("mail", "m1")
    tenant.resolve()
    tenant.person("crm", "c1", _references=["customerio:m1"])
    tenant.resolve()
    assert together(tenant, "c1", "m1")


def test_a_reference_found_in_two_connections_is_ambiguous(tenant: Tenant) -> None:
    tenant.person("mail", "m1", _references=["salesforce:c1"])
    tenant.person("crm", "c1")
    tenant.resolve()
    assert len(tenant.groups()) == 1
    tenant.person("crm_two", "c1", _record_id="other")
    tenant.resolve()
    assert tenant.warehouse.rows("SELECT count(DISTINCT person_id) FROM golden.person_link") == [(3,)]


@DUCKDB_ALONE
def test_a_reference_to_ones_own_connector_stays_in_ones_own_connection(tenant: Tenant) -> None:
    tenant.person("crm", "lead", _references=["salesforce:contact"])
    tenant.person("crm", "contact")
    tenant.person("crm_two", "contact2")
    tenant.person("crm_two", "lead2", _references=["salesforce:contact"])
    tenant.resolve()
    assert tenant.groups() == {frozenset({"lead", "contact"}), frozenset({"contact2"}), frozenset({"lead2"})}


def test_a_record_merged_by_its_vendor_follows_the_winner(tenant: Tenant) -> None:
    tenant.person("crm", "winner", email="ann@acme.com")
    tenant.person("crm", "loser", email="old@acme.com")
    tenant.resolve()
    assert not together(tenant, "winner", "loser")
    tenant.person("crm", "loser", email="old@acme.com", is_deleted=True, _merged_into="winner")
    tenant.resolve()
    assert together(tenant, "winner", "loser")
    assert tenant.golden("winner")["is_deleted"] is False


def test_same_name_at_the_same_golden_account_is_one_person_unless_two_mailboxes_say_otherwise(tenant: Tenant) -> None:
    tenant.account("crm", "a1", domain="acme.com")
    tenant.account("export", "a2", domain="acme.com")
    ann = {"first_name": "Ann", "last_name": "Doe"}
    tenant.person("crm", "1", account_external_id="a1", **ann)
    tenant.person("export", "2", account_external_id="a2", **ann)
    tenant.person("mail", "3", email="ann@eu.acme.com", **ann)  # at Acme by the mail domain
    tenant.resolve()
    assert together(tenant, "1", "2", "3")
    tenant.person("mail", "4", email="ann.doe@eu.acme.com", **ann)
    tenant.resolve()
    assert all(len(group) == 1 for group in tenant.groups())


def test_an_employer_stated_by_name_leads_to_the_one_account_of_that_name(tenant: Tenant) -> None:
    ann = {"first_name": "Ann", "last_name": "Doe"}
    tenant.person("mail", "work", email="ann@acme.com", **ann)
    tenant.person("mail", "private", email="ann.doe@gmail.com", properties='{"company": "ACME, Inc."}', **ann)
    tenant.resolve()
    assert not together(tenant, "work", "private")
    tenant.account("crm", "a", name="Acme", domain="acme.com")
    tenant.resolve()
    assert together(tenant, "work", "private")
    assert "name_account_read" in {tenant.link("work")["rule"], tenant.link("private")["rule"]}
    tenant.account("crm", "b", name="Acme", domain="acme.io")
    tenant.resolve()
    assert not together(tenant, "work", "private")  # which Acme?
    assert tenant.golden("private")["account_id"] is None
    tenant.account("crm", "b", name="Bolt", domain="acme.io")
    tenant.resolve()
    assert tenant.golden("private")["account_id"] == tenant.id_of("a", "account")


@DUCKDB_ALONE
@pytest.mark.parametrize("company", ['"ACME"', '["Acme"]', '{"name": "Acme"}', "null", "12"])
def test_an_employer_is_a_text_and_anything_else_says_nothing(tenant: Tenant, company: str) -> None:
    tenant.account("crm", "a", name="Acme", domain="acme.com")
    tenant.person("mail", "1", first_name="Ann", properties=f'{{"company": {company}}}')
    tenant.resolve()
    assert (tenant.golden("1")["account_id"] is not None) is (company == '"ACME"')


def test_a_name_in_more_than_six_mailboxes_at_one_account_is_borne_by_several_people(tenant: Tenant) -> None:
    tenant.account("crm", "a", name="Acme", domain="acme.com")
    ann = {"first_name": "Ann", "last_name": "Doe", "account_external_id": "a"}
    for number in range(9):
        tenant.person("crm", f"same{number}", email="ann@gmail.com", **ann)
    tenant.person("crm", "none", **ann)
    tenant.resolve()
    assert len(tenant.groups()) == 1
    for number in range(5):
        tenant.person("crm", f"other{number}", email=f"ann{number}@gmail.com", **ann)
    tenant.resolve()
    assert not together(tenant, "same0", "none")
    assert together(tenant, "same0", "same8")


@DUCKDB_ALONE
def test_a_tagged_address_is_no_contradiction_to_the_plain_one(tenant: Tenant) -> None:
    tenant.account("crm", "a", domain="acme.com")
    tenant.person("crm", "1", email="ann@acme.com", first_name="Ann", last_name="Doe")
    tenant.person("mail", "2", email="ann+news@acme.com", first_name="Ann", last_name="Doe")
    tenant.resolve()
    assert together(tenant, "1", "2")


@DUCKDB_ALONE
def test_a_weak_key_never_bridges_groups_that_contradict_each_other(tenant: Tenant) -> None:
    """A phone without mailbox between two colleagues of one name would make one person of two."""
    john = {"first_name": "John", "last_name": "Smith", "phone": "+14155550100"}
    tenant.person("crm", "father", email="john@acme.com", **john)
    tenant.person("crm", "son", email="john2@acme.com", **john)
    tenant.person("mail", "bridge", **john)
    tenant.resolve()
    assert all(len(group) == 1 for group in tenant.groups())


@DUCKDB_ALONE
def test_two_mailboxes_at_different_companies_are_a_job_change_not_a_contradiction(tenant: Tenant) -> None:
    john = {"first_name": "John", "last_name": "Smith", "phone": "+14155550100"}
    tenant.person("crm", "then", email="john@acme.com", **john)
    tenant.person("crm", "now", email="john@bolt.com", **john)
    tenant.resolve()
    assert together(tenant, "then", "now")


def test_accounts_join_by_domain_and_by_name_but_never_two_domains_by_name(tenant: Tenant) -> None:
    tenant.account("crm", "1", name="Acme, Inc.", domain="acme.com")
    tenant.account("export", "2", name="ACME Corporation", domain="acme.com")
    tenant.account("mail", "3", name="Acme")
    tenant.resolve()
    assert together(tenant, "1", "2", "3", kind="account")
    tenant.account("crm_two", "4", name="Acme GmbH", domain="acme.de")
    tenant.resolve()
    assert tenant.groups("account") == {frozenset({"1", "2"}), frozenset({"3"}), frozenset({"4"})}


@DUCKDB_ALONE
@pytest.mark.parametrize("domain", ["gmail.com", "facebook.com"])
def test_a_domain_that_is_nobodys_joins_no_accounts(tenant: Tenant, domain: str) -> None:
    tenant.account("crm", "1", name="Ann's Bakery", domain=domain)
    tenant.account("crm", "2", name="Ben's Garage", domain=domain)
    tenant.resolve()
    assert not together(tenant, "1", "2", kind="account")


@DUCKDB_ALONE
def test_placeholder_company_names_join_nobody(tenant: Tenant) -> None:
    for external_id in ("1", "2"):
        tenant.account("crm", external_id, name="Self-Employed")
    tenant.resolve()
    assert not together(tenant, "1", "2", kind="account")


def test_rows_of_another_tenant_are_never_joined(tenant: Tenant) -> None:
    tenant.person("crm", "ours", email="ann@acme.com")
    tenant.person("mail", "theirs", email="ann@acme.com", tenant_id="bolt")
    tenant.resolve()
    assert tenant.groups() == {frozenset({"ours"})}
    tenant.resolve(full=True)
    assert tenant.groups() == {frozenset({"ours"})}
