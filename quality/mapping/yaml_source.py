"""Reads YAML into plain values and remembers the line of each key, so that errors can say where.

Only plain YAML is read: no anchors, aliases or tags, no key given twice, at most 256 KiB. Words that older YAML takes
for booleans or dates (``yes``, ``on``, ``2026-01-01``) stay the text they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from quality.mapping.model import Location

LARGEST = 256 * 1024  # bytes

_BOOLEANS = {"true": True, "false": False}
_TAG = "tag:yaml.org,2002:"


class YamlError(ValueError):
    """The text is not the plain YAML we read; ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read(text: str) -> tuple[Any, dict[Location, int]]:
    """Return the document's value and, for each location in it, its line."""
    if len(text.encode()) > LARGEST:
        raise YamlError(1, f"the file is larger than {LARGEST // 1024} KiB: split it or remove what is not a mapping")
    try:
        _refuse_references(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError((mark.line if mark else 0) + 1, f"not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise YamlError(1, f"not valid YAML: {error}") from None
    lines: dict[Location, int] = {(): 1}
    return (_value(node, (), lines) if node is not None else None), lines


def _refuse_references(text: str) -> None:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = (event.start_mark.line if event.start_mark else 0) + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError(line, "anchors and aliases are not read: write the value out")
        if tag := getattr(event, "tag", None):
            raise YamlError(line, f"the tag {tag!r} is not read: remove it")


def _value(node: yaml.Node, at: Location, lines: dict[Location, int]) -> Any:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, at, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*at, position), lines) for position, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, at: Location, lines: dict[Location, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise YamlError(line, "a key must be plain text")
        key = str(key_node.value)
        if key in found:
            raise YamlError(line, f"the key {key!r} is given twice")
        lines[*at, key] = line
        found[key] = _value(value_node, (*at, key), lines)
    return found


def _scalar(node: yaml.Node) -> Any:
    text, kind = str(node.value), node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return _BOOLEANS.get(text.lower(), text)
    if kind in {"int", "float"}:
        return _number(text, kind)
    return text


def _number(text: str, kind: str) -> int | float | str:
    """Plain decimal notation is a number; 0x10, 1:30 and .inf stay text."""
    plain = text.removeprefix("-").replace(".", "", 1).isdecimal()
    if not plain or (text.removeprefix("-").startswith("0") and kind == "int" and len(text.removeprefix("-")) > 1):
        return text
    return int(text) if kind == "int" else float(text)
