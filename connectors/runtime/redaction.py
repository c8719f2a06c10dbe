"""Secrets as a type, and the one place that takes them out of text.

A :class:`Secret` masks itself wherever Python would print, format, serialise or pickle it. Every value that ever became
a Secret in this process is also known to :func:`redact`, which removes it from text by value, in the spellings a value
takes on its way through URLs, headers, JSON and tracebacks. Logging handlers use :class:`RedactingFormatter`, because a
filter sees the message but not its arguments' text nor the traceback. Nothing here decides what is logged.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections import OrderedDict
from typing import NoReturn
from urllib.parse import quote, quote_plus

MASK = "[redacted]"
_SHORTEST = 6  # shorter values are words of ordinary text; taking them out would garble every line
_MOST_VALUES = 4096  # oldest forgotten first: a worker that refreshes tokens for months stays small
_CHATTY = ("httpx", "httpcore", "hpack")


class Secret:
    """A credential value. :meth:`reveal` is the only way to its text."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError("a Secret holds text")
        self._value = value
        _KNOWN.add(value)

    def reveal(self) -> str:
        """Return the text; the caller hands it to the vendor or the vault and keeps no copy."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: read it from the credential store where it is needed")


class _Known:
    """Values seen in this process with all their spellings, longest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: OrderedDict[str, None] = OrderedDict()
        self._forms: tuple[str, ...] | None = ()

    def add(self, value: str) -> None:
        if len(value) < _SHORTEST:
            return
        with self._lock:
            if value in self._values:
                self._values.move_to_end(value)
                return
            self._values[value] = None
            if len(self._values) > _MOST_VALUES:
                self._values.popitem(last=False)
            self._forms = None

    def forms(self) -> tuple[str, ...]:
        with self._lock:
            if self._forms is None:
                every = {form for value in self._values for form in spellings(value)}
                self._forms = tuple(sorted(every, key=lambda form: (-len(form), form)))
            return self._forms


_KNOWN = _Known()


def spellings(value: str) -> set[str]:
    """Return the ways ``value`` may appear in text: plain, URL, JSON, Python, hex, and base64 at any offset."""
    raw = value.encode("utf-8", "surrogatepass")
    percent = "".join(f"%{byte:02X}" for byte in raw)
    found = {
        value,
        quote(raw, safe=""),
        quote(raw, safe="").lower(),
        quote_plus(raw),
        quote(raw),
        percent,
        percent.lower(),
        raw.hex(),
        raw.hex().upper(),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(raw)[2:-1],
    }
    for offset in range(3):
        # base64 works in groups of three bytes: cut the groups shared with whatever stands before and after the value
        text = base64.b64encode(b"\0" * offset + raw).rstrip(b"=").decode()
        core = text[(0, 2, 3)[offset] : len(text) - (1 if (len(raw) + offset) % 3 else 0)]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return {form for form in found if len(form) >= _SHORTEST}


def redact(text: str) -> str:
    """Return ``text`` without any known secret, longest spelling first."""
    for form in _KNOWN.forms():
        if form in text:
            text = text.replace(form, MASK)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats with another formatter and redacts the result: message, arguments and traceback alike."""

    def __init__(self, inner: logging.Formatter | None = None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text, redacted."""
        return redact(self._inner.format(record))


def protect_logging(root: logging.Logger | None = None) -> None:
    """Redact every handler of ``root`` (the process's by default), and quiet the HTTP libraries: they log URLs."""
    for handler in (root or logging.getLogger()).handlers:
        if not isinstance(handler.formatter, RedactingFormatter):
            handler.setFormatter(RedactingFormatter(handler.formatter))
    quiet_http_libraries()


def quiet_http_libraries() -> None:
    """Keep httpx and httpcore from logging below WARNING whatever the root level is."""
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
