"""What shipped mappings make of records that no sandbox has, as the vendors' own documentation shows them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from connectors import registry
from quality.mapping import compile_projection, load_mapping

AT = datetime(2026, 1, 1, tzinfo=UTC)


def mapped(vendor: str, entity: str, record: dict[str, Any], target: str) -> dict[str, Any]:
    """Return the row that one target makes of a record."""
    (chosen,) = (
        each for each in load_mapping(registry.mapping_path(vendor)).targets(entity) or () if each.label == target
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            "CREATE TABLE raw_batch AS SELECT ? AS external_id, ?::TIMESTAMPTZ AS source_updated_at,"
            " false AS is_deleted, ?::JSON AS payload",
            [record["id"], AT, json.dumps(record)],
        )
        sql = compile_projection(chosen, entity=entity, source="s", connector=vendor, tenant="acme", region="US")
        result = connection.execute(sql)
        (row,) = result.fetchall()
        names = [column[0] for column in result.description or []]
    found: dict[str, Any] = dict(zip(names, row, strict=True))
    return found


@pytest.mark.parametrize(
    ("given", "name"),
    [({}, "cus_1"), ({"name": ""}, "cus_1"), ({"email": "b@acme.test"}, "b@acme.test"), ({"name": "Acme"}, "Acme")],
)
def test_a_stripe_customer_with_nothing_but_an_id_is_an_account_still(given: dict[str, str], name: str) -> None:
    """An account without a name is refused, and with it what was charged would belong to nobody."""
    empty = {"name": None, "email": None, "description": None, "business_name": None}
    assert mapped("stripe", "customers", {"id": "cus_1", **empty, **given}, "account")["name"] == name


def test_a_stripe_invoice_is_dated_by_when_it_came_to_be_what_it_is() -> None:
    times = {"finalized_at": 1_767_225_700, "marked_uncollectible_at": 1_769_904_000, "paid_at": None}
    invoice = {"id": "in_1", "object": "invoice", "status": "uncollectible", "created": 1_767_225_600}
    row = mapped("stripe", "invoices", {**invoice, "status_transitions": times}, "activity")
    assert (row["type"], row["occurred_at"]) == ("invoice_uncollectible", datetime(2026, 2, 1, tzinfo=UTC))


def test_a_close_meetings_person_is_the_first_contact_among_its_attendees() -> None:
    """Close leaves a meeting's own contact_id empty, and the user who invited may stand first."""
    attendees = [{"contact_id": None, "user_id": "user_1"}, {"contact_id": "cont_1"}, {"contact_id": "cont_2"}]
    meeting = {"id": "acti_1", "_type": "Meeting", "contact_id": None, "attendees": attendees, "title": "Intro"}
    row = mapped("close", "activities", {**meeting, "date_created": "2026-03-02T08:15:30+00:00"}, "activity")
    assert row["person_external_id"] == "cont_1"
    properties = json.loads(row["properties"])
    assert (properties["subject"], properties["attendees"]) == ("Intro", attendees)
