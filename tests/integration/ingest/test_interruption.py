"""A sync that is killed, stopped, doubled or outlived loses nothing, doubles nothing and needs no hand."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import replace

from gtm_pipelines.ingest import Limits
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_published, publish
from tests.integration.ingest.vendor import LIMITS, start, stored, sync, versions, world


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
    seen = world(300, pause=0.1)
    first, second = start(on_either, seen), start(on_either, seen)
    assert sorted([first.status(), second.status()]) == ["ok", "skipped_locked"]
    assert stored(on_either) == versions(seen)


def test_a_sync_that_is_told_to_stop_gives_its_lease_back_at_once(on_either: Settings) -> None:
    running = start(on_either, world(600, pause=0.3))
    time.sleep(0.8)
    began = time.monotonic()
    os.kill(running.process.pid or 0, signal.SIGTERM)
    running.process.join(10)
    assert running.process.exitcode == 128 + signal.SIGTERM
    assert time.monotonic() - began < 10
    assert list(on_either.runs_dir.iterdir()) == []
    assert sync(on_either, world(600)).status == "ok"
    assert stored(on_either) == versions(world(600))


def test_a_frozen_sync_that_wakes_after_it_was_replaced_writes_nothing(settings: Settings) -> None:
    short = replace(LIMITS, lease_seconds=1.0, checkpoint_rows=100_000)
    old, new = world(300, pause=0.3), world(300).changed(range(0, 300, 2), second=100)
    zombie = start(settings, old, short)
    time.sleep(0.6)
    os.kill(zombie.process.pid or 0, signal.SIGSTOP)
    time.sleep(1.2)
    assert sync(settings, new, short).status == "ok"
    os.kill(zombie.process.pid or 0, signal.SIGCONT)
    assert zombie.status() == "failed"
    assert stored(settings) == versions(new)


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
