"""Which stored tables a statement reads, writes, empties or creates: told by its text, comments and literals left out.

It errs to the safe side: a table that is only mentioned counts as read. What a statement may read is what decides which
rows must be at hand before it runs; a missed table would be a wrong result, a superfluous one costs time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SKIPPED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_NAME = r'(?:"((?:[^"]|"")+)"|([A-Za-z_]\w*))'
_REFERENCE = re.compile(rf"(?<![\w.\"]){_NAME}\s*\.\s*{_NAME}")
_VERBS = {
    "insert": re.compile(r"\bINSERT\s+INTO\s*$", re.IGNORECASE),
    "change": re.compile(
        r"\b(?:UPDATE|DELETE\s+FROM|MERGE\s+INTO|INSERT\s+OR\s+\w+\s+INTO|ALTER\s+TABLE)\s*$", re.IGNORECASE
    ),
    "replace": re.compile(r"\b(?:TRUNCATE(?:\s+TABLE)?|CREATE\s+OR\s+REPLACE\s+TABLE)\s*$", re.IGNORECASE),
    "create": re.compile(r"\bCREATE\s+TABLE(?:\s+IF\s+NOT\s+EXISTS)?\s*$", re.IGNORECASE),
    "drop": re.compile(r"\bDROP\s+TABLE(?:\s+IF\s+EXISTS)?\s*$", re.IGNORECASE),
}
_DEFINES = re.compile(r"\b(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:TABLE|SCHEMA)\b", re.IGNORECASE)

Table = tuple[str, str]
"""Schema and name, as the stages write them."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text of one or several statements does with qualified tables."""

    reads: frozenset[Table]
    writes: frozenset[Table]
    replaces: frozenset[Table]  # emptied or made anew before anything is read
    creates: frozenset[Table]  # where they are missing
    defines: bool  # changes which schemas and tables there are


@lru_cache(maxsize=1024)
def examine(sql: str) -> Statement:
    """Tell what ``sql`` does with tables that are written as ``schema.table``."""
    text = _SKIPPED.sub(lambda found: " " if found[0][0] in "-/" else "''", sql)
    met: dict[str, set[Table]] = {verb: set() for verb in (*_VERBS, "read")}
    for found in _REFERENCE.finditer(text):
        before = text[max(0, found.start() - 60) : found.start()]
        verb = next((verb for verb, pattern in _VERBS.items() if pattern.search(before)), "read")
        quoted_schema, schema, quoted_name, name = found.groups()
        met[verb].add((_plain(quoted_schema, schema), _plain(quoted_name, name)))
    return Statement(
        reads=frozenset((met["read"] | met["change"]) - met["replace"]),
        writes=frozenset(met["insert"] | met["change"] | met["replace"]),
        replaces=frozenset(met["replace"]),
        creates=frozenset(met["create"]),
        defines=_DEFINES.search(text) is not None,
    )


def _plain(quoted: str | None, bare: str | None) -> str:
    return quoted.replace('""', '"') if quoted is not None else (bare or "")
