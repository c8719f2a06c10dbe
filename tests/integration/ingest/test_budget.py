"""What a sync may cost: memory however large the source is, and CPU when nothing happened."""

from __future__ import annotations

import resource
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.ingest import Limits
from gtm_pipelines.settings import Settings
from tests.integration.ingest.vendor import measured, sync, world

if TYPE_CHECKING:
    pass

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


def test_an_idle_sync_costs_next_to_nothing(settings: Settings) -> None:
    sync(settings, world(200), Limits())
    costs = []
    for _ in range(5):
        began = time.process_time()
        assert sync(settings, world(0), Limits()).changed == 0
        costs.append(time.process_time() - began)
    print(f"idle {min(costs) * 1000:.0f} ms CPU, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    # the budget is 50 ms; another machine, and opening a control plane per call, get some room
    assert min(costs) < 0.1, sys.platform
