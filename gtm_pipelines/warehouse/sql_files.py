"""Statements kept as files under the repository's ``sql/`` folder, addressed as ``refine/chunk.sql``."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "sql"


@lru_cache(maxsize=256)
def load(path: str) -> str:
    """Return the text of ``sql/<path>``."""
    file = (FOLDER / path).resolve()
    if not file.is_relative_to(FOLDER):
        raise ValueError(f"{path!r} is outside the sql folder")
    return file.read_text(encoding="utf-8")


def files(folder: str) -> list[str]:
    """List the ``.sql`` files of one folder in name order, each as a path for :func:`load`."""
    return [f"{folder}/{file.name}" for file in sorted((FOLDER / folder).glob("*.sql"))]


def bookkeeping() -> list[str]:
    """List the files that create the tables shared by the stages."""
    return ["refine/tables.sql", "warehouse/tables.sql"]


@lru_cache(maxsize=1)
def bookkeeping_hash() -> str:
    """Return a hash of what defines those tables."""
    return blake2b("".join(map(load, bookkeeping())).encode(), digest_size=8).hexdigest()
