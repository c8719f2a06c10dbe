"""A worker does not outlive the process that started it (killed, not asked)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gtm_pipelines.defs.watchdog import die_with_parent

PARENT = """
import multiprocessing, sys, time
from tests.integration.dagster.test_watchdog import work
if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=work, args=(sys.argv[1],))
    child.start()
    print(child.pid, flush=True)
    time.sleep(120)
"""


def work(mark: str) -> None:
    """Hold on against polite requests, as a step deep in a driver does."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    die_with_parent(grace_seconds=0.2)
    Path(mark).touch()
    time.sleep(120)


def test_a_killed_parent_takes_its_worker_along(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = str(Path(__file__).parents[3])
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "armed")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "armed").exists():
            assert time.monotonic() < deadline, "the worker never began"
            time.sleep(0.05)
        parent.kill()
        parent.wait()
        gone, _ = psutil.wait_procs([worker], timeout=20)
        assert gone, "the worker outlived its parent"
    finally:
        for process in (parent, worker):
            if process.poll() is None if isinstance(process, subprocess.Popen) else process.is_running():
                process.kill()


def test_a_persons_own_process_is_not_watched() -> None:
    """`gtm run` under nohup must survive its shell."""
    assert die_with_parent() is None


@pytest.fixture(autouse=True)
def _disarmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "gtm_pipelines.defs.watchdog._armed", type("Never", (), {"is_set": lambda _: False, "set": lambda _: None})()
    )
