"""hubspot-api-client judges the sandbox's HubSpot: what this client cannot use is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.contacts import (
    BatchReadInputSimplePublicObjectId,
    Filter,
    FilterGroup,
    PublicObjectSearchRequest,
)
from hubspot.crm.contacts.exceptions import ApiException, NotFoundException, UnauthorizedException

from gtm_pipelines import sandbox
from tests.integration.sandbox.outsiders import Served

UNLIMITED = {"requests_per_ten_seconds": 100_000, "searches_per_second": 100_000}
OBJECTS = ["contacts", "companies", "deals", "calls", "emails", "meetings", "notes", "tasks"]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("portal")
    sandbox.create_world(directory, "acme", size=600, seed=7, vendors=("hubspot",))
    with sandbox.running(directory) as url:
        yield Served(directory, url)


@pytest.fixture(autouse=True)
def _calm(portal: Served) -> None:
    portal.faults(hubspot=UNLIMITED)


def client(portal: Served, token: str = "pat-na1-sandbox-acme") -> Any:  # noqa: S107  the sandbox's own, fixed
    """The vendor's client, told of another host and of nothing else."""
    return HubSpot(access_token=token, host=f"{portal.url}/acme/hubspot")


@pytest.fixture
def official(portal: Served) -> Any:
    return client(portal)


@pytest.fixture
def bare(portal: Served) -> Iterator[httpx.Client]:
    headers = {"authorization": "Bearer pat-na1-sandbox-acme"}
    with httpx.Client(base_url=f"{portal.url}/acme/hubspot", headers=headers) as made:
        yield made


def live(portal: Served, entity: str, *, archived: bool = False) -> set[str]:
    records = httpx.get(f"{portal.url}/acme/_truth/records").json()
    return {each["external_id"] for each in records if (each["entity"], each["is_deleted"]) == (entity, archived)}


def searched(api: Any, **request: Any) -> Any:
    return api.crm.contacts.search_api.do_search(PublicObjectSearchRequest(**request))


def changed_since(since: str) -> list[FilterGroup]:
    return [FilterGroup(filters=[Filter(property_name="lastmodifieddate", operator="GTE", value=since)])]


OLDEST_FIRST = [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]


def test_contacts_are_listed_to_the_end_each_once(portal: Served, official: Any) -> None:
    ids = [each.id for each in official.crm.contacts.get_all()]
    assert len(ids) > 300
    assert len(ids) == len(set(ids))
    assert set(ids) == live(portal, "contacts")


@pytest.mark.parametrize("name", OBJECTS)
def test_every_object_is_listed_and_only_what_was_asked_for_is_shown(portal: Served, official: Any, name: str) -> None:
    basic = official.crm.objects.basic_api
    page = basic.get_page(name, limit=10, properties=["hubspot_owner_id", "of_no_account"])
    assert page.results
    assert {each.id for each in page.results} <= live(portal, name)
    shown = page.results[0].properties
    assert {"hubspot_owner_id", "hs_object_id"} <= shown.keys()
    assert "of_no_account" not in shown


def test_archived_records_are_listed_apart(portal: Served, official: Any) -> None:
    sandbox.advance(portal.directory, "acme")
    archived = official.crm.contacts.get_all(archived=True)
    assert {each.id for each in archived} == live(portal, "contacts", archived=True) != set()
    assert all(each.archived and each.archived_at for each in archived)


def test_a_search_finds_what_changed_in_order_and_to_its_end(official: Any) -> None:
    request = {"filter_groups": changed_since("2025-06-01T00:00:00Z"), "sorts": OLDEST_FIRST, "limit": 100}
    page = searched(official, **request)
    found = list(page.results)
    while page.paging:
        page = searched(official, **request, after=page.paging.next.after)
        found += page.results
    stamps = [each.properties["lastmodifieddate"] for each in found]
    assert len({each.id for each in found}) == page.total > 100
    assert stamps == sorted(stamps)
    assert stamps[0] >= "2025-06-01"


def test_a_search_shows_no_more_than_its_cap(portal: Served, official: Any) -> None:
    portal.faults(hubspot={**UNLIMITED, "search_cap": 40})
    assert searched(official, filter_groups=[], limit=40).total > 40
    with pytest.raises(ApiException) as refused:
        searched(official, filter_groups=[], limit=20, after="40")
    assert refused.value.status == 400
    assert "VALIDATION_ERROR" in refused.value.body


