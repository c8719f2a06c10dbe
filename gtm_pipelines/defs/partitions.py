"""The one partition set, ``tenants``, and how tenants are cut into runs.

A run process costs seconds of CPU before it does anything, so one run carries a whole shard of tenants. Dagster lets a
run cover several partitions only when they stand side by side in insertion order; everything about that rule is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from dagster import AssetKey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

TENANTS = dg.DynamicPartitionsDefinition(name="tenants")
BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=25)
"""How the UI cuts a backfill into runs. Definitions read no settings, so this is the default of GTM_SHARD_SIZE."""

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
PARTITION = "dagster/partition"
SHARD = "gtm/shard"

Shard = tuple[str, ...]


def cut_exact(keys: Sequence[str], wanted: Collection[str], *, at_most: int) -> list[Shard]:
    """Cut ``wanted`` into shards that name nothing else: side by side in ``keys``, at most ``at_most`` each."""
    shards: list[list[str]] = [[]]
    for key in keys:
        if key not in wanted or len(shards[-1]) == at_most:
            shards.append([])
        if key in wanted:
            shards[-1].append(key)
    return [tuple(shard) for shard in shards if shard]


def cut_spanning(keys: Sequence[str], wanted: Collection[str], *, at_most: int) -> list[Shard]:
    """Cut ``keys`` into blocks and trim each to what is wanted in it; a shard may span tenants that are not due."""
    blocks = [keys[start : start + at_most] for start in range(0, len(keys), at_most)]
    shards = []
    for block in blocks:
        places = [place for place, key in enumerate(block) if key in wanted]
        if places:
            shards.append(tuple(block[places[0] : places[-1] + 1]))
    return shards


def shard_name(shard: Shard) -> str:
    """Name a shard for tags and run keys: ``acme`` or ``acme..initech``."""
    return shard[0] if len(shard) == 1 else f"{shard[0]}..{shard[-1]}"


def shard_tags(shard: Shard) -> Mapping[str, str]:
    """Return the run tags that make a run cover ``shard`` and let the queue keep one run per shard."""
    name = {SHARD: shard_name(shard)}
    if len(shard) == 1:
        return {**name, PARTITION: shard[0]}
    return {**name, RANGE_START: shard[0], RANGE_END: shard[-1]}


def raw_key(connector: str, entity: str) -> AssetKey:
    """Return the key of one entity of one connector; its partition is the tenant."""
    return AssetKey(["raw", connector, entity])
