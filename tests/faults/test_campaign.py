"""A few trials of the campaigns on every run of the suite, on both warehouses; ``make faults`` runs the whole set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import postgres
from tests.faults import campaign
from tests.faults.grounds import Files, Ground, OnServer

PLAN = campaign.Plan(size=60, among=("customerio", "file"), disturbances=2)


@pytest.mark.parametrize("seed", [1128])
def test_killed_and_doubled_syncs_lose_and_double_nothing(seed: int, tmp_path: Path) -> None:
    """The server is the suite's own, which nobody may stop."""
    grounds: list[Ground] = [Files(), OnServer(postgres.shared(), can_crash=False)]
    outcomes = campaign.kill_trial(tmp_path, seed, grounds, PLAN)
    assert [str(outcome) for outcome in outcomes if not outcome.ok] == []
