"""The canonical model: what a person, an account and an activity are, defined once, in :mod:`quality.canonical.models`.

This package's face is light: Pandera and Polars load when a function is called, not when it is imported. What does not
belong here: how a vendor's record becomes a canonical row (``quality.mapping``), and who is who (``quality.identity``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quality.canonical.column import Column, Kind, Sensitivity

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Column", "Kind", "Sensitivity", "columns", "ddl", "describe", "failures", "suspects"]


def columns(kind: Kind | str) -> tuple[Column, ...]:
    """Return the contract's columns of ``kind`` in table order, without bookkeeping columns."""
    from quality.canonical import contract

    return contract.columns(Kind(kind))


def ddl(kind: Kind | str, *, schema: str = "canonical") -> str:
    """Return the CREATE TABLE IF NOT EXISTS statement of ``kind``, bookkeeping columns included."""
    from quality.canonical import contract

    return contract.ddl(Kind(kind), schema=schema)


def describe(kind: Kind | str) -> str:
    """Return the columns of ``kind`` as a Markdown table."""
    from quality.canonical import contract

    return contract.describe(Kind(kind))


def failures(kind: Kind | str, frame: pl.DataFrame) -> pl.DataFrame:
    """Check rows against the contract; one row (``row``, ``field``, ``rule``, ``value``) per broken rule."""
    from quality.canonical import contract

    return contract.failures(Kind(kind), frame)


def suspects(kind: Kind | str) -> str:
    """Return the SQL condition that every row which breaks the contract meets: only such rows need :func:`failures`."""
    from quality.canonical import contract

    return contract.suspects(Kind(kind))
