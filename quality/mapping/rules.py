"""What a well-formed mapping must also keep: fields that exist, required fields mapped, transforms that fit.

Each fault carries its location in the mapping, so that whoever reads the file can be told the line.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from quality.canonical import Column, columns
from quality.mapping import paths
from quality.mapping.model import Location, Mapping, Target, Transform, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

Fault = tuple[Location, str]
"""Where it stands, and what is wrong."""

_TEXT = (
    Transform.NONE,
    Transform.TRIM,
    Transform.LOWERCASE,
    Transform.UPPERCASE,
    Transform.EMAIL,
    Transform.PHONE,
    Transform.DOMAIN,
    Transform.GIVEN_NAME,
    Transform.FAMILY_NAME,
    Transform.EXCERPT,
)
FITTING = {
    "VARCHAR": _TEXT,
    "BIGINT": (Transform.INTEGER,),
    "DOUBLE": (Transform.NUMBER,),
    "TIMESTAMPTZ": (Transform.TIMESTAMP, Transform.DATE),
}
"""Transforms that give a column's type."""

_KEYS = (Transform.NONE, Transform.TRIM, Transform.LOWERCASE, Transform.UPPERCASE, Transform.EMAIL)
_NOT_FOR_PROPERTIES = (Transform.PHONE, Transform.DOMAIN)


def mappable(target: Target) -> dict[str, Column]:
    """Return the columns of the target's kind that a mapping may fill through ``fields``."""
    return {
        column.name: column
        for column in columns(target.target)
        if column.is_mapped and column.name not in {"external_id", "properties"}
    }


def faults(mapping: Mapping) -> Iterator[Fault]:
    """Yield what is wrong with a mapping, in the order of the file."""
    for entity, targets in mapping.entities.items():
        seen: set[str] = set()
        for position, target in enumerate(targets):
            at: Location = ("entities", entity, position)
            if target.label in seen:
                yield at, f"a second target called {target.label!r}: give one of them a name"
            seen.add(target.label)
            if target.shared is not all(other.shared for other in targets if other.target is target.target):
                yield (*at, "shared"), f"either every {target.target} of {entity} is shared or none"
            for location, message in _of_target(target):
                yield (*at, *location), message


def _of_target(target: Target) -> Iterator[Fault]:
    known = mappable(target)
    for name, value in target.fields.items():
        if name not in known:
            yield ("fields", name), _unknown(target, name, known)
        else:
            yield from _of_transform(("fields", name), value, FITTING[known[name].type], known[name].type)
    missing = [name for name, column in known.items() if column.is_required and name not in target.fields]
    if missing:
        yield ("fields",), f"{target.target} needs {' and '.join(missing)}"
    for name, value in target.properties.items():
        if value.transform in _NOT_FOR_PROPERTIES:
            yield ("properties", name, "transform"), f"{value.transform} is not offered for properties"
    for location, value in target.values():
        if location[0] in {"external_id", "merged_into", "references"}:
            yield from _of_transform(location, value, _KEYS, "key")
        yield from _of_paths(location, value.paths(), is_fan_out=target.for_each is not None)
    if target.when:
        yield from _of_paths(("when", "path"), (target.when.path,), is_fan_out=target.for_each is not None)
    if target.for_each:
        yield from _of_paths(("for_each",), (target.for_each,), is_fan_out=False)


def _of_transform(at: Location, value: Value, fitting: tuple[Transform, ...], kind: str) -> Iterator[Fault]:
    if value.transform is not None and value.transform not in fitting:
        allowed = ", ".join(fitting)
        yield (*at, "transform"), f"{value.transform} does not give a {kind}; use one of {allowed}, or leave it out"


def _of_paths(at: Location, texts: tuple[str, ...], *, is_fan_out: bool) -> Iterator[Fault]:
    for text in texts:
        if paths.parse(text).root is not paths.Root.RECORD and not is_fan_out:
            yield at, f"{text!r} speaks of an element, but the target has no for_each around it"


def _unknown(target: Target, name: str, known: dict[str, Column]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}; other values go to properties"
    return f"{target.target} has no field {name!r}; {hint}"
