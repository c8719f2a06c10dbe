"""How well golden people and accounts match the sandbox's truth, printed and held to a floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from gtm_pipelines import sandbox
from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names, open_warehouse
from quality.identity.evaluation import Evaluation, evaluate
from tests.faults import actors
from tests.faults.stage import TENANT, Stage, staged

_SIZE = 400
# Floors leave room for luck between seeds, not for a rule that stopped working: dropping any one rule falls below them.
_FLOORS = {"person": (0.98, 0.83), "account": (0.98, 0.80)}


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


def measured(stage: Stage, kind: str) -> Evaluation:
    """Judge the links of ``kind`` against the truth, record by record."""
    key = f"{kind}_id"
    true = {
        (row["connector"], row["external_id"]): row[key]
        for row in sandbox.truth(stage.worlds, TENANT).records.to_pylist()
        if row[key] is not None
    }
    settings = stage.home("home")
    with open_warehouse(settings, TENANT) as warehouse:
        links = warehouse.rows(
            f"SELECT c.connector, l.external_id, l.{key} FROM golden.{kind}_link l"
            f" JOIN canonical.{kind} c USING (source, external_id)"
        )
    pairs = [(golden, true[connector, record]) for connector, record, golden in links if (connector, record) in true]
    assert len(pairs) > _SIZE / 10, f"only {len(pairs)} of {len(links)} {kind} links are known to the truth"
    return evaluate(pairs)


@pytest.mark.parametrize("kind", ["person", "account"])
def test_golden_records_agree_with_the_truth(resolved: tuple[Stage, Path], kind: str) -> None:
    stage, _ = resolved
    result = measured(stage, kind)
    print(
        f"\n{kind}: precision {result.precision:.4f}, recall {result.recall:.4f} over {result.records} "
        f"records, {result.true_pairs} true pairs; {len(result.mixed)} golden rows mix several, "
        f"{len(result.scattered)} are scattered"
    )
    precision, recall = _FLOORS[kind]
    assert result.precision >= precision
    assert result.recall >= recall
