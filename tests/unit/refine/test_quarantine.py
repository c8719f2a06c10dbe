"""What does not fit: nothing is silently nulled or dropped, and everything refused finds its way back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.refine import Reconciled, check_contract, reconcile
from tests.warehouses import DUCKDB_ALONE

if TYPE_CHECKING:
    from tests.unit.refine.bench import Bench

MAPPING = """
entities:
  Contact:
    - target: person
      external_id: Key
      fields: {email: Email, phone: Phone, last_name: LastName}
  Account:
    - target: account
      fields: {name: Name, employee_count: Staff, annual_revenue: Revenue, domain: Website}
  Call:
    - target: activity
      when: {path: Kind, in: [call, sms]}
      fields: {type: Kind, occurred_at: At}
  Secret: []
"""


def test_an_unusable_optional_value_is_set_aside_and_the_row_lands(bench: Bench) -> None:
    bench.land("Contact", {"1": {"Key": "1", "Email": "not an address", "Phone": "call me", "LastName": "Roe"}})
    report = bench.refine(MAPPING)
    assert bench.live("person", "email", "phone", "last_name") == [("1", None, None, "Roe")]
    assert bench.quarantine() == [
        ("1", "1", "email", "format", "not an address", "field"),
        ("1", "1", "phone", "not_a_phone", "call me", "field"),
    ]
    assert report.total().rejected == 0


@DUCKDB_ALONE
def test_numbers_that_cannot_be_read_or_break_their_range_say_which_rule(bench: Bench) -> None:
    bench.land(
        "Account",
        {
            "1": {"Name": "A", "Staff": "11-50", "Revenue": "1,200.50"},
            "2": {"Name": "B", "Staff": -5, "Revenue": "NaN"},
            "3": {"Name": "C", "Staff": {"min": 1}, "Revenue": True, "Website": "no site"},
            "4": {"Name": "D", "Staff": "12.0", "Revenue": 5e6, "Website": "https://www.d.co.uk/"},
        },
    )
    bench.refine(MAPPING)
    assert bench.live("account", "employee_count", "annual_revenue", "domain") == [
        ("1", None, 1200.5, None),
        ("2", None, None, None),
        ("3", None, None, None),
        ("4", 12, 5_000_000.0, "d.co.uk"),
    ]
    assert [(entry[0], entry[2], entry[3], entry[4]) for entry in bench.quarantine()] == [
        ("1", "employee_count", "not_an_integer", "11-50"),
        ("2", "annual_revenue", "not_a_number", "NaN"),
        ("2", "employee_count", "range", "-5"),
        ("3", "annual_revenue", "not_a_number", "true"),
        ("3", "domain", "not_a_domain", "no site"),
        ("3", "employee_count", "not_scalar", '{"min":1}'),
    ]
    assert check_contract(bench.warehouse, "account") == []


def test_a_row_without_a_required_value_is_rejected_with_one_reason(bench: Bench) -> None:
    bench.land("Account", {"1": {"Name": " "}, "2": {"Name": ["x"]}})
    bench.land("Contact", {"9": {"Email": "a@x.test"}})
    bench.land("Call", {"c": {"Kind": "call", "At": "yesterday"}})
    report = bench.refine(MAPPING)
    assert bench.live("account") == bench.live("person") == bench.live("activity") == []
    assert bench.quarantine() == [
        ("1", "1", "name", "required", None, "row"),
        ("2", "2", "name", "not_scalar", '["x"]', "row"),
        ("9", None, "external_id", "required", None, "row"),
        ("c", "c", "occurred_at", "not_a_timestamp", "yesterday", "row"),
    ]
    assert report.total().rejected == 4


def test_an_entry_is_retried_when_its_record_changes(bench: Bench) -> None:
    bench.land("Account", {"1": {"Name": None}, "2": {"Name": None}})
    bench.refine(MAPPING)
    bench.land("Account", {"1": {"Name": "Acme"}})
    bench.refine(MAPPING)
    assert bench.live("account", "name") == [("1", "Acme")]
    assert [entry[0] for entry in bench.quarantine()] == ["2"]
    assert [entry[0] for entry in bench.quarantine("resolved")] == ["1"]


def test_an_entry_is_retried_when_its_mapping_changes(bench: Bench) -> None:
    bench.land("Account", {"1": {"Title": "Acme"}})
    bench.refine(MAPPING)
    bench.refine(MAPPING.replace("name: Name", "name: [Name, Title]"))
    assert bench.live("account", "name") == [("1", "Acme")]
    assert bench.quarantine() == []


def test_an_entry_seen_again_keeps_when_it_was_first_seen(bench: Bench) -> None:
    bench.land("Account", {"1": {"Name": "A", "Staff": "few"}})
    bench.refine(MAPPING)
    bench.land("Account", {"1": {"Name": "A", "Staff": "many"}})
    bench.refine(MAPPING)
    ((first, last, value),) = bench.table("SELECT first_seen, last_seen, value FROM quality.quarantine")
    assert last - first >= timedelta(hours=1)
    assert value == "many"


def test_a_rejected_new_version_leaves_the_last_good_row_but_a_deletion_still_passes(bench: Bench) -> None:
    bench.land("Account", {"1": {"Name": "Acme"}})
    bench.refine(MAPPING)
    bench.land("Account", {"1": {"Name": ""}})
    bench.refine(MAPPING)
    assert bench.live("account", "name") == [("1", "Acme")]
    bench.land("Account", {"1": {"Name": ""}}, deleted=True)
    bench.refine(MAPPING)
    assert bench.gone("account") == ["1"]


def test_a_row_whose_key_cannot_be_read_leaves_its_records_rows_alone(bench: Bench) -> None:
    bench.land("Contact", {"1": {"Key": "k", "LastName": "Roe"}})
    bench.refine(MAPPING)
    bench.land("Contact", {"1": {"LastName": "Doe"}})
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", "Roe")]


def test_the_second_claim_on_a_key_is_refused_in_the_same_load_and_in_later_ones(bench: Bench) -> None:
    bench.land("Contact", {"1": {"Key": "k", "LastName": "First"}, "2": {"Key": "k", "LastName": "Second"}})
    bench.refine(MAPPING)
    bench.land("Contact", {"3": {"Key": "k", "LastName": "Third"}})
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", "First")]
    refused = [(entry[0], entry[3]) for entry in bench.quarantine()]
    assert refused == [("2", "duplicate_key"), ("3", "duplicate_key")]


def test_the_owner_of_a_key_may_change_while_others_claim_it(bench: Bench) -> None:
    bench.land("Contact", {"2": {"Key": "k", "LastName": "Owner"}})
    bench.refine(MAPPING)
    bench.land("Contact", {"1": {"Key": "k", "LastName": "Thief"}, "2": {"Key": "k", "LastName": "Renamed"}})
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", "Renamed")]
    assert [entry[0] for entry in bench.quarantine()] == ["1"]


def test_a_refused_claim_is_honoured_when_the_owner_lets_go(bench: Bench) -> None:
    bench.land("Contact", {"1": {"Key": "k", "LastName": "First"}, "2": {"Key": "k", "LastName": "Second"}})
    bench.refine(MAPPING)
    bench.land("Contact", {"1": {"Key": "other", "LastName": "First"}})
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", "Second"), ("other", "First")]
    assert bench.quarantine() == []
    assert check_contract(bench.warehouse, "person") == []


@pytest.mark.parametrize(("owner", "claimant"), [("Contact", "Lead"), ("Lead", "Contact")])
def test_two_entities_may_not_share_a_key_either(bench: Bench, owner: str, claimant: str) -> None:
    one = "[{target: person, external_id: Key, fields: {last_name: Name}}]"
    mapping = f"entities: {{Contact: {one}, Lead: {one}}}"
    bench.land(owner, {"1": {"Key": "k", "Name": "Owner"}})
    bench.refine(mapping)
    bench.land(claimant, {"2": {"Key": "k", "Name": "Claimant"}})
    bench.refine(mapping)
    assert bench.live("person", "last_name") == [("k", "Owner")]
    bench.land(owner, {"1": {"Key": "k", "Name": "Owner"}}, deleted=True)
    bench.refine(mapping)
    assert bench.live("person", "last_name") == [("k", "Claimant")]
    assert bench.table("SELECT entity, record_id, reason FROM quality.unmapped") == [(owner, "1", "key_passed_on")]
    assert {entity.missing for entity in reconcile(bench.warehouse)} == {0}
    assert bench.refine(mapping).entities == []


def test_deleted_records_that_share_a_key_do_not_take_it_from_each_other(bench: Bench) -> None:
    both = {"1": {"Key": "k", "LastName": "First"}, "2": {"Key": "k", "LastName": "Second"}}
    bench.land("Contact", both)
    bench.refine(MAPPING)
    bench.land("Contact", both, deleted=True)
    bench.refine(MAPPING)
    assert bench.gone("person") == ["k"]
    bench.take_pending()
    for chunk in (1, 2, 100):
        assert bench.refine(MAPPING, full=True, chunk=chunk).total().written == 0
    assert bench.take_pending() == []
    assert reconcile(bench.warehouse) == [Reconciled("crm", "Contact", 2, 1, 1, 0, missing=0)]


@DUCKDB_ALONE
def test_a_record_that_says_one_thing_twice_is_no_fault(bench: Bench) -> None:
    target = "{target: person, for_each: who, external_id: '@.email', fields: {email: '@.email', last_name: '@.n'}}"
    mapping = f"entities: {{M: [{target}]}}"
    twice = {"email": "a@x.test", "n": "A"}
    bench.land(
        "M", {"1": {"who": [twice, twice]}, "2": {"who": [{"email": "b@x.test"}, {"email": "b@x.test", "n": "B"}]}}
    )
    bench.refine(mapping)
    assert [entry[1] for entry in bench.quarantine()] == ["b@x.test"]
    assert len(bench.live("person")) == 2


def test_what_ingest_could_not_read_is_settled_only_by_a_newer_version(bench: Bench) -> None:
    bench.land("Account", {"1": {"Name": "Acme"}})
    bench.refine(MAPPING)
    at = bench.now()
    bench.warehouse.execute(
        "INSERT INTO quality.quarantine BY NAME SELECT 'crm' AS connection, 'Account' AS entity, '1' AS record_id, "
        "'unreadable:too_deep' AS rule, ?::TIMESTAMPTZ AS first_seen, ?::TIMESTAMPTZ AS last_seen",
        [at, at],
    )
    bench.refine(MAPPING, full=True)
    assert [entry[3] for entry in bench.quarantine()] == ["unreadable:too_deep"]
    assert reconcile(bench.warehouse)[0].canonical == 1
    bench.land("Account", {"1": {"Name": "Acme 2"}})
    bench.refine(MAPPING)
    assert bench.quarantine() == []


def test_every_raw_record_is_accounted_for(bench: Bench) -> None:
    bench.land("Contact", {"1": {"Key": "k"}, "2": {"Key": "k"}, "3": {"Key": "l", "Email": "bad"}, "4": "tombstone"})
    bench.land("Call", {"a": {"Kind": "call", "At": 1767225600}, "b": {"Kind": "email"}, "c": {"Kind": "sms"}})
    bench.land("Secret", {"s": {}, "t": {}})
    bench.land("Surprise", {"x": {}})
    report = bench.refine(MAPPING)
    assert reconcile(bench.warehouse) == [
        Reconciled("crm", "Call", raw=3, canonical=1, quarantine=1, unmapped=1, missing=0),
        Reconciled("crm", "Contact", raw=4, canonical=2, quarantine=1, unmapped=1, missing=0),
        Reconciled("crm", "Secret", raw=2, canonical=0, quarantine=0, unmapped=2, missing=0),
        Reconciled("crm", "Surprise", raw=1, canonical=0, quarantine=0, unmapped=1, missing=0),
    ]
    assert {entity.entity: entity.mapped for entity in report.entities} == {
        "Call": "mapped", "Contact": "mapped", "Secret": "left_out", "Surprise": "unknown",
    }  # fmt: skip
    assert bench.table("SELECT entity, record_id, reason FROM quality.unmapped ORDER BY ALL") == [
        ("Call", "b", "when"),
        ("Contact", "4", "tombstone"),
        ("Secret", None, "left_out"),
        ("Surprise", None, "not_in_mapping"),
    ]


def test_a_canonical_row_lost_behind_our_back_is_found_missing(bench: Bench) -> None:
    bench.land("Contact", {"1": {"Key": "1"}, "2": {"Key": "2"}})
    bench.refine(MAPPING)
    bench.warehouse.execute("DELETE FROM canonical.person WHERE external_id = '2'")
    assert reconcile(bench.warehouse) == [Reconciled("crm", "Contact", 2, 1, 0, 0, missing=1)]
    bench.land("Contact", {"3": {"Key": "3"}})
    assert reconcile(bench.warehouse)[0].missing == 2


def test_the_contract_check_finds_what_was_put_into_a_table_behind_our_back(bench: Bench) -> None:
    bench.land("Contact", {"1": {"Key": "1"}, "2": {"Key": "2"}})
    bench.refine(MAPPING)
    bench.warehouse.execute("UPDATE canonical.person SET email = 'NOT OK'")
    bench.warehouse.execute("INSERT INTO canonical.person SELECT * FROM canonical.person WHERE external_id = '1'")
    found = check_contract(bench.warehouse, "person", batch=1)
    assert [(fault.field, fault.rule, fault.rows) for fault in found] == [
        ("email", "format", 3),
        ("external_id", "unique", 1),
    ]
