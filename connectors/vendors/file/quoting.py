"""Whether the quotes of a delimited file hold what they should, looked at before its first row is taken.

A quote that opens and is not closed takes every later row along into one field, up to the next quote there is, and a
tolerant parser calls that a good row. Two such quotes are as bad as one. Most files are found sound by splitting them
at their quotes, which is one pass over their bytes; only others are read row by row.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from connectors.vendors.file.dialect import LONGEST_ROW, Dialect, open_utf8, rows_of

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20
_MOST_LINES = 1_000  # of one row; a quote open for longer is looked at closely
_END = "\x03\x03"  # a row no file ends with


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over a file tells: the line of a row whose quote takes others along, and what bounds its rows."""

    careless_line: int | None
    longest_row: int


def survey(path: Path, dialect: Dialect) -> Survey:
    """Look at all quotes of a file."""
    is_sound, longest = _skimmed(path, dialect)
    return Survey(None if is_sound else _careless_line(path, dialect), longest)


def _skimmed(path: Path, dialect: Dialect) -> tuple[bool, int]:
    """Return whether every quote stands at the edge of a value, and a number of bytes no row is longer than."""
    delimiter = re.escape(dialect.delimiter.encode())
    inside_text = re.compile(b'"(?:(?<![%b\r\n"]")|[^%b\r\n"])' % (delimiter, delimiter))
    rest, longest = b"", _CHUNK
    with open_utf8(path, dialect.encoding) as stream:
        while chunk := stream.read(_CHUNK):
            rest += chunk
            end = _end_of_rows(rest)
            if end is None or len(rest) - end > LONGEST_ROW:
                return b'"' not in rest, LONGEST_ROW
            if not _is_sound(rest[:end], inside_text):
                return False, LONGEST_ROW
            rest = rest[end:]
            longest = max(longest, len(rest) + _CHUNK)
    return rest.count(b'"') % 2 == 0 and _is_sound(rest, inside_text), longest


def _end_of_rows(text: bytes) -> int | None:
    """Return where the last row that is surely whole ends (0: nowhere); None when a quote stays open for very long."""
    is_open, end = text.count(b'"') % 2, len(text)
    for _ in range(_MOST_LINES):
        start = text.rfind(b"\n", 0, end)
        if start < 0:
            return 0
        is_open ^= text.count(b'"', start, end) % 2
        if not is_open:
            return start + 1
        end = start
    return None


def _is_sound(text: bytes, inside_text: re.Pattern[bytes]) -> bool:
    """Return whether each quoted value of some whole rows stands between delimiters; a doubled quote is one of text.

    Split at the quotes, every other part is outside of them: what is left has one quote for each quoted value.
    """
    return b'"' not in text or inside_text.search(b"\n" + b'"'.join(text.split(b'"')[::2])) is None


def _careless_line(path: Path, dialect: Dialect) -> int | None:
    """Return the line on which a row begins whose quotes close on another line and not at a value's end, or never.

    Text of several lines that is quoted as it should be closes at a value's end; a value that closes too early on its
    own line, as in "Joe "Joey" Smith", takes nothing along.
    """
    with path.open("r", encoding=dialect.encoding, newline="") as text:
        reader = rows_of(chain(text, [_END]), dialect.delimiter, strict=True)
        while True:
            start = reader.line_num + 1
            try:
                if next(reader) == [_END]:
                    return None
            except csv.Error:
                if reader.line_num > start:
                    return start
