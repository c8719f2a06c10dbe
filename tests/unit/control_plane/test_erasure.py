"""Erasing a tenant from the control plane: what goes, what stays, and when it is refused. On both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gtm_pipelines.control_plane import BusyError, NotFoundError, open_control_plane
from gtm_pipelines.control_plane.schema import metadata
from gtm_pipelines.removal import Removed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings
    from tests.unit.control_plane.conftest import StillClock
    from tests.unit.control_plane.databases import ControlDatabase

    Raw = Callable[..., list[tuple[Any, ...]]]

PERSON = "anna.lindqvist@customer.example"
REPORT = {
    "connection": "crm",
    "connector": "salesforce",
    "run_id": "r1",
    "mode": "full",
    "status": "ok",
    "started_at": "2026-05-04T10:00:00+00:00",
    "quota": {"remaining": 7},
    "errors": [{"message": f"{PERSON} could not be read"}],
}


@pytest.fixture
def peopled(acme: ControlPlane) -> ControlPlane:
    """Two tenants alike, each with rows in every table, a person's address among them."""
    acme.add_tenant("globex", "Globex")
    acme.add_connection("globex", "crm", "salesforce", {}, {"client_secret": "another-secret-of-globex"})
    for tenant in ("acme", "globex"):
        acme.change_connection(tenant, "crm", settings={"mailboxes": [PERSON], "url": f"https://{PERSON}/x"})
        acme.set_status(tenant, "crm", "reauth_required", f"{PERSON} revoked the grant")
        acme.set_override(tenant, "crm", "Contact", "person", "email", "Email2")
        acme.record_sync({**REPORT, "tenant": tenant})
    return acme


def erase(plane: ControlPlane, tenant: str) -> dict[str, int]:
    begun = plane.begin_erasure(tenant)
    return {each.what: each.count for each in begun + plane.finish_erasure(tenant, begun)}


def rows_of(raw: Raw, tenant: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a tenant by table, the log left out."""
    columns = {table.name: "tenant_id" for table in metadata.sorted_tables if "tenant_id" in table.c}
    columns = {**columns, "tenant": "id"}
    del columns["audit_log"]
    return {name: raw(f"select * from {name} where {column} = ?", tenant) for name, column in columns.items()}


def test_every_row_of_the_tenant_goes_and_the_log_stays_whole(peopled: ControlPlane, raw: Raw) -> None:
    held = {name: len(rows) for name, rows in rows_of(raw, "acme").items()}
    assert all(held.values()), "the fixture must fill every table"
    entries = len(peopled.list_audit("acme"))
    assert erase(peopled, "acme") == {f"control plane: {name}": count for name, count in held.items()}
    assert not any(rows_of(raw, "acme").values())
    assert len(peopled.list_audit("acme")) > entries
    assert peopled.verify_audit() == []


def test_another_tenants_rows_are_untouched(peopled: ControlPlane, raw: Raw) -> None:
    before = rows_of(raw, "globex")
    erase(peopled, "acme")
    assert rows_of(raw, "globex") == before


def test_the_log_says_what_was_erased_and_holds_nobodys_address(peopled: ControlPlane) -> None:
    peopled.begin_erasure("acme")
    peopled.finish_erasure("acme", [Removed("warehouse", 1, 512)])
    newest = peopled.last_erasure("acme")
    assert newest is not None
    assert newest.after["warehouse"] == newest.after["control plane: sync_run"] == 1
    written = str([(entry.before, entry.after) for entry in peopled.list_audit()])
    assert "***@customer.example" in written
    assert "anna" not in written


def test_no_file_of_the_database_keeps_what_was_erased(
    peopled: ControlPlane, database: ControlDatabase, raw: Raw
) -> None:
    """SQLite keeps deleted rows in freed pages and in its journal, Postgres until its vacuum."""
    assert any(b"anna.lindqvist" in path.read_bytes() for path in database.files() if path.is_file())
    for tenant in ("acme", "globex"):
        erase(peopled, tenant)
    if database.name == "postgres":
        for table in metadata.sorted_tables:
            raw(f"vacuum full {table.name}")
    left = [path for path in database.files() if path.is_file() and b"anna.lindqvist" in path.read_bytes()]
    assert left == []


def test_it_is_refused_while_a_sync_is_at_work_and_nothing_has_changed(
    peopled: ControlPlane, database: ControlDatabase
) -> None:
    lease = peopled.acquire_lease("acme", "crm", owner="20260504T1000-ab12")
    assert lease is not None
    before = database.contents()
    with pytest.raises(BusyError, match=r"acme/crm is being synced \(20260504T1000-ab12\): wait for it or end it"):
        peopled.begin_erasure("acme")
    assert database.contents() == before
    lease.release()
    assert erase(peopled, "acme")


def test_a_lease_whose_holder_is_dead_does_not_stop_it(peopled: ControlPlane, raw: Raw) -> None:
    assert peopled.acquire_lease("acme", "crm", owner="killed", ttl=3600) is not None
    raw("update lease set process_started = process_started + 1")
    assert erase(peopled, "acme")


def test_killed_between_beginning_and_end_it_is_finished_by_the_next(peopled: ControlPlane, settings: Settings) -> None:
    peopled.begin_erasure("acme")
    with pytest.raises(NotFoundError):
        peopled.add_connection("acme", "files", "file", {})
    with open_control_plane(settings) as again:
        assert set(erase(again, "acme")) == {"control plane: sync_run", "control plane: tenant"}
        assert again.find_tenant("acme") is None


def test_a_tenant_removed_earlier_can_be_erased(peopled: ControlPlane) -> None:
    peopled.remove_tenant("acme")
    assert set(erase(peopled, "acme")) == {"control plane: sync_run", "control plane: tenant"}


def test_erasing_what_is_gone_leaves_no_entry(peopled: ControlPlane) -> None:
    erase(peopled, "acme")
    head = peopled.audit_head()
    assert erase(peopled, "acme") == erase(peopled, "initech") == {}
    assert peopled.audit_head() == head
    assert peopled.last_erasure("initech") is None


def test_a_tenant_added_again_halfway_is_not_forgotten(peopled: ControlPlane) -> None:
    peopled.begin_erasure("acme")
    peopled.add_tenant("acme")
    with pytest.raises(BusyError, match="added again while it was being erased"):
        peopled.finish_erasure("acme", [])
    assert peopled.get_tenant("acme")


def test_an_erased_id_can_be_given_to_a_new_tenant(peopled: ControlPlane, clock: StillClock) -> None:
    erase(peopled, "acme")
    made = peopled.add_tenant("acme", "Another Acme")
    assert made.created_at == clock.now
    assert peopled.last_syncs("acme") == []
    assert peopled.list_connections("acme") == []
