"""A home of its own for each test, with one tenant and one connection to the made-up vendor of ``vendor.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return _connected(Settings(home=tmp_path))


@pytest.fixture
def on_either(tmp_path: Path, warehouse_url: str | None) -> Settings:
    """The same with the warehouse of either kind."""
    return _connected(Settings(home=tmp_path, warehouse_url=warehouse_url))


def _connected(settings: Settings) -> Settings:
    with open_control_plane(settings) as control:
        control.add_tenant("acme")
        control.add_connection("acme", "crm", "list")
    return settings
