"""Which process holds a lease, and whether it is surely dead. Unknown counts as alive: the lease then runs out by time.

A pid alone proves nothing: it is reused, and means another process in another container. So a holder is named by the
machine's boot, its pid namespace, its pid and its start time; only a reader in the same boot and namespace may judge.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START = 0, 19  # positions in /proc/<pid>/stat after the command's closing bracket


@dataclass(frozen=True, slots=True)
class Process:
    """A process, so that no other one is ever mistaken for it; ``boot_id`` is empty where the system has no /proc."""

    boot_id: str
    pid: int
    started: int


def this_process() -> Process:
    """Name the calling process."""
    pid = os.getpid()
    boot = _boot_id()
    started = _stat(pid)
    return Process(boot if started else "", pid, started[1] if started else 0)


def is_surely_dead(process: Process) -> bool:
    """Say whether ``process`` has ended; False whenever that cannot be known from here."""
    if not process.boot_id or process.boot_id != _boot_id():
        return False
    stat = _stat(process.pid)
    return stat is None or stat[1] != process.started or stat[0] in "ZXx"


def _boot_id() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, int] | None:
    """Return state and start time (clock ticks since boot) of a pid; None when there is no such process."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[_STATE], int(fields[_START])
