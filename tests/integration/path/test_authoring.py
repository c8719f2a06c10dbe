"""What a connector's author does: make a folder, and have a connector judged at a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from connectors.conformance import folder
from connectors.manifest import load_manifest
from connectors.scaffold import ScaffoldError, write_connector
from gtm_pipelines import sandbox
from gtm_pipelines.cli.main import app
from gtm_pipelines.cli.mapping_paths import find_unmet
from quality.mapping import load_mapping


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A vendor somewhere, as far as the command knows."""
    sandbox.create_world(tmp_path, "acme", size=50, seed=2, vendors=["customerio", "stripe"])
    with sandbox.running(tmp_path) as url:
        yield f"{url}/acme"


def judged(server: str, key: str) -> tuple[int, list[dict[str, Any]]]:
    arguments = ["connectors", "check", "customerio", "--against", f"{server}/customerio/v1", "--entity", "campaigns"]
    result = CliRunner().invoke(app, [*arguments, "--secrets-file", "-", "--json"], input=f"app_api_key={key}")
    return result.exit_code, json.loads(result.stdout)


def test_a_new_folder_holds_to_every_rule_of_a_folder(tmp_path: Path) -> None:
    files = write_connector("acmemail", "Acme Mail", tmp_path)
    place = files[0].parent
    manifest = load_manifest(place / "connector.yml")
    names = [entity.name for entity in manifest.entities]
    folder.check_icon((place / "icon.svg").read_text())
    folder.check_readme((place / "README.md").read_text(), names)
    folder.check_mapped(names, list(load_mapping(place / "mapping.yml").entities))
    folder.check_code(manifest.kind, place / "source.py")
    assert (manifest.id, manifest.name) == ("acmemail", "Acme Mail")


@pytest.mark.parametrize(("connector", "name"), [("Acme", "Acme"), ("../x", "X"), ("acme", 'A "mail"'), ("acme", "")])
def test_a_folder_that_could_not_be_a_connector_is_not_made(tmp_path: Path, connector: str, name: str) -> None:
    with pytest.raises(ScaffoldError):
        write_connector(connector, name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    write_connector("acmemail", "Acme Mail", tmp_path)
    with pytest.raises(ScaffoldError, match="there already"):
        write_connector("acmemail", "Another", tmp_path)


def test_a_connector_that_keeps_its_promises_at_a_server_passes(server: str) -> None:
    code, verdicts = judged(server, "sandbox-cio-acme")
    assert code == 0, verdicts
    assert {"the vendor answers the health check", "a second read gives the same"} <= {v["check"] for v in verdicts}


def test_a_server_that_breaks_off_is_found_and_the_exit_code_says_so(server: str) -> None:
    httpx.put(f"{server}/_faults", json={"customerio": {"truncate_next": 1000}}).raise_for_status()
    code, verdicts = judged(server, "sandbox-cio-acme")
    assert code == 1
    assert any(not verdict["ok"] and verdict["entity"] == "campaigns" for verdict in verdicts)


def test_a_wrong_credential_breaks_the_reading_and_not_the_refusal(server: str) -> None:
    code, verdicts = judged(server, "nobodys-key")
    kept = {verdict["check"]: verdict["ok"] for verdict in verdicts}
    assert code == 1
    assert not kept["the vendor answers the health check"]
    assert kept["a refused credential asks for a person"]


def test_a_described_connector_without_a_setting_for_its_address_can_be_sent_elsewhere_too(server: str) -> None:
    arguments = ["connectors", "check", "stripe", "--against", f"{server}/stripe/v1", "--entity", "products", "--json"]
    result = CliRunner().invoke(app, [*arguments, "--secrets-file", "-"], input="api_key=sk_test_sandbox_acme")
    assert result.exit_code == 0, result.stdout


def test_a_connector_that_is_not_read_over_a_url_says_so() -> None:
    result = CliRunner().invoke(app, ["connectors", "check", "file", "--against", "https://example.com"])
    assert "not read over a URL" in str(result.exception)


@pytest.mark.parametrize(("connector", "entity"), [("hubspot", "owners"), ("salesforce", "User")])
def test_a_session_that_is_kept_beside_the_credentials_breaks_no_promise(connector: str, entity: str) -> None:
    """When it ends and where it is at are stored with them, and neither is a secret or could be refused."""
    result = CliRunner().invoke(app, ["connectors", "check", connector, "--entity", entity, "--json"])
    assert [verdict for verdict in json.loads(result.stdout) if not verdict["ok"]] == []


def test_what_is_mapped_and_no_record_has_is_said(tmp_path: Path) -> None:
    (tmp_path / "mapping.yml").write_text(
        """
        entities:
          people:
            - target: person
              when: {path: kind, exists: true}
              fields:
                email: [mail, '"e.mail"']
                first_name: names[0].given
                last_name: names[0].famly
                title: job.titel
        """
    )
    records = ['{"kind": "a", "e.mail": "x@y.z"}', '{"names": [{"given": "Ann", "family": "Lee"}], "job": {}}']
    said = find_unmet(load_mapping(tmp_path / "mapping.yml"), "people", records)
    assert said == "none of 2 records has names[0].famly, job.titel"
    assert find_unmet(load_mapping(tmp_path / "mapping.yml"), "people", []) is None
