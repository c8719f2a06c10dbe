"""What a refinement does to canonical tables: happy path, changes, deletions, fan-outs, replays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.refine import check_contract, reconcile
from gtm_pipelines.refine.tenant import ForeignTenantError

if TYPE_CHECKING:
    from .conftest import Bench

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
    columns = "email, last_name, phone, account_external_id, properties, source, connector, tenant_id, source_updated_at, is_deleted"
    assert bench.table(f"SELECT {columns} FROM canonical.person") == [
        ("jane@acme.test", "Roe", "+442079460018", "a1", '{"score":7}', "crm", "vendor", "acme", datetime(2026, 1, 1, tzinfo=UTC), False)
    ]
    assert bench.table("SELECT _entity, _record_id, _merged_into, _references FROM canonical.person") == [
        ("Contact", "c1", "c9", '["mailer:m1"]')
    ]
    assert (report.total().read, report.total().written) == (1, 1)
    assert bench.take_pending() == [("person", "c1")]
    assert check_contract(bench.warehouse, "person") == []