def test_a_search_from_the_beginning_of_time_breaks_it(official: Any) -> None:
    with pytest.raises(ApiException) as broken:
        searched(official, filter_groups=changed_since("0"))
    assert broken.value.status == 500


def test_the_index_may_lag_behind_the_records(portal: Served, official: Any) -> None:
    sandbox.advance(portal.directory, "acme")
    now = datetime.fromisoformat(httpx.get(f"{portal.url}/acme/_now").json()["now"])
    groups = changed_since(now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert searched(official, filter_groups=groups).total > 5, "a mass update at the very present"
    portal.faults(hubspot={**UNLIMITED, "search_lag_s": 600})
    assert searched(official, filter_groups=groups).total == 0


def test_a_batch_is_read_and_what_is_missing_is_said(official: Any) -> None:
    ids = [each.id for each in official.crm.contacts.basic_api.get_page(limit=5).results]
    asked = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": each} for each in [*ids, "77"]], properties=["email"], properties_with_history=[]
    )
    answer = official.crm.contacts.batch_api.read(asked)
    assert {each.id for each in answer.results} == set(ids)
    assert answer.num_errors == 1


def test_associations_are_read_in_batches_of_pages_and_inside_a_list(portal: Served, official: Any) -> None:
    contacts = official.crm.contacts.get_all(associations=["companies"])
    inside = {
        each.id: {one.id for one in each.associations["companies"].results} for each in contacts if each.associations
    }
    assert len(inside) > 100
    portal.faults(hubspot={**UNLIMITED, "association_page": 1})
    asked = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": key} for key in inside])
    answer = official.crm.associations.v4.batch_api.get_page("contacts", "companies", asked)
    assert {each._from.id for each in answer.results} == inside.keys()
    assert any(each.paging for each in answer.results), "somebody has two companies"
    for each in answer.results:
        assert str(each.to[0].to_object_id) in inside[each._from.id]
        assert each.to[0].association_types[0].category == "HUBSPOT_DEFINED"


def test_a_call_knows_its_contact_and_the_contact_its_call(official: Any) -> None:
    calls = official.crm.objects.basic_api.get_page("calls", limit=20, associations=["contacts"]).results
    call = next(each for each in calls if each.associations)
    contact = call.associations["contacts"].results[0].id
    back = official.crm.associations.v4.basic_api.get_page("contacts", contact, "calls")
    assert call.id in {str(each.to_object_id) for each in back.results}


def test_who_was_merged_away_is_found_as_the_survivor(portal: Served, official: Any) -> None:
    sandbox.advance(portal.directory, "acme")
    survivors = [
        each
        for each in official.crm.contacts.get_all(properties=["hs_merged_object_ids"])
        if each.properties["hs_merged_object_ids"]
    ]
    loser = survivors[0].properties["hs_merged_object_ids"].split(";")[0]
    assert loser not in live(portal, "contacts")
    assert official.crm.contacts.basic_api.get_by_id(loser).id == survivors[0].id


def test_merged_companies_become_a_record_of_a_new_id(portal: Served, official: Any) -> None:
    before = live(portal, "companies")
    sandbox.advance(portal.directory, "acme")
    known = official.crm.companies.get_all(properties=["hs_merged_object_ids"])
    new = [each for each in known if each.id not in before and each.properties["hs_merged_object_ids"]]
    assert new
    assert set(new[0].properties["hs_merged_object_ids"].split(";")) & before


def test_some_contacts_change_company_and_no_date_tells(portal: Served, official: Any) -> None:
    def seen() -> dict[str, tuple[Any, Any]]:
        contacts = official.crm.contacts.get_all(properties=["associatedcompanyid", "lastmodifieddate"])
        return {
            each.id: (each.properties["associatedcompanyid"], each.properties["lastmodifieddate"]) for each in contacts
        }

    before = seen()
    sandbox.advance(portal.directory, "acme")
    after = seen()
    silent = [
        key for key in before.keys() & after.keys() if before[key] != after[key] and before[key][1] == after[key][1]
    ]
    assert silent


