"""The tables of a connection as its setting names them. Nothing is asked of the database here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from connectors.connector import DeleteDetection, Entity
from connectors.declarative.strict_yaml import DescriptorError, Document, load_file, load_text
from connectors.declarative.words import Detection, Duration, Strict
from connectors.errors import Stop

_SUFFIXES = (".yml", ".yaml", ".json")
_ENTITY = r"^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$"
_DEFAULT = "{people: people, accounts: accounts, activities: activities}"
Column = Annotated[str, Field(pattern=r"^[^'\\\]\x00-\x1f]+$", max_length=128)]


class TableSpec(Strict):
    """One entity: its table, what tells rows apart, and how they change and go."""

    table: Annotated[str, Field(pattern=r"^[^\x00-\x1f]+$", max_length=200)]
    key: Column | list[Column] | None = None  # left out, the primary key
    cursor: Column | None = "updated_at"  # null: every read is complete
    deleted: Column | None = None
    deletes: Detection | None = None
    lag: Duration = timedelta(minutes=10)
    settle: Duration = timedelta(0)
    overlap: Annotated[int, Field(ge=0, le=10_000_000)] = 1_000  # of a cursor that is a number
    leave_out: list[Column] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.deletes is not None and self.deletes.is_observed and self.deleted is None:
            raise ValueError(f"deletes: {self.deletes} needs 'deleted': the column that says a row is gone")
        needed = (*self.keys, self.cursor, self.deleted)
        if missed := next((name for name in self.leave_out if name in needed), None):
            raise ValueError(f"{missed!r} is left out, and needed")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the key as the setting names them; empty where the primary key is meant."""
        return tuple([self.key] if isinstance(self.key, str) else self.key or ())

    @property
    def delete_detection(self) -> DeleteDetection:
        """How deletes are learned of: by column where there is one, and by absence from a full read."""
        return self.deletes or (DeleteDetection.BOTH if self.deleted else DeleteDetection.FULL_DIFF)

    def entity(self, name: str) -> Entity:
        """Return the entity as the contract shows it."""
        return Entity(
            name=name,
            description=f"The rows of {self.table}",
            key=", ".join(self.keys) or "primary key",
            cursor=self.cursor,
            lag=self.lag if self.cursor else timedelta(0),
            settle=self.settle,
            delete_detection=self.delete_detection,
        )


def _spelled_out(value: Any) -> Any:
    return {"table": value} if isinstance(value, str) else value


Tables = dict[
    Annotated[str, Field(pattern=_ENTITY, max_length=60)], Annotated[TableSpec, BeforeValidator(_spelled_out)]
]
_TABLES: TypeAdapter[Tables] = TypeAdapter(Tables)


def read_tables(setting: Any) -> Tables:
    """Read the setting ``tables``: text, or the path of a file; raise Stop naming the entity and the key at fault."""
    text = str(setting or "").strip() or _DEFAULT
    try:
        is_path = text.startswith("/") and "\n" not in text and text.endswith(_SUFFIXES)
        return _validated(load_file(Path(text)) if is_path else load_text(text, "tables"))
    except DescriptorError as error:
        raise Stop("bad_setting", str(error)) from None


def _validated(document: Document) -> Tables:
    try:
        found = _TABLES.validate_python(document.data)
    except ValidationError as error:
        faults = [
            f"{document.at(tuple(part for part in each['loc'] if part != '[key]'))}: "
            f"{each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False, include_input=False)[:5]
        ]
        raise DescriptorError("\n".join(faults)) from None
    if not found:
        raise DescriptorError(f"{document.name}:1: there is no table")
    return found
