"""Tenants and connections: hostile names, life cycle, and what a removal takes with it."""

from __future__ import annotations

import itertools
import stat
from typing import TYPE_CHECKING, Any

import pytest

from gtm_pipelines.control_plane import (
    AlreadyExistsError,
    ConnectionStatus,
    InvalidInputError,
    NotFoundError,
    open_control_plane,
)
from gtm_pipelines.settings import Settings
from gtm_pipelines.tenancy import InvalidNameError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gtm_pipelines.control_plane import ControlPlane

# fmt: off
HOSTILE = [
    "", ".", "..", "../evil", "..\\evil", "/etc", "a/b", "a\\b", "acme eu", "Acme", "acme__eu", "acme.eu", "acme_",
    "-acme", "acme-", "acme-eu", "1acme", "a" * 64, "a" * 300, "acme\0", "acme\n", "acme\r\nX-A: b", "acme\u200b",
    "\u0430cme", "\uff41\uff43\uff4d\uff45", "ac\u0301me", "ACME\u0130", "\u00df", "acme;drop schema public",
    'acme"; --', "acme'--", "acme`id`", "$(id)", "${jndi:ldap://x}", "{{7*7}}", "%s", "%00", "%2e%2e%2f", "*", "CON",
    "con", "public", "pg_catalog", "null", "raw", "canonical", "golden", "\u202egnp", "__proto__", "acme_eu ", " acme",
]
# fmt: on


def test_hostile_names_are_refused_at_every_door_and_change_nothing(acme: ControlPlane) -> None:
    head = acme.audit_head()
    doors: list[Callable[[str], object]] = [
        acme.add_tenant,
        acme.get_tenant,
        acme.remove_tenant,
        acme.list_connections,
        lambda name: acme.add_connection(name, "crm", "salesforce"),
        lambda name: acme.add_connection("acme", name, "salesforce"),
        lambda name: acme.get_connection("acme", name),
        lambda name: acme.set_status(name, "crm", "paused"),
        lambda name: acme.credential_store(name, "crm"),
        lambda name: acme.credential_store("acme", name),
        lambda name: acme.acquire_lease(name, "crm", "me"),
        lambda name: acme.list_overrides("acme", name),
        acme.last_syncs,
        acme.list_audit,
    ]
    for name, door in itertools.product(HOSTILE, doors):
        with pytest.raises(InvalidNameError):
            door(name)
    assert acme.audit_head() == head


def test_a_tenant_is_added_listed_and_removed(plane: ControlPlane) -> None:
    plane.add_tenant("globex")
    plane.add_tenant("acme", "Acme Inc.")
    assert [(tenant.id, tenant.display_name) for tenant in plane.list_tenants()] == [
        ("acme", "Acme Inc."),
        ("globex", ""),
    ]
    plane.remove_tenant("acme")
    assert [tenant.id for tenant in plane.list_tenants()] == ["globex"]
    with pytest.raises(NotFoundError, match="gtm tenants add acme"):
        plane.get_tenant("acme")


def test_a_tenant_exists_once(acme: ControlPlane) -> None:
    with pytest.raises(AlreadyExistsError):
        acme.add_tenant("acme")


def test_removing_a_tenant_drops_its_configuration_and_keeps_its_history(acme: ControlPlane, raw: Any) -> None:
    acme.set_override("acme", "crm", "Contact", "person", "email", "Email2")
    acme.remove_tenant("acme")
    for table in ("connection", "credential", "mapping_override", "lease", "sync_state"):
        assert raw(f"select count(*) from {table}") == [(0,)], table
    assert acme.due_connections(acme._database._clock()) == []
    assert {"tenant.removed", "connection.removed", "credential.removed"} <= {
        entry.action for entry in acme.list_audit("acme")
    }
    assert acme.verify_audit() == []


def test_a_removed_tenant_comes_back_empty(acme: ControlPlane) -> None:
    acme.remove_tenant("acme")
    acme.add_tenant("acme", "Acme again")
    assert acme.list_connections("acme") == []
    assert acme.list_audit("acme")[0].action == "tenant.restored"


