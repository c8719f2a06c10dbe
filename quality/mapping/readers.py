"""Transforms as SQL: from the text a vendor gave to a value of the column's type, or null when it cannot be read.

What is left null by a transform of :data:`COMPLETIONS` is not yet refused: the Python form has the last word on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from quality.mapping.model import Transform
from quality.normalise import domain, full_name, phone, text

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_SHOWN = 500
"""Characters of an offending value that are kept."""

RULES = {
    Transform.PHONE: "not_a_phone",
    Transform.DOMAIN: "not_a_domain",
    Transform.NUMBER: "not_a_number",
    Transform.INTEGER: "not_an_integer",
    Transform.BOOLEAN: "not_a_boolean",
    Transform.TIMESTAMP: "not_a_timestamp",
    Transform.DATE: "not_a_date",
}
"""The rule that a value breaks when its transform cannot read it. Other transforms take any text."""

COMPLETIONS: dict[Transform, Callable[[str, str], str | None]] = {
    Transform.PHONE: phone.e164,
    Transform.DOMAIN: lambda value, _region: domain.registrable(value),
}
"""Transforms whose SQL decides only the plain cases and gives null for the rest; of those this function of
(value, region) gives the result, or None when it cannot read the value either."""

# Shapes of text that the readers take, as patterns of DuckDB's regexp_full_match.
_PLAIN = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_GROUPED = r"[+-]?[$€£]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[+-]?[$€£][0-9]+(?:\.[0-9]+)?"
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_DAY, _TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
_ISO = rf"{_DAY}(?:[T ]{_TIME}\s?(?:Z|z|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?)?"
_EPOCH = r"-?[0-9]{1,16}(?:\.[0-9]+)?"
# An epoch below the first number is in seconds, below the second in milliseconds, from there on in microseconds.
_LARGEST_SECONDS, _LARGEST_MILLIS = 100_000_000_000, 100_000_000_000_000
_EXACT = 9_007_199_254_740_992  # doubles hold every integer up to here


@dataclass(frozen=True, slots=True)
class Text:
    """SQL names of a value on its way: the text given, and what was prepared of it."""

    given: str  # trimmed, or untouched for ``none``
    prepared: str
    region: str


def prepare_sql(transform: Transform, given: str) -> str | None:
    """Return the SQL of a part that :func:`read_sql` would repeat, for a column of its own; None if there is none."""
    prepare = _PREPARED.get(transform)
    return prepare(given) if prepare else None


def read_sql(transform: Transform, source: Text) -> str:
    """Return the SQL that reads a text."""
    return _READERS[transform](source)


def _number(given: str) -> str:
    """Return the SQL of a number in plain or grouped notation; what overflows is infinite, which no reader takes."""
    ungrouped = rf"regexp_replace({given}, '[,$€£]', '', 'g')"
    return (
        f"CASE WHEN regexp_full_match({given}, '{_PLAIN}') THEN try_cast({given} AS DOUBLE)"
        f" WHEN regexp_full_match({given}, '{_GROUPED}') THEN try_cast({ungrouped} AS DOUBLE) END"
    )


def _integer(source: Text) -> str:
    """Read whole numbers exactly: digits are cast as they are, other notations only where a double is exact."""
    given, number = source.given, source.prepared
    whole = f"CASE WHEN {number} = trunc({number}) AND abs({number}) <= {_EXACT} THEN {number}::BIGINT END"
    return f"CASE WHEN regexp_full_match({given}, '[+-]?[0-9]+') THEN try_cast({given} AS BIGINT) ELSE {whole} END"


def _timestamp(source: Text) -> str:
    """Read ISO 8601 by shape, epochs by size."""
    given, number = source.given, source.prepared
    micros = (
        f"CASE WHEN abs({number}) < {_LARGEST_SECONDS} THEN {number} * 1000000"
        f" WHEN abs({number}) < {_LARGEST_MILLIS} THEN {number} * 1000 ELSE {number} END"
    )
    return (
        f"CASE WHEN regexp_full_match({given}, '{_ISO}') THEN try_cast({given} AS TIMESTAMPTZ)"
        f" WHEN regexp_full_match({given}, '{_EPOCH}') THEN make_timestamptz(({micros})::BIGINT) END"
    )


def _boolean(source: Text) -> str:
    return f"CASE WHEN {source.prepared} IN {_TRUE} THEN true WHEN {source.prepared} IN {_FALSE} THEN false END"


_PREPARED: dict[Transform, Callable[[str], str]] = {
    Transform.PHONE: phone.digits_sql,
    Transform.NUMBER: _number,
    Transform.INTEGER: _number,
    Transform.TIMESTAMP: lambda given: f"try_cast({given} AS DOUBLE)",
    Transform.DATE: lambda given: f"try_cast({given} AS DOUBLE)",
    Transform.BOOLEAN: text.lower_sql,
    Transform.GIVEN_NAME: full_name.plain_sql,
    Transform.FAMILY_NAME: full_name.plain_sql,
}

_READERS: dict[Transform, Callable[[Text], str]] = {
    Transform.NONE: lambda source: source.given,
    Transform.TRIM: lambda source: source.given,
    Transform.LOWERCASE: lambda source: text.lower_sql(source.given),
    Transform.UPPERCASE: lambda source: f"upper({source.given})",
    Transform.EMAIL: lambda source: text.lower_sql(source.given),
    Transform.PHONE: lambda source: phone.e164_of_digits_sql(source.prepared, source.region),
    Transform.DOMAIN: lambda source: domain.registrable_sql(source.given),
    Transform.NUMBER: lambda source: f"CASE WHEN isfinite({source.prepared}) THEN {source.prepared} END",
    Transform.INTEGER: _integer,
    Transform.BOOLEAN: _boolean,
    Transform.TIMESTAMP: _timestamp,
    Transform.DATE: lambda source: f"date_trunc('day', {_timestamp(source)})",
    Transform.GIVEN_NAME: lambda source: full_name.given_sql(source.prepared),
    Transform.FAMILY_NAME: lambda source: full_name.family_sql(source.prepared),
    Transform.EXCERPT: lambda source: text.excerpt_sql(source.given),
}
