"""HubSpot's records on their way: raw rows as the connector reads them, to canonical and golden rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.connector import Page
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.refresh import refresh_tenant
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import Warehouse, open_warehouse
from tests.contract.sandboxed import Sandboxed
from tests.integration.vendors import hubspot_portal as portal

ENTITIES = ["contacts", "companies", "calls", "emails", "meetings", "notes", "tasks", "deals", "owners", "associations"]


def land(warehouse: Warehouse, entity: str, pages: list[Page]) -> None:
    """Store pages as a sync would: the newest version of each record, a tombstone with the payload stored before."""
    table = warehouse.raw_table("crm", entity)
    warehouse.execute("CREATE SCHEMA IF NOT EXISTS raw_crm")
    warehouse.execute("DELETE FROM raw.entity WHERE entity = ?", [entity])
    warehouse.execute("INSERT INTO raw.entity VALUES ('crm', 'hubspot', ?, ?, now())", [entity, entity])
    warehouse.execute(
        f"CREATE OR REPLACE TABLE {table} (external_id VARCHAR, source_updated_at TIMESTAMPTZ, is_deleted BOOLEAN,"
        " payload JSON, payload_hash VARCHAR, synced_at TIMESTAMPTZ, tenant_id VARCHAR, _dlt_load_id VARCHAR)"
    )
    stored: dict[str, dict[str, Any]] = {}
    for page in pages:
        for row in page.rows.to_pylist():
            payload = row["payload"] or stored.get(row["external_id"], row)["payload"]
            stored[row["external_id"]] = {**row, "payload": payload}
    for row in stored.values():
        values = [row[name] for name in ("external_id", "source_updated_at", "is_deleted", "payload", "payload_hash")]
        warehouse.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, now(), 'acme', '1')", values)


@pytest.fixture(scope="module")
def refined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Sandboxed]]:
    """Everything read, three days on read again by its changes, and refined."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    with (
        portal.served(tmp_path_factory.mktemp("portals")) as (directory, url),
        portal.new_world(directory, url) as vendor,
    ):
        pages = {name: portal.taken(vendor.connect(), name) for name in ENTITIES}
        vendor.advance(3)
        later = timedelta(days=8)  # the refresh of activities is due too
        for name, done in pages.items():
            done.pages += portal.taken(vendor.connect(), name, cursor=done.cursor, later=later).pages
        with open_warehouse(settings, "acme") as warehouse:
            warehouse.ensure_tables()
            for name, done in pages.items():
                land(warehouse, name, done.pages)
        with open_control_plane(settings) as control:
            control.add_tenant("acme")
            control.add_connection("acme", "crm", "hubspot")
            refresh_tenant(settings, control, "acme")
        with open_warehouse(settings, "acme") as warehouse:
            yield warehouse, vendor


def ids(warehouse: Warehouse, sql: str) -> set[str]:
    return {str(row[0]) for row in warehouse.rows(sql)}


def test_nothing_is_refused(refined: tuple[Warehouse, Sandboxed]) -> None:
    warehouse, _ = refined
    assert warehouse.rows("SELECT entity, rule, value FROM quality.quarantine WHERE severity = 'row'") == []


def test_live_contacts_and_owners_are_people_and_live_companies_accounts(refined: tuple[Warehouse, Sandboxed]) -> None:
    warehouse, vendor = refined
    people = ids(warehouse, "SELECT external_id FROM canonical.person WHERE NOT is_deleted")
    owners = {f"owner:{key}" for key in vendor.truth("owners")[0]}
    assert people == vendor.truth("contacts")[0] | owners
    accounts = ids(warehouse, "SELECT external_id FROM canonical.account WHERE NOT is_deleted")
    assert accounts == vendor.truth("companies")[0]


def test_a_persons_account_is_the_primary_company_as_it_is_now(refined: tuple[Warehouse, Sandboxed]) -> None:
    """Merged companies and contacts put elsewhere by hand moved no date: the refresh has found them."""
    warehouse, vendor = refined
    accounts = ids(
        warehouse,
        "SELECT account_external_id FROM canonical.person WHERE NOT is_deleted AND account_external_id NOTNULL",
    )
    assert len(accounts) > 10
    assert accounts <= vendor.truth("companies")[0]


def test_most_activities_have_their_person_and_account(refined: tuple[Warehouse, Sandboxed]) -> None:
    warehouse, vendor = refined
    (found,) = warehouse.rows(
        "SELECT count(*), count(person_external_id), count(account_external_id), count(DISTINCT type)"
        " FROM canonical.activity WHERE NOT is_deleted"
    )
    truth = sum(len(vendor.truth(name)[0]) for name in ("calls", "emails", "meetings", "notes", "tasks"))
    assert (found[0], found[3]) == (truth, 5)
    assert found[1] > found[0] * 0.8
    assert found[2] > found[0] * 0.4
    persons = ids(warehouse, "SELECT DISTINCT person_external_id FROM canonical.activity WHERE NOT is_deleted")
    assert persons - {"None"} <= vendor.truth("contacts")[0]


@pytest.mark.parametrize("kind", ["person", "account"])
def test_who_was_merged_is_one_with_the_survivor(refined: tuple[Warehouse, Sandboxed], kind: str) -> None:
    warehouse, _ = refined
    pairs = warehouse.rows(
        f"SELECT l.{kind}_id, w.{kind}_id FROM canonical.{kind} c"
        f" JOIN golden.{kind}_link l ON l.external_id = c.external_id"
        f" JOIN golden.{kind}_link w ON w.external_id = c._merged_into WHERE c.is_deleted"
    )
    assert pairs
    assert all(loser == winner for loser, winner in pairs)
