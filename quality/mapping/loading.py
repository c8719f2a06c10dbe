"""From text to a checked :class:`~quality.mapping.model.Mapping`, and a tenant's overrides laid over it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import ValidationError

from quality.mapping import rules, yaml_source
from quality.mapping.model import Mapping, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from quality.mapping.model import Location

    Where = Callable[[Location], str]


class MappingError(ValueError):
    """A mapping that cannot be used; the message has one line per fault: file, line, key, mend."""


class OverrideLike(Protocol):
    """What an override must have, wherever it is stored."""

    @property
    def entity(self) -> str:
        """The entity as the connector spells it."""

    @property
    def target(self) -> str:
        """The target's name (its kind, unless the file names it)."""

    @property
    def field(self) -> str:
        """A canonical field, ``properties.<name>``, or another key of a target."""

    @property
    def spec(self) -> Any:
        """What would stand in the file, or None to take the field away."""


@dataclass(frozen=True, slots=True)
class Override:
    """One field of one target, as a tenant wants it."""

    entity: str
    target: str
    field: str
    spec: Any


def load_mapping(path: Path) -> Mapping:
    """Read a ``mapping.yml``, and check it unless its very text was checked before in this process."""
    return _checked_before(path.read_text(encoding="utf-8-sig"), name=path.name)


def parse_mapping(text: str, *, name: str = "mapping.yml") -> Mapping:
    """Check the text of a mapping; ``name`` is what errors call the file."""
    try:
        content, lines = yaml_source.read(text)
    except yaml_source.YamlError as error:
        raise MappingError(f"{name} line {error.line}: {error.message}") from None
    return _checked(content, lambda at: f"{name} line {_line(lines, at)}")


_checked_before = functools.lru_cache(maxsize=256)(parse_mapping)


def overlay(mapping: Mapping, overrides: Iterable[OverrideLike | AbstractMapping[str, Any]]) -> Mapping:
    """Return the mapping with each override in place of the field it names; every other field stays."""
    content: dict[str, Any] = mapping.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    wheres: list[str] = []
    for given in overrides:
        override = Override(**given) if isinstance(given, AbstractMapping) else given
        _apply(content.setdefault("entities", {}), override)
        wheres.append(f"{override.entity}.{override.target}.{override.field}")
    return _checked(content, lambda _at: f"overrides ({', '.join(wheres)})") if wheres else mapping


def _apply(entities: dict[str, Any], override: OverrideLike | Override) -> None:
    targets = entities.setdefault(override.entity, [])
    target = next((t for t in targets if (t.get("name") or t["target"]) == override.target), None)
    if target is None:
        target = {"target": override.target, "fields": {}}
        targets.append(target)
    holder, key = _slot(target, override.field)
    if override.spec is None:
        holder.pop(key, None)
    else:
        holder[key] = override.spec


_TARGET_KEYS = frozenset(Target.model_fields) - {"target", "name", "fields", "properties"}


def _slot(target: dict[str, Any], field: str) -> tuple[dict[str, Any], str]:
    """Return the dict and key an override's field stands for."""
    if field.startswith("properties."):
        return target.setdefault("properties", {}), field.removeprefix("properties.")
    if field in _TARGET_KEYS:
        return target, field
    return target.setdefault("fields", {}), field


def _checked(content: Any, where: Where) -> Mapping:
    """Build the mapping; raise MappingError with one line per fault, each opened by ``where`` of its location."""
    try:
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        raise MappingError("\n".join(_shape_faults(error, where))) from None
    found = [f"{where(at)}, {_dotted(at)}: {message}" for at, message in rules.faults(mapping)]
    if found:
        raise MappingError("\n".join(found))
    return mapping


def _shape_faults(error: ValidationError, where: Where) -> Iterable[str]:
    seen: set[str] = set()
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        message = fault["msg"].removeprefix("Value error, ").replace("Extra inputs are not permitted", "unknown key")
        line = f"{where(fault['loc'])}, {_dotted(fault['loc'])}: {message}"
        if line not in seen:
            seen.add(line)
            yield line


def _line(lines: dict[Location, int], at: Location) -> int:
    """Return the line of the closest location that stands in the file."""
    while at not in lines:
        at = at[:-1]
    return lines[at]


def _dotted(at: Location) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at)
    return text.removeprefix(".") or "the whole file"
