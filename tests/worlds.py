"""Worlds of the sandbox for tests: each is made once in a process, and copied for whoever asks for it again.

The same size and seed give the same world, which a test of the sandbox's proves. Tests of how worlds are made and how
their time passes make their own.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Collection
from functools import cache
from pathlib import Path

from gtm_pipelines import sandbox

_MADE = "made"


def put_world(
    directory: Path, tenant: str, *, size: int, seed: int, vendors: Collection[str] | None = None, days: int = 0
) -> None:
    """Do what ``sandbox.create_world`` does, and let so many days pass there."""
    known = None if vendors is None else tuple(sorted(vendors))
    shutil.copytree(_made(size, seed, known, days), directory / tenant)


@cache
def _made(size: int, seed: int, vendors: tuple[str, ...] | None, days: int) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="gtm-world-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    sandbox.create_world(directory, _MADE, size=size, seed=seed, vendors=vendors)
    if days:
        sandbox.advance(directory, _MADE, steps=days)
    return directory / _MADE
