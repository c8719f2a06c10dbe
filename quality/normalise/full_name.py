"""Full names taken apart into given and family name where that can be told, and left alone where it cannot.

``Roe, Jane``, ``Dr. Jane van der Roe, PhD`` and ``Jane`` are read; one word alone is a given name. An address, two
people, a team or a company gives neither part. Case and accents stay as they are written.

The functions and their SQL run the same patterns, which keep to what Python and DuckDB read in the same way: explicit
character classes, no case folding, no look-ahead or look-behind.
"""

from __future__ import annotations

import re
from typing import Final

from quality.normalise import text
from quality.normalise.company import LEGAL_FORMS

LONGEST: Final = 120  # characters; a longer text is a sentence

# Words before a name, after it, and inside a family name; and words that end the name of a team and not of a person.
_TITLES = "dr frau herr miss mme mr mrs ms mx prof"
_SUFFIXES = "cfa cpa dds dvm esq ii iii iv jd jr llm mba md msc phd pmp sr"
_PARTICLES = (
    "'t af al av bin bint da das de del della den der des di dos du el ibn la le los ten ter van von zu zum zur"
)
_NOBODY = """
account accounting accounts admin administrator billing contact customer customers department enquiries finance group
helpdesk hr info inquiries invoices mailbox marketing newsletter noreply notification notifications office operations
orders payable purchasing reception recruiting room sales service services staff support team webmaster
"""


def _any_case(words: str, between: str = "") -> str:
    """Return a pattern of ASCII words in any case, with ``between`` between the letters of each."""
    letters = ([f"[{c.upper()}{c}]" if c.isalpha() else c for c in word] for word in sorted(words.split()))
    return "(?:" + "|".join(between.join(word) for word in letters) + ")"


_WHITE = f"[{text.WHITE}]+"
_ASIDE = r'\([^()]*\)|\[[^\[\]]*\]|"[^"]*"'
_COMMA = " ?, ?"
_DOT = r"\.?"
_SUFFIXED = rf"([^ ,])(?:,? {_any_case(_SUFFIXES, _DOT)}\.?)+$"
_NO_PERSON = (
    r'[@&/|;:+<>=_#*!?~^$%{}\\"0-9()\[\]]'
    rf"|(?:^| ){_any_case(' '.join((*LEGAL_FORMS, _NOBODY)), _DOT)}\.?$"
)

_WORD = "[^ ,.'-][^ ,]*"
_TITLED = rf"(?:{_any_case(_TITLES)}\.? )*"
_OF = _any_case(_PARTICLES)
_SMALL_OF = "(?:" + "|".join(_PARTICLES.split()) + ")"
_GIVEN_FIRST = f"^{_TITLED}({_WORD}(?: {_WORD}){{0,3}}?)((?: {_OF})* {_WORD})?$"
_FAMILY_FIRST = f"^{_TITLED}((?:{_OF} )*{_WORD}), {_TITLED}({_WORD}(?: {_WORD}){{0,2}})$"
_FAMILY_ALONE = f"^{_TITLED}((?:{_SMALL_OF} )*{_WORD})$"  # only where it is more than one word: Mr. Roe, van der Roe


def given(name: str | None) -> str | None:
    """Return the given names of a full name, None where they cannot be told."""
    return _parts(name)[0]


def family(name: str | None) -> str | None:
    """Return the family name of a full name with its particles, None where it cannot be told."""
    return _parts(name)[1]


def _parts(name: str | None) -> tuple[str | None, str | None]:
    plain = None if name is None else _plain(name)
    if plain is None:
        return None, None
    if "," in plain:
        found = re.search(_FAMILY_FIRST, plain)
        return (found[2], found[1]) if found else (None, None)
    if " " in plain and (alone := re.search(_FAMILY_ALONE, plain)):
        return None, alone[1]
    found = re.search(_GIVEN_FIRST, plain)
    return (found[1], (found[2] or "").strip(" ") or None) if found else (None, None)


def _plain(name: str) -> str | None:
    """Return a name in one spacing, without asides and suffixes, or None for what is no person's name."""
    even = re.sub(_COMMA, ", ", re.sub(_WHITE, " ", re.sub(_ASIDE, " ", name))).strip(" ,")
    bare = re.sub(_SUFFIXED, r"\1", even)
    return bare if 0 < len(bare) <= LONGEST and not re.search(_NO_PERSON, bare) else None


def plain_sql(column: str) -> str:
    """Return the SQL of what :func:`given_sql` and :func:`family_sql` read, null for what is no person's name."""
    even = column
    for pattern, instead in ((_ASIDE, " "), (_WHITE, " "), (_COMMA, ", ")):
        even = f"regexp_replace({even}, {text.literal(pattern)}, {text.literal(instead)}, 'g')"
    bare = rf"regexp_replace(trim({even}, ' ,'), {text.literal(_SUFFIXED)}, '\1')"
    is_name = f"length(x) BETWEEN 1 AND {LONGEST} AND NOT regexp_matches(x, {text.literal(_NO_PERSON)})"
    return f"list_filter([{bare}], lambda x: {is_name})[1]"  # a CASE would compute ``bare`` twice


def given_sql(plain: str) -> str:
    """Return the SQL of :func:`given` over what :func:`plain_sql` gives."""
    return (
        f"nullif(CASE WHEN contains({plain}, ',') THEN {_extract(plain, _FAMILY_FIRST, 2)}"
        f" WHEN {_is_family_alone(plain)} THEN ''"
        f" ELSE {_extract(plain, _GIVEN_FIRST, 1)} END, '')"
    )


def family_sql(plain: str) -> str:
    """Return the SQL of :func:`family` over what :func:`plain_sql` gives."""
    return (
        f"nullif(CASE WHEN contains({plain}, ',') THEN {_extract(plain, _FAMILY_FIRST, 1)}"
        f" WHEN {_is_family_alone(plain)} THEN {_extract(plain, _FAMILY_ALONE, 1)}"
        f" ELSE trim({_extract(plain, _GIVEN_FIRST, 2)}) END, '')"
    )


def _is_family_alone(plain: str) -> str:
    return f"contains({plain}, ' ') AND regexp_matches({plain}, {text.literal(_FAMILY_ALONE)})"


def _extract(plain: str, pattern: str, group: int) -> str:
    return f"regexp_extract({plain}, {text.literal(pattern)}, {group})"
