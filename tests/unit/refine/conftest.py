"""A tenant's warehouse whose raw tables a test fills by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from tests.unit.refine.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path, warehouse_url: str | None) -> Iterator[Bench]:
    with open_warehouse(Settings(home=tmp_path, warehouse_url=warehouse_url), "acme") as warehouse:
        warehouse.ensure_tables()
        yield Bench(warehouse)
