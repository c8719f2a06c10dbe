"""Exporting a tenant: complete, readable by a stranger, its own and nobody else's, and whole or not there."""

from __future__ import annotations

import hashlib
import json
import stat
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from gtm_pipelines import export
from gtm_pipelines.control_plane import ControlPlane, NotFoundError
from gtm_pipelines.export import ExportRefusedError, export_tenant
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from tests.integration.erasure.conftest import LOCAL_PART

if TYPE_CHECKING:
    from pathlib import Path
SECRET = "a-secret-that-stays-here"


@pytest.fixture
def exported(settings: Settings, control: ControlPlane, tmp_path: Path) -> Path:
    """Export acme, which has a credential and an override besides its files."""
    control.add_connection("acme", "crm", "salesforce", {"api": "v63"}, {"client_secret": SECRET})
    control.set_override("acme", "file", "people", "person", "title", "role")
    return export_tenant(settings, control, "acme", tmp_path / "given").directory


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_row_of_every_table_is_in_a_file_of_its_own(settings: Settings, exported: Path) -> None:
    """Counted against the warehouse itself; the vendor's payload is there as it was sent."""
    with open_warehouse(settings, "acme") as warehouse:
        for name in ("raw_file.people", "canonical.person", "golden.person", "golden.person_link", "marts.person_360"):
            ((count,),) = warehouse.rows(f"SELECT count(*) FROM {name}")
            assert count > 0
            assert pl.read_parquet(exported / f"{name.replace('.', '/')}.parquet").height == count
        refused = warehouse.rows("SELECT rule, value FROM quality.quarantine")
        (sent,) = warehouse.rows("SELECT payload FROM raw_file.people WHERE external_id = '1'")
    assert pl.read_parquet(exported / "quality" / "quarantine.parquet").select("rule", "value").rows() == refused
    assert f"{LOCAL_PART} at home" in str(refused)
    people = pl.read_parquet(exported / "raw_file" / "people.parquet")
    assert people.filter(pl.col("external_id") == "1")["payload"].to_list() == list(sent)


def test_a_file_says_what_its_columns_are(exported: Path) -> None:
    file = pq.ParquetFile(exported / "golden" / "person.parquet")
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    schema = file.schema_arrow
    assert {name: str(schema.field(name).type) for name in ("email", "is_deleted", "sources", "updated_at")} == {
        "email": "string",
        "is_deleted": "bool",
        "sources": "list<element: string>",
        "updated_at": "timestamp[us, tz=UTC]",
    }
    assert "stable" in str(schema.field("person_id").metadata)


def test_the_manifest_proves_every_file_and_lists_all_of_them(exported: Path) -> None:
    manifest = read(exported / "manifest.json")
    listed = {each["path"]: each for each in manifest["files"]}
    there = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    assert there == {*listed, "manifest.json", "README.md"}
    for path, each in listed.items():
        content = (exported / path).read_bytes()
        assert (each["bytes"], each["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert f"`{path}`" in (exported / "README.md").read_text()
    columns = {each["name"]: each for each in listed["golden/person.parquet"]["columns"]}
    assert columns["person_id"]["meaning"]
    assert (manifest["tenant"], manifest["format_version"]) == ("acme", 1)


def test_configuration_and_history_are_there_without_credentials(exported: Path, control: ControlPlane) -> None:
    assert read(exported / "tenant.json")[0]["id"] == "acme"
    crm, file = read(exported / "connections.json")
    assert (crm["settings"], crm["credential_fields"]) == ({"api": "v63"}, ["client_secret"])
    assert {"schedule", "status", "last_success_at"} <= set(file)
    (override,) = read(exported / "mapping_overrides.json")
    assert override["connection"] == "file"
    assert override["override"]["spec"] == "role"
    (sync,) = lines(exported / "syncs.jsonl")
    assert sync["report"]["entities"]["people"]["created"] == 2
    entries = lines(exported / "audit.jsonl")
    assert [entry["seq"] for entry in entries] == sorted(entry.seq for entry in control.list_audit("acme"))
    everything = b"".join(path.read_bytes() for path in exported.rglob("*") if path.is_file())
    assert SECRET.encode() not in everything


def test_nothing_of_another_tenant_is_in_it(exported: Path) -> None:
    for path in exported.rglob("*.parquet"):
        assert "persson" not in pl.read_parquet(path).write_json(), path
    for path in [*exported.glob("*.json"), *exported.glob("*.jsonl")]:
        assert "globex" not in path.read_text(), path


def test_only_its_owner_may_read_it(exported: Path) -> None:
    assert stat.S_IMODE(exported.stat().st_mode) == 0o700


def test_it_is_whole_or_not_there(
    settings: Settings, control: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_dump_lines", full)
    with pytest.raises(OSError, match="No space left"):
        export_tenant(settings, control, "acme", tmp_path / "given" / "acme")
    assert list((tmp_path / "given").iterdir()) == []


def test_what_is_there_already_is_refused_and_untouched(
    settings: Settings, control: ControlPlane, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    with pytest.raises(ExportRefusedError, match="nothing is overwritten"):
        export_tenant(settings, control, "acme", given)
    assert list(given.iterdir()) == []
    with pytest.raises(ExportRefusedError, match="where an erasure would not find it"):
        export_tenant(settings, control, "acme", settings.home / "exports" / "acme")
    (tmp_path / "a file").touch()
    with pytest.raises(ExportRefusedError, match=r"a file/acme cannot be made: .*; name a directory elsewhere"):
        export_tenant(settings, control, "acme", tmp_path / "a file" / "acme")


def test_a_removed_tenant_is_exported_and_one_that_never_was_is_not(
    settings: Settings, control: ControlPlane, tmp_path: Path
) -> None:
    control.remove_tenant("acme")
    export_tenant(settings, control, "acme", tmp_path / "given")
    assert (tmp_path / "given" / "golden" / "person.parquet").exists()
    assert read(tmp_path / "given" / "tenant.json")[0]["removed_at"]
    with pytest.raises(NotFoundError, match="no tenant initech"):
        export_tenant(settings, control, "initech", tmp_path / "other")


def test_a_tenant_that_was_never_synced_has_its_configuration(
    settings: Settings, control: ControlPlane, tmp_path: Path
) -> None:
    control.add_tenant("initech")
    export_tenant(settings, control, "initech", tmp_path / "given")
    assert read(tmp_path / "given" / "connections.json") == []
    assert not list((tmp_path / "given").rglob("*.parquet"))
