"""Rotating the key and reading the audit log, with the commands that docs/security.md names."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.unit.cli.conftest import KEY, Gtm

NEW = "ab" * 32


@pytest.fixture
def connected(gtm: Gtm) -> Gtm:
    gtm("tenants", "add", "acme")
    done = gtm("connections", "add", "acme", "customerio", stdin="app_api_key=sandbox-cio-acme")
    assert done.code == 0, done.err
    return gtm


def test_a_rotation_seals_anew_and_lets_the_old_key_go(connected: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    (old,) = connected("keys", "list", "--json").json
    monkeypatch.setenv("CONNECTOR_ENCRYPTION_KEY", NEW)
    monkeypatch.setenv("CONNECTOR_PREVIOUS_ENCRYPTION_KEYS", KEY)
    assert connected("keys", "retire", old["kid"]).code != 0, "a credential still needs it"
    rotated = connected("keys", "rotate", "--json").json
    assert (rotated["rewrapped"], rotated["unchanged"]) == (1, 0)
    assert rotated["kid"] != old["kid"]
    assert connected("keys", "rotate").out.startswith(f"every credential is sealed under {rotated['kid']} already")
    assert connected("keys", "retire", old["kid"]).code == 0
    monkeypatch.delenv("CONNECTOR_PREVIOUS_ENCRYPTION_KEYS")
    assert connected("doctor").out.count("vault") > 0
    keys = {key["kid"]: key for key in connected("keys", "list", "--json").json}
    assert keys[rotated["kid"]]["is_primary"]
    assert keys[rotated["kid"]]["credentials"] == 1
    assert keys[old["kid"]]["retired_at"]


def test_a_new_key_without_the_old_one_opens_nothing_and_says_why(
    connected: Gtm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTOR_ENCRYPTION_KEY", NEW)
    done = connected("keys", "rotate")
    assert done.code == 1
    assert "error:" in done.err


def test_a_fresh_key_is_one_that_can_be_used(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    made = gtm("keys", "new").out.strip()
    assert made != gtm("keys", "new").out.strip()
    monkeypatch.setenv("CONNECTOR_ENCRYPTION_KEY", made)
    gtm("tenants", "add", "acme")
    assert gtm("connections", "add", "acme", "customerio", stdin="app_api_key=sandbox-cio-acme").code == 0


def test_the_log_says_who_did_what_and_never_a_secret(connected: Gtm) -> None:
    done = connected("audit", "list", "acme", "--json")
    assert {"tenant.added", "connection.added"} <= {entry["action"] for entry in done.json}
    assert "sandbox-cio-acme" not in done.out + connected("audit", "list").out


def test_a_whole_log_verifies_and_gives_a_head_that_verifies_later(connected: Gtm) -> None:
    head = connected("audit", "verify", "--json").json["head"]
    connected("tenants", "add", "globex")
    done = connected("audit", "verify", "--anchor", head, "--json")
    assert (done.code, done.json["faults"]) == (0, [])


def test_an_altered_entry_is_found_and_the_exit_code_says_so(connected: Gtm, home: Path) -> None:
    with sqlite3.connect(home / "control.db") as database:
        database.execute("DROP TRIGGER audit_log_no_update")
        database.execute("UPDATE audit_log SET actor = 'somebody else' WHERE seq = 1")
    done = connected("audit", "verify", "--json")
    assert done.code == 1
    assert {"altered", "guard"} <= {fault["kind"] for fault in done.json["faults"]}


def test_an_anchor_that_is_none_is_refused(gtm: Gtm) -> None:
    assert gtm("audit", "verify", "--anchor", "latest").code == 2
