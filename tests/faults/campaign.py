"""The fault campaigns: kills at random moments, servers that crash, and the same sync launched twice at once.

``python -m tests.faults.campaign`` runs the whole set on both warehouses and prints what it tried and found. Whatever
fails is printed with the command that plays it again. A trial is right when a clean run after the fault leaves rows
equal to those of a twin that was never disturbed, with no hand in between.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gtm_pipelines.settings import Settings
from tests.faults import actors, oracle
from tests.faults.grounds import Files, Ground, OnServer
from tests.faults.stage import CONNECTIONS, TENANT, Stage, staged
from tests.postgres import Server
from tests.warehouses import KINDS

KILLS, RACES = 50, 100
_RACES_OF_A_WORLD = 25
_TURN_LIMIT_S = 300
_COSTS = {"salesforce": 0.5, "customerio": 0.25, "file": 0.25}  # shares of a turn


@dataclass(frozen=True)
class Plan:
    """How large the worlds are and of what, and how often at most a turn is disturbed."""

    size: int = 150
    among: Sequence[str] = CONNECTIONS
    disturbances: int = 3


@dataclass
class Outcome:
    """What one trial did and what it found wrong; ``again`` are the arguments that play it again."""

    trial: str
    again: str
    told: list[str] = field(default_factory=list)
    faults: list[oracle.Fault] = field(default_factory=list)
    error: str = ""

    @property
    def ok(self) -> bool:
        """True when nothing was lost, doubled, stale or stuck."""
        return not self.faults and not self.error

    def __str__(self) -> str:
        found = "ok" if self.ok else f"FAILED {self.error} {'; '.join(map(str, self.faults[:5]))}"
        return f"{self.trial}: {', '.join(self.told)}: {found}"


@dataclass
class Victim:
    """An installation that is disturbed, on one ground, by its own draw: what it meets does not hang on the others."""

    ground: Ground
    stage: Stage
    settings: Settings
    draw: random.Random

    @property
    def turn_s(self) -> float:
        """About how long a turn of its connections takes undisturbed."""
        return self.ground.turn_s * sum(_COSTS[each] for each in self.stage.connections)

    def disturb(self, outcome: Outcome) -> None:
        """Do a random harm."""
        harm = self.draw.random()
        if harm < 0.25:
            self.race(outcome)
        elif harm < 0.55 and self.ground.can_crash:
            self.crash(outcome)
        else:
            self.kill(outcome)

    def kill(self, outcome: Outcome) -> None:
        """Begin a turn and kill it at a random moment."""
        process, begun = self._begin()
        process.kill()
        process.join()
        outcome.told.append(f"killed {begun}")

    def crash(self, outcome: Outcome) -> None:
        """Begin a turn and have its database crash at a random moment; it survives that or says so."""
        process, begun = self._begin()
        self.ground.crash(away := self.draw.uniform(0, 2))
        process.join(_TURN_LIMIT_S)
        outcome.told.append(f"server away {away:.1f} s {begun}, exit code {process.exitcode}")
        if process.exitcode not in {0, actors.SAID}:
            outcome.error = f"after the crash: exit code {process.exitcode}"
            process.kill()
            process.join()

    def _begin(self) -> tuple[actors.Process, str]:
        moment = self.draw.uniform(0.01, 1.0) * self.turn_s
        process = actors.start(actors.disturbed, self.settings)
        process.join(moment)
        return process, f"after {moment:.2f} s{'' if process.exitcode is None else ' (already done)'}"

    def race(self, outcome: Outcome) -> None:
        """Launch one sync twice within a few milliseconds; one may be turned away, neither may fail."""
        connection = self.draw.choice(self.stage.connections)
        statuses = actors.queue()
        first = actors.start(actors.sync_once, self.settings, connection, statuses)
        time.sleep(self.draw.uniform(0, 0.3))
        second = actors.start(actors.sync_once, self.settings, connection, statuses)
        for process in (first, second):
            process.join(_TURN_LIMIT_S)
        told = sorted(statuses.get(timeout=5) for process in (first, second) if process.exitcode == 0)
        outcome.told.append(f"{connection} twice: {' and '.join(told)}")
        if len(told) < 2 or not set(told) <= {"ok", "skipped_locked"} or "ok" not in told:
            outcome.error = f"exit codes {first.exitcode}, {second.exitcode}, statuses {told}"


@contextmanager
def victims(stage: Stage, grounds: Sequence[Ground], seed: int) -> Iterator[list[Victim]]:
    """Make one on each ground; those on a server have their databases dropped afterwards."""
    with ExitStack() as stack:
        made = []
        for ground in grounds:
            draw = random.Random(f"{seed} {ground.kind}")
            databases = stack.enter_context(ground.databases(draw))
            made.append(Victim(ground, stage, stage.home(ground.kind, **databases), draw))
        yield made


def judge(stage: Stage, trials: Sequence[tuple[Victim, Outcome]]) -> None:
    """Run all once more, fill a twin in a DuckDB file by one undisturbed full sync, and compare."""
    for victim, outcome in trials:
        outcome.error = outcome.error or run_to_end(actors.settle, victim.settings)
    twin = stage.home("twin")
    failed = run_to_end(actors.witness, twin)
    for victim, outcome in trials:
        outcome.error = outcome.error or failed
        if not outcome.error:
            with victim.ground.stored(victim.settings) as have, Files().stored(twin) as want:
                outcome.faults = oracle.judge(have, want, TENANT)
        print(outcome, flush=True)


def run_to_end(work: object, *arguments: object) -> str:
    """Run ``work`` undisturbed; return what went wrong, or nothing."""
    process = actors.start(work, *arguments)
    process.join(_TURN_LIMIT_S)
    if process.exitcode is None:
        process.kill()
        process.join()
        return f"not finished after {_TURN_LIMIT_S} s"
    return "" if process.exitcode == 0 else f"exit code {process.exitcode}"


def kill_trial(directory: Path, seed: int, grounds: Sequence[Ground], plan: Plan) -> list[Outcome]:
    """Disturb a first turn and incremental ones at random moments, then run once more and judge."""
    draw = random.Random(seed)
    chosen = draw.sample(plan.among, draw.randint(1, 2))
    rounds = [draw.random() < 0.5 for _ in range(draw.randint(1, plan.disturbances))]
    world = staged(directory, size=plan.size, seed=seed, connections=chosen)
    with world as stage, victims(stage, grounds, seed) as made:
        outcomes = [_outcome(each, f"kill seed {seed}", f"--kills 1 --races 0 --seed {seed}") for each in made]
        for moves_on in rounds:
            for victim, outcome in zip(made, outcomes, strict=True):
                victim.disturb(outcome)
            if moves_on:
                stage.advance()
        judge(stage, list(zip(made, outcomes, strict=True)))
        return outcomes


def races(directory: Path, seeds: Sequence[int], grounds: Sequence[Ground], plan: Plan) -> list[Outcome]:
    """Race once for each seed in one world that moves on between races; judge at the end of all."""
    outcomes = []
    world = staged(directory, size=plan.size, seed=seeds[0], connections=plan.among)
    with world as stage, victims(stage, grounds, seeds[0]) as made:
        for number, seed in enumerate(seeds, start=1):
            for victim in made:
                again = f"--kills 0 --races {number} --seed {seeds[0]}"
                outcomes.append(_outcome(victim, f"race seed {seed}", again))
                victim.race(outcomes[-1])
                print(outcomes[-1], flush=True)
            if number % 5 == 1:
                stage.advance()
        again = f"--kills 0 --races {len(seeds)} --seed {seeds[0]}"
        last = [_outcome(victim, f"all races from seed {seeds[0]} to {seeds[-1]}", again) for victim in made]
        judge(stage, list(zip(made, last, strict=True)))
    return outcomes + last


def _outcome(victim: Victim, trial: str, again: str) -> Outcome:
    kind, stage = victim.ground.kind, victim.stage
    plane = "postgres" if victim.settings.control_url else "sqlite"
    return Outcome(
        f"{kind} {trial}", f"--warehouse {kind} {again}", [f"{'+'.join(stage.connections)}, plane on {plane}"]
    )


def opened(kind: str) -> Ground:
    """Return a ground of this kind; a server is of its own, so that it may be stopped."""
    return OnServer(Server(), can_crash=True) if kind == "postgres" else Files()


def measure(directory: Path, ground: Ground) -> None:
    """Time a first turn here and now, so that faults fall into it and not after it."""
    world = staged(directory, size=Plan().size, seed=0)
    with world as stage, victims(stage, [ground], 0) as (victim,):
        run_to_end(actors.settle, stage.home("warm"))  # the first process of all waits for what it imports
        began = time.monotonic()
        run_to_end(actors.settle, victim.settings)
        ground.turn_s = time.monotonic() - began
    print(f"{ground.kind}: an undisturbed turn takes {ground.turn_s:.1f} s", flush=True)


def main() -> int:
    """Run the campaigns; exit 1 when any trial found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--warehouse", choices=[*KINDS, "both"], default="both")
    parser.add_argument("--kills", type=int, default=KILLS, help="trials of kills and crashes on each warehouse")
    parser.add_argument("--races", type=int, default=RACES, help="double launches on each warehouse")
    parser.add_argument("--seed", type=int, default=1, help="first seed; trial n uses seed + n")
    asked = parser.parse_args()
    grounds = [opened(kind) for kind in KINDS if asked.warehouse in {kind, "both"}]
    plan, outcomes, started = Plan(), list[Outcome](), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gtm-faults-") as folder:
        directory = Path(folder)
        for ground in grounds if asked.kills else ():
            measure(directory / f"measure-{ground.kind}", ground)
        for seed in range(asked.seed, asked.seed + asked.kills):
            outcomes += kill_trial(directory / f"kill-{seed}", seed, grounds, plan)
        seeds = range(asked.seed, asked.seed + asked.races)
        for first in seeds[::_RACES_OF_A_WORLD]:
            world = seeds[first - asked.seed :][:_RACES_OF_A_WORLD]
            outcomes += races(directory / f"race-{first}", world, grounds, plan)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    print(
        f"{asked.kills} kill trials and {asked.races} double launches on {' and on '.join(g.kind for g in grounds)} in"
        f" {time.monotonic() - started:.0f} s: {len(failed)} failed"
    )
    for outcome in failed:
        print(f"  {outcome}\n    again: python -m tests.faults.campaign {outcome.again}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