def test_nothing_is_added_to_a_tenant_that_is_not_there(acme: ControlPlane) -> None:
    acme.remove_tenant("acme")
    with pytest.raises(NotFoundError):
        acme.add_connection("acme", "crm", "salesforce")


def test_a_connection_keeps_what_it_was_given(acme: ControlPlane) -> None:
    found = acme.get_connection("acme", "crm")
    assert (found.tenant, found.name, found.connector) == ("acme", "crm", "salesforce")
    assert found.settings == {"login_url": "https://login.salesforce.com"}
    assert (found.schedule, found.status, found.last_sync_status) == ("*/15 * * * *", ConnectionStatus.ACTIVE, None)


def test_the_same_name_may_be_used_by_two_tenants_and_once_by_each(acme: ControlPlane) -> None:
    acme.add_tenant("globex")
    acme.add_connection("globex", "crm", "salesforce", {"login_url": "https://globex"})
    assert acme.get_connection("globex", "crm").settings != acme.get_connection("acme", "crm").settings
    with pytest.raises(AlreadyExistsError, match="--name"):
        acme.add_connection("acme", "crm", "salesforce")


def test_pausing_and_resuming(acme: ControlPlane) -> None:
    acme.pause_connection("acme", "crm", "vendor migration")
    found = acme.get_connection("acme", "crm")
    assert (found.status, found.status_reason) == (ConnectionStatus.PAUSED, "vendor migration")
    acme.resume_connection("acme", "crm")
    assert acme.get_connection("acme", "crm").status is ConnectionStatus.ACTIVE


def test_a_status_that_does_not_exist_is_refused(acme: ControlPlane) -> None:
    with pytest.raises(ValueError, match="asleep"):
        acme.set_status("acme", "crm", "asleep")


@pytest.mark.parametrize("given", [{"a": {1, 2}}, {"a": float("nan")}, {"a": "x" * 70_000}], ids=["set", "NaN", "huge"])
def test_settings_that_are_no_small_json_are_refused(acme: ControlPlane, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        acme.add_connection("acme", "files", "file", given)
    assert [one.name for one in acme.list_connections("acme")] == ["crm"]


@pytest.mark.parametrize("connector", ["", "Sales Force", "../x", "salesforce\n", "a;b"])
def test_a_connector_id_is_a_plain_word(acme: ControlPlane, connector: str) -> None:
    with pytest.raises(InvalidInputError, match="gtm connectors list"):
        acme.add_connection("acme", "other", connector)


def test_the_database_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    with open_control_plane(Settings(home=tmp_path)) as plane:
        plane.add_tenant("acme")
    assert list(tmp_path.glob("control.db*"))
    for path in tmp_path.glob("control.db*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_overrides_are_set_replaced_listed_and_unset(acme: ControlPlane) -> None:
    acme.set_override("acme", "crm", "Contact", "person", "email", {"source": "Email2", "transform": "email"})
    acme.set_override("acme", "crm", "Contact", "person", "phone", None)
    acme.set_override("acme", "crm", "Contact", "person", "email", {"source": "Email3"})
    listed = [(one.entity, one.target, one.field, one.spec) for one in acme.list_overrides("acme", "crm")]
    assert listed == [("Contact", "person", "email", {"source": "Email3"}), ("Contact", "person", "phone", None)]
    acme.unset_override("acme", "crm", "Contact", "person", "email")
    assert [one.field for one in acme.list_overrides("acme", "crm")] == ["phone"]
    with pytest.raises(NotFoundError, match="gtm mappings show"):
        acme.unset_override("acme", "crm", "Contact", "person", "email")


@pytest.mark.parametrize("field", ["", "a b", "x;--", "a" * 121, "email\n", "1st"])
def test_an_overrides_names_are_plain_words(acme: ControlPlane, field: str) -> None:
    with pytest.raises(InvalidInputError):
        acme.set_override("acme", "crm", "Contact", "person", field, "Email")


@pytest.mark.parametrize("spec", [{1, 2}, float("inf"), "x" * 9_000], ids=["set", "infinity", "huge"])
def test_an_overrides_spec_is_small_json(acme: ControlPlane, spec: Any) -> None:
    with pytest.raises(InvalidInputError):
        acme.set_override("acme", "crm", "Contact", "person", "email", spec)
