"""Every column as JSON text, written by the database itself: digits, bytes and moments come as it holds them.

A driver's Python values would lose what JSON can say and Python cannot: numbers beyond a double, ``0000-00-00``, the
difference between a moment with a zone and one without. Bytes become hexadecimal text, json stays json.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

_NULL = sa.literal("null", sa.Text)
_WHOLE = re.compile(r"-?[0-9]+")
Text = sa.ColumnElement[Any]
_GREATEST: Text = sa.literal_column(repr(sys.float_info.max))


def record(kind: str, columns: dict[str, sa.Column[Any]], more: dict[str, Text]) -> Text:
    """Return the expression that writes one row as a JSON object; ``more`` are members that are JSON text already."""
    of = {"postgresql": _postgres, "mysql": _mysql, "sqlite": _sqlite}[kind]
    members = {name: of(column) for name, column in columns.items()} | more
    pieces: list[Text] = []
    for name, text in members.items():
        pieces += [sa.literal(f"{',' if pieces else '{'}{_quoted(name)}:", sa.Text), sa.func.coalesce(text, _NULL)]
    pieces.append(sa.literal("}", sa.Text))
    return joined(kind, pieces)


def joined(kind: str, pieces: list[Text]) -> Text:
    """Return the expression that puts texts together."""
    if kind == "mysql":
        return sa.func.concat(*pieces)
    parts: list[Text] = [sa.cast(pieces[0], sa.Text), *pieces[1:]]
    while len(parts) > 1:  # pair by pair: one after the other, a table of a hundred columns is nested too deeply
        pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
        parts = [pair[0].op("||")(pair[1]) if len(pair) > 1 else pair[0] for pair in pairs]
    return parts[0]


def as_text(kind: str, column: sa.Column[Any]) -> Text:
    """Return a column as text that can be given back to it: a key or a place to go on from."""
    if is_binary(column):
        return sa.func.lower(_hex(kind, column))
    return sa.cast(column, sa.CHAR if kind == "mysql" else sa.Text)


def as_part(kind: str, column: sa.Column[Any]) -> Text:
    """Return a column as a part of an id joined by colons: a colon within a text is marked, or two ids could be one."""
    text = as_text(kind, column)
    if not isinstance(column.type, sa.String):
        return text
    return sa.func.replace(sa.func.replace(text, "\\", "\\\\"), ":", "\\:")


def given_back(kind: str, column: sa.Column[Any], text: str) -> Text:
    """Return what :func:`as_text` made of a value as a value of the column's own type."""
    if is_binary(column):
        return sa.literal(bytes.fromhex(text), sa.LargeBinary)
    if isinstance(column.type, sa.Integer) and _WHOLE.fullmatch(text):  # in SQLite a column's type is advice
        return sa.literal(int(text), sa.BigInteger)
    plain = sa.literal(text, sa.Text)
    is_known = not isinstance(column.type, sa.types.NullType)  # of any other, Postgres reads the text by its column
    return sa.cast(plain, column.type) if kind == "postgresql" and is_known else plain


def json_of_text(kind: str, text: Text) -> Text:
    """Return text as a JSON string."""
    return _postgres_json(text) if kind == "postgresql" else sa.func.json_quote(text)


def is_binary(column: sa.Column[Any]) -> bool:
    """Return whether a column holds bytes."""
    return isinstance(column.type, sa.types._Binary)  # noqa: SLF001  the one base of BYTEA, BLOB, BINARY and VARBINARY


def _hex(kind: str, column: sa.Column[Any]) -> Text:
    return sa.func.encode(column, "hex") if kind == "postgresql" else sa.func.hex(column)


def _postgres_json(value: Text) -> Text:
    return sa.cast(sa.func.to_json(value), sa.Text)


def _postgres(column: sa.Column[Any]) -> Text:
    if isinstance(column.type, sa.JSON):
        return sa.cast(column, sa.Text)
    return _postgres_json(sa.func.encode(column, "hex") if is_binary(column) else column)


def _mysql(column: sa.Column[Any]) -> Text:
    text = sa.cast(column, sa.CHAR)
    if isinstance(column.type, mysql.BIT):
        return sa.cast(column.op("+")(sa.literal_column("0")), sa.CHAR)
    if isinstance(column.type, sa.Integer | sa.Numeric | sa.Float | sa.Boolean | sa.JSON | mysql.YEAR):
        return text
    if is_binary(column) or isinstance(column.type, sa.types.NullType):
        return sa.func.json_quote(sa.func.lower(sa.func.hex(column)))
    if isinstance(column.type, sa.TIMESTAMP):
        return sa.func.json_quote(sa.func.concat(text, "Z"))  # a moment: MySQL gives it in the session's zone, UTC
    return sa.func.json_quote(text)


def _sqlite(column: sa.Column[Any]) -> Text:
    """Write by what the value is: in SQLite a column's type is advice."""
    quoted = sa.func.json_quote(column)
    shape: Text = sa.func.typeof(column)
    exact = sa.case(
        (column > _GREATEST, sa.literal('"Infinity"', sa.Text)),  # as Postgres writes what JSON has no number for
        (column < -_GREATEST, sa.literal('"-Infinity"', sa.Text)),
        (sa.cast(quoted, sa.REAL) == column, quoted),
        else_=sa.func.printf("%!.17g", column),
    )
    cases = [(shape == "blob", sa.func.json_quote(sa.func.lower(sa.func.hex(column)))), (shape == "real", exact)]
    if isinstance(column.type, sa.Boolean):
        cases.append((shape == "integer", sa.case((column, "true"), else_="false")))
    if isinstance(column.type, sa.JSON):
        cases.append((sa.func.json_valid(column) == 1, sa.cast(column, sa.Text)))
    return sa.case(*cases, else_=quoted)


def _quoted(name: str) -> str:
    import msgspec

    return msgspec.json.encode(name).decode()
