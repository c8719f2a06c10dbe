"""JSON as text: what strict parsers and warehouses trip over, found and mended without parsing the record.

Vendors send lone surrogates, NUL escapes, NaN, and nesting that overflows a parser's stack. One such value must cost
one record, not a page. Works on bytes; knows nothing of rows.
"""

from __future__ import annotations

import re

import msgspec

DEEPEST = 64
MOST_DIGITS, MOST_OF_EXPONENT = 10_000, 3
"""Digits of a number as it is written. Postgres keeps no more than 16,383 behind the point and 131,072 before it, and
writes a number out: a record full of ``1e9999`` would be stored and could not be read again."""
MARKER = rb'"\u0000unreadable:'
NONFINITE = MARKER + b'nonfinite"'
TOO_DEEP = MARKER + b'too_deep"'

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN = re.compile(_STRING + rb"|[{}\[\]]|-?\bInfinity\b|\bNaN\b", re.DOTALL)
_WHOLE_STRING = re.compile(_STRING, re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_BRACKET = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89abAB-fF])")
_LONE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair stays
    rb"|(?P<nul>u0000)|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_NUMBER = re.compile(_STRING + rb"|(?P<digits>[\d.]+)(?:[eE][+-]?(?P<exponent>\d+))?", re.DOTALL)
_DIGITS = bytes(ord("0" if chr(at) in "0123456789.+-" else "e" if chr(at) in "eE" else " ") for at in range(256))
_FAR_EXPONENT, _MANY_DIGITS = b"0e" + b"0" * (MOST_OF_EXPONENT + 1), b"0" * (MOST_DIGITS + 1)
_MARGIN = 32  # a page's envelope stands around its records


def is_json(body: bytes) -> bool:
    """Return whether ``body`` is whole JSON, once the values that only break strict parsers are set aside."""
    return _parses(body) or _parses(neutralise(body))


def _parses(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def mend_escapes(raw: bytes) -> bytes:
    """Return ``raw`` without NUL escapes and with lone surrogates as U+FFFD; the very object when nothing was wrong."""
    if _SUSPECT.search(raw) is None:
        return raw
    mended = _ESCAPE.sub(_mend, raw)
    return raw if mended == raw else mended


def _mend(match: re.Match[bytes]) -> bytes:
    if match["nul"]:
        return b""
    return rb"\ufffd" if match["lone"] else match[0]


def _without_lone_surrogates(text: bytes) -> bytes:
    """Mend what a strict parser refuses to step over; NUL escapes stay for :func:`mend_escapes` to see."""
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    return _LONE.sub(lambda match: rb"\ufffd" if match["lone"] else match[0], text)


def is_too_deep(raw: bytes, limit: int = DEEPEST) -> bool:
    """Return whether containers nest deeper than ``limit``; counting brackets settles almost every record."""
    return raw.count(b"{") + raw.count(b"[") > limit and not _is_shallow(raw, limit) and _nests_beyond(raw, limit)


def _is_shallow(raw: bytes, limit: int) -> bool:
    """Return whether brackets vanish when pairs next to each other are taken out: True is certain, False is not.

    A round takes out two levels at most, of all the containers of a long list at once.
    """
    brackets = _WHOLE_STRING.sub(b"", raw).translate(None, _NO_BRACKETS)
    for _ in range(limit // 2):
        if not brackets:
            break
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return not brackets


def _nests_beyond(raw: bytes, limit: int) -> bool:
    depth = 0
    for token in _BRACKET.finditer(raw):
        first = token[0][:1]
        if first in b"{[":
            depth += 1
            if depth > limit:
                return True
        elif first in b"}]":
            depth -= 1
    return False


def may_have_far_number(text: bytes, longest: int) -> bool:
    """Return whether ``text`` may hold a number that is far from 1; False is certain, and costs little to know.

    ``longest`` is the size of the longest record in it: only a longer one than a number may be holds one too long.
    """
    digits = text.translate(_DIGITS)
    return _FAR_EXPONENT in digits or (longest > MOST_DIGITS and _MANY_DIGITS in digits)


def has_far_number(raw: bytes) -> bool:
    """Return whether ``raw`` holds a number that is beyond what a warehouse keeps; its texts may say what they want."""
    return may_have_far_number(raw, len(raw)) and any(
        len(token["digits"] or b"") > MOST_DIGITS or len((token["exponent"] or b"").lstrip(b"0")) > MOST_OF_EXPONENT
        for token in _NUMBER.finditer(raw)
    )


def neutralise(body: bytes) -> bytes:
    """Return ``body`` with NaN, infinities and too deep containers replaced by markers, and lone surrogates mended.

    Slow and rarely needed: a page goes through here only after a strict parser gave up on it. A marker is a string
    that no vendor sends; the record that holds one is set aside by the reader.
    """
    pieces: list[bytes] = []
    depth, done = 0, 0
    cut: int | None = None
    for token in _TOKEN.finditer(body):
        text = token[0]
        first = text[:1]
        if first in b"{[":
            depth += 1
            if depth == DEEPEST + _MARGIN + 1:
                cut = token.start()
        elif first in b"}]":
            if depth == DEEPEST + _MARGIN + 1 and cut is not None:
                pieces += (body[done:cut], TOO_DEEP)
                done, cut = token.end(), None
            depth -= 1
        elif cut is None:
            mended = _without_lone_surrogates(text) if first == b'"' else NONFINITE
            if mended != text:
                pieces += (body[done : token.start()], mended)
                done = token.end()
    pieces.append(body[done:])
    return b"".join(pieces)
