"""The fault campaigns: kills at random moments, and the same sync launched twice at once.

``python -m tests.faults.campaign`` runs the whole set and prints what it tried and found, with the seed of any failure;
``--kills 1 --seed 17`` plays one trial again. A trial is right when a clean run after the fault leaves canonical rows
equal to those of a twin that was never disturbed, with no hand in between.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from gtm_pipelines.settings import Settings
from tests.faults import actors, oracle
from tests.faults.stage import TENANT, Stage, staged

KILLS, RACES = 50, 100
_SIZE = 150
_TURN_LIMIT_S = 180


@dataclass
class Outcome:
    """What one trial did and what it found wrong."""

    seed: int
    told: str
    faults: list[oracle.Fault] = field(default_factory=list)
    error: str = ""

    @property
    def ok(self) -> bool:
        """True when nothing was lost, doubled, stale or stuck."""
        return not self.faults and not self.error


def warehouse(settings: Settings) -> Path:
    """The tenant's private file; nobody holds it between the steps of a trial."""
    from gtm_pipelines.warehouse import names

    return names.warehouse_file(settings, TENANT)


def run_to_end(work: object, *arguments: object) -> str:
    """Run ``work`` undisturbed; return what went wrong, or nothing."""
    process = actors.start(work, *arguments)
    process.join(_TURN_LIMIT_S)
    if process.exitcode is None:
        process.kill()
        process.join()
        return f"not finished after {_TURN_LIMIT_S} s"
    return "" if process.exitcode == 0 else f"exit code {process.exitcode}"


def judged(stage: Stage, settings: Settings, outcome: Outcome) -> Outcome:
    """Fill a twin by one undisturbed full sync and compare."""
    twin = stage.home(f"twin-{settings.home.name}")
    outcome.error = outcome.error or run_to_end(actors.sync_and_refresh, twin)
    if not outcome.error:
        outcome.faults = oracle.judge(warehouse(settings), warehouse(twin), TENANT)
    return outcome


def kill_trial(directory: Path, seed: int) -> Outcome:
    """Kill a first turn and an incremental one at random moments, then run once more and judge."""
    draw = random.Random(seed)
    with staged(directory, size=_SIZE, seed=seed) as stage:
        settings = stage.home("home")
        moments = []
        for _ in range(draw.choice((1, 2, 3))):
            moment = draw.uniform(0.05, 6.0)
            process = actors.start(actors.sync_and_refresh, settings)
            process.join(moment)
            alive = process.exitcode is None
            process.kill()
            process.join()
            moments.append(f"{moment:.2f} s" + ("" if alive else " (already done)"))
            if draw.random() < 0.5:
                stage.advance()
        outcome = Outcome(seed, f"killed after {', '.join(moments)}")
        outcome.error = run_to_end(actors.settle, settings)
        return judged(stage, settings, outcome)


def race_trial(settings: Settings, seed: int) -> Outcome:
    """Launch one sync twice within a few milliseconds; one may be turned away, neither may fail."""
    draw = random.Random(seed)
    connection = draw.choice(("salesforce", "customerio", "file"))
    statuses = actors.queue()
    first = actors.start(actors.sync_once, settings, connection, statuses)
    time.sleep(draw.uniform(0, 0.3))
    second = actors.start(actors.sync_once, settings, connection, statuses)
    for process in (first, second):
        process.join(_TURN_LIMIT_S)
    told = sorted(statuses.get(timeout=5) for process in (first, second) if process.exitcode == 0)
    outcome = Outcome(seed, f"{connection} twice: {', '.join(told)}")
    if len(told) < 2 or not set(told) <= {"ok", "skipped_locked"} or "ok" not in told:
        outcome.error = f"exit codes {first.exitcode}, {second.exitcode}, statuses {told}"
    return outcome


def kills(seeds: list[int], directory: Path) -> list[Outcome]:
    """Run one kill trial for each seed."""
    outcomes = []
    for seed in seeds:
        outcomes.append(kill_trial(directory / f"kill-{seed}", seed))
        print(_line("kill", outcomes[-1]), flush=True)
    return outcomes


def races(seeds: list[int], directory: Path) -> list[Outcome]:
    """Race each seed in one world that moves on between races; judge the warehouse at the end of all."""
    with staged(directory / "race", size=_SIZE, seed=seeds[0]) as stage:
        settings = stage.home("home")
        outcomes = []
        for number, seed in enumerate(seeds):
            outcomes.append(race_trial(settings, seed))
            print(_line("race", outcomes[-1]), flush=True)
            if number % 5 == 0:
                stage.advance()
        last = Outcome(seeds[-1], f"after {len(seeds)} races", error=run_to_end(actors.settle, settings))
        outcomes.append(judged(stage, settings, last))
        print(_line("race", outcomes[-1]), flush=True)
        return outcomes


def _line(kind: str, outcome: Outcome) -> str:
    found = "ok" if outcome.ok else f"FAILED {outcome.error} {'; '.join(map(str, outcome.faults[:5]))}"
    return f"{kind} seed {outcome.seed}: {outcome.told}: {found}"


def main() -> int:
    """Run the campaigns; exit 1 when any trial found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--races", type=int, default=RACES)
    parser.add_argument("--seed", type=int, default=1, help="first seed; trial n uses seed + n")
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gtm-faults-") as directory:
        seeds = range(asked.seed, asked.seed + asked.kills)
        outcomes = kills(list(seeds), Path(directory)) if asked.kills else []
        seeds = range(asked.seed, asked.seed + asked.races)
        outcomes += races(list(seeds), Path(directory)) if asked.races else []
    failed = [outcome.seed for outcome in outcomes if not outcome.ok]
    print(
        f"{asked.kills} kill trials and {asked.races} double launches in {time.monotonic() - started:.0f} s: "
        f"{len(failed)} failed" + (f", seeds {failed}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
