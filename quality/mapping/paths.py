"""Paths into a record: their grammar, and the DuckDB JSON path each becomes.

``Email``, ``attributes.first_name``, ``items[0].email``, ``"a.b".c``; inside a fan-out ``@``, ``@.email`` and ``@key``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_STEP = re.compile(r'(?:"(?P<quoted>[^"\\*]+)"|(?P<name>[^."\[\]@*\\]+))(?P<index>(?:\[\d+\])*)')
_INDEXES = re.compile(r"(?:\[\d+\])*")


class PathError(ValueError):
    """A path that cannot be read."""


class Root(StrEnum):
    """What a path starts at."""

    RECORD = "record"
    ELEMENT = "element"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path: where it starts, and its JSON path from there."""

    root: Root
    json: str


def parse(text: str) -> Path:
    """Return the parsed path; raise PathError saying what is wrong with it."""
    if text == "@key":
        return Path(Root.KEY, "$")
    if text.startswith("@"):
        head = _INDEXES.match(text, 1)
        rest = text[head.end() :] if head else ""
        if rest and not rest.startswith("."):
            raise PathError(f"{text!r} is not a path: after '@' comes '.name', '[0]' or nothing")
        return Path(Root.ELEMENT, f"${head[0] if head else ''}{_steps(text, rest[1:]) if rest else ''}")
    return Path(Root.RECORD, f"${_steps(text, text)}")


def _steps(whole: str, text: str) -> str:
    steps, position = [], 0
    while True:
        step = _STEP.match(text, position)
        if step is None or not (step["quoted"] or step["name"]).strip():
            raise PathError(
                f"{whole!r} is not a path: write names joined by dots, as in attributes.email or items[0].id"
            )
        steps.append(f'."{step["quoted"] or step["name"]}"{step["index"]}')
        position = step.end()
        if position == len(text):
            return "".join(steps)
        if text[position] != ".":
            raise PathError(f"{whole!r} is not a path: unexpected {text[position]!r}; quote names that hold it")
        position += 1
