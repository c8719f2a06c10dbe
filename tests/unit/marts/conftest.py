from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.marts import build_marts
from tests import warehouses
from tests.unit.resolution.tenant import START, Tenant, open_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RAW = """
CREATE SCHEMA raw_crm;
CREATE TABLE raw_crm.contact (external_id VARCHAR, source_updated_at TIMESTAMPTZ, is_deleted BOOLEAN, payload JSON,
    payload_hash VARCHAR, synced_at TIMESTAMPTZ, _dlt_load_id VARCHAR);
INSERT INTO raw_crm.contact VALUES ('ann', '2026-01-01 00:00:00Z', false, '{}', '0', '2026-01-02 00:00:00Z', '1'),
    ('bob', '2026-01-03 00:00:00Z', true, '{}', '0', '2026-01-04 00:00:00Z', '1'),
    ('bad', '2026-01-01 00:00:00Z', false, '{}', '0', '2026-01-02 00:00:00Z', '1');
INSERT INTO raw.entity VALUES ('crm', 'salesforce', 'Contact', 'contact', '2026-01-01 00:00:00Z');
INSERT INTO quality.refined_target VALUES ('crm', 'Contact', 'person', 'v1');
INSERT INTO quality.quarantine VALUES
    ('crm', 'Contact', 'bad', 'person', 'bad', 'email', 'format', 'x',
     '2026-01-02 00:00:00Z', '2026-01-02 00:00:00Z', 'v1', 'open', 'row');
"""


@pytest.fixture(scope="session", params=["duckdb", "postgres"])
def sound(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """A small tenant with all stages behind it, in each warehouse; nobody changes it for good."""
    with _open(tmp_path_factory.mktemp("sound"), request.param) as opened:
        yield opened


@contextmanager
def _open(home: Path, warehouse: str) -> Iterator[Tenant]:
    with open_tenant(home, warehouse_url=warehouses.another() if warehouse == "postgres" else None) as opened:
        opened.warehouse.execute(_RAW)
        opened.account("crm", "acme", name="Acme", domain="acme.com", _entity="Account")
        opened.person("crm", "ann", email="ann@acme.com", first_name="Ann", _entity="Contact")
        opened.person("crm", "bob", email="bob@acme.com", is_deleted=True, _entity="Contact")
        opened.activity("crm", "call", person_external_id="ann", channel="phone", occurred_at=START, _entity="Task")
        opened.activity("crm", "mail", person_external_id="ann", channel="email", type="sent", _entity="Task")
        opened.activity("crm", "gone", person_external_id="ann", is_deleted=True, _entity="Task")
        opened.resolve()
        build_marts(opened.warehouse)
        yield opened
