"""Connectors are found by their folders and loaded only when asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.errors import Stop
from connectors.manifest import ManifestError, SettingField
from tests.unit.connectors.manifests import ACME


@pytest.fixture
def vendors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(registry, "VENDORS", tmp_path)
    registry.manifest.cache_clear()
    yield tmp_path
    registry.manifest.cache_clear()


def add(vendors: Path, name: Any, text: Any = ACME) -> None:
    folder = vendors / name
    folder.mkdir()
    (folder / "connector.yml").write_text(text)
    (folder / "icon.svg").write_text("<svg/>")


def test_a_folder_with_a_manifest_is_a_connector(vendors: Path) -> None:
    add(vendors, "acme")
    (vendors / "notes").mkdir()
    assert registry.ids() == ["acme"]
    assert registry.manifest("acme").name == "Acme"
    assert [entity.name for entity in registry.entities("acme")] == ["people", "notes"]
    assert registry.icon("acme") == "<svg/>"


def test_the_catalogue_states_types_and_guesses_none() -> None:
    """A schema calls a mapped field of unknown type a string; as a column that would undo what its values show."""
    stated = {(field.entity, field.source): field.type for field in registry.catalogue("salesforce")}
    assert stated["Contact", "LastActivityDate"] == "date"
    assert stated["Contact", "CreatedDate"] == "timestamp"
    assert ("Account", "NumberOfEmployees") not in stated
    assert registry.catalogue("file") == []


def test_an_id_that_is_not_its_folders_name_is_an_error_so_no_id_exists_twice(vendors: Path) -> None:
    add(vendors, "other")
    with pytest.raises(ManifestError, match="must be equal"):
        registry.manifest("other")


def test_an_unknown_connector_is_answered_with_those_there_are(vendors: Path) -> None:
    add(vendors, "acme")
    with pytest.raises(registry.UnknownConnectorError, match="there are: acme"):
        registry.manifest("../acme")


def test_a_transport_reaches_the_manifests_hosts_and_the_sandbox_only(vendors: Path) -> None:
    add(vendors, "acme")
    transport = registry.transport_for(registry.manifest("acme"), sandbox_origin="http://127.0.0.1:8765")
    assert transport.policy.check("https://a.eu.acme.com/x")
    assert transport.policy.check("http://127.0.0.1:8765/x")
    with pytest.raises(Exception, match="egress_refused"):
        transport.policy.check("https://evil.com/x")


@pytest.mark.parametrize(
    ("endpoint", "reached"),
    [
        ("https://api.customer.com/graphql", True),
        ("https://API.Customer.com/graphql", True),
        ("https://10.0.0.8/graphql", False),
        ("https://metadata.internal/graphql", False),
        ("https://user@evil.com:8443/graphql", False),
        ("https://[::1", False),
        (None, False),
    ],
)
def test_only_a_setting_that_the_manifest_names_adds_a_host_and_only_a_public_one(
    vendors: Path, endpoint: str | None, *, reached: bool
) -> None:
    add(vendors, "acme")
    plain = registry.manifest("acme")
    field = SettingField(name="endpoint", label="Endpoint", type="url")
    named = plain.model_copy(update={"settings": [field], "hosts_from": ["endpoint"], "allowed_hosts": []})
    for manifest, expected in ((named, reached), (plain, False)):
        policy = registry.transport_for(manifest, settings={"endpoint": endpoint}).policy
        try:
            policy.check(endpoint or "https://api.customer.com/")
        except Stop:
            assert not expected
        else:
            assert expected


def test_reading_manifests_loads_no_vendor_code_no_http_and_no_arrow() -> None:
    probe = (
        "import sys; from connectors import registry; [registry.entities(i) for i in registry.ids()];"
        "print([m for m in ('httpx', 'httpcore', 'pyarrow', 'dlt') if m in sys.modules],"
        "[m for m in sys.modules if m.startswith('connectors.vendors.')])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
