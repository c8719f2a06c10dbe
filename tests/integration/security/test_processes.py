"""The control plane under several processes at once, and under SIGKILL at random moments."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from gtm_pipelines.control_plane import open_control_plane

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings
    from tests.unit.control_plane.databases import ControlDatabase

    Start = Callable[..., subprocess.Popen[str]]

NEW = SecretStr("e" * 64)


@pytest.fixture
def at_a_time(database: ControlDatabase) -> int:
    """How many processes race: two where a server decides, more where a file's locks must."""
    return 4 if database.name == "sqlite" else 2


def on_both(sqlite: int, postgres: int) -> list[tuple[str, int]]:
    """Seeds of a chance test for each database."""
    return [*(("sqlite", seed) for seed in range(sqlite)), *(("postgres", seed) for seed in range(postgres))]


def result(process: subprocess.Popen[str]) -> Any:
    """Wait for a worker and return what it printed last."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out.splitlines()[-1])


def at_once(workers: list[subprocess.Popen[str]], home: Path) -> list[Any]:
    """Let workers go when all of them are ready, and return their results."""
    while len(list(home.parent.glob("ready-*"))) < len(workers):
        assert all(worker.poll() is None for worker in workers)
        time.sleep(0.01)
    (home.parent / "go").touch()
    return [result(worker) for worker in workers]


@pytest.mark.parametrize("database", ["sqlite new", "postgres new"], indirect=True)
def test_many_processes_open_a_new_database_at_once(settings: Settings, start: Start, at_a_time: int) -> None:
    """One of them migrates it; the others wait and find it done."""
    names = [f"tenant{number}" for number in range(2 * at_a_time)]
    assert at_once([start("open_and_add", name) for name in names], settings.home) == [True] * len(names)
    with open_control_plane(settings) as plane:
        assert [tenant.id for tenant in plane.list_tenants()] == names
        assert plane.verify_audit() == []
        assert len(plane.list_keys()) == 1


@pytest.mark.parametrize(("database", "seed"), on_both(3, 2), indirect=["database"])
def test_a_kill_in_the_middle_of_mutations_leaves_old_or_new_with_its_audit_row(
    plane: ControlPlane, start: Start, database: ControlDatabase, seed: int
) -> None:
    before = plane.audit_head()[0]
    worker = start("mutate_for_ever")
    while plane.audit_head()[0] < before + 20:
        time.sleep(0.01)
        assert worker.poll() is None, worker.communicate()[1]
    time.sleep(random.Random(seed).uniform(0, 0.05))
    worker.kill()
    worker.wait()

    assert plane.verify_audit() == []  # the chain holds, and every credential is the one recorded last
    fields = plane.credential_store("acme", "crm").read()
    assert fields["client_id"].reveal()[3:] == fields["client_secret"].reveal()[7:]  # written together or not at all
    override = plane.list_overrides("acme", "crm")[0].spec
    recorded = next(entry.after["spec"] for entry in plane.list_audit() if entry.action == "mapping.set")
    assert override == recorded
    present = {one.name for one in plane.list_connections("acme")}
    life = [
        entry for entry in reversed(plane.list_audit()) if entry.action in {"connection.added", "connection.removed"}
    ]
    expected: set[str] = set()
    for entry in life:
        (expected.add if entry.action.endswith("added") else expected.discard)(
            entry.subject.removeprefix("connection:")
        )
    assert present == expected
    assert database.damage() == []


def test_a_lease_race_between_processes_has_one_winner_at_a_time(
    plane: ControlPlane, start: Start, home: Path, at_a_time: int
) -> None:
    outcomes = at_once([start("race_for_lease", "1.5") for _ in range(at_a_time)], home)
    assert sum(outcome["clashes"] for outcome in outcomes) == 0
    assert sum(outcome["won"] > 0 for outcome in outcomes) > 1, "nobody raced"
    won = sum(outcome["won"] for outcome in outcomes)
    last = plane.acquire_lease("acme", "crm", "me")
    assert last is not None
    assert last.epoch == won + 1  # every win raised the epoch by one: none was shared


def test_a_killed_holder_is_followed_at_once_not_after_its_ttl(plane: ControlPlane, start: Start) -> None:
    holder = start("hold_lease")
    assert holder.stdout is not None
    assert json.loads(holder.stdout.readline()) is True
    assert plane.acquire_lease("acme", "crm", "heir") is None
    holder.kill()
    deadline = time.monotonic() + 10
    while (heir := plane.acquire_lease("acme", "crm", "heir")) is None:  # unreaped: a zombie is dead too
        assert time.monotonic() < deadline, "dead, and its lease is still held"
    assert heir.epoch == 2


def test_a_holder_that_slept_through_its_lease_is_fenced_from_loading(plane: ControlPlane, start: Start) -> None:
    sleeper = start("wake_up_late")
    assert sleeper.stdout is not None
    assert json.loads(sleeper.stdout.readline()) is True
    time.sleep(0.6)
    assert plane.acquire_lease("acme", "crm", "heir") is not None
    out, _ = sleeper.communicate("wake\n", timeout=30)
    assert json.loads(out.splitlines()[-1]) == "lost"


def test_a_single_use_refresh_token_is_never_sent_twice(
    plane: ControlPlane, start: Start, home: Path, at_a_time: int
) -> None:
    (home.parent / "spent").mkdir()
    refreshed = at_once([start("refresh_single_use_token", "30") for _ in range(at_a_time)], home)
    spent = len(list((home.parent / "spent").iterdir()))
    assert spent == sum(refreshed) >= 30
    assert plane.credential_store("acme", "crm").read()["refresh_token"].reveal() == f"token-{spent}"


def test_a_dead_refresher_does_not_hold_the_others_up(
    plane: ControlPlane, start: Start, database: ControlDatabase
) -> None:
    """Its lock is passed over as soon as its process is gone, not after a minute."""
    holder = start("hold_lease")
    assert holder.stdout is not None
    holder.stdout.readline()
    database.run("update lease set purpose = 'gone' where purpose = 'refresh'")
    database.run("update lease set purpose = 'refresh' where purpose = 'sync'")
    holder.kill()
    holder.wait()
    began = time.monotonic()
    with plane.credential_store("acme", "crm").lock():
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(("database", "seed"), on_both(2, 1), indirect=["database"])
def test_a_rewrap_killed_at_any_row_is_finished_by_the_next(
    plane: ControlPlane, start: Start, settings: Settings, seed: int
) -> None:
    for number in range(6):
        secrets = {f"key_{field}": f"value-{number}-{field}" for field in range(20)}
        plane.add_connection("acme", f"c{number}", "salesforce", {}, secrets)
    before = plane.audit_head()[0]
    worker = start("rewrap")
    while plane.audit_head()[0] < before + 5:
        assert worker.poll() is None, worker.communicate()[1]
    time.sleep(random.Random(seed).uniform(0, 0.1))
    worker.kill()
    worker.wait()
    assert plane.audit_head()[0] < before + 123, "it was not killed halfway"

    rest = result(start("rewrap"))
    assert 0 < rest < 123
    with open_control_plane(settings.model_copy(update={"encryption_key": NEW})) as alone:
        for number in range(6):
            fields = alone.credential_store("acme", f"c{number}").read()
            assert {name: value.reveal() for name, value in fields.items()} == {
                f"key_{field}": f"value-{number}-{field}" for field in range(20)
            }
        assert alone.verify_audit() == []


def test_a_forked_child_uses_connections_of_its_own(plane: ControlPlane, start: Start) -> None:
    assert result(start("fork_and_use")) is True
    assert plane.verify_audit() == []
