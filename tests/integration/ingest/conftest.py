"""A home of its own for each test, with one tenant and one connection to the made-up vendor of ``vendor.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    with open_control_plane(settings) as control:
        control.add_tenant("acme")
        control.add_connection("acme", "crm", "list")
    return settings
