"""One tenant with one connection to a scripted vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.settings import Settings
from tests.unit.ingest.rig import Rig, Vendor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def rig(tmp_path: Path, warehouse_url: str | None) -> Iterator[Rig]:
    settings = Settings(home=tmp_path, warehouse_url=warehouse_url)
    with open_control_plane(settings) as control:
        control.add_tenant("acme")
        control.add_connection("acme", "crm", "scripted")
        yield Rig(settings, control, Vendor())
