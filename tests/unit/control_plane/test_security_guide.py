"""The operators' guide: what it tells people to run, runs, and does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from gtm_pipelines.control_plane import open_control_plane

if TYPE_CHECKING:
    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings

GUIDE = (Path(__file__).parents[3] / "docs" / "security.md").read_text()
OLD, NEW = "0123456789abcdef" * 4, "e" * 64


def snippet(holding: str) -> str:
    """Return the guide's Python example that contains ``holding``."""
    return next(code[1] for code in re.finditer(r"```python\n(.*?)```", GUIDE, re.DOTALL) if holding in code[1])


@pytest.fixture
def environment(acme: ControlPlane, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    acme.close()
    monkeypatch.setenv("GTM_HOME", str(settings.home))
    return settings


def test_the_rotation_example_rotates(environment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_ENCRYPTION_KEY", NEW)
    monkeypatch.setenv("OLD_KEY", OLD)
    exec(snippet("rewrap_credentials"), {})  # noqa: S102  the guide's own text
    changed = environment.model_copy(update={"encryption_key": SecretStr(NEW)})
    with open_control_plane(changed) as plane:
        assert plane.credential_store("acme", "crm").read()["client_secret"].reveal() == "s3cr3t-value-of-acme"
        assert [(key.is_primary, key.retired_at is None) for key in plane.list_keys()] == [(False, False), (True, True)]


@pytest.mark.usefixtures("environment")
def test_the_anchor_example_verifies() -> None:
    exec(snippet("audit_head"), {})  # noqa: S102  the guide's own text
