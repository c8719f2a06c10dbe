"""The encryption key: one spelling, needed only for secrets, and proven before anything relies on it."""

from __future__ import annotations

import hashlib
import pickle
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import (
    KeyExhaustedError,
    KeyMissingError,
    TamperedError,
    WrongKeyError,
    open_control_plane,
)
from gtm_pipelines.control_plane.vault.keys import Key, KeyRing
from gtm_pipelines.control_plane.vault.registry import REFUSE_AT

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings
    from tests.unit.control_plane.databases import ControlDatabase

GOOD = "0123456789abcdef" * 4
BAD = {
    "63 digits": GOOD[:63],
    "65 digits": GOOD + "0",
    "upper case": GOOD.upper(),
    "spaces inside": GOOD[:62] + "  ",
    "AES-128": GOOD[:32],
    "AES-192": GOOD[:48],
    "newline at the end": GOOD + "\n",
    "not hex": "g" * 64,
    "wide digits": "\uff10" * 64,
    "base64": "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
    "quoted": f'"{GOOD}"',
}


@pytest.mark.parametrize("key", BAD.values(), ids=BAD.keys())
def test_a_key_has_exactly_one_spelling(settings: Settings, key: str) -> None:
    """AES would take 16 and 24 bytes as well, and Python's hex decoder skips spaces."""
    with open_control_plane(settings.model_copy(update={"encryption_key": SecretStr(key)})) as plane:
        plane.add_tenant("acme")
        with pytest.raises(KeyMissingError, match=r"gtm keys new") as refusal:
            plane.add_connection("acme", "crm", "salesforce", {}, {"client_secret": "s3cr3t-value"})
        assert key.strip() not in str(refusal.value)
        assert plane.list_connections("acme") == []


def test_without_a_key_everything_but_secrets_works(settings: Settings) -> None:
    with open_control_plane(settings.model_copy(update={"encryption_key": None})) as plane:
        plane.add_tenant("acme")
        plane.add_connection("acme", "files", "file", {"folder": "/data"})
        assert plane.credential_store("acme", "files").read() == {}
        assert plane.acquire_lease("acme", "files", "me") is not None
        with pytest.raises(KeyMissingError, match=r"CONNECTOR_ENCRYPTION_KEY is not set; .*gtm keys new"):
            plane.add_connection("acme", "crm", "salesforce", {}, {"client_secret": "s3cr3t-value"})
        assert [one.name for one in plane.list_connections("acme")] == ["files"]


def test_a_wrong_key_is_told_apart_from_tampering_and_changes_nothing(
    settings: Settings, acme: ControlPlane, database: ControlDatabase
) -> None:
    acme.close()
    before = database.contents()
    with open_control_plane(settings.model_copy(update={"encryption_key": SecretStr("f" * 64)})) as other:
        store = other.credential_store("acme", "crm")
        for attempt in (
            store.read,
            other.check_key,
            other.rewrap_credentials,
            lambda: store.write({"client_secret": Secret("another-value")}),
            lambda: other.add_connection("acme", "cio", "customerio", {}, {"app_api_key": "another-value"}),
        ):
            with pytest.raises(WrongKeyError, match="nothing was changed"):
                attempt()
    assert database.contents() == before


def test_a_backup_restored_without_its_key_stays_closed(settings: Settings, acme: ControlPlane) -> None:
    acme.close()
    with (
        open_control_plane(settings.model_copy(update={"encryption_key": None})) as elsewhere,
        pytest.raises(KeyMissingError),
    ):
        elsewhere.credential_store("acme", "crm").read()


def test_a_vanished_canary_is_tampering_and_no_new_one_is_made(
    acme: ControlPlane, raw: Callable[..., list[tuple[object, ...]]]
) -> None:
    raw("delete from vault_key")
    for attempt in (
        acme.credential_store("acme", "crm").read,
        lambda: acme.credential_store("acme", "crm").write({"client_secret": Secret("another-value")}),
    ):
        with pytest.raises(TamperedError, match="canary is gone"):
            attempt()
    assert raw("select count(*) from vault_key") == [(0,)]


def test_a_vanished_canary_is_tampering_to_a_tenant_that_has_no_credential_yet(
    acme: ControlPlane, raw: Callable[..., list[tuple[object, ...]]]
) -> None:
    """It sees nobody else's credentials, and a new key must not be made beside them."""
    acme.add_tenant("globex")
    raw("delete from vault_key")
    with pytest.raises(TamperedError, match="canary is gone"):
        acme.add_connection("globex", "crm", "salesforce", {}, {"client_secret": "theirs-value"})
    assert acme.list_connections("globex") == []


def test_an_altered_canary_is_tampering(acme: ControlPlane, raw: Callable[..., list[tuple[object, ...]]]) -> None:
    raw("update vault_key set canary = substr(canary, 1, length(canary) - 4) || 'AAAA'")
    with pytest.raises(TamperedError, match="canary"):
        acme.check_key()


def test_check_key_proves_the_right_key(acme: ControlPlane) -> None:
    acme.check_key()


def test_a_key_that_sealed_too_much_is_refused(
    acme: ControlPlane, raw: Callable[..., list[tuple[object, ...]]]
) -> None:
    raw("update vault_key set encryptions = ?", REFUSE_AT)
    with pytest.raises(KeyExhaustedError, match="rotate"):
        acme.credential_store("acme", "crm").write({"client_secret": Secret("another-value")})
    assert acme.credential_store("acme", "crm").read()["client_secret"].reveal() == "s3cr3t-value-of-acme"


def test_a_key_near_its_limit_warns(
    acme: ControlPlane, raw: Callable[..., list[tuple[object, ...]]], caplog: pytest.LogCaptureFixture
) -> None:
    raw("update vault_key set encryptions = ?", 2**31)
    acme.credential_store("acme", "crm").write({"client_secret": Secret("another-value")})
    assert "rotate it soon" in caplog.text


def test_key_ids_tell_keys_apart_and_nothing_else() -> None:
    one, other = Key(SecretStr(GOOD)), Key(SecretStr("f" * 64))
    assert one.kid != other.kid
    assert Key(SecretStr(GOOD)).kid == one.kid
    assert one.kid not in hashlib.sha256(bytes.fromhex(GOOD)).hexdigest()


def test_keys_and_rings_are_neither_shown_nor_pickled() -> None:
    ring = KeyRing(SecretStr(GOOD), [SecretStr("f" * 64)])
    for value in (ring, ring.primary):
        assert GOOD[:8] not in repr(value)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value)
