"""The tables of a connection as its setting names them. Nothing is asked of the database here."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from connectors.connector import DeleteDetection, Entity
from connectors.declarative.words import Detection, Duration, EntityName, Strict
from connectors.declarative.yaml_setting import read_setting

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


Tables = dict[EntityName, Annotated[TableSpec, BeforeValidator(_spelled_out)]]
_TABLES: TypeAdapter[Tables] = TypeAdapter(Tables)


def read_tables(setting: Any) -> Tables:
    """Read the setting ``tables``: text, or the path of a file; raise Stop naming the entity and the key at fault."""
    text = str(setting or "").strip() or _DEFAULT
    return read_setting(text, "tables", _TABLES)
