"""Paths into vendor JSON: a small closed subset of RFC 9535, compiled to decoders that skip what they do not need.

Names, ``['quoted names']`` (a quote or a backslash in one stands behind a backslash), indexes ``[0]`` and wildcards
``[*]``; a leading ``$`` or ``$.`` may be left out. No recursive descent, no filters, no functions. Values are found as
verbatim slices of the bytes they stand in.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from connectors.runtime.jsontext import neutralise

if TYPE_CHECKING:
    from collections.abc import Iterable

_STEP = re.compile(
    r"\.?(?P<name>[A-Za-z_@][A-Za-z0-9_@:-]*)|\['(?P<quoted>(?:[^'\\]|\\['\\]){1,200})'\]|\[(?P<index>\d{1,6})\]|(?P<all>\.?\*|\[\*\])"
)
_ESCAPED = re.compile(r"\\(['\\])")
_MOST_STEPS = 64

Step = str | int | Literal[True]
"""A member name, an array index, or True for every element."""


class PathError(ValueError):
    """A path outside the subset; the message says what is allowed."""


@functools.lru_cache(maxsize=2048)
def parse(path: str) -> tuple[Step, ...]:
    """Return the steps of ``path``; raise PathError when it is not of the subset. ``$`` alone has no steps."""
    rest = path.strip().removeprefix("$")
    steps: list[Step] = []
    while rest:
        match = _STEP.match(rest)
        if match is None or len(steps) >= _MOST_STEPS or (rest[0] == "." and len(rest) == 1):
            raise PathError(f"{path!r} is not a path: use names, [0] and [*], as in data.items[*].node")
        if match["all"]:
            steps.append(True)
        elif match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            steps.append(match["name"] or _ESCAPED.sub(r"\1", match["quoted"]))
        rest = rest[match.end() :]
    if not path.strip():
        raise PathError("a path is not empty: '$' is the whole value")
    return tuple(steps)


def may_hold(raw: bytes, path: str) -> bool:
    """Return False when nothing can stand at ``path``, because its first name is nowhere in the bytes.

    That costs a fraction of decoding them: for what most answers do not have.
    """
    first = next((step for step in parse(path) if isinstance(step, str)), "")
    return f'"{first}"'.encode() in raw


def find(raw: bytes | msgspec.Raw, path: str) -> list[msgspec.Raw]:
    """Return the verbatim slices ``path`` leads to; a step that leads nowhere yields nothing."""
    return follow(raw, parse(path))


def follow(raw: bytes | msgspec.Raw, steps: Iterable[Step]) -> list[msgspec.Raw]:
    """Return the verbatim slices that parsed ``steps`` lead to."""
    found = [msgspec.Raw(raw)]
    for step in steps:
        found = [inner for value in found for inner in _descend(value, step)]
    return found


def find_one(raw: bytes | msgspec.Raw, path: str) -> Any:
    """Return the first value at ``path`` as a Python object, or None when there is none.

    Meant for envelopes: a next link, a flag, a total. Numbers beyond what Python holds come back as their text.
    """
    for value in find(raw, path):
        try:
            return msgspec.json.decode(value)
        except msgspec.ValidationError:
            return str(value, "utf-8")
    return None


def read(body: bytes, path: str) -> Any:
    """Return the first value at ``path`` of a page (a next link, a flag), or None; the page's records are not built."""
    try:
        return find_one(body, path)
    except (msgspec.DecodeError, RecursionError):
        return find_one(neutralise(body), path)


def read_top(body: bytes, *names: str) -> tuple[Any, ...]:
    """Return the values of several names at the top of a page, None for each that is not there; read in one go."""
    try:
        top = members(body)
    except (msgspec.DecodeError, RecursionError):
        top = members(neutralise(body))
    return tuple(find_one(top[name], "$") if name in top else None for name in names)


def members(raw: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Return the members of an object as verbatim slices."""
    return _OBJECT.decode(raw)


_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])


def _descend(value: msgspec.Raw, step: Step) -> list[msgspec.Raw]:
    first = bytes(memoryview(value)[:1])
    if step is True:
        if first == b"[":
            return _ARRAY.decode(value)
        return list(_OBJECT.decode(value).values()) if first == b"{" else []
    if isinstance(step, str):
        inner = _OBJECT.decode(value).get(step) if first == b"{" else None
        return [] if inner is None else [inner]
    elements = _ARRAY.decode(value) if first == b"[" else []
    return elements[step : step + 1]
