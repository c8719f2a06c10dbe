"""The words the canonical model is described in; light enough for anyone to import."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The three canonical kinds; also the names of their tables."""

    PERSON = "person"
    ACCOUNT = "account"
    ACTIVITY = "activity"


class Sensitivity(StrEnum):
    """Who may see a column's values."""

    INTERNAL = "internal"  # says nothing about a person
    PERSONAL = "personal"  # identifies or describes a person


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical table. ``is_mapped`` tells a mapping's fields from the columns we set ourselves."""

    name: str
    type: str  # the DuckDB type
    description: str
    sensitivity: Sensitivity
    is_required: bool
    is_mapped: bool
    transform: str = "trim"  # what a mapping applies when it names no transform
