"""YAML as plain data: every value with its line, and nothing of YAML that surprises or runs.

No aliases, anchors, tags, merges or duplicate keys; ``NO``, ``012``, ``12:30:45`` and dates are text, as they are
written. Bounded in size and depth before anything is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

LARGEST = 256 * 1024  # bytes of a file
DEEPEST = 32  # lists and maps within each other
MOST_FAULTS = 5  # told at once
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,15})\.\d{1,16}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}

Place = tuple[str | int, ...]


class DescriptorError(ValueError):
    """A file that cannot be used; the message names file, line and key and says what is wrong."""


@dataclass(frozen=True, slots=True)
class Document:
    """The data of one file and the line of each of its values."""

    name: str
    data: Any
    lines: dict[Place, int]

    def at(self, place: Place) -> str:
        """Return ``file:line: key`` of the value nearest to ``place``."""
        known = tuple(place)
        while known and known not in self.lines:
            known = known[:-1]
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        return f"{self.name}:{self.lines.get(known, 1)}: {key or 'the file'}"


def faults(document: Document, error: ValidationError) -> str:
    """Return what validation found wrong with a document, one line for each of the first faults."""
    told = error.errors(include_url=False, include_input=False)[:MOST_FAULTS]
    return "\n".join(f"{document.at(_place(document, each))}: {_words(each['type'], each['msg'])}" for each in told)


def _words(kind: str, message: str) -> str:
    known = {"extra_forbidden": "this key is not known here", "missing": "this key is missing"}
    return known.get(kind, message.removeprefix("Value error, "))


def _place(document: Document, fault: ErrorDetails) -> Place:
    """Return the place in the file of a fault, whose location also names the union members that were tried."""
    place: Place = ()
    for part in fault["loc"]:
        if (*place, part) in document.lines:
            place = (*place, part)
    return (*place, fault["loc"][-1]) if fault["type"] == "missing" else place


def load_file(path: Path) -> Document:
    """Load a YAML file; raise DescriptorError when it is missing, too large or not plain data."""
    try:
        if path.stat().st_size > LARGEST:
            raise DescriptorError(f"{path}:1: the file is larger than {LARGEST // 1024} KiB")
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise DescriptorError(f"{path}:1: the file cannot be read") from None
    except UnicodeDecodeError:
        raise DescriptorError(f"{path}:1: the file is not UTF-8 text") from None
    return load_text(text, str(path))


def load_text(text: str, name: str) -> Document:
    """Load YAML text; ``name`` stands for the file in messages."""
    if len(text.encode("utf-8", "replace")) > LARGEST:
        raise DescriptorError(f"{name}:1: the file is larger than {LARGEST // 1024} KiB")
    try:
        return _Builder(name, yaml.parse(text, Loader=_LOADER)).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DescriptorError(f"{name}:{line}: not YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise DescriptorError(f"{name}:1: not YAML text") from None


class _Builder:
    """Builds values straight from the parser's events, so that a bomb is refused before it is unpacked."""

    def __init__(self, name: str, events: Iterator[Any]) -> None:
        self._name = name
        self._events = events
        self._lines: dict[Place, int] = {}

    def document(self) -> Document:
        data: Any = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._error(event, "one document per file")
                data = self._value(next(self._events), ())
        return Document(self._name, data, self._lines)

    def _value(self, event: Any, place: Place) -> Any:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._error(event, "anchors and aliases are not allowed: write the value out")
        if getattr(event, "tag", None):
            raise self._error(event, "tags are not allowed: values are plain data")
        if len(place) > DEEPEST:
            raise self._error(event, f"nested deeper than {DEEPEST} levels")
        self._lines[place] = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.implicit[0] else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place)
        return self._mapping(place)

    def _sequence(self, place: Place) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*place, len(values))))
        return values

    def _mapping(self, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "a key is a word")
            key = str(event.value)
            if event.anchor or event.tag or key == "<<":
                raise self._error(event, "anchors, tags and merges are not allowed")
            if key in values:
                raise self._error(event, f"the key {key!r} stands here twice")
            values[key] = self._value(next(self._events), (*place, key))
        return values

    def _error(self, event: Any, message: str) -> DescriptorError:
        return DescriptorError(f"{self._name}:{event.start_mark.line + 1}: {message}")


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
