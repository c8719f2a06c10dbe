"""The closed, typed model of a mapping: entities, targets, values. What may stand in ``mapping.yml`` and nothing else.

Shapes are judged here; whether a field exists and a transform fits it is judged in :mod:`quality.mapping.rules`, which
knows the canonical model. What a mapping does to a record is in :mod:`quality.mapping.projection`.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from quality.canonical.column import Kind
from quality.mapping import paths

GRAMMAR = 1
"""Raised when the same mapping would come to mean something else, so that every entity is replayed."""

Scalar = str | int | float | bool
Location = tuple[str | int, ...]
"""Where something stands in a mapping: the keys and list positions that lead to it from the top."""


class Transform(StrEnum):
    """How a value is read; docs/mappings.md says what each takes and gives."""

    NONE = "none"
    TRIM = "trim"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"
    EMAIL = "email"
    PHONE = "phone"
    DOMAIN = "domain"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    DATE = "date"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    EXCERPT = "excerpt"


class _Closed(BaseModel):
    """Immutable, and refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _path(text: Any) -> Any:
    if isinstance(text, str):
        paths.parse(text)
    return text


PathText = Annotated[str, BeforeValidator(_path)]


class Constant(_Closed):
    """A part of a join that is always the same."""

    const: Scalar


class Value(_Closed):
    """Where one value comes from. In a file, a bare path or list of paths stands for ``source``."""

    source: tuple[PathText, ...] = ()
    const: Scalar | None = None
    join: tuple[PathText | Constant, ...] = ()
    separator: str = ""
    prefix: str = ""
    transform: Transform | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        if isinstance(given, str | list):
            return {"source": given}
        if not isinstance(given, dict | Value):
            raise ValueError("write a path, a list of paths, or a mapping with source, const or join")  # noqa: TRY004  pydantic reports ValueError
        return given

    @field_validator("source", mode="before")
    @classmethod
    def _one_or_many(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum((bool(self.source), self.const is not None, bool(self.join))) != 1:
            raise ValueError("exactly one of source, const and join is needed")
        if self.separator and not self.join:
            raise ValueError("separator belongs to join")
        return self

    def paths(self) -> tuple[str, ...]:
        """Return every path the value reads."""
        return self.source or tuple(part for part in self.join if isinstance(part, str))


class Condition(_Closed):
    """When a target applies: a path compared in one of three ways."""

    path: PathText
    exists: bool | None = None
    equals: Scalar | None = None
    in_: tuple[Scalar, ...] | None = Field(default=None, alias="in")

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        if sum(comparison is not None for comparison in (self.exists, self.equals, self.in_)) != 1:
            raise ValueError("exactly one of exists, equals and in is needed")
        if self.in_ == ():
            raise ValueError("in needs at least one value")
        return self


class Reference(_Closed):
    """The same thing in another system."""

    connector: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    source: Value


class Target(_Closed):
    """One kind of canonical row a record becomes."""

    target: Kind
    name: str = Field(default="", pattern=r"^[a-z0-9_]*$")
    fields: dict[str, Value] = Field(default_factory=dict)
    properties: dict[str, Value] = Field(default_factory=dict)
    external_id: Value | None = None
    when: Condition | None = None
    for_each: PathText | None = None
    merged_into: Value | None = None
    references: tuple[Reference, ...] = ()
    shared: bool = False

    @property
    def label(self) -> str:
        """The name overrides address this target by."""
        return self.name or str(self.target)

    def values(self) -> list[tuple[Location, Value]]:
        """Return every value of the target with its location within the target."""
        found: list[tuple[Location, Value]] = [(("fields", name), value) for name, value in self.fields.items()]
        found += [(("properties", name), value) for name, value in self.properties.items()]
        found += [(("references", n, "source"), reference.source) for n, reference in enumerate(self.references)]
        found += [(("external_id",), self.external_id)] if self.external_id else []
        found += [(("merged_into",), self.merged_into)] if self.merged_into else []
        return found


class Mapping(_Closed):
    """What each entity of a connector becomes. An entity with no targets is deliberately unmapped."""

    entities: dict[str, tuple[Target, ...]]

    def targets(self, entity: str) -> tuple[Target, ...] | None:
        """Return an entity's targets: empty when it is left out on purpose, None when the mapping does not name it."""
        return self.entities.get(entity)

    def version(self) -> str:
        """Return the content hash of the whole mapping."""
        return _digest(sorted((entity, self.entity_version(entity)) for entity in self.entities))

    def entity_version(self, entity: str) -> str:
        """Return the content hash of one entity's targets; a change of it means that entity alone is replayed."""
        return self._versions.get(entity) or _digest(None)

    @cached_property
    def sharing(self) -> dict[Kind, tuple[str, ...]]:
        """By kind, the entities whose rows may be named by several records (``shared: true``).

        Within an entity either all targets of a kind are shared or none.
        """
        found: dict[Kind, tuple[str, ...]] = {}
        for entity, targets in self.entities.items():
            for kind in sorted({target.target for target in targets if target.shared}):
                found[kind] = (*found.get(kind, ()), entity)
        return found

    @cached_property
    def _versions(self) -> dict[str, str]:
        return {
            entity: _digest([target.model_dump(mode="json", exclude_defaults=True) for target in targets])
            for entity, targets in self.entities.items()
        }


def _digest(content: Any) -> str:
    text = json.dumps([GRAMMAR, content], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
