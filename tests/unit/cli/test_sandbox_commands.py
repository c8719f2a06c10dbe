"""What the sandbox says of itself: how to connect to each vendor, and what can go wrong there."""

from __future__ import annotations

import pytest

from gtm_pipelines import sandbox
from gtm_pipelines.sandbox.vendors import vendors
from tests.unit.cli.conftest import Gtm


def test_accounts_are_what_a_connection_is_given(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTM_SANDBOX_URL", "http://127.0.0.1:9123")
    told = gtm("sandbox", "accounts", "acme", "customerio", "--json").json
    account = sandbox.accounts("http://127.0.0.1:9123", "acme")["customerio"]
    assert told == {"customerio": {"settings": account.settings, "credentials": account.credentials}}


@pytest.mark.parametrize("vendor", sorted(vendors()))
def test_every_fault_says_what_it_means(gtm: Gtm, vendor: str) -> None:
    told = {each["fault"]: each["meaning"] for each in gtm("sandbox", "faults", vendor, "--json").json}
    assert {name for name, meaning in told.items() if not meaning} == set()


def test_a_vendor_that_is_not_spoken_is_answered_with_those_that_are(gtm: Gtm) -> None:
    done = gtm("sandbox", "faults", "myspace")
    assert done.code == 2
    assert "salesforce" in done.err


def test_a_world_for_a_vendor_that_is_not_spoken_is_not_made(gtm: Gtm) -> None:
    done = gtm("sandbox", "create", "acme", "--vendor", "myspace")
    assert done.code == 2
    assert "myspace" in done.err


def test_serving_says_where(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTM_SANDBOX_URL", "http://127.0.0.1:9123")
    monkeypatch.setattr(sandbox, "serve", lambda *_, port, on_start, **__: on_start(f"http://127.0.0.1:{port}"))
    assert "on http://127.0.0.1:9123; Ctrl-C ends it" in gtm("sandbox", "serve").out


def test_serving_beyond_this_machine_is_refused_in_one_line(gtm: Gtm) -> None:
    done = gtm("sandbox", "serve", "--host", "192.0.2.1")
    assert (done.code, done.err.startswith("error: the sandbox listens on loopback only")) == (2, True)
