"""SOQL means here what it means at Salesforce, held against the same choice made in Python over all rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.outsiders import Served

Query = Callable[..., Any]
Rows = list[dict[str, Any]]


@pytest.fixture
def contacts(query: Query) -> Rows:
    first = query(
        "SELECT Id,Email,Title,Score__c,HasOptedOutOfEmail,SystemModstamp,AccountId FROM Contact ORDER BY Id LIMIT 2000"
    )
    rows: Rows = first["records"]
    return rows


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        ("Title = 'ceo'", lambda r: r["Title"] == "CEO"),
        ("Title != 'CEO'", lambda r: r["Title"] != "CEO"),
        ("Email = null", lambda r: r["Email"] is None),
        ("Email != null", lambda r: r["Email"] is not None),
        ("Email LIKE '%@GMAIL.com'", lambda r: (r["Email"] or "").lower().endswith("@gmail.com")),
        ("NOT Email LIKE '%@gmail.com'", lambda r: not (r["Email"] or "").lower().endswith("@gmail.com")),
        ("Score__c >= 50.5 AND Score__c < 60", lambda r: 50.5 <= r["Score__c"] < 60),
        ("HasOptedOutOfEmail = true", lambda r: r["HasOptedOutOfEmail"]),
        ("Title IN ('CEO', 'CTO')", lambda r: r["Title"] in {"CEO", "CTO"}),
        ("Title NOT IN ('CEO', 'CTO')", lambda r: r["Title"] not in {"CEO", "CTO"}),
        (
            "(Title = 'CEO' OR Title = 'CTO') AND AccountId = null",
            lambda r: r["Title"] in {"CEO", "CTO"} and not r["AccountId"],
        ),
        ("NOT (Title = 'CEO' OR Email = null)", lambda r: r["Title"] != "CEO" and r["Email"] is not None),
        ("SystemModstamp >= 2025-06-01T00:00:00Z", lambda r: r["SystemModstamp"] >= "2025-06-01"),
        ("SystemModstamp < 2025-06-01T02:00:00+02:00", lambda r: r["SystemModstamp"] < "2025-06-01"),
    ],
)
def test_a_condition_chooses_the_rows_it_names(
    contacts: Rows, query: Query, where: str, chosen: Callable[[dict[str, Any]], bool]
) -> None:
    last = contacts[-1]["Id"]
    found = query(f"SELECT Id FROM Contact WHERE Id <= '{last}' AND ({where}) ORDER BY Id")["records"]
    expected = [row["Id"] for row in contacts if chosen(row)]
    assert [row["Id"] for row in found] == expected
    assert 0 < len(expected) < len(contacts)


def test_a_keyset_walk_reads_every_row_once_in_order(query: Query) -> None:
    seen: list[tuple[str, str]] = []
    where = ""
    while rows := query(f"SELECT Id, SystemModstamp FROM Contact {where} ORDER BY SystemModstamp, Id LIMIT 250")[
        "records"
    ]:
        seen += [(row["SystemModstamp"], row["Id"]) for row in rows]
        stamp, last = seen[-1][0].replace(".000+0000", "Z"), seen[-1][1]
        where = f"WHERE (SystemModstamp = {stamp} AND Id > '{last}') OR SystemModstamp > {stamp}"
    assert seen == sorted(set(seen))
    assert len(seen) == query("SELECT COUNT() FROM Contact")["totalSize"]
    ties = max(sum(stamp == each for stamp, _ in seen) for each in {stamp for stamp, _ in seen})
    assert ties > 250, "some records share a stamp across a page boundary"


def test_order_puts_nulls_where_it_is_told(query: Query) -> None:
    first = query("SELECT Email FROM Contact ORDER BY Email LIMIT 1")["records"][0]
    last = query("SELECT Email FROM Contact ORDER BY Email DESC NULLS LAST LIMIT 1")["records"][0]
    assert first["Email"] is None
    assert last["Email"] is not None


def test_offset_skips_and_is_bounded(query: Query) -> None:
    rows = query("SELECT Id FROM Contact ORDER BY Id LIMIT 5")["records"]
    assert query("SELECT Id FROM Contact ORDER BY Id LIMIT 2 OFFSET 3")["records"] == rows[3:]
    assert query("SELECT Id FROM Contact OFFSET 2001")[0]["errorCode"] == "NUMBER_OUTSIDE_VALID_RANGE"


def test_a_parent_is_reached_by_one_step(query: Query) -> None:
    row = query("SELECT Account.Name, Owner.Email FROM Contact WHERE AccountId != null LIMIT 1")["records"][0]
    assert row["Account"]["attributes"]["type"] == "Account"
    assert row["Account"]["Name"]
    assert row["Owner"]["Email"].endswith("@seller.example")
    by_name = query(f"SELECT COUNT() FROM Contact WHERE Account.Name = '{row['Account']['Name']}'")
    assert by_name["totalSize"] >= 1


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Nope", "INVALID_TYPE"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD"),
        ("SELECT IsDeleted FROM User", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Email = 'a' AND Title = 'b' OR Title = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > '2025-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > 2025-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Score__c = 'high'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Id > ", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact ORDER BY Description", "MALFORMED_QUERY"),
        ("SELECT _person FROM Contact", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY"),
        ("DROP TABLE Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE " + "(" * 60 + "Id = null" + ")" * 60, "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
    ],
)
def test_what_salesforce_refuses_is_refused_with_its_code(query: Query, soql: str, code: str) -> None:
    assert query(soql)[0]["errorCode"] == code


def test_a_quote_in_a_value_stays_a_value(query: Query) -> None:
    assert query(r"SELECT Id FROM Contact WHERE LastName = 'O\' OR Id != null; --' LIMIT 5")["records"] == []


def test_batch_size_is_a_hint_within_bounds(query: Query) -> None:
    assert len(query("SELECT Id FROM Contact", **{"Sforce-Query-Options": "batchSize=250"})["records"]) == 250
    assert len(query("SELECT Id FROM Contact", **{"Sforce-Query-Options": "batchSize=5"})["records"]) == 200
    assert len(query("SELECT Id FROM Contact", **{"Sforce-Query-Options": "batchSize=9999"})["records"]) == 2000


def test_a_page_can_be_asked_for_again(salesforce: httpx.Client, query: Query) -> None:
    first = query("SELECT Id FROM Contact ORDER BY Id", **{"Sforce-Query-Options": "batchSize=500"})
    assert first["nextRecordsUrl"].startswith("/services/data/v64.0/query/01g")
    path = first["nextRecordsUrl"].removeprefix("/services/data/v64.0")
    second = salesforce.get(path).json()
    third = salesforce.get(second["nextRecordsUrl"].removeprefix("/services/data/v64.0")).json()
    again = salesforce.get(path).json()
    assert again["records"] == second["records"] != third["records"]


def test_a_locator_nobody_gave_out_is_refused(salesforce: httpx.Client) -> None:
    answer = salesforce.get("/query/01gHs0000009999-2000")
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_request_too_long_for_salesforce_is_refused(salesforce: httpx.Client) -> None:
    listed = ",".join(f"'003Hs{number:010d}'" for number in range(900))
    assert salesforce.get("/query", params={"q": f"SELECT Id FROM Contact WHERE Id IN ({listed})"}).status_code == 414


def test_moments_travel_as_salesforce_writes_them(query: Query) -> None:
    row = query("SELECT SystemModstamp FROM Contact LIMIT 1")["records"][0]
    assert len(row["SystemModstamp"]) == len("2026-01-01T00:00:00.000+0000")
    assert row["SystemModstamp"].endswith(".000+0000")


def test_what_faults_hide_is_gone_without_a_trace(served: Served, salesforce: httpx.Client, query: Query) -> None:
    served.faults(salesforce={"hide_entity": "Task", "hide_field": ["Contact.Phone"]})
    assert query("SELECT Id FROM Task LIMIT 1")[0]["errorCode"] == "INVALID_TYPE"
    assert salesforce.get("/sobjects/Task/describe").status_code == 404
    assert "Task" not in {each["name"] for each in salesforce.get("/sobjects").json()["sobjects"]}
    assert "Phone" not in {each["name"] for each in salesforce.get("/sobjects/Contact/describe").json()["fields"]}
    assert query("SELECT Phone FROM Contact LIMIT 1")[0]["errorCode"] == "INVALID_FIELD"


def test_another_tenants_session_opens_nothing(served: Served, salesforce: httpx.Client) -> None:
    token = served.token("globex").json()["access_token"]
    answer = salesforce.get("/limits", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.json()[0]["errorCode"] == "INVALID_SESSION_ID"
