"""What an erasure reports as removed. How each kind is removed is decided by the package that owns it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Removed:
    """One kind of thing that was removed: how many of it, and their bytes where they were files."""

    what: str
    count: int
    bytes: int = 0
