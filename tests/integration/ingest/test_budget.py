"""What a sync may cost: memory however large the source is, and next to nothing when nothing happened."""

from __future__ import annotations

from typing import Any

import pytest

from gtm_pipelines.ingest import Limits, flush, session
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from tests.integration.ingest.vendor import measured, sync, world

MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(("rows", "size"), [(260_000, 700), (14_000, 20_000)])
def test_a_long_read_stays_within_its_memory_whatever_its_records_size(
    settings: Settings, rows: int, size: int
) -> None:
    """Hold for more than one checkpoint each; five of 700-byte records were measured to take no more than two.

    Long records once ran DuckDB out of memory, whatever its limit: it takes 2,048 rows at once.
    """
    bounded = settings.model_copy(update={"duckdb_memory": "192MB"})
    peak, created = measured(bounded, rows, size)
    print(f"peak {peak / MEGABYTE:.0f} MB for {created:,} records of {size:,} bytes")
    assert created == rows
    assert peak < 512 * MEGABYTE


def test_an_idle_sync_opens_the_warehouse_once_and_loads_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it costs in time is measured by the benchmark; these two are what it would cost too much by."""
    sync(settings, world(200), Limits())
    opened: list[str] = []

    def counted(*given: Any, **named: Any) -> Any:
        opened.append(given[1])
        return open_warehouse(*given, **named)

    for module in (session, flush):
        monkeypatch.setattr(module, "open_warehouse", counted)
    monkeypatch.setattr(flush, "_load", lambda *_: pytest.fail("there is nothing to load"))
    assert sync(settings, world(0), Limits()).changed == 0
    assert len(opened) == 1
