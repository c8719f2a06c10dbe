"""A connection that could never work is refused when it is added or changed, and nothing is stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gtm_pipelines.cli.demo import connections_of
from gtm_pipelines.cli.exits import Exit
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.sandbox import accounts
from gtm_pipelines.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Done, Gtm

SECRETS = {"client_id": "id-1", "client_secret": "s3cret-one", "refresh_token": "s3cret-two"}
SANDBOX = "http://127.0.0.1:8765"


@pytest.fixture(autouse=True)
def acme(gtm: Gtm) -> None:
    """Add the tenant."""
    assert gtm("tenants", "add", "acme").code == Exit.OK


def add(gtm: Gtm, secrets: dict[str, str], *options: str) -> Done:
    return gtm("connections", "add", "acme", "salesforce", *options, stdin=json.dumps(secrets))


@pytest.mark.parametrize(
    ("given", "said"),
    [("login_url", "'login_url' is given no value: write login_url=VALUE"), ("login=x", "with one of: login_url, ")],
)
def test_a_setting_is_told_from_a_setting_without_a_value(gtm: Gtm, given: str, said: str) -> None:
    done = add(gtm, SECRETS, "--set", given)
    assert done.code == Exit.USAGE
    assert said in done.err


def connections(gtm: Gtm) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = gtm("connections", "list", "acme", "--json").json
    return rows


def stored() -> dict[str, str]:
    with open_control_plane(read_settings()) as control:
        return {name: secret.reveal() for name, secret in control.credential_store("acme", "salesforce").read().items()}


def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (("client_id",), "client_secret, refresh_token; with private_key instead: client_id, private_key, username"),
        (("client_id", "refresh_token"), "client_secret;"),
        (("client_id", "client_secret"), "refresh_token;"),
        (("client_id", "private_key"), "username"),
        (("client_id", "username"), "private_key"),
        (("client_secret", "refresh_token"), "client_id;"),
    ],
)
def test_half_a_way_of_logging_in_is_refused(gtm: Gtm, given: tuple[str, ...], missing: str) -> None:
    done = add(gtm, dict.fromkeys(given, "s3cret-any"))
    assert done.code == Exit.USAGE
    assert f"Salesforce also needs {missing}" in done.err
    assert connections(gtm) == []


def test_who_gives_nothing_is_told_what_one_way_of_logging_in_takes(gtm: Gtm) -> None:
    done = gtm("connections", "add", "acme", "salesforce")
    assert "needs client_id, client_secret, refresh_token; with private_key instead: client_id, private" in done.err
    assert done.err.rstrip().endswith("GTM_SALESFORCE_CLIENT_SECRET, GTM_SALESFORCE_REFRESH_TOKEN")


def test_a_credentials_file_that_is_no_text_is_refused(gtm: Gtm, tmp_path: Path) -> None:
    file = tmp_path / "secrets.bin"
    file.write_bytes(b"\xff\xfe\x00")
    done = gtm("connections", "add", "acme", "salesforce", "--secrets-file", str(file))
    assert (done.code, done.err) == (Exit.USAGE, f"error: the credentials file {file} is not text in UTF-8\n")


def test_a_private_key_stands_for_secret_and_refresh_token(gtm: Gtm) -> None:
    signed = {"client_id": "id-1", "username": "sync@northwind.example"}
    done = add(gtm, signed | {"private_key": "not a key"})
    assert (done.code, "RSA key" in done.err, connections(gtm)) == (Exit.USAGE, True, [])
    assert add(gtm, signed | {"private_key": pem()}).code == Exit.OK


@pytest.mark.parametrize(
    "url",
    [
        "http://login.salesforce.com",
        "https://login.salesforce.com.evil.example",
        "https://user:hush@login.salesforce.com",
        "https://login.salesforce.com:8443",
        "http://127.0.0.1:9999/acme/salesforce",
        "ftp:nonsense",
    ],
)
def test_a_url_that_no_request_could_be_sent_to_is_refused(gtm: Gtm, url: str) -> None:
    done = add(gtm, SECRETS, "--set", f"login_url={url}")
    assert (done.code, done.err.count("\n")) == (Exit.USAGE, 1)
    assert "https://*.salesforce.com" in done.err
    assert "hush" not in done.err
    assert connections(gtm) == []


def test_the_vendors_hosts_and_the_one_sandbox_are_allowed(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    assert add(gtm, SECRETS, "--set", "login_url=https://acme.my.salesforce.com").code == Exit.OK
    inside = ("--set", f"login_url={SANDBOX}/acme/salesforce", "--name", "second")
    assert add(gtm, SECRETS, *inside).code == Exit.USAGE
    monkeypatch.setenv("GTM_SANDBOX_URL", SANDBOX)
    assert add(gtm, SECRETS, *inside).code == Exit.OK


def test_a_folder_must_exist_and_is_stored_absolute(gtm: Gtm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = gtm("connections", "add", "acme", "file", "--set", "folder=exports")
    assert (done.code, f"{tmp_path / 'exports'} is not a folder" in done.err) == (Exit.USAGE, True)
    assert gtm("connections", "add", "acme", "file", "--set", "folder=").code == Exit.USAGE
    assert connections(gtm) == []
    (tmp_path / "exports").mkdir()
    assert gtm("connections", "add", "acme", "file", "--set", "folder=exports").code == Exit.OK
    assert connections(gtm)[0]["settings"] == {"folder": str(tmp_path / "exports")}


def test_what_is_named_changes_and_the_rest_stays(gtm: Gtm) -> None:
    add(gtm, SECRETS, "--set", "quota_reserve_percent=20", "--set", "objects=Invoice__c")
    wanted = ("--set", "objects=A__c,B__c", "--schedule", "0  6 * * *", "--json")
    done = gtm("connections", "set", "acme", "salesforce", *wanted)
    assert done.code == Exit.OK, done.err
    assert done.json["settings"] == {"quota_reserve_percent": 20, "objects": ["A__c", "B__c"]}
    assert done.json["schedule"] == "0 6 * * *"
    (row,) = connections(gtm)
    assert row["settings"] == done.json["settings"]
    assert stored() == SECRETS
    gtm("connections", "set", "acme", "salesforce", "--set", "objects=")
    assert connections(gtm)[0]["settings"] == {"quota_reserve_percent": 20}


def test_one_credential_changes_alone_and_a_refused_connection_goes_on(gtm: Gtm) -> None:
    add(gtm, SECRETS)
    with open_control_plane(read_settings()) as control:
        control.set_status("acme", "salesforce", "reauth_required", "the vendor refused the token")
    renewed = ("connections", "set", "acme", "salesforce", "--secrets-file", "-")
    assert gtm(*renewed, stdin="refresh_token=s3cret-three").code == Exit.OK
    assert stored() == SECRETS | {"refresh_token": "s3cret-three"}
    assert connections(gtm)[0]["status"] == "active"
    gtm("connections", "pause", "acme", "salesforce")
    assert gtm(*renewed, stdin="refresh_token=s3cret-four").code == Exit.OK
    assert connections(gtm)[0]["status"] == "paused"


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--schedule", "whenever"),
        ("--set", "login_url=https://evil.example"),
        ("--set", "quota_reserve_percent=much"),
        ("--set", "client_secret=hush"),
        ("--secrets-file", "-", "--schedule", "whenever"),
    ],
)
def test_a_change_that_cannot_be_leaves_all_as_it_was(gtm: Gtm, options: tuple[str, ...]) -> None:
    add(gtm, SECRETS)
    before = connections(gtm)
    done = gtm("connections", "set", "acme", "salesforce", *options, stdin="refresh_token=s3cret-three")
    assert (done.code, done.err.count("\n")) == (Exit.USAGE, 1)
    assert "hush" not in done.err
    assert (connections(gtm), stored()) == (before, SECRETS)


def test_a_new_schedule_does_not_need_the_folder_to_be_mounted(gtm: Gtm, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    gtm("connections", "add", "acme", "file", "--set", f"folder={folder}")
    folder.rmdir()
    assert gtm("connections", "set", "acme", "file", "--schedule", "0 6 * * *").code == Exit.OK
    assert gtm("connections", "set", "acme", "file", "--set", f"folder={folder}").code == Exit.USAGE


def test_the_demo_connects_with_the_sandboxs_own_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTM_SANDBOX_URL", SANDBOX)
    made, known = connections_of(read_settings(), "acme"), accounts(SANDBOX, "acme")
    assert set(made) == {"customerio", "file", "salesforce"}
    assert (made["salesforce"], made["customerio"]) == (known["salesforce"], known["customerio"])
    assert made["file"].settings["folder"].endswith("acme/files")
