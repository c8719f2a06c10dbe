"""A few seeds of the campaigns on every run of the suite; ``make faults`` runs the whole set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import campaign


@pytest.mark.parametrize("seed", [29])
def test_a_killed_sync_loses_and_doubles_nothing(seed: int, tmp_path: Path) -> None:
    outcome = campaign.kill_trial(tmp_path, seed)
    assert outcome.ok, f"seed {seed}: {outcome.told}: {outcome.error} {[str(fault) for fault in outcome.faults[:10]]}"


def test_the_same_sync_launched_twice_at_once_does_its_work_once(tmp_path: Path) -> None:
    outcomes = campaign.races([5], tmp_path)
    assert [outcome for outcome in outcomes if not outcome.ok] == []