def test_owners_and_properties_are_the_accounts_own(portal: Served, official: Any) -> None:
    owners = official.crm.owners.get_all()
    assert {each.id for each in owners} == live(portal, "owners")
    names = {each.name: each for each in official.crm.properties.core_api.get_all("contacts").results}
    assert {"email", "lastmodifieddate", "customerio_id"} <= names.keys()
    assert names["num_associated_deals"].calculated
    assert not names["customerio_id"].hubspot_defined


def test_a_refresh_token_gives_an_access_token_that_works_until_it_expires(portal: Served, official: Any) -> None:
    form = {
        "grant_type": "refresh_token",
        "client_id": "sandbox-hubspot-app",
        "client_secret": "sandbox-hubspot-secret-acme",
        "refresh_token": "na1-sandbox-refresh-acme",
    }
    granted = official.oauth.tokens_api.create(**form)
    session = client(portal, granted.access_token)
    assert granted.expires_in == 1800
    assert session.crm.contacts.basic_api.get_page(limit=1).results
    assert session.oauth.access_tokens_api.get(granted.access_token).hub_id == 4_242_001
    portal.faults(hubspot={**UNLIMITED, "expire_session_after": 0})
    with pytest.raises(UnauthorizedException) as expired:
        session.crm.contacts.basic_api.get_page(limit=1)
    assert "EXPIRED_AUTHENTICATION" in expired.value.body


def test_errors_are_the_clients_own_kinds(portal: Served, official: Any) -> None:
    with pytest.raises(NotFoundException):
        official.crm.contacts.basic_api.get_by_id("1")
    with pytest.raises(UnauthorizedException):
        client(portal, "pat-na1-of-nobody").crm.contacts.basic_api.get_page()
    portal.faults(hubspot={"quota_spent": True})
    with pytest.raises(ApiException) as spent:
        official.crm.contacts.basic_api.get_page()
    assert spent.value.status == 429
    assert '"policyName":"DAILY"' in spent.value.body


def test_a_malformed_token_is_stopped_before_it_arrives(portal: Served) -> None:
    answer = httpx.get(
        f"{portal.url}/acme/hubspot/crm/v3/objects/contacts", headers={"authorization": "Bearer not a token"}
    )
    assert answer.status_code == 530
    assert "text/html" in answer.headers["content-type"]


def test_limits_are_told_with_every_answer_but_a_searchs(portal: Served, bare: httpx.Client) -> None:
    portal.faults(hubspot={"searches_per_second": 1, "requests_per_ten_seconds": 100_000})
    told = bare.get("/crm/v3/objects/contacts").headers
    assert int(told["x-hubspot-ratelimit-daily-remaining"]) < int(told["x-hubspot-ratelimit-daily"])
    first, second = (bare.post("/crm/v3/objects/contacts/search", json={}) for _ in range(2))
    assert "x-hubspot-ratelimit-daily" not in first.headers
    assert second.json()["policyName"] == "SECONDLY"


@pytest.mark.parametrize("version", ["2026-03", "2026-09"])
def test_dated_versions_say_what_the_numbered_ones_say(bare: httpx.Client, version: str) -> None:
    for dated, numbered in [
        (f"/crm/objects/{version}/contacts", "/crm/v3/objects/contacts"),
        (f"/crm/owners/{version}", "/crm/v3/owners/"),
        (f"/crm/properties/{version}/deals", "/crm/v3/properties/deals"),
        (f"/account-info/{version}/details", "/account-info/v3/details"),
    ]:
        assert (
            bare.get(dated).json()["results" if "account" not in dated else "portalId"]
            == bare.get(numbered).json()["results" if "account" not in numbered else "portalId"]
        )
    assert bare.get("/crm/objects/2019-01/contacts").status_code == 404


def test_days_leave_the_truth_true(tmp_path: Path) -> None:
    """What lives by the truth is what a list shows, after many days of merges, archiving and restoring."""
    sandbox.create_world(tmp_path, "acme", size=200, seed=5, vendors=("hubspot",))
    moved = sandbox.advance(tmp_path, "acme", steps=12)
    assert moved.counts["hubspot_contacts_merged"] > 0
    with sandbox.running(tmp_path) as url:
        portal = Served(tmp_path, url)
        portal.faults(hubspot=UNLIMITED)
        for name in OBJECTS:
            api = client(portal).crm.objects
            assert {each.id for each in api.get_all(name)} == live(portal, name)
