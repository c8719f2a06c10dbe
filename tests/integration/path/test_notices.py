"""What a connector guessed on the way is in the report an operator sees."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.ingest import sync_connection
from gtm_pipelines.settings import Settings


def test_a_guessed_encoding_and_a_renamed_column_stand_in_the_sync_report(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "people.csv").write_bytes("id,email,email\n1,a@x.co,José\n".encode("cp1252"))
    settings = Settings(home=tmp_path / "home", encryption_key=SecretStr("5a" * 32))
    with open_control_plane(settings) as control:
        control.add_tenant("acme")
        control.add_connection("acme", "file", "file", {"folder": str(tmp_path / "exports")})
        report = sync_connection(settings, control, "acme", "file")
    told = "\n".join(report.entities["people"].notices)
    assert "people.csv: the bytes are not UTF-8: read as cp1252" in told
    assert "column 3 repeats 'email'" in told
    assert report.entities["people"].created == 1
