from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.resolution.tenant import Tenant, open_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def tenant(tmp_path: Path, warehouse_url: str | None) -> Iterator[Tenant]:
    with open_tenant(tmp_path, warehouse_url=warehouse_url) as opened:
        yield opened
