"""How well golden people and accounts match the sandbox's truth, printed and held to a floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from gtm_pipelines import sandbox
from gtm_pipelines.sandbox.judging import Judgement, Kind, judge
from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names, open_warehouse
from tests.faults import actors
from tests.faults.stage import TENANT, Stage, staged

_SIZE = 400
# Floors leave room for luck between seeds, not for a rule that stopped working: dropping any one rule falls below them.
_FLOORS = {"person": (0.98, 0.88), "account": (0.98, 0.80)}
_KNOWABLE = 0.97  # of the true pairs that something in the records tells, the share that has to be found


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, Path]:
    """One world, synced, moved on, synced again and resolved."""
    with staged(tmp_path_factory.mktemp("identity"), size=_SIZE, seed=23) as stage:
        settings = stage.home("home")
        actors.sync_all(settings)
        stage.advance()
        actors.sync_and_refresh(settings)
        assert names.warehouse_file(settings, TenantId(TENANT)).exists()
        return stage, settings.home


def measured(stage: Stage, kind: Kind) -> Judgement:
    """Judge the links of ``kind`` against the truth, record by record."""
    with open_warehouse(stage.home("home"), TENANT) as warehouse:
        found = judge(warehouse.served, sandbox.truth(stage.worlds, TENANT), kind)
    assert found.overall.records > _SIZE / 10, f"only {found.overall.records} {kind} links are known to the truth"
    return found


@pytest.mark.parametrize("kind", ["person", "account"])
def test_golden_records_agree_with_the_truth(resolved: tuple[Stage, Path], kind: Kind) -> None:
    stage, _ = resolved
    found = measured(stage, kind)
    result = found.overall
    print(
        f"\n{kind}: precision {result.precision:.4f}, recall {result.recall:.4f} over {result.records} "
        f"records, {result.true_pairs} true pairs; {len(result.mixed)} golden rows mix several, "
        f"{len(result.scattered)} are scattered"
    )
    print(f"  of {found.missed} missed pairs {found.beyond_knowing} share nothing that a rule could compare")
    for pair in found.by_source:
        print(f"  {pair.left} with {pair.right}: precision {pair.precision:.3f}, recall {pair.recall:.3f}")
    assert sum(pair.true_pairs for pair in found.by_source) == result.true_pairs
    assert sum(pair.right_pairs for pair in found.by_source) == result.right_pairs
    precision, recall = _FLOORS[kind]
    assert result.precision >= precision
    assert result.recall >= recall
    assert result.right_pairs >= _KNOWABLE * (result.true_pairs - found.beyond_knowing)
