"""HubSpot's records put together from answers no sandbox gives: an account's own labels, a merge between two calls."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from connectors import registry
from connectors.connector import Credentials, Page
from connectors.landing import RecordShape, land_records
from connectors.runtime import auth
from connectors.runtime.messages import Request, Response
from connectors.vendors.hubspot.portal import Portal
from connectors.vendors.hubspot.records import Completion
from tests.stand_ins import MemoryStore

BATCH = "objects/2026-03/contacts/batch/read"


class Account:
    """Answers by the end of an address; every answer is a page of results."""

    def __init__(self, **results: Any) -> None:
        self.settings = {"api_version": "2026-03"}
        self._results = results

    def send(self, request: Request) -> Response:
        found = next(rows for end, rows in self._results.items() if end in request.url)
        body = json.dumps({"status": "COMPLETE", "results": found}, indent=1)
        return Response(200, {"content-type": "application/json"}, body.encode(), request.url)


def portal(**results: Any) -> Portal:
    handed: Any = Account(**results)  # it stands where the account does
    return Portal(handed, Credentials("https://api.hubapi.com", auth.bearer(MemoryStore(token="t"), "token")))


def completed(found: list[str], shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of one page of contacts that were found, when a batch read shows ``shown``."""
    names = {"properties/": [{"name": "hs_merged_object_ids"}], "associations/": [], BATCH: shown}
    page = land_records([{"id": key} for key in found], RecordShape("$", "id"))
    spec = registry.manifest("hubspot").spec("contacts")
    done = Completion(portal(**names), spec).pages([Page(page.table, None, has_more=False)])
    rows: list[dict[str, Any]] = pa.concat_tables([each.rows for each in done]).to_pylist()
    return rows


def contact(key: str, merged: str | None) -> dict[str, Any]:
    return {"id": key, "properties": {"hs_merged_object_ids": merged, "lastmodifieddate": "2026-03-01T00:00:00.000Z"}}


def test_a_label_of_the_accounts_own_makes_no_company_the_primary_one() -> None:
    """An account numbers its labels from 1 on, and 1 is HubSpot's own number for the primary company."""
    labelled = {"category": "USER_DEFINED", "typeId": 1, "label": "Advisor"}
    plain = {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}
    primary = {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}
    to = [
        {"toObjectId": 7, "associationTypes": [labelled, plain]},
        {"toObjectId": 900, "associationTypes": [primary, plain]},
    ]
    answer = {"associations/": [{"from": {"id": "512"}, "to": to}]}
    companies = portal(**answer).associated("contacts", "companies", ["512"])["512"]
    assert [each["toObjectId"] for each in companies] == ["900", "7"]


def test_who_is_merged_between_being_found_and_being_read_is_deleted() -> None:
    """The index of a search lags: it still finds a contact that is no more than an id of another on the same page."""
    rows = {row["external_id"]: row for row in completed(["1", "2"], [contact("2", "1")])}
    assert (rows["1"]["is_deleted"], rows["2"]["is_deleted"]) == (True, False)
    assert json.loads(rows["1"]["payload"])["mergedInto"] == "2"


def test_an_id_that_a_survivor_names_and_that_is_there_itself_lives() -> None:
    rows = completed(["1", "2"], [contact("1", None), contact("2", "1;2")])
    assert {row["external_id"]: row["is_deleted"] for row in rows} == {"1": False, "2": False}
