"""Reads SOQL text into a tree: the part of the language that integrations send. Anything else is MALFORMED_QUERY."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NoReturn, TypeVar

from gtm_pipelines.sandbox.vendors.salesforce.errors import SalesforceError
from gtm_pipelines.sandbox.vendors.salesforce.soql.syntax import (
    Aggregate,
    Comparison,
    Condition,
    FieldsFunction,
    Junction,
    Literal,
    Membership,
    Not,
    Order,
    Path,
    Query,
    Span,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)(?!\w)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)(?!\w)"
    r"|(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*(?::\d+)?)"
    r"|(?P<sign>>=|<=|!=|<>|[=<>(),])"
    r")",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
_SPANS = frozenset({"TODAY", "YESTERDAY", "TOMORROW", "LAST_N_DAYS", "NEXT_N_DAYS"})
_DEEPEST = 50
T = TypeVar("T")


def parse(text: str) -> Query:
    """Read one query; raise SalesforceError MALFORMED_QUERY pointing at the place that cannot be read."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split(text))
        self._at = 0
        self._depth = 0

    def _split(self, text: str) -> list[tuple[str, str, int]]:
        tokens, at = [], 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                self._fail("unexpected token: " + text[at:].strip()[:1], at)
            tokens.append((found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            at = found.end()
        return [*tokens, ("end", "<EOF>", len(text))]

    def _fail(self, what: str, at: int | None = None) -> NoReturn:
        place = self._tokens[self._at][2] if at is None else at
        around = self._text[max(0, place - 40) : place + 20]
        pointer = " " * min(place, 40) + "^"
        raise SalesforceError.malformed(f"\n{around}\n{pointer}\nERROR at Row:1:Column:{place + 1}\n{what}")

    # Tokens.

    def _peek(self) -> str:
        kind, text, _ = self._tokens[self._at]
        return text.upper() if kind in {"name", "sign"} else kind

    def _take(self) -> tuple[str, str]:
        kind, text, _ = self._tokens[self._at]
        if kind != "end":
            self._at += 1
        return kind, text

    def _skip(self, *words: str) -> bool:
        """Step over these words if they come next, all or none."""
        upcoming = [
            text.upper() for kind, text, _ in self._tokens[self._at : self._at + len(words)] if kind in {"name", "sign"}
        ]
        if upcoming != list(words):
            return False
        self._at += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            self._fail(f"unexpected token: '{self._tokens[self._at][1]}'")

    def _name(self) -> Path:
        kind, text, at = self._tokens[self._at]
        if kind != "name" or ":" in text:
            self._fail(f"unexpected token: '{text}'", at)
        self._at += 1
        return tuple(text.split("."))

    def _count(self) -> int:
        kind, text = self._take()
        if kind != "number" or not text.isdigit():
            self._fail(f"unexpected token: '{text}'")
        return int(text)

    # Clauses.

    def query(self) -> Query:
        self._expect("SELECT")
        selected: tuple[Path | Aggregate | FieldsFunction, ...] = ()
        if not self._skip("COUNT", "(", ")"):
            selected = self._listed(self._selected)
        self._expect("FROM")
        entity = ".".join(self._name())
        where = self._logic() if self._skip("WHERE") else None
        order = self._listed(self._order) if self._skip("ORDER", "BY") else ()
        limit = self._count() if self._skip("LIMIT") else None
        offset = self._count() if self._skip("OFFSET") else 0
        if self._peek() != "end":
            self._fail(f"unexpected token: '{self._tokens[self._at][1]}'")
        return Query(self._with_aliases(selected), entity, where, order, limit, offset)

    def _listed(self, read: Callable[[], T]) -> tuple[T, ...]:
        items = [read()]
        while self._skip(","):
            items.append(read())
        return tuple(items)

    def _selected(self) -> Path | Aggregate | FieldsFunction:
        path = self._name()
        if not self._skip("("):
            return path
        function = path[-1].upper()
        if function == "FIELDS":
            which = self._name()[0].upper()
            self._expect(")")
            return FieldsFunction(which)
        if function not in _AGGREGATES:
            self._fail(f"unexpected token: '{path[-1]}'")
        inner = self._name()
        self._expect(")")
        alias = "" if self._peek() in {",", "FROM"} else self._name()[0]
        return Aggregate(function, inner, alias)

    @staticmethod
    def _with_aliases(
        selected: tuple[Path | Aggregate | FieldsFunction, ...],
    ) -> tuple[Path | Aggregate | FieldsFunction, ...]:
        return tuple(
            Aggregate(each.function, each.path, each.alias or f"expr{place}") if isinstance(each, Aggregate) else each
            for place, each in enumerate(selected)
        )

    def _order(self) -> Order:
        path = self._name()
        descending = self._skip("DESC")
        if not descending:
            self._skip("ASC")
        nulls_last = self._skip("NULLS", "LAST")
        if not nulls_last:
            self._skip("NULLS", "FIRST")
        return Order(path, descending, nulls_last)

    # Conditions. Salesforce refuses AND and OR side by side without parentheses, and so does this.

    def _logic(self) -> Condition:
        conditions = [self._term()]
        word = self._peek()
        if word not in {"AND", "OR"}:
            return conditions[0]
        while self._skip(word):
            conditions.append(self._term())
        if self._peek() in {"AND", "OR"}:
            self._fail(f"unexpected token: '{self._tokens[self._at][1]}'")
        return Junction(word, tuple(conditions))

    def _term(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail("too many levels of nesting")
        try:
            if self._skip("NOT"):
                return Not(self._term())
            if self._skip("("):
                inside = self._logic()
                self._expect(")")
                return inside
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Condition:
        path = self._name()
        if self._skip("NOT", "IN"):
            return Membership(path, self._literals(), negated=True)
        if self._skip("IN"):
            return Membership(path, self._literals(), negated=False)
        operator = "LIKE" if self._skip("LIKE") else self._take()[1]
        if operator not in {"=", "!=", "<>", "<", "<=", ">", ">=", "LIKE"}:
            self._at -= 1
            self._fail(f"unexpected token: '{operator}'")
        return Comparison(path, "!=" if operator == "<>" else operator, self._literal())

    def _literals(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = self._listed(self._literal)
        self._expect(")")
        return values

    def _literal(self) -> Literal:
        kind, text, at = self._tokens[self._at]
        self._take()
        read = _LITERALS.get(kind)
        if read is None:
            self._fail(f"unexpected token: '{text}'", at)
        try:
            return read(text)
        except ValueError:
            self._fail(f"line 1:{at} no viable alternative at '{text}'", at)


def _word(text: str) -> Literal:
    lowered = text.lower()
    if lowered in {"true", "false"}:
        return lowered == "true"
    if lowered == "null":
        return None
    name, _, days = text.upper().partition(":")
    if name not in _SPANS:
        raise ValueError(text)
    return Span(name, int(days or 0))


def _string(text: str) -> Literal:
    return re.sub(
        r"\\(.)",
        lambda found: _ESCAPES.get(found[1], found[1] if found[1] not in "%_" else found[0]),
        text[1:-1],
        flags=re.DOTALL,
    )


def _number(text: str) -> Literal:
    return float(text) if "." in text else int(text)


def _datetime(text: str) -> Literal:
    return datetime.fromisoformat(text).astimezone(UTC)


_LITERALS: dict[str, Callable[[str], Literal]] = {
    "name": _word,
    "string": _string,
    "number": _number,
    "date": date.fromisoformat,
    "datetime": _datetime,
}
