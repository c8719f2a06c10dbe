"""What a refinement does to canonical tables: happy path, changes, deletions, fan-outs, replays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.refine import RefineInput, check_contract, reconcile, refine_tenant
from gtm_pipelines.refine.tenant import ForeignTenantError
from quality.mapping import parse_mapping
from tests.unit.refine.bench import TOMBSTONE

if TYPE_CHECKING:
    from tests.unit.refine.bench import Bench

CONTACTS = """
entities:
  Contact:
    - target: person
      fields: {email: Email, last_name: LastName, phone: [Phone, Mobile], account_external_id: AccountId}
      merged_into: MasterRecordId
      references: [{connector: mailer, source: MailerId}]
      properties: {score: Score}
"""


def test_a_record_becomes_a_typed_row_with_its_provenance(bench: Bench) -> None:
    record = {"Email": " Jane@ACME.test ", "LastName": "Roe", "Mobile": "+44 20 7946 0018", "AccountId": "a1"}
    bench.land("Contact", {"c1": record | {"MasterRecordId": "c9", "MailerId": "m1", "Score": 7}})
    report = bench.refine(CONTACTS)
    columns = (
        "email, last_name, phone, account_external_id, properties, "
        "source, connector, tenant_id, source_updated_at, is_deleted"
    )
    assert bench.table(f"SELECT {columns} FROM canonical.person") == [
        (
            "jane@acme.test",
            "Roe",
            "+442079460018",
            "a1",
            '{"score":7}',
            "crm",
            "vendor",
            "acme",
            datetime(2026, 1, 1, tzinfo=UTC),
            False,
        )
    ]
    assert bench.table("SELECT _entity, _record_id, _merged_into, _references FROM canonical.person") == [
        ("Contact", "c1", "c9", '["mailer:m1"]')
    ]
    assert (report.total().read, report.total().written) == (1, 1)
    assert bench.take_pending() == [("person", "c1")]
    assert check_contract(bench.warehouse, "person") == []


def test_refining_again_touches_nothing(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test"}, "c2": {"Email": "b@x.test"}})
    bench.refine(CONTACTS)
    before = bench.table("SELECT * FROM canonical.person ORDER BY external_id")
    bench.take_pending()
    assert bench.refine(CONTACTS).entities == []
    assert bench.refine(CONTACTS, full=True).total().unchanged == 2
    assert bench.table("SELECT * FROM canonical.person ORDER BY external_id") == before
    assert bench.take_pending() == []


def test_only_what_changed_is_written_and_handed_on(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test"}, "c2": {"Email": "b@x.test"}})
    bench.refine(CONTACTS)
    bench.take_pending()
    bench.land("Contact", {"c2": {"Email": "new@x.test"}, "c3": {"Email": "c@x.test"}})
    report = bench.refine(CONTACTS)
    assert (report.total().read, report.total().written) == (2, 2)
    assert bench.take_pending() == [("person", "c2"), ("person", "c3")]
    assert bench.live("person", "email") == [("c1", "a@x.test"), ("c2", "new@x.test"), ("c3", "c@x.test")]


def test_a_changed_record_whose_mapped_fields_are_equal_is_not_handed_on(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test", "Fax": "1"}})
    bench.refine(CONTACTS)
    bench.take_pending()
    bench.land("Contact", {"c1": {"Email": "a@x.test", "Fax": "2"}})
    assert bench.refine(CONTACTS).total().unchanged == 1
    assert bench.take_pending() == []


def test_a_deletion_keeps_the_last_values_and_is_handed_on_once(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test"}})
    bench.refine(CONTACTS)
    bench.take_pending()
    bench.land("Contact", {"c1": {"Email": "a@x.test"}}, deleted=True)
    assert bench.refine(CONTACTS).total().deleted == 1
    assert bench.table("SELECT email, is_deleted FROM canonical.person") == [("a@x.test", True)]
    assert bench.take_pending() == [("person", "c1")]
    assert bench.refine(CONTACTS, full=True).total().deleted == 0
    assert bench.take_pending() == []


def test_a_tombstone_without_payload_deletes_what_was_there(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test"}})
    bench.refine(CONTACTS)
    bench.land("Contact", {"c1": TOMBSTONE, "never_seen": TOMBSTONE})
    assert bench.refine(CONTACTS).total().deleted == 1
    assert bench.gone("person") == ["c1"]
    assert reconcile(bench.warehouse)[0].missing == 0


def test_a_deleted_record_that_comes_back_lives_again(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test"}})
    bench.refine(CONTACTS)
    bench.land("Contact", {"c1": TOMBSTONE})
    bench.refine(CONTACTS)
    bench.take_pending()
    bench.land("Contact", {"c1": {"Email": "a@x.test"}})
    bench.refine(CONTACTS)
    assert bench.live("person", "email") == [("c1", "a@x.test")]
    assert bench.take_pending() == [("person", "c1")]


MEETINGS = """
entities:
  Meeting:
    - target: activity
      fields: {type: {const: meeting}, occurred_at: start}
    - target: person
      name: organiser
      external_id: {join: [id, organiser.email], separator: "/"}
      fields: {email: organiser.email}
    - target: person
      name: attendee
      for_each: attendees
      external_id: {join: [id, "@.email"], separator: "/"}
      fields: {email: "@.email", last_name: "@.name"}
