"""Statements as people write them, made into what Postgres and its driver take; literals and comments stay as they are.

A schema that is called by its layer (``golden.person``) gets its name in the database, which has the tenant in it;
parameters are numbered; several statements are taken apart, because the driver runs one at a time. A two-part name
counts as a table only where a table may stand; anywhere else it is a column, whatever it is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.protocol import WarehouseRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gtm_pipelines.warehouse.protocol import Params

_TOKEN = re.compile(
    r"""
    (?P<text>[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$)
  | (?P<blank>\s+ | --[^\r\n]* | /\*.*?\*/)
  | (?P<name>"(?:[^"]|"")+" | [^\W\d][\w$]*)
  | (?P<parameter>\$\d+ | \$[A-Za-z_]\w* | \?)
  | (?P<number>\d[\w.]*)
  | (?P<sign>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_SYSTEM = {"information_schema", "pg_catalog", "pg_temp", "pg_toast", "public"}
_BEFORE_TABLES = {"from", "join", "into", "update", "using", "references", "truncate", "table", "view"}
_BEFORE_VALUES = {"select", "where", "group", "order", "having", "set", "values", "returning", "limit", "window"}
_FILLERS = {"if", "not", "exists", "only", "lateral"}
_OPENS_QUERY = {"select", "insert", "update", "delete", "merge"}
_BEFORE_OBJECTS = {"create", "replace", "drop", "alter", "on", "in", "temp", "temporary", "materialized"}


_QUESTIONS = {"select", "with", "values", "table", "explain", "show"}
_ESCAPES = re.compile(r"set_config|pg_settings|_to_xml|ts_stat|ts_rewrite|dblink|advisory|u&", re.IGNORECASE)
_QUALIFIED, _WITH_COLUMN = 2, 3  # schema.table, schema.table.column


class _Token(NamedTuple):
    kind: str
    text: str


@lru_cache(maxsize=256)
def statements(sql: str) -> tuple[str, ...]:
    """Return the statements of a text one by one, without those that say nothing."""
    found: list[list[_Token]] = [[]]
    for token in _tokens(sql):
        if token == ("sign", ";"):
            found.append([])
        else:
            found[-1].append(token)
    return tuple(
        "".join(token.text for token in each).strip() for each in found if any(token.kind != "blank" for token in each)
    )


def first_word(sql: str) -> str:
    """Return the word a statement begins with, in lower case; parentheses are passed over."""
    return next((token.text.lower() for token in _tokens(sql) if token.kind == "name"), "")


def is_question(sql: str) -> bool:
    """Tell whether a statement only asks, and by nothing that could take another role or another tenant's lock.

    A session's role can be changed by ``set_config``, which ``pg_settings`` and functions that run a text as SQL could
    hide; names written in escapes (``U&``) could hide any of them. The whole text is searched, literals and comments
    included: if we left those out and Postgres disagreed about where one ends, something could slip through.
    """
    return first_word(sql) in _QUESTIONS and not _ESCAPES.search(sql)


@lru_cache(maxsize=256)
def physical(sql: str, tenant: str) -> str:
    """Return a statement with its schemas' names in the database."""
    tokens = list(_tokens(sql))
    at = [place for place, token in enumerate(tokens) if token.kind != "blank"]
    words = [tokens[place] for place in at]
    for number in _schemas(words):
        called = _plain(words[number].text)
        if called not in _SYSTEM and "__" not in called:
            tokens[at[number]] = _Token("name", names.quote(names.tenant_schema(tenant, called)))
    return "".join(token.text for token in tokens)


def numbered(sql: str, params: Params) -> tuple[str, list[Any]]:
    """Return a statement whose parameters are ``$1``, ``$2`` and so on, and their values in this order."""
    if not params:
        return sql, []
    if isinstance(params, Mapping):
        return _by_name(sql, params)
    count, made = 0, []
    for token in _tokens(sql):
        if token.text == "?" and token.kind == "parameter":
            count += 1
            made.append(f"${count}")
        else:
            made.append(token.text)
    return "".join(made), list(params)


def _by_name(sql: str, params: Mapping[str, Any]) -> tuple[str, list[Any]]:
    met: dict[str, int] = {}
    made = []
    for token in _tokens(sql):
        if token.kind == "parameter" and token.text != "?":
            name = token.text[1:]
            if name not in params:
                raise WarehouseRefusedError(f"the statement asks for ${name}, which was not given")
            made.append(f"${met.setdefault(name, len(met) + 1)}")
        else:
            made.append(token.text)
    return "".join(made), [params[name] for name in met]


def _tokens(sql: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(sql):
        kind = "text" if found.lastgroup == "tag" else str(found.lastgroup)
        yield _Token(kind, found[0])


def _schemas(words: Sequence[_Token]) -> Iterator[int]:
    """Yield the places of names that are schemas."""
    reader = _Reader()
    for number, word in enumerate(words):
        if word.kind == "name" and reader.before != ".":
            parts = _parts(words, number)
            is_schema = parts == 1 and reader.expects == "schema" and word.text.lower() not in _FILLERS
            if is_schema or parts >= _WITH_COLUMN or (parts == _QUALIFIED and reader.expects == "table"):
                yield number
        reader.take(word)


class _Reader:
    """Reads a statement word by word and tells whether a table or a schema may be named next."""

    def __init__(self) -> None:
        self.before = ""
        self.expects = ""  # table, schema, or anything else
        self._open = [_Parenthesis(is_query=True, lists_tables=False)]

    def take(self, word: _Token) -> None:
        """Read one word."""
        said = word.text.lower()
        if said == "(":
            self._open.append(_Parenthesis(is_query=False, lists_tables=self.expects == "table"))
        elif said == ")":
            self._open = self._open[:-1] or self._open
            self.expects = ""
        elif said == ",":
            self.expects = "table" if self._open[-1].lists_tables else ""
        elif word.kind != "name" or self.before == ".":
            self.expects = ""
        elif said not in _FILLERS:
            self._take_name(said)
        self.before = said

    def _take_name(self, said: str) -> None:
        here = self._open[-1]
        here.is_query |= said in _OPENS_QUERY
        self.expects = ""
        if said in {"schema", "view"} and self.before not in _BEFORE_OBJECTS:
            return  # a column of this name
        if said == "schema":
            self.expects = "schema"
        elif said in _BEFORE_TABLES and (said != "from" or (here.is_query and self.before != "distinct")):
            self.expects, here.lists_tables = "table", True  # neither IS DISTINCT FROM nor extract(day FROM …)
        elif said in _BEFORE_VALUES:
            here.lists_tables = False


@dataclass(slots=True)
class _Parenthesis:
    """What is known of the innermost open parenthesis; the statement itself is the outermost."""

    is_query: bool
    lists_tables: bool


def _parts(words: Sequence[_Token], number: int) -> int:
    """Count the parts of a dotted name."""
    count = 1
    while [word.text for word in words[number + 1 : number + 2]] == ["."] and number + 2 < len(words):
        number, count = number + 2, count + 1
    return count


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
