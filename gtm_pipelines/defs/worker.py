"""Which process does a run's work, written on the run, so that a lost one can be told from a slow one.

Dagster's default launcher has no health check: a run whose process died with its host stays "started" until its time
limit. The tag says host, boot, process and its start; the sensor beside the old-run clean-up reads it.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import dagster as dg

WORKER_TAG = ".dagster/gtm_worker"  # tags of this prefix are kept off the screen

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def sign(context: dg.AssetExecutionContext) -> None:
    """Write this process on the run, once."""
    me = identity(os.getpid())
    if context.run.tags.get(WORKER_TAG) != me:
        context.instance.add_run_tags(context.run.run_id, {WORKER_TAG: me})


def identity(pid: int) -> str:
    """Return host, boot, process id and process start; unique for as long as it matters."""
    return f"{socket.gethostname()}/{_boot()}/{pid}/{psutil.Process(pid).create_time():.2f}"


def is_lost(worker: str) -> bool:
    """Tell whether the process that signed a run is gone for sure; a process of another host never is."""
    host, boot, pid, started = worker.split("/")
    if host != socket.gethostname():
        return False
    if boot != _boot():
        return True
    try:
        process = psutil.Process(int(pid))
        return process.status() == psutil.STATUS_ZOMBIE or f"{process.create_time():.2f}" != started
    except psutil.NoSuchProcess:
        return True


def _boot() -> str:
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text(encoding="ascii").strip()
    return f"{psutil.boot_time():.0f}"
