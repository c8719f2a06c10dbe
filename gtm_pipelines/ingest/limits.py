"""The numbers a sync is bounded by, in one place. What they mean for a run is decided where they are used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one sync; the defaults are right for production."""

    checkpoint_rows: int = 200_000
    checkpoint_bytes: int = 256 * 1024 * 1024
    """A long read is loaded and its cursor stored each time it has read this much: a kill loses no more."""

    shrink_share: float = 0.3
    shrink_rows: int = 20
    """A full read that would delete more than this share of the live rows, and more than this many, is refused."""

    unreadable_rows: int = 1_000
    unreadable_share: float = 0.2
    unreadable_floor: int = 20
    """More unreadable records than ``unreadable_rows``, or than this share and floor of those read, fail the entity."""

    lease_seconds: float = 60
    warehouse_wait: float = 60
    """Seconds to wait for whoever holds the tenant's warehouse file before the sync is put off."""
