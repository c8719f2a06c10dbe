"""Tenants are cut into runs: side by side in the order Dagster knows them, never more than one shard holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gtm_pipelines.defs.partitions import cut_exact, cut_spanning, shard_name, shard_tags

KEYS = [f"t{number}" for number in range(12)]


def test_an_exact_cut_names_only_what_is_wanted() -> None:
    assert cut_exact(KEYS, {"t1", "t2", "t3", "t7"}, at_most=2) == [("t1", "t2"), ("t3",), ("t7",)]


def test_a_spanning_cut_trims_each_block_to_what_is_wanted() -> None:
    assert cut_spanning(KEYS, {"t1", "t3", "t11"}, at_most=5) == [("t1", "t2", "t3"), ("t11",)]


def test_nothing_wanted_is_no_shard() -> None:
    assert cut_exact(KEYS, set(), at_most=5) == []
    assert cut_spanning(KEYS, {"stranger"}, at_most=5) == []


@given(st.sets(st.sampled_from(KEYS)), st.integers(1, 13))
def test_every_wanted_tenant_is_in_exactly_one_shard_and_shards_stand_side_by_side(wanted: set[str], size: int) -> None:
    for cut in (cut_exact, cut_spanning):
        shards = cut(KEYS, wanted, at_most=size)
        flat = [key for shard in shards for key in shard]
        assert set(flat) >= wanted
        assert len(flat) == len(set(flat))
        for shard in shards:
            assert len(shard) <= size
            assert "".join(shard) in "".join(KEYS)
    assert {key for shard in cut_exact(KEYS, wanted, at_most=size) for key in shard} == wanted


def test_one_tenant_is_a_partition_and_several_are_a_range() -> None:
    assert shard_tags(("acme",)) == {"gtm/shard": "acme", "dagster/partition": "acme"}
    assert shard_tags(("acme", "globex", "initech")) == {
        "gtm/shard": "acme..initech",
        "dagster/asset_partition_range_start": "acme",
        "dagster/asset_partition_range_end": "initech",
    }
    assert shard_name(("acme",)) == "acme"
