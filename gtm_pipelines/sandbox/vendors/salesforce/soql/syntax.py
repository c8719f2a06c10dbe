"""What a SOQL query says, as a tree. Names are as written; nothing here knows whether they exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

Path = tuple[str, ...]
"""A field, or a step through a parent: ``("Account", "Name")``."""


@dataclass(frozen=True, slots=True)
class Span:
    """A named stretch of days such as ``LAST_N_DAYS:30``; resolved against the world's present."""

    name: str
    days: int = 0


Literal = str | int | float | bool | None | date | datetime | Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator literal``; operator is one of ``= != < <= > >= LIKE``."""

    path: Path
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """``path IN (…)`` or ``path NOT IN (…)``."""

    path: Path
    values: tuple[Literal, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Not:
    """``NOT condition``."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by one word, ``AND`` or ``OR``."""

    word: str
    conditions: tuple[Condition, ...]


Condition = Comparison | Membership | Not | Junction


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``MAX(path)`` and its like; ``alias`` is ``expr0`` and so on when none was given."""

    function: str
    path: Path
    alias: str


@dataclass(frozen=True, slots=True)
class FieldsFunction:
    """``FIELDS(ALL)``, ``FIELDS(STANDARD)`` or ``FIELDS(CUSTOM)``."""

    which: str


@dataclass(frozen=True, slots=True)
class Order:
    """One term of ``ORDER BY``."""

    path: Path
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. An empty selection means ``COUNT()``."""

    selected: tuple[Path | Aggregate | FieldsFunction, ...]
    entity: str
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int
