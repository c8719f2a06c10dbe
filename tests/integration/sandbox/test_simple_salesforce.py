"""simple-salesforce judges the sandbox's Salesforce: what this client cannot use is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from gtm_pipelines import sandbox
from tests.integration.sandbox.outsiders import Served, outside_session


def test_a_query_longer_than_a_page_is_read_to_its_end(official: Any) -> None:
    total = official.query("SELECT COUNT() FROM Contact")["totalSize"]
    ids = [record["Id"] for record in official.query_all_iter("SELECT Id, Email FROM Contact")]
    assert total > 2000
    assert len(ids) == len(set(ids)) == total


def test_deleted_rows_come_with_include_deleted_only(served: Served, official: Any) -> None:
    sandbox.advance(served.directory, "acme")
    live = {each["Id"] for each in official.query_all_iter("SELECT Id FROM Contact")}
    everything = official.query_all("SELECT Id, IsDeleted FROM Contact", include_deleted=True)["records"]
    assert {each["Id"] for each in everything if not each["IsDeleted"]} == live
    assert any(each["IsDeleted"] for each in everything)


def test_the_delete_log_names_what_was_deleted(served: Served, official: Any) -> None:
    now = datetime.fromisoformat(sandbox.advance(served.directory, "acme").now)
    answer = official.Contact.deleted(now.replace(day=1), now)
    gone = {each["id"] for each in answer["deletedRecords"]}
    known = official.query_all("SELECT Id FROM Contact WHERE IsDeleted = true", include_deleted=True)["records"]
    assert {each["Id"] for each in known} <= gone
    assert gone - {each["Id"] for each in known}, "hard deletes are in the log and nowhere else"


def test_describe_names_standard_custom_calculated_and_compound_fields(official: Any) -> None:
    names = [each["name"] for each in official.describe()["sobjects"]]
    fields = {each["name"]: each for each in official.Contact.describe()["fields"]}
    assert {"Account", "Contact", "Lead", "Opportunity", "Task", "Event", "User", "Subscription__c"} <= set(names)
    assert fields["Id"]["type"] == "id"
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert fields["Cio_Id__c"]["custom"]
    assert fields["Score_Band__c"]["calculated"]
    assert fields["MailingAddress"]["type"] == "address"
    assert "IsDeleted" not in {each["name"] for each in official.User.describe()["fields"]}


def test_every_described_field_can_be_selected(official: Any) -> None:
    for entity in official.describe()["sobjects"]:
        fields = [each["name"] for each in getattr(official, entity["name"]).describe()["fields"]]
        records = official.query(f"SELECT {','.join(fields)} FROM {entity['name']} LIMIT 1")["records"]
        assert list(records[0]) == ["attributes", *fields]


def test_a_record_is_fetched_by_either_form_of_its_id(official: Any) -> None:
    record = official.query("SELECT Id FROM Contact LIMIT 1")["records"][0]
    whole = official.Contact.get(record["Id"])
    assert whole["Id"] == record["Id"]
    assert official.Contact.get(record["Id"][:15])["Id"] == record["Id"]


def test_limits_and_usage_are_told(official: Any) -> None:
    limits = official.limits()
    assert limits["DailyApiRequests"]["Max"] == 100_000
    assert official.api_usage["api-usage"].used >= 1


def test_errors_are_the_clients_own_kinds(served: Served, official: Any) -> None:
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        official.query("SELECT Id FROM")
    assert "MALFORMED_QUERY" in str(malformed.value.content)
    with pytest.raises(SalesforceResourceNotFound):
        official.Contact.get("003Hs0000099999IAA")
    served.faults(salesforce={"quota_spent": True})
    with pytest.raises(SalesforceRefusedRequest) as refused:
        official.query("SELECT Id FROM Contact LIMIT 1")
    assert "REQUEST_LIMIT_EXCEEDED" in str(refused.value.content)


def test_the_client_logs_in_again_when_its_session_expired(served: Served, official: Any) -> None:
    served.faults(salesforce={"expire_session_after": 0})
    assert official.query("SELECT Id FROM Contact LIMIT 1")["totalSize"] == 1
    assert [each["status"] for each in served.ledger()][-3:] == [401, 200, 200]


def test_a_client_that_holds_only_a_session_is_told_it_expired(served: Served) -> None:
    token = served.token().json()["access_token"]
    client: Any = Salesforce(
        instance_url=served.url, session_id=token, session=outside_session(served.url), version="64.0"
    )
    assert client.query("SELECT Id FROM User LIMIT 1")["totalSize"] == 1
    served.faults(salesforce={"expire_session_after": 0})
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM User LIMIT 1")


def test_jwt_bearer_needs_a_key_the_org_knows(served: Served) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def login() -> Any:
        return Salesforce(
            username="integration@acme.example",
            consumer_key="sandbox-client",
            privatekey=private.decode(),
            domain="login",
            instance_url="globex.my",
            session=outside_session(served.url),
        )

    with (
        pytest.warns(UserWarning, match="authorize this"),
        pytest.raises(SalesforceAuthenticationFailed, match="hasn't approved"),
    ):
        login()
    httpx.put(f"{served.url}/globex/_jwt_key", content=public).raise_for_status()
    assert login().query("SELECT Id FROM User LIMIT 1")["totalSize"] == 1
    stranger = jwt.encode(
        {"iss": "sandbox-client", "sub": "x", "aud": "https://login.salesforce.com", "exp": 1}, "k" * 32
    )
    answer = served.token("globex", grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=stranger)
    assert answer.json()["error"] == "invalid_grant"


def test_world_time_is_what_the_server_says_it_is(official: Any, served: Served) -> None:
    newest = official.query("SELECT MAX(SystemModstamp) newest FROM Contact")["records"][0]["newest"]
    now = datetime.fromisoformat(httpx.get(f"{served.url}/acme/_now").json()["now"])
    assert datetime.fromisoformat(newest) <= now < datetime.now(UTC)
