"""Runs one piece of work in a process of its own and says what it cost: wall, CPU and peak memory of that process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_CHILD = """
import importlib, json, resource, sys, time
module, function = sys.argv[1].split(":")
arguments = json.load(sys.stdin)
work = getattr(importlib.import_module(module), function)
before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
result = work(**arguments)
wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print("\\n=result=" + json.dumps({"result": result, "wall": wall, "cpu": cpu, "peak": after.ru_maxrss / 1024}))
"""


@dataclass(frozen=True)
class Cost:
    """What a piece of work returned and took: seconds of wall and CPU (imports left out), peak memory in MB."""

    result: dict[str, Any]
    wall: float
    cpu: float
    peak_mb: float


def run(work: str, *, environ: dict[str, str] | None = None, timeout: float = 900, **arguments: Any) -> Cost:
    """Call ``module:function`` with JSON-able ``arguments`` in a fresh interpreter; raise if it fails."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, work],
        input=json.dumps(arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode or "=result=" not in done.stdout:
        raise RuntimeError(f"{work} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    told = json.loads(done.stdout.rsplit("=result=", 1)[1])
    return Cost(told["result"], told["wall"], told["cpu"], told["peak"])
