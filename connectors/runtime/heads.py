"""The three fields of a record that its row needs, read from many records at once.

Two ways, both all or nothing. Records *alike* have the form of their first one: read as that form and written again
they are the very bytes they were, so that none repeats a key, hides an object or nests deeper than the form does.
Others are read for the three fields alone. Works on bytes; what makes a good key is keys.py's to say.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import orjson

from connectors.runtime import paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.runtime.timestamps import TimeValue

AT_ONCE = 100
"""Records read together: few enough that their objects come and go without waking the garbage collector."""

MOST_KEYS = 1000
_DEEPEST_FORM = 8
_TYPES: dict[str, Any] = {
    "id": str | int | None,
    "time": str | int | float | None,
    "deleted": bool | int | float | str | None,
}
_ENCODER = msgspec.json.Encoder()

Form = tuple[tuple[str, Any], ...]
"""The keys of an object in their order, each with the form of the object that stands there, or None."""


class Heads(NamedTuple):
    """The three fields of some records, a list each."""

    ids: list[str | int | None]
    times: list[TimeValue]
    deleted: list[Any]


class Fields(NamedTuple):
    """The names of the three fields, at the top of a record; None for one that its vendor does not have."""

    id: str
    time: str | None
    deleted: str | None


@functools.lru_cache(maxsize=512)
def fields_at_top(key: str, time: str | None, deleted: str | None) -> Fields | None:
    """Return the fields that three paths lead to, or None when one lies deeper or two are the same."""
    steps = [() if path is None else paths.parse(path) for path in (key, time, deleted)]
    if any(len(step) > 1 or not all(isinstance(each, str) for each in step) for step in steps) or not steps[0]:
        return None
    names = [str(step[0]) if step else None for step in steps]
    given = [name for name in names if name is not None]
    return Fields(str(names[0]), names[1], names[2]) if len(set(given)) == len(given) else None


def read_alike(records: Sequence[bytes], text: bytes, fields: Fields) -> Heads | None:
    """Read records that are alike; None says nothing but that they need a closer look.

    ``text`` is the records as one JSON array, with nothing but a comma between them.
    """
    form = _form_of(records[0])
    decoder = None if form is None else _decoder_of_form(form, fields)
    if form is None or decoder is None or _count(b"{", text) != len(records) * _objects_in(form):
        return None
    try:
        found = decoder.decode(text)
    except msgspec.DecodeError:
        return None
    if len(found) != len(records) or _ENCODER.encode(found) != text:
        return None
    names = {name for name, _ in form}
    return _heads(found, has_time=fields.time in names, has_deleted=fields.deleted in names)


def _count(byte: bytes, text: bytes) -> int:
    """Count a byte that is rare: bytes leave such a one out eight times sooner than they count it."""
    return len(text) - len(text.replace(byte, b""))


def read_heads(text: bytes, fields: Fields) -> Heads | None:
    """Read the records of an array whatever else they hold; None when a field is of a type that is not read at once."""
    try:
        return _heads(_decoder_of_fields(fields).decode(text))
    except msgspec.DecodeError:
        return None


def _heads(found: list[Any], *, has_time: bool = True, has_deleted: bool = True) -> Heads:
    nothing: list[Any] = [None] * len(found)
    return Heads(
        [each.id for each in found],
        [each.time for each in found] if has_time else nothing,
        [each.deleted for each in found] if has_deleted else nothing,
    )


def _form_of(record: bytes) -> Form | None:
    """Return the form of an object; None when it is none, or too deep to be worth a decoder of its own."""
    try:
        value = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    return _form(value, _DEEPEST_FORM) if isinstance(value, dict) and len(value) <= MOST_KEYS else None


def _form(value: dict[str, Any], deepest: int) -> Form | None:
    form = []
    for key, inner in value.items():
        within = None
        if isinstance(inner, dict):
            within = _form(inner, deepest - 1) if deepest else None
            if within is None:
                return None
        form.append((key, within))
    return tuple(form)


@functools.lru_cache(maxsize=4096)
def _objects_in(form: Form) -> int:
    return 1 + sum(_objects_in(within) for _, within in form if within is not None)


@functools.lru_cache(maxsize=256)
def _decoder_of_form(form: Form, fields: Fields) -> msgspec.json.Decoder[list[Any]] | None:
    """Compile a form; None when it lacks the id, has an object for a field, or a name that cannot be compiled."""
    heads = {name: field for field, name in fields._asdict().items() if name is not None}
    if fields.id not in {name for name, _ in form} or any(within for name, within in form if name in heads):
        return None
    try:
        record = _compiled(form, heads)
    except ValueError:  # msgspec takes no quotes, backslashes and control characters in names
        return None
    return msgspec.json.Decoder(list[record])  # type: ignore[valid-type]  # made a moment ago


def _compiled(form: Form, heads: dict[str, str]) -> Any:
    names = {heads.get(name, f"field_{at}"): name for at, (name, _) in enumerate(form)}
    types = [
        _compiled(within, {}) if within is not None else _TYPES.get(heads.get(name, ""), msgspec.Raw)
        for name, within in form
    ]
    return msgspec.defstruct("Record", list(zip(names, types, strict=True)), rename=names, gc=False)


@functools.lru_cache(maxsize=512)
def _decoder_of_fields(fields: Fields) -> msgspec.json.Decoder[list[Any]]:
    # a field without a name gets one that no vendor uses; msgspec refuses control characters in names
    rename = {field: name or f"(no path for {field})" for field, name in fields._asdict().items()}
    struct: Any = msgspec.defstruct(
        "Record", [(field, kind, None) for field, kind in _TYPES.items()], rename=rename, gc=False
    )
    return msgspec.json.Decoder(list[struct])
