"""A tenant that leaves takes its data along and is forgotten: what the two commands say, and their exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.cli.exits import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Gtm


pytestmark = pytest.mark.usefixtures("_acme")


@pytest.fixture
def _acme(gtm: Gtm, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One tenant; what the command tells Dagster of where it is ends with the test."""
    for name, value in {"DAGSTER_HOME": "", "GTM_DAGSTER_DIR": str(home / "dagster"), "GTM_DAGSTER_URL": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.setattr("gtm_pipelines.defs.instance.use_env_file", lambda **_: None)
    assert gtm("tenants", "add", "acme").code == Exit.OK


def test_an_export_lists_its_files_and_overwrites_nothing(gtm: Gtm, tmp_path: Path) -> None:
    done = gtm("tenants", "export", "acme", str(tmp_path / "given"), "--json")
    assert done.code == Exit.OK, done.err
    assert "connections.json" in {each["path"] for each in done.json["files"]}
    again = gtm("tenants", "export", "acme", str(tmp_path / "given"))
    assert (again.code, "nothing is overwritten" in again.err) == (Exit.USAGE, True)


def test_an_erasure_says_what_it_removed_and_the_second_that_it_was(gtm: Gtm) -> None:
    done = gtm("tenants", "remove", "acme", "--erase", "--yes", "--json")
    assert done.code == Exit.OK, done.err
    assert {"what": "control plane: tenant", "count": 1, "bytes": 0} in done.json["removed"]
    again = gtm("tenants", "remove", "acme", "--erase", "--yes")
    assert (again.code, "nothing of acme is left: it was erased at" in again.out) == (Exit.OK, True)
    assert gtm("audit", "verify").code == Exit.OK


def test_an_erasure_asks_first_and_takes_no_for_an_answer(gtm: Gtm) -> None:
    refused = gtm("tenants", "remove", "acme", "--erase", stdin="n\n")
    assert (refused.code, refused.err.endswith("error: nothing was removed\n")) == (Exit.USAGE, True)
    assert [row["tenant"] for row in gtm("tenants", "list", "--json").json] == ["acme"]


@pytest.mark.parametrize("what", [("tenants", "remove", "acme"), ("connections", "remove", "acme", "exports")])
def test_where_nobody_can_answer_the_option_is_named(gtm: Gtm, tmp_path: Path, what: tuple[str, ...]) -> None:
    gtm("connections", "add", "acme", "file", "--name", "exports", "--set", f"folder={tmp_path}")
    done = gtm(*what)
    assert (done.code, done.out.strip()) == (Exit.USAGE, "")
    assert done.err.endswith("error: nobody is there to answer, and nothing was removed: give --yes\n")
    assert [row["name"] for row in gtm("connections", "list", "--json").json] == ["exports"]


def test_an_erasure_while_a_sync_is_at_work_is_for_later(gtm: Gtm, home: Path) -> None:
    from gtm_pipelines.ingest.run_directory import run_directory

    with run_directory(home / "runs", "20260301T000000-live", "acme"):
        done = gtm("tenants", "remove", "acme", "--erase", "--yes")
    assert (done.code, "is still running: wait for it or end it" in done.err) == (Exit.LATER, True)


def test_a_tenant_that_never_was_cannot_be_erased(gtm: Gtm) -> None:
    done = gtm("tenants", "remove", "initech", "--erase", "--yes")
    assert (done.code, "no tenant initech, and nothing of it anywhere" in done.err) == (Exit.USAGE, True)
