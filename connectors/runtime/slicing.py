"""Records out of a page, as verbatim slices: found by a compiled decoder that goes straight to them, or step by step.

Nothing here looks inside a record; what becomes of one is landing.py's.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from connectors.errors import Stop
from connectors.runtime import paths
from connectors.runtime.jsontext import neutralise


def slice_records(body: bytes, items: str) -> list[msgspec.Raw]:
    """Return the records of a page; raise Stop(``malformed_page``) as :func:`cut` does."""
    return cut(body, items)[0]


def cut(body: bytes, items: str) -> tuple[list[msgspec.Raw], bool]:
    """Return the records, and whether the page had to be mended before it could be cut.

    Raises Stop(``malformed_page``) when the body is not JSON or has nothing at ``items``.
    """
    steps = paths.parse(items)
    try:
        return _slices(body, steps), False
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return _slices(neutralise(body), steps), True
    except (msgspec.DecodeError, RecursionError):
        raise Stop("malformed_page", "the vendor's answer is not whole JSON") from None


def _slices(body: bytes, steps: tuple[paths.Step, ...]) -> list[msgspec.Raw]:
    decoder = _envelope(steps)
    if decoder is None:
        return _walk(body, steps)
    try:
        records = _collect(decoder.decode(body))
    except (msgspec.ValidationError, _MissingError):
        return _walk(body, steps)
    if True not in steps or steps[-1] is True:
        return records
    return [record for value in records for record in _spread(value)]


class _MissingError(Exception):
    """The quick decoder met an envelope of another form; the walk decides what it is."""


@functools.lru_cache(maxsize=512)
def _envelope(steps: tuple[paths.Step, ...]) -> msgspec.json.Decoder[Any] | None:
    """Compile the items path into a decoder that goes straight to the records; an index is left to the walk."""
    if any(isinstance(step, int) and step is not True for step in steps):
        return None
    found: Any = msgspec.Raw if True in steps else list[msgspec.Raw]
    for step in reversed(steps):
        if step is True:
            found = list[found]
        else:
            found = msgspec.defstruct("Level", [("inner", found, msgspec.UNSET)], rename={"inner": str(step)})
    return msgspec.json.Decoder(found)


def _collect(value: Any) -> list[msgspec.Raw]:
    if isinstance(value, list):
        if not value or isinstance(value[0], msgspec.Raw):
            return value
        return [record for element in value for record in _collect(element)]
    if isinstance(value, msgspec.Raw):
        return [value]
    if value is msgspec.UNSET:
        raise _MissingError
    return _collect(value.inner)


def _walk(body: bytes, steps: tuple[paths.Step, ...]) -> list[msgspec.Raw]:
    """Find the records step by step; slower than the decoder, and clear about what is missing."""
    found = paths.follow(body, steps)
    if not found and True not in steps:
        raise Stop("malformed_page", "the vendor's answer has nothing where its records should stand")
    return [record for value in found for record in _spread(value)]


def _spread(value: msgspec.Raw) -> list[msgspec.Raw]:
    """Return the records of one value: an array's elements, an object itself, nothing for null."""
    first = bytes(memoryview(value)[:1])
    if first == b"[":
        return paths.follow(value, (True,))
    if first == b"{":
        return [value]
    if bytes(value) == b"null":
        return []
    raise Stop("malformed_page", "the vendor's answer has no list where its records should stand")
