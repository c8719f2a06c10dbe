"""Transforms as SQL: from the text a vendor gave to a value of the column's type, or null when it cannot be read.

What is left null by a transform of :data:`COMPLETIONS` is not yet refused: the Python form has the last word on it.
"""

from __future__ import annotations

from collections.abc import Callable

from quality.mapping.model import Transform
from quality.normalise import domain, phone, text

LONGEST_SHOWN = 500
"""Offending values are kept this long."""

RULES = {
    Transform.PHONE: "not_a_phone",
    Transform.DOMAIN: "not_a_domain",
    Transform.NUMBER: "not_a_number",
    Transform.INTEGER: "not_an_integer",
    Transform.BOOLEAN: "not_a_boolean",
    Transform.TIMESTAMP: "not_a_timestamp",
    Transform.DATE: "not_a_date",
}
"""The rule a value breaks that its transform cannot read. Text transforms read anything."""

COMPLETIONS: dict[Transform, Callable[[str, str], str | None]] = {
    Transform.PHONE: phone.e164,
    Transform.DOMAIN: lambda value, _region: domain.registrable(value),
}
"""Transforms whose SQL decides the plain cases; (value, region) gives the rest."""

_PLAIN = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_GROUPED = r"[+-]?[$€£]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[+-]?[$€£][0-9]+(?:\.[0-9]+)?"
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?\s?(?:Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
_EPOCH = r"-?[0-9]{1,16}(?:\.[0-9]+)?"
_LARGEST_SECONDS, _LARGEST_MILLIS = 100_000_000_000, 100_000_000_000_000
_EXACT = 9_007_199_254_740_992  # doubles hold every integer up to here


def prepare_sql(transform: Transform, given: str) -> str | None:
    """Return the SQL of what :func:`read_sql` speaks of more than once, so that it is computed once; None if nothing is."""
    match transform:
        case Transform.PHONE:
            return phone.digits_sql(given)
        case Transform.NUMBER | Transform.INTEGER:
            return _number(given)
        case Transform.TIMESTAMP | Transform.DATE:
            return f"try_cast({given} AS DOUBLE)"
        case Transform.BOOLEAN:
            return text.lower_sql(given)
        case _:
            return None


def read_sql(transform: Transform, given: str, prepared: str, region: str) -> str:
    """Return the SQL that reads ``given`` (trimmed text, or untouched for ``none``), ``prepared`` as above."""
    match transform:
        case Transform.NONE | Transform.TRIM:
            return given
        case Transform.LOWERCASE | Transform.EMAIL:
            return text.lower_sql(given)
        case Transform.UPPERCASE:
            return f"upper({given})"
        case Transform.PHONE:
            return phone.e164_of_digits_sql(prepared, region)
        case Transform.DOMAIN:
            return domain.registrable_sql(given)
        case Transform.NUMBER:
            return f"CASE WHEN isfinite({prepared}) THEN {prepared} END"
        case Transform.INTEGER:
            return _integer(given, prepared)
        case Transform.BOOLEAN:
            return f"CASE WHEN {prepared} IN {_TRUE} THEN true WHEN {prepared} IN {_FALSE} THEN false END"
        case Transform.TIMESTAMP:
            return _timestamp(given, prepared)
        case Transform.DATE:
            return f"date_trunc('day', {_timestamp(given, prepared)})"


def _number(given: str) -> str:
    """SQL of a number in plain or grouped notation; what overflows becomes infinite and is refused by the reader."""
    ungrouped = rf"regexp_replace({given}, '[,$€£]', '', 'g')"
    return (
        f"CASE WHEN regexp_full_match({given}, '{_PLAIN}') THEN try_cast({given} AS DOUBLE)"
        f" WHEN regexp_full_match({given}, '{_GROUPED}') THEN try_cast({ungrouped} AS DOUBLE) END"
    )


def _integer(given: str, number: str) -> str:
    """Whole numbers, exactly: digits are cast as they are, other notations only where a double is exact."""
    whole = f"CASE WHEN {number} = trunc({number}) AND abs({number}) <= {_EXACT} THEN {number}::BIGINT END"
    return f"CASE WHEN regexp_full_match({given}, '[+-]?[0-9]+') THEN try_cast({given} AS BIGINT) ELSE {whole} END"


def _timestamp(given: str, number: str) -> str:
    """ISO 8601 by shape, epochs by size; a bare year is neither."""
    micros = (
        f"CASE WHEN abs({number}) < {_LARGEST_SECONDS} THEN {number} * 1000000"
        f" WHEN abs({number}) < {_LARGEST_MILLIS} THEN {number} * 1000 ELSE {number} END"
    )
    return (
        f"CASE WHEN regexp_full_match({given}, '{_ISO}') THEN try_cast({given} AS TIMESTAMPTZ)"
        f" WHEN regexp_full_match({given}, '{_EPOCH}') THEN make_timestamptz(({micros})::BIGINT) END"
    )
