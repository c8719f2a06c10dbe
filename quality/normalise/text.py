"""White space, case, accents and quoting, the same in Python and in DuckDB; the other forms are built on these.

Python and DuckDB disagree in three places, and each is settled here: what white space is, the lower case of ``İ`` and
of a final sigma (Python looks at the neighbours, DuckDB does not), and which marks an accent is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_BREAKS = "\t\n\r"
WHITE = _SPACES + _BREAKS
"""The characters that count as white space around a value."""

EXCERPT = 2000
"""Characters of an excerpt, its ellipsis included."""

_WHOLE_WORDS = f"(?s)^(.*[^{WHITE}])[{WHITE}]"


def literal(text: str) -> str:
    """Return ``text`` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def any_of(words: Iterable[str]) -> str:
    """Return a pattern, read alike by Python and DuckDB, that matches any of some texts."""
    return "|".join(re.escape(word) for word in sorted(words))


def trim(text: str) -> str:
    """Return ``text`` without surrounding white space."""
    return text.strip(WHITE)


def trim_sql(column: str) -> str:
    """Return the SQL of :func:`trim`."""
    return f"coalesce({trim_rest_sql(f'trim({column})')}, left({column}, 0))"


def trim_rest_sql(trimmed: str) -> str:
    """Return the SQL that takes tabs and breaks off what DuckDB's ``trim(column)`` left; null when that is nothing.

    That trim takes off spaces only, and one of a set of characters costs ten times as much: only values that have a
    break at an end pay for it.
    """
    rest = f"nullif(trim({trimmed}, {_break_set()}), '')"
    return f"CASE WHEN {has_rest_sql(trimmed)} THEN {rest} ELSE {trimmed} END"


def has_rest_sql(trimmed: str) -> str:
    """Return the SQL that tells whether :func:`trim_rest_sql` has anything to do."""
    at_end = (f"ends_with({trimmed}, chr({ord(character)}))" for character in _BREAKS)
    return " OR ".join([f"{trimmed} < '!'", *at_end])


def _break_set() -> str:
    return literal(_SPACES) + "".join(f" || chr({ord(character)})" for character in _BREAKS)


def excerpt(text: str) -> str:
    """Return ``text``, or its first whole words and an ellipsis, in at most ``EXCERPT`` characters."""
    if len(text) <= EXCERPT:
        return text
    words = re.search(_WHOLE_WORDS, text[:EXCERPT])
    return (words[1] if words else text[: EXCERPT - 1]) + "…"


def excerpt_sql(column: str) -> str:
    """Return the SQL of :func:`excerpt`."""
    words = f"nullif(regexp_extract(left({column}, {EXCERPT}), {literal(_WHOLE_WORDS)}, 1), '')"
    cut = f"coalesce({words}, left({column}, {EXCERPT - 1}))"
    return f"CASE WHEN length({column}) <= {EXCERPT} THEN {column} ELSE {cut} || '…' END"


def lower(text: str) -> str:
    """Return ``text`` in lower case, each character on its own."""
    return "".join(character.lower() for character in text.replace("İ", "i"))


def lower_sql(column: str) -> str:
    """Return the SQL of :func:`lower`."""
    return f"lower({column})"


def words(text: str) -> str:
    """Return the letters and digits of ``text``, without accents, in lower case, one space between words."""
    bare = (c for c in unicodedata.normalize("NFD", text) if not unicodedata.category(c).startswith("M"))
    kept = lower(unicodedata.normalize("NFC", "".join(bare)))
    spaced = "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in kept)
    return " ".join(spaced.split())


def words_sql(column: str) -> str:
    """Return the SQL of :func:`words`."""
    return f"trim(regexp_replace(lower(strip_accents({column})), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"
