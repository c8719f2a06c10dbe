"""Stored credentials: read back as secrets by their own connection, refused in every other circumstance."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import InvalidInputError, NotFoundError, TamperedError, VaultError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.control_plane import ControlPlane
    from tests.unit.control_plane.databases import ControlDatabase

    Raw = Callable[..., list[tuple[Any, ...]]]


def test_credentials_come_back_as_secrets(acme: ControlPlane) -> None:
    fields = acme.credential_store("acme", "crm").read()
    assert {name: type(value) for name, value in fields.items()} == {"client_id": Secret, "client_secret": Secret}
    assert fields["client_secret"].reveal() == "s3cr3t-value-of-acme"


def test_writing_changes_the_given_fields_and_keeps_the_others(acme: ControlPlane) -> None:
    store = acme.credential_store("acme", "crm")
    store.write({"client_secret": Secret("rotated-value"), "refresh_token": Secret("refresh-value")})
    assert {name: value.reveal() for name, value in store.read().items()} == {
        "client_id": "client-of-acme",
        "client_secret": "rotated-value",
        "refresh_token": "refresh-value",
    }


def test_every_write_seals_anew(acme: ControlPlane, raw: Raw) -> None:
    before = raw("select envelope, version from credential where field = 'client_secret'")
    acme.credential_store("acme", "crm").write({"client_secret": Secret("s3cr3t-value-of-acme")})
    after = raw("select envelope, version from credential where field = 'client_secret'")
    assert before[0][0] != after[0][0]
    assert before[0][1] < after[0][1]


def test_a_connection_shows_which_fields_it_has_and_no_value(acme: ControlPlane) -> None:
    connection = acme.get_connection("acme", "crm")
    assert connection.credential_fields == ("client_id", "client_secret")
    assert "s3cr3t" not in repr(connection)


def test_no_plain_text_reaches_the_database(acme: ControlPlane, database: ControlDatabase) -> None:
    acme.close()
    assert "s3cr3t" not in "".join(database.contents())
    for path in database.settings.home.rglob("*"):
        assert b"s3cr3t" not in path.read_bytes()


def test_any_flipped_bit_in_a_stored_row_is_refused(acme: ControlPlane, raw: Raw) -> None:
    """The columns beside the envelope count as well: key id, version, field, connection, tenant."""
    stored = raw("select kid, version, envelope from credential where field = 'client_secret'")[0]
    for column, value in zip(("kid", "version", "envelope"), stored, strict=True):
        for altered in _flips(value):
            raw(f"update credential set {column} = ? where field = 'client_secret'", altered)
            with pytest.raises(VaultError):
                acme.credential_store("acme", "crm").read()
        raw(f"update credential set {column} = ? where field = 'client_secret'", value)
    assert acme.credential_store("acme", "crm").read()["client_secret"].reveal() == "s3cr3t-value-of-acme"


def _flips(value: str | int) -> list[str | int]:
    if isinstance(value, int):
        return [value ^ (1 << bit) for bit in range(32)]
    flips: list[str | int] = []
    for position, bit in itertools.product(range(0, len(value), 5), range(7)):
        flips.append(value[:position] + chr(ord(value[position]) ^ (1 << bit)) + value[position + 1 :])
    return flips


PLACES = [(tenant, name) for tenant in ("acme", "globex", "initech") for name in ("crm", "cio")]
FIELDS = ("client_id", "client_secret", "token")


def test_no_ciphertext_can_be_moved_between_tenants_connections_or_fields(plane: ControlPlane, raw: Raw) -> None:
    for tenant in ("acme", "globex", "initech"):
        plane.add_tenant(tenant)
    for tenant, name in PLACES:
        plane.add_connection(tenant, name, "salesforce", {}, {field: f"{tenant}-{name}-{field}" for field in FIELDS})
    cells = [(*place, field) for place in PLACES for field in FIELDS]
    sql = "select envelope, version from credential where tenant_id = ? and connection = ? and field = ?"
    stored = {cell: raw(sql, *cell)[0] for cell in cells}
    update = "update credential set envelope = ?, version = ? where tenant_id = ? and connection = ? and field = ?"
    refused = 0
    for source, target in itertools.permutations(cells, 2):
        raw(update, stored[source][0], stored[target][1], *target)  # the ciphertext alone
        with pytest.raises(TamperedError):
            plane.credential_store(*target[:2]).read()
        raw(update, *stored[source], *target)  # with its version
        with pytest.raises(TamperedError):
            plane.credential_store(*target[:2]).read()
        raw(update, *stored[target], *target)
        refused += 2
    assert refused == 2 * len(cells) * (len(cells) - 1)
    assert plane.credential_store("globex", "cio").read()["token"].reveal() == "globex-cio-token"


@pytest.mark.parametrize("with_version", [False, True], ids=["ciphertext", "whole row"])
def test_an_old_ciphertext_put_back_is_refused(acme: ControlPlane, raw: Raw, *, with_version: bool) -> None:
    """A revoked token must not come back to life; the whole old row disagrees with the audit log."""
    old = raw("select envelope, version from credential where field = 'client_secret'")[0]
    acme.credential_store("acme", "crm").write({"client_secret": Secret("rotated-value")})
    if with_version:
        raw("update credential set envelope = ?, version = ? where field = 'client_secret'", *old)
    else:
        raw("update credential set envelope = ? where field = 'client_secret'", old[0])
    with pytest.raises(TamperedError):
        acme.credential_store("acme", "crm").read()
    assert with_version == any(fault.kind == "credential" for fault in acme.verify_audit())


def test_a_removed_connections_ciphertext_is_useless_to_a_new_one_of_the_same_name(
    acme: ControlPlane, raw: Raw
) -> None:
    old = raw("select envelope, version from credential where field = 'client_secret'")[0]
    acme.remove_connection("acme", "crm")
    acme.add_connection("acme", "crm", "salesforce", {}, {"client_secret": "the-new-value"})
    raw("update credential set envelope = ?, version = ?", *old)
    with pytest.raises(TamperedError):
        acme.credential_store("acme", "crm").read()


@pytest.mark.parametrize("plain", ["s3cr3t-value-of-acme", "", "gtm1.", "{}"])
def test_plain_text_in_the_column_is_an_error_not_a_value(acme: ControlPlane, raw: Raw, plain: str) -> None:
    raw("update credential set envelope = ? where field = 'client_secret'", plain)
    with pytest.raises(TamperedError) as refusal:
        acme.credential_store("acme", "crm").read()
    assert "s3cr3t" not in str(refusal.value)


def test_a_tenant_cannot_name_another_tenants_connection(acme: ControlPlane) -> None:
    acme.add_tenant("globex")
    for look in (acme.credential_store, acme.get_connection, acme.remove_connection, acme.list_overrides):
        with pytest.raises(NotFoundError):
            look("globex", "crm")
    assert acme.list_connections("globex") == []
    assert acme.last_syncs("globex") == []


BAD_FIELDS = {
    "empty value": {"client_secret": ""},
    "blank value": {"client_secret": " \n"},
    "too long": {"client_secret": "x" * 65_537},
    "lone surrogate": {"client_secret": "s3cr3t-\ud800"},
    "hostile name": {"a/b": "s3cr3t-value"},
    "upper-case name": {"Token": "s3cr3t-value"},
    "newline in name": {"token\n": "s3cr3t-value"},
}


@pytest.mark.parametrize("fields", BAD_FIELDS.values(), ids=BAD_FIELDS.keys())
def test_unusable_credentials_are_refused_and_nothing_is_stored(plane: ControlPlane, fields: dict[str, str]) -> None:
    plane.add_tenant("acme")
    with pytest.raises(InvalidInputError) as refusal:
        plane.add_connection("acme", "crm", "salesforce", {}, fields)
    assert "s3cr3t" not in str(refusal.value)
    assert plane.list_connections("acme") == []


def test_a_credential_among_the_settings_is_refused(plane: ControlPlane) -> None:
    plane.add_tenant("acme")
    with pytest.raises(InvalidInputError, match="stored in clear"):
        plane.add_connection(
            "acme", "crm", "salesforce", {"url": "https://x/?k=s3cr3t-value-of-acme"}, {"key": "s3cr3t-value-of-acme"}
        )


def test_a_store_of_a_removed_connection_neither_reads_nor_writes(acme: ControlPlane) -> None:
    store = acme.credential_store("acme", "crm")
    acme.remove_connection("acme", "crm")
    with pytest.raises(NotFoundError):
        store.read()
    with pytest.raises(NotFoundError):
        store.write({"client_secret": Secret("late-value")})
