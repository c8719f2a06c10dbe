"""A sync that is killed, stopped, doubled or outlived loses nothing, doubles nothing and needs no hand."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from gtm_pipelines.ingest import Limits
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_published, publish
from tests.integration.ingest.vendor import LIMITS, Running, start, stored, sync, versions, world


def test_kills_at_random_moments_lose_and_double_nothing(on_either: Settings) -> None:
    settings, chance = on_either, random.Random(1)
    before = world(600)
    after = before.changed(range(0, 600, 3), second=200, deleted=range(1, 600, 30)).changed(range(600, 650), second=201)
    kills = 0
    for seen, mode in ((before, None), (before, None), (after, None), (after, "full")):
        running = start(settings, seen, mode=mode)
        running.process.join(chance.uniform(0.0, 1.2))
        if running.process.is_alive():
            kills += 1
        running.process.kill()
        running.process.join()
        assert set(stored(settings).items()) <= {*versions(before).items(), *versions(after).items()}
    assert kills, "no process was killed: the test proves nothing"
    report = sync(settings, after)
    assert report.status == "ok", report
    assert stored(settings) == versions(after)
    assert sync(settings, after).changed == 0
    assert list(settings.runs_dir.iterdir()) == []


def test_of_two_syncs_at_once_one_runs_and_the_other_is_skipped(on_either: Settings) -> None:
    seen = world(300)
    first = start(on_either, seen, holds_at=2)
    assert sync(on_either, seen).status == "skipped_locked"
    first.go_on()
    assert first.status() == "ok"
    assert stored(on_either) == versions(seen)


def test_a_sync_that_is_told_to_stop_gives_its_lease_back_at_once(on_either: Settings) -> None:
    running = start(on_either, world(600), holds_at=5)  # it has stored three pages by then
    running.signal(signal.SIGTERM)
    running.process.join(30)
    assert running.process.exitcode == 128 + signal.SIGTERM
    assert list(on_either.runs_dir.iterdir()) == []
    assert sync(on_either, world(600)).status == "ok"
    assert stored(on_either) == versions(world(600))


def test_a_frozen_sync_that_wakes_after_it_was_replaced_writes_nothing(on_either: Settings) -> None:
    short = replace(LIMITS, lease_seconds=1.0, checkpoint_rows=100_000)
    old, new = world(300), world(300).changed(range(0, 300, 2), second=100)
    zombie = start(on_either, old, short, holds_at=2)
    with frozen(zombie, on_either):
        wait_for_the_lease_to_run_out(on_either)
        assert sync(on_either, new, short).status == "ok"
    zombie.go_on()
    assert zombie.status() == "failed"
    assert stored(on_either) == versions(new)


@contextmanager
def frozen(running: Running, settings: Settings) -> Iterator[None]:
    """Freeze a process, but not in the middle of a heartbeat: what that locks is locked for as long as it is frozen."""
    running.signal(signal.SIGSTOP)
    try:
        while is_locked(settings):
            running.signal(signal.SIGCONT)
            running.signal(signal.SIGSTOP)
        yield
    finally:
        running.signal(signal.SIGCONT)


def is_locked(settings: Settings) -> bool:
    """Tell whether somebody is writing to the control plane."""
    with closing(sqlite3.connect(settings.home / "control.db", timeout=0.05, isolation_level=None)) as control:
        try:
            control.execute("begin immediate")
        except sqlite3.OperationalError:
            return True
    return False


def wait_for_the_lease_to_run_out(settings: Settings) -> None:
    """Look at its row until its time is over."""
    deadline = time.monotonic() + 30
    with closing(sqlite3.connect(settings.home / "control.db", isolation_level=None)) as control:
        while control.execute("select max(expires_at) from lease").fetchone()[0] > time.time() - 0.1:
            if time.monotonic() > deadline:
                raise TimeoutError("the lease never ran out")
            time.sleep(0.02)


def test_a_reader_of_the_published_copy_and_a_sync_do_not_meet(settings: Settings) -> None:
    sync(settings, world(100))
    publish(settings, "acme")
    with open_published(settings, "acme") as reader:
        assert reader.rows("SELECT count(*) FROM raw_crm.people") == [(100,)]
        assert sync(settings, world(200), Limits(warehouse_wait=0.5)).status == "ok"
        publish(settings, "acme")
        assert reader.rows("SELECT count(*) FROM raw_crm.people") == [(100,)]
    with open_published(settings, "acme") as reader:
        assert reader.rows("SELECT count(*) FROM raw_crm.people") == [(200,)]
