"""What an analyst finds after a refresh: the vendors' columns in the types the shipped catalogues give them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.refresh import refresh_tenant
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_published, open_warehouse

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_pipelines.warehouse import Warehouse


def land(warehouse: Warehouse, connection: str, connector: str, entity: str, *records: dict[str, Any]) -> None:
    """Store records as a sync would."""
    table = warehouse.raw_table(connection, entity)
    warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS raw_{connection}")
    warehouse.execute(
        "INSERT INTO raw.entity VALUES (?, ?, ?, lower(?), now())", [connection, connector, entity, entity]
    )
    warehouse.execute(
        f"CREATE TABLE {table} (external_id VARCHAR, source_updated_at TIMESTAMPTZ, is_deleted BOOLEAN, payload JSON,"
        " payload_hash VARCHAR, synced_at TIMESTAMPTZ, tenant_id VARCHAR, _dlt_load_id VARCHAR)"
    )
    for number, record in enumerate(records):
        warehouse.execute(
            f"INSERT INTO {table} VALUES (?, now(), false, ?, ?, now(), 'acme', '1')",
            [str(number), json.dumps(record), str(number)],
        )


def test_a_refresh_gives_views_the_types_of_the_shipped_catalogue(tmp_path: Path, warehouse_url: str | None) -> None:
    settings = Settings(home=tmp_path, warehouse_url=warehouse_url)
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.ensure_tables()
        land(warehouse, "crm", "salesforce", "Contact", {"Id": "1", "LastActivityDate": None, "NumberOfPets": 2})
        land(warehouse, "crm", "salesforce", "Task", {"Id": "1", "ActivityDate": "2026-03-04", "Due__c": "2026-03-05"})
        land(warehouse, "mail", "customerio", "messages", {"id": "m", "created": 1672704000, "subject": "2026"})
    with open_control_plane(settings) as control:
        control.add_tenant("acme")
        control.add_connection("acme", "crm", "salesforce")
        control.add_connection("acme", "mail", "customerio")
        refresh_tenant(settings, control, "acme")
    with open_published(settings, "acme") as published:
        assert published.columns("crm", "contact")["LastActivityDate"] == "DATE"
        assert published.columns("crm", "contact")["NumberOfPets"] == "BIGINT"
        assert published.rows('SELECT "ActivityDate", "Due__c" FROM crm.task') == [(date(2026, 3, 4), date(2026, 3, 5))]
        assert published.rows("SELECT created, subject FROM mail.messages") == [
            (datetime(2023, 1, 3, tzinfo=UTC), "2026")
        ]


def test_hubspots_properties_are_typed_columns_after_a_refresh(tmp_path: Path, warehouse_url: str | None) -> None:
    settings = Settings(home=tmp_path, warehouse_url=warehouse_url)
    properties = {"email": "a@x.example", "createdate": "2026-03-04T05:06:07Z", "notes_last_contacted": None}
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.ensure_tables()
        land(warehouse, "crm", "hubspot", "contacts", {"id": "1", "properties": properties})
    with open_control_plane(settings) as control:
        control.add_tenant("acme")
        control.add_connection("acme", "crm", "hubspot")
        refresh_tenant(settings, control, "acme")
    with open_published(settings, "acme") as published:
        found = "SELECT properties_email, properties_createdate, properties_notes_last_contacted FROM crm.contacts"
        assert published.rows(found) == [("a@x.example", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), None)]
        assert published.columns("crm", "contacts")["properties_notes_last_contacted"] == "TIMESTAMP WITH TIME ZONE"


def test_the_views_of_a_removed_connection_are_gone_after_the_next_refresh(
    tmp_path: Path, warehouse_url: str | None
) -> None:
    settings = Settings(home=tmp_path, warehouse_url=warehouse_url)
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.ensure_tables()
        land(warehouse, "crm", "salesforce", "Contact", {"Id": "1", "Email": "a@x.example"})
        land(warehouse, "mail", "customerio", "messages", {"id": "m", "created": 1672704000})
    with open_control_plane(settings) as control:
        control.add_tenant("acme")
        control.add_connection("acme", "crm", "salesforce")
        control.add_connection("acme", "mail", "customerio")
        refresh_tenant(settings, control, "acme")
        control.remove_connection("acme", "mail")
        refresh_tenant(settings, control, "acme")
        assert refresh_tenant(settings, control, "acme").published is None
    with open_published(settings, "acme") as published:
        assert published.catalogue(["crm"])
        assert not published.catalogue(["mail"])
        assert published.has_table("raw_mail", "messages")
