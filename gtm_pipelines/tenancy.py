"""The two names everything is scoped by: a tenant's id and a connection's name.

Both are validated types, made in one place, because they end up in file paths and SQL identifiers: dlt folds
``acme-eu``, ``Acme_EU`` and ``acme__eu`` into one schema, so only spellings that fold to themselves are allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler

_SHAPE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 30
_RESERVED = frozenset(
    {
        *("canonical", "golden", "marts", "quality", "raw"),  # our schemas
        *("information_schema", "main", "memory", "pg_catalog"),  # the databases'
        *("postgres", "public", "system", "temp", "template0", "template1"),
        *("con", "nul", "prn", "null"),  # and what file systems and languages keep
    }
)


class InvalidNameError(ValueError):
    """A tenant id or connection name that cannot be used; the message says the rule."""


class _Name(str):
    """A validated name; constructing one checks it."""

    __slots__ = ()
    kind = "name"

    def __new__(cls, value: str) -> Self:
        if not isinstance(value, str) or not _SHAPE.fullmatch(value):
            raise InvalidNameError(
                f"{value!r} is not a {cls.kind}: use lower-case letters, digits and single underscores, "
                f"starting with a letter, as in 'acme' or 'acme_eu'"
            )
        if len(value) > _LONGEST:
            raise InvalidNameError(f"{value!r} is not a {cls.kind}: at most {_LONGEST} characters")
        if value in _RESERVED:
            raise InvalidNameError(f"{value!r} is not a {cls.kind}: the word is reserved")
        return super().__new__(cls, value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


class TenantId(_Name):
    """A tenant's id."""

    __slots__ = ()
    kind = "tenant id"


class ConnectionName(_Name):
    """The name of one connection of a tenant; also the ``source`` of its canonical rows."""

    __slots__ = ()
    kind = "connection name"

    def __new__(cls, value: str) -> Self:
        """Check the name, and that it leaves the raw schemas alone."""
        name = super().__new__(cls, value)
        if name.startswith("raw_"):  # its views would share a schema with another connection's raw tables
            raise InvalidNameError(f"{value!r} is not a {cls.kind}: names starting with 'raw_' are kept for raw tables")
        return name
