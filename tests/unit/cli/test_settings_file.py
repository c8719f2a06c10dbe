"""One `.env` for every command and the UI; the real environment wins, and the demo writes it for its owner only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gtm_pipelines.cli.demo import write_env_file
from gtm_pipelines.settings import SettingsError, environment, read_env_file, use_env_file


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("# mine\nexport GTM_HOME='/from/file'\nGTM_REGION_X=file\n\n")
    monkeypatch.setenv("GTM_HOME", "/from/environment")
    monkeypatch.delenv("GTM_REGION_X", raising=False)
    seen = environment(tmp_path)
    assert (seen["GTM_HOME"], seen["GTM_REGION_X"]) == ("/from/environment", "file")
    monkeypatch.setenv("GTM_REGION_X", "restored by monkeypatch afterwards")
    monkeypatch.delenv("GTM_REGION_X")
    use_env_file(tmp_path, GTM_REGION_X="default")
    assert os.environ["GTM_REGION_X"] == "file"
    assert os.environ["GTM_HOME"] == "/from/environment"


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GTM_HOME=/x\nwhat is this\n")
    with pytest.raises(SettingsError, match="line 2"):
        read_env_file(tmp_path / ".env")


def test_the_demo_writes_a_key_once_and_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gtm_pipelines.cli.demo.answers", lambda _: False)
    path = tmp_path / ".env"
    path.write_text("GTM_SHARD_SIZE=5\n")
    write_env_file(path)
    first = read_env_file(path)
    assert len(first["CONNECTOR_ENCRYPTION_KEY"]) == 64
    assert first["GTM_SHARD_SIZE"] == "5"
    assert first["GTM_PRIVATE_DATABASES"] == str(Path(environment(tmp_path)["GTM_HOME"]) / "sandbox")
    assert path.stat().st_mode & 0o777 == 0o600
    write_env_file(path)
    assert read_env_file(path) == first
