"""What the tests in this folder run in processes of their own: ``python worker.py <task> <home> <url> [argument]``.

Each task prints one JSON value at its end; those that are killed print nothing.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import event

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import ControlPlane, LeaseLostError, open_control_plane
from gtm_pipelines.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, NEW = SecretStr("0123456789abcdef" * 4), SecretStr("e" * 64)


@dataclass(frozen=True)
class Home:
    """Where the control plane of the test is, and the folder in which its processes meet."""

    path: Path
    url: str | None

    @property
    def meeting(self) -> Path:
        return self.path.parent


def opened(home: Home, primary: SecretStr = OLD, *previous: SecretStr) -> ControlPlane:
    """Open the control plane as its own process would."""
    settings = Settings(home=home.path, control_url=home.url, encryption_key=primary, previous_keys=tuple(previous))
    return open_control_plane(settings, actor="worker")


def _wait_for_go(home: Home) -> None:
    (home.meeting / f"ready-{os.getpid()}").touch()
    while not (home.meeting / "go").exists():
        time.sleep(0.001)


def open_and_add(home: Home, name: str) -> Any:
    """Open a database that may not exist yet, together with others, and add a tenant of one's own."""
    _wait_for_go(home)
    with opened(home) as plane:
        plane.add_tenant(name)
        plane.add_connection(name, "crm", "salesforce", {}, {"token": f"token-of-{name}"})
        return plane.credential_store(name, "crm").read()["token"].reveal() == f"token-of-{name}"


def mutate_for_ever(home: Home, _argument: str) -> Any:
    """Rotate two credentials together, and change the configuration, until killed."""
    plane = opened(home)
    number = 0
    while True:
        number += 1
        pair = {"client_id": Secret(f"id-{number:06d}"), "client_secret": Secret(f"secret-{number:06d}")}
        plane.credential_store("acme", "crm").write(pair)
        plane.set_override("acme", "crm", "Contact", "person", "email", number)
        plane.add_connection("acme", f"c{number}", "salesforce", {}, {"token": f"token-{number:06d}"})
        plane.remove_connection("acme", f"c{number}")


def rewrap(home: Home, _argument: str) -> Any:
    """Seal everything under the new key, slowly enough to be killed halfway."""
    return opened(home, NEW, OLD).rewrap_credentials(lambda _done, _total: time.sleep(0.001)).rewrapped


def hold_lease(home: Home, _argument: str) -> Any:
    """Take the lease for an hour, say so, and never give it back."""
    lease = opened(home).acquire_lease("acme", "crm", f"holder-{os.getpid()}", ttl=3600)
    sys.stdout.write(json.dumps(lease is not None) + "\n")
    sys.stdout.flush()
    time.sleep(600)


def race_for_lease(home: Home, seconds: str) -> Any:
    """Take the lease again and again for a while; inside, write a file that nobody else may have touched meanwhile."""
    plane, target, won, clashes = opened(home), home.meeting / "guarded", 0, 0
    _wait_for_go(home)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        time.sleep(random.uniform(0, 0.004))
        lease = plane.acquire_lease("acme", "crm", f"racer-{os.getpid()}")
        if lease is None:
            continue
        won += 1
        mine = f"{os.getpid()}-{lease.epoch}"
        target.write_text(mine)
        time.sleep(0.002)
        clashes += target.read_text() != mine
        lease.check()
        lease.release()
    return {"won": won, "clashes": clashes}


def wake_up_late(home: Home, _argument: str) -> Any:
    """Hold a short lease, be stopped by a signal past its end, and try to load on waking."""
    lease = opened(home).acquire_lease("acme", "crm", "sleeper", ttl=0.5)
    sys.stdout.write(json.dumps(lease is not None) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        assert lease is not None
        lease.check()
    except LeaseLostError:
        return "lost"
    return "loaded"


def refresh_single_use_token(home: Home, rounds: str) -> Any:
    """Refresh at a vendor that fails when a refresh token comes twice; count the tokens it was sent."""
    store, spent = opened(home).credential_store("acme", "crm"), home.meeting / "spent"
    _wait_for_go(home)
    refreshed = 0
    for _ in range(int(rounds)):
        before = store.read()["refresh_token"].reveal()
        with store.lock():
            token = store.read()["refresh_token"].reveal()
            if token != before:
                continue  # another process refreshed while we waited: its token is ours
            (spent / token).touch(exist_ok=False)  # the vendor: a token seen twice is an error
            store.write({"refresh_token": Secret(f"token-{int(token.removeprefix('token-')) + 1}")})
            refreshed += 1
    return refreshed


def fork_and_use(home: Home, _argument: str) -> Any:
    """Use the control plane on both sides of a fork."""
    plane = opened(home)
    plane.list_tenants()
    made: list[int] = []
    event.listen(plane._database.engine, "connect", lambda *_: made.append(os.getpid()))
    child = os.fork()
    for number in range(20):
        plane.set_override("acme", "crm", "Contact", "person", f"{'parent' if child else 'child'}{number}", number)
    if not child:
        os._exit(0 if os.getpid() in made else 1)  # the inherited connection must not have been used
    return os.waitpid(child, 0)[1] == 0 and len(plane.list_overrides("acme", "crm")) == 40


TASKS: dict[str, Callable[[Home, str], Any]] = {
    "fork_and_use": fork_and_use,
    "hold_lease": hold_lease,
    "mutate_for_ever": mutate_for_ever,
    "open_and_add": open_and_add,
    "race_for_lease": race_for_lease,
    "refresh_single_use_token": refresh_single_use_token,
    "rewrap": rewrap,
    "wake_up_late": wake_up_late,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(TASKS[sys.argv[1]](Home(Path(sys.argv[2]), sys.argv[3] or None), sys.argv[4])) + "\n")