"""


def meeting(*attendees: str) -> dict[str, object]:
    people = [{"email": f"{name}@x.test", "name": name} for name in attendees]
    return {"id": "m1", "start": "2026-01-01T10:00:00Z", "organiser": {"email": "boss@x.test"}, "attendees": people}


def test_a_record_fans_out_into_rows_of_several_kinds(bench: Bench) -> None:
    bench.land("Meeting", {"m1": meeting("ann", "bob")})
    bench.refine(MEETINGS)
    assert bench.live("person", "last_name") == [
        ("m1/ann@x.test", "ann"),
        ("m1/bob@x.test", "bob"),
        ("m1/boss@x.test", None),
    ]
    assert bench.live("activity", "occurred_at") == [("m1", datetime(2026, 1, 1, 10, tzinfo=UTC))]


def test_a_fan_out_row_that_vanishes_is_deleted_and_the_others_are_not_touched(bench: Bench) -> None:
    bench.land("Meeting", {"m1": meeting("ann", "bob")})
    bench.refine(MEETINGS)
    bench.take_pending()
    bench.land("Meeting", {"m1": meeting("bob", "cid")})
    bench.refine(MEETINGS)
    assert bench.gone("person") == ["m1/ann@x.test"]
    assert bench.take_pending() == [("person", "m1/ann@x.test"), ("person", "m1/cid@x.test")]
    bench.land("Meeting", {"m1": TOMBSTONE})
    bench.refine(MEETINGS)
    assert bench.live("person") == bench.live("activity") == []


def test_a_changed_mapping_replays_its_own_entity_and_no_other(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test", "Alias": "z@x.test"}})
    bench.land("Meeting", {"m1": meeting("ann")})
    together = CONTACTS + MEETINGS.split("entities:")[1]
    bench.refine(together)
    bench.take_pending()
    report = bench.refine(together.replace("email: Email", "email: Alias"))
    assert [(entity.entity, entity.replayed, entity.read) for entity in report.entities] == [("Contact", True, 1)]
    assert bench.live("person", "email")[0] == ("c1", "z@x.test")
    assert bench.take_pending() == [("person", "c1")]


def test_another_region_for_national_numbers_is_a_replay_too(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Phone": "020 7946 0018"}})
    bench.refine(CONTACTS, region="DE")
    assert bench.live("person", "phone") == [("c1", "+492079460018")]
    bench.refine(CONTACTS, region="GB")
    assert bench.live("person", "phone") == [("c1", "+442079460018")]


def test_a_target_taken_out_of_the_mapping_takes_its_rows_with_it(bench: Bench) -> None:
    bench.land("Meeting", {"m1": meeting("ann")})
    bench.refine(MEETINGS)
    bench.take_pending()
    only_people = MEETINGS.replace(
        "    - target: activity\n      fields: {type: {const: meeting}, occurred_at: start}\n", ""
    )
    bench.refine(only_people)
    assert bench.gone("activity") == ["m1"]
    assert bench.take_pending() == [("activity", "m1")]
    bench.refine("entities: {Meeting: []}")
    assert bench.live("person") == []
    assert reconcile(bench.warehouse)[0].unmapped == 1


def test_a_replay_deletes_rows_whose_raw_record_was_erased(bench: Bench) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test"}, "c2": {"Email": "b@x.test"}})
    bench.refine(CONTACTS)
    bench.warehouse.execute("DELETE FROM raw_crm.contact WHERE external_id = 'c2'")
    bench.refine(CONTACTS, full=True)
    assert bench.gone("person") == ["c2"]


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_the_result_does_not_depend_on_how_many_records_are_taken_at_once(bench: Bench, chunk: int) -> None:
    records = {f"c{n}": {"Email": f"p{n}@x.test" if n % 3 else "bad"} for n in range(7)}
    bench.land("Contact", records)
    bench.land("Contact", {"c2": {"Email": "changed@x.test"}, "c8": {"Email": "p8@x.test"}})
    report = bench.refine(CONTACTS, chunk=chunk)
    assert (report.total().read, report.total().written) == (8, 8)
    expected = [(f"c{n}", f"p{n}@x.test" if n % 3 else None) for n in range(7)] + [("c8", "p8@x.test")]
    expected[2] = ("c2", "changed@x.test")
    assert bench.live("person", "email") == expected
    assert [entry[0] for entry in bench.quarantine()] == ["c0", "c3", "c6"]


def test_a_failure_half_way_leaves_the_entity_as_it_was(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.land("Contact", {"c1": {"Email": "a@x.test"}})
    bench.refine(CONTACTS)
    bench.take_pending()
    bench.land("Contact", {"c1": {"Email": "b@x.test"}, "c2": {"Email": "bad"}})

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr("gtm_pipelines.refine.entity._settle", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            bench.refine(CONTACTS)
    assert bench.live("person", "email") == [("c1", "a@x.test")]
    assert bench.take_pending() == bench.quarantine() == []
    bench.refine(CONTACTS)
    assert bench.live("person", "email") == [("c1", "b@x.test"), ("c2", None)]


def test_rows_of_one_tenant_never_enter_the_warehouse_of_another(bench: Bench) -> None:

    with pytest.raises(ForeignTenantError, match="belongs to 'acme'"):
        refine_tenant(bench.warehouse, "globex", [], clock=bench.now)


def test_connections_of_one_connector_keep_their_rows_apart(bench: Bench) -> None:

    bench.land("Contact", {"c1": {"Email": "a@x.test"}})
    bench.land("Contact", {"c1": {"Email": "b@x.test"}}, connection="crm_eu")
    mapping = parse_mapping(CONTACTS)
    both = [RefineInput("crm", "vendor", mapping), RefineInput("crm_eu", "vendor", mapping)]
    refine_tenant(bench.warehouse, "acme", both, clock=bench.now)
    assert bench.table("SELECT source, email FROM canonical.person ORDER BY 1") == [
        ("crm", "a@x.test"),
        ("crm_eu", "b@x.test"),
    ]
    assert bench.quarantine() == []
