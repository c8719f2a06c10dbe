"""Leases: one holder at a time, epochs that only rise, and a loser that finds out before it writes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from gtm_pipelines.control_plane import LeaseLostError, LockTimeoutError, NotFoundError
from gtm_pipelines.control_plane.leases import REFRESH, wait_for_lease
from gtm_pipelines.control_plane.processes import Process, is_surely_dead, this_process
from gtm_pipelines.tenancy import ConnectionName, TenantId

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.control_plane import ControlPlane

    Raw = Callable[..., list[tuple[Any, ...]]]

KEY = TenantId("acme"), ConnectionName("crm")
EXPIRE = "update lease set expires_at = 1 where purpose = 'sync'"


def test_a_lease_has_one_holder_until_it_is_released(acme: ControlPlane) -> None:
    mine = acme.acquire_lease("acme", "crm", "me")
    assert mine is not None
    assert acme.acquire_lease("acme", "crm", "other") is None
    mine.release()
    other = acme.acquire_lease("acme", "crm", "other")
    assert other is not None
    assert other.epoch == mine.epoch + 1


def test_leases_of_different_connections_do_not_meet(acme: ControlPlane) -> None:
    acme.add_tenant("globex")
    acme.add_connection("globex", "crm", "salesforce")
    assert acme.acquire_lease("acme", "crm", "me") is not None
    assert acme.acquire_lease("globex", "crm", "me") is not None


def test_a_taken_over_lease_fails_its_check_its_heartbeat_and_cannot_free_the_new_one(
    acme: ControlPlane, raw: Raw
) -> None:
    zombie = acme.acquire_lease("acme", "crm", "zombie")
    assert zombie is not None
    raw(EXPIRE)
    heir = acme.acquire_lease("acme", "crm", "heir")
    assert heir is not None
    for attempt in (zombie.check, zombie.heartbeat):
        with pytest.raises(LeaseLostError, match="acme/crm"):
            attempt()
    zombie.release()
    heir.check()
    assert acme.acquire_lease("acme", "crm", "third") is None


def test_a_lease_that_ran_out_but_was_not_taken_is_still_its_holders(acme: ControlPlane, raw: Raw) -> None:
    mine = acme.acquire_lease("acme", "crm", "me")
    assert mine is not None
    raw(EXPIRE)
    mine.check()
    assert acme.acquire_lease("acme", "crm", "other") is None


def test_a_released_and_retaken_lease_is_lost_to_the_former_holder(acme: ControlPlane) -> None:
    first = acme.acquire_lease("acme", "crm", "me")
    assert first is not None
    first.release()
    assert acme.acquire_lease("acme", "crm", "me") is not None
    with pytest.raises(LeaseLostError):
        first.check()


def test_removing_the_connection_stops_the_sync_that_runs(acme: ControlPlane) -> None:
    mine = acme.acquire_lease("acme", "crm", "me")
    assert mine is not None
    acme.remove_connection("acme", "crm")
    with pytest.raises(LeaseLostError):
        mine.check()
    with pytest.raises(NotFoundError):
        acme.acquire_lease("acme", "crm", "me")


def test_a_zombie_cannot_pass_for_the_holder_of_a_connection_made_anew(acme: ControlPlane) -> None:
    """The new row counts epochs from the start again; the holder's random token still tells them apart."""
    zombie = acme.acquire_lease("acme", "crm", "me")
    acme.remove_connection("acme", "crm")
    acme.add_connection("acme", "crm", "salesforce")
    heir = acme.acquire_lease("acme", "crm", "me")
    assert zombie is not None
    assert heir is not None
    assert zombie.epoch == heir.epoch
    with pytest.raises(LeaseLostError):
        zombie.check()


def test_inside_a_with_block_a_lease_outlives_its_ttl_and_ends_with_it(acme: ControlPlane) -> None:
    mine = acme.acquire_lease("acme", "crm", "me", ttl=0.4)
    assert mine is not None
    with mine:
        time.sleep(1.0)
        assert acme.acquire_lease("acme", "crm", "other") is None
    assert acme.acquire_lease("acme", "crm", "other") is not None
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lease-")]


def test_without_heartbeat_a_lease_runs_out_by_the_databases_clock(acme: ControlPlane) -> None:
    assert acme.acquire_lease("acme", "crm", "me", ttl=0.3) is not None
    assert acme.acquire_lease("acme", "crm", "other") is None
    time.sleep(0.4)
    assert acme.acquire_lease("acme", "crm", "other") is not None


def test_a_holder_that_is_surely_dead_is_passed_over_at_once(acme: ControlPlane, raw: Raw) -> None:
    assert acme.acquire_lease("acme", "crm", "me", ttl=3600) is not None
    raw("update lease set process_started = process_started - 1 where purpose = 'sync'")  # the pid was reused
    assert acme.acquire_lease("acme", "crm", "heir") is not None


@pytest.mark.parametrize("boot", ["", "another-machine:pid:[4026531836]"], ids=["unknown", "elsewhere"])
def test_a_holder_that_cannot_be_judged_from_here_keeps_its_lease(acme: ControlPlane, raw: Raw, boot: str) -> None:
    """The same pid on another machine or in another container says nothing about this holder."""
    assert acme.acquire_lease("acme", "crm", "me", ttl=3600) is not None
    raw("update lease set boot_id = ?, pid = 4194304 where purpose = 'sync'", boot)
    assert acme.acquire_lease("acme", "crm", "other") is None


def test_a_live_process_is_not_dead_and_an_ended_one_is() -> None:
    me = this_process()
    assert not is_surely_dead(me)
    assert is_surely_dead(Process(me.boot_id, 4_194_304, me.started))  # above the largest pid Linux gives
    assert not is_surely_dead(Process("", 4_194_304, 0))


def test_a_lease_needs_time_to_live(acme: ControlPlane) -> None:
    with pytest.raises(ValueError, match="ttl"):
        acme.acquire_lease("acme", "crm", "me", ttl=0)


def test_the_refresh_lock_lets_one_thread_in_at_a_time(acme: ControlPlane) -> None:
    inside, most, entered = 0, 0, 0
    guard = threading.Lock()

    def refresh() -> None:
        nonlocal inside, most, entered
        with acme.credential_store("acme", "crm").lock():
            with guard:
                inside += 1
                entered += 1
                most = max(most, inside)
            time.sleep(0.01)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=refresh) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, entered) == (1, 12)


def test_the_refresh_lock_and_the_sync_lease_do_not_wait_for_each_other(acme: ControlPlane) -> None:
    assert acme.acquire_lease("acme", "crm", "me") is not None
    with acme.credential_store("acme", "crm").lock():
        pass


def test_waiting_for_a_lock_ends(acme: ControlPlane) -> None:
    with acme.credential_store("acme", "crm").lock():
        waiting = wait_for_lease(acme._database, *KEY, REFRESH, owner="other", ttl=60, wait=0.2)
        with pytest.raises(LockTimeoutError, match="try again"), waiting:
            pass


def test_an_error_inside_the_lock_frees_it(acme: ControlPlane) -> None:
    store = acme.credential_store("acme", "crm")
    with pytest.raises(RuntimeError), store.lock():
        raise RuntimeError("the vendor said no")
    with store.lock():
        pass
