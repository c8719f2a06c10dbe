"""Tenants and connections from the command line; secrets come from anywhere but an argument."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.cli.exits import Exit
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Gtm

SECRETS = {"client_id": "id-1", "client_secret": "s3cret-one", "refresh_token": "s3cret-two"}


def stored(name: str = "salesforce") -> dict[str, str]:
    with open_control_plane(read_settings()) as control:
        return {field: secret.reveal() for field, secret in control.credential_store("acme", name).read().items()}


def test_tenants_are_added_listed_and_removed(gtm: Gtm) -> None:
    assert gtm("tenants", "add", "acme", "--name", "Acme Inc.").code == Exit.OK
    (row,) = gtm("tenants", "list", "--json").json
    assert (row["tenant"], row["name"], row["connections"]) == ("acme", "Acme Inc.", 0)
    assert gtm("tenants", "remove", "acme", "--yes").code == Exit.OK
    assert gtm("tenants", "list", "--json").json == []


def test_a_tenant_is_not_added_twice(gtm: Gtm) -> None:
    gtm("tenants", "add", "acme")
    assert gtm("tenants", "add", "acme").code == Exit.USAGE


def test_secrets_come_from_a_json_file(gtm: Gtm, tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps(SECRETS))
    gtm("tenants", "add", "acme")
    done = gtm("connections", "add", "acme", "salesforce", "--secrets-file", str(file))
    assert done.code == Exit.OK, done.err
    assert stored() == SECRETS


def test_secrets_come_from_lines_on_stdin(gtm: Gtm) -> None:
    gtm("tenants", "add", "acme")
    lines = "# from the vault\n" + "".join(f"{name}={value}\n" for name, value in SECRETS.items())
    done = gtm("connections", "add", "acme", "salesforce", "--secrets-file", "-", stdin=lines)
    assert done.code == Exit.OK, done.err
    assert stored() == SECRETS
    gtm("connections", "add", "acme", "salesforce", "--name", "second", stdin=json.dumps(SECRETS))
    assert stored("second") == SECRETS


def test_secrets_come_from_the_environment(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTM_CUSTOMERIO_APP_API_KEY", "k-123")
    gtm("tenants", "add", "acme")
    assert gtm("connections", "add", "acme", "customerio", "--from-env").code == Exit.OK
    assert stored("customerio") == {"app_api_key": "k-123"}


def test_without_secrets_the_ways_to_give_them_are_named(gtm: Gtm) -> None:
    gtm("tenants", "add", "acme")
    done = gtm("connections", "add", "acme", "customerio")
    assert done.code == Exit.USAGE
    assert "--secrets-file" in done.err
    assert "GTM_CUSTOMERIO_APP_API_KEY" in done.err


def test_a_credential_is_never_taken_from_an_argument(gtm: Gtm) -> None:
    gtm("tenants", "add", "acme")
    done = gtm("connections", "add", "acme", "salesforce", "--set", "client_secret=s3cret-one")
    assert done.code == Exit.USAGE
    assert "never taken from an argument" in done.err
    assert "s3cret-one" not in done.err


@pytest.mark.parametrize("given", ["{}", '{"app_api_key": "x", "password": "hush"}', "{", "no equals sign"])
def test_missing_unknown_or_malformed_secrets_are_refused_without_repeating_them(gtm: Gtm, given: str) -> None:
    gtm("tenants", "add", "acme")
    done = gtm("connections", "add", "acme", "customerio", "--secrets-file", "-", stdin=given)
    assert done.code == Exit.USAGE
    assert "hush" not in done.err
    assert gtm("connections", "list", "acme", "--json").json == []


def test_no_output_ever_holds_a_secret(gtm: Gtm) -> None:
    gtm("tenants", "add", "acme")
    printed = [
        gtm("connections", "add", "acme", "salesforce", "--secrets-file", "-", "--json", stdin=json.dumps(SECRETS)),
        gtm("connections", "list", "--json"),
        gtm("status", "--json"),
        gtm("connectors", "show", "salesforce", "--json"),
    ]
    for done in printed:
        assert "s3cret" not in done.out + done.err


def test_without_a_key_the_command_says_how_to_make_one(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONNECTOR_ENCRYPTION_KEY")
    gtm("tenants", "add", "acme")
    done = gtm("connections", "add", "acme", "customerio", "--secrets-file", "-", stdin='{"app_api_key": "k"}')
    assert done.code == Exit.FAILED
    assert "gtm keys new" in done.err


def test_settings_are_read_as_the_connector_types_them(gtm: Gtm) -> None:
    gtm("tenants", "add", "acme")
    wrong = gtm("connections", "add", "acme", "salesforce", "--set", "quota_reserve_percent=much")
    assert (wrong.code, "whole number" in wrong.err) == (Exit.USAGE, True)
    options = ("--set", "quota_reserve_percent=20", "--set", "objects=Subscription__c, Invoice__c")
    done = gtm("connections", "add", "acme", "salesforce", *options, "--secrets-file", "-", stdin=json.dumps(SECRETS))
    assert done.code == Exit.OK, done.err
    (row,) = gtm("connections", "list", "acme", "--json").json
    assert row["settings"] == {"quota_reserve_percent": 20, "objects": ["Subscription__c", "Invoice__c"]}


def test_a_required_setting_is_asked_for_by_name(gtm: Gtm) -> None:
    gtm("tenants", "add", "acme")
    done = gtm("connections", "add", "acme", "file")
    assert done.code == Exit.USAGE
    assert "--set folder=" in done.err


def test_a_connection_is_paused_resumed_and_removed(gtm: Gtm, tmp_path: Path) -> None:
    gtm("tenants", "add", "acme")
    gtm("connections", "add", "acme", "file", "--name", "exports", "--set", f"folder={tmp_path}")
    gtm("connections", "pause", "acme", "exports", "--reason", "vendor maintenance")
    (row,) = gtm("connections", "list", "--json").json
    assert (row["name"], row["status"], row["status_reason"]) == ("exports", "paused", "vendor maintenance")
    gtm("connections", "resume", "acme", "exports")
    assert gtm("connections", "list", "--json").json[0]["status"] == "active"
    assert gtm("connections", "remove", "acme", "exports", "--yes").code == Exit.OK
    assert gtm("connections", "list", "--json").json == []


def test_new_credentials_put_a_refused_connection_back_on_schedule(gtm: Gtm) -> None:
    gtm("tenants", "add", "acme")
    gtm("connections", "add", "acme", "customerio", "--secrets-file", "-", stdin='{"app_api_key": "old"}')
    with open_control_plane(read_settings()) as control:
        control.set_status("acme", "customerio", "reauth_required", "the vendor refused the key")
    assert gtm("status").code == Exit.PARTIAL
    assert (
        gtm("connections", "credentials", "acme", "customerio", "--secrets-file", "-", stdin="app_api_key=new").code
        == 0
    )
    assert stored("customerio") == {"app_api_key": "new"}
    assert gtm("connections", "list", "--json").json[0]["status"] == "active"
