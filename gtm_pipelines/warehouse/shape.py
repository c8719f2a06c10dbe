"""The columns that our definitions give a table, and what brings a table of an earlier release in step with them.

A definition is a ``CREATE TABLE IF NOT EXISTS``, which leaves a table alone that is there, whatever its columns. What a
release adds is added with its default or empty, and is filled when the stage that owns the table makes its rows anew.
Nothing is dropped: a column that is no longer ours keeps its values and may be empty from now on. What does not belong
here: rows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.protocol import WarehouseError
from gtm_pipelines.warehouse.statement import Table, examine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


class Shape(NamedTuple):
    """A table's columns by DuckDB's types, in order, and those of them that every new row has to give a value.

    ``defaults`` are what others have without one, as SQL that DuckDB and Postgres share.
    """

    columns: Mapping[str, str]
    required: Collection[str]
    defaults: Mapping[str, str]


@lru_cache(maxsize=32)
def defined(sql: str) -> Mapping[Table, Shape]:
    """Return the shape of every table that ``sql`` creates; DuckDB's own parser reads it."""
    import duckdb

    tables = sorted(examine(sql).creates)
    with duckdb.connect(":memory:") as scratch:
        for schema in {schema for schema, _ in tables}:
            scratch.execute(f"CREATE SCHEMA IF NOT EXISTS {names.quote(schema)}")
        scratch.execute(sql).fetchall()
        return {
            table: described(scratch.execute(f"DESCRIBE {names.quote_table(*table)}").fetchall()) for table in tables
        }


def described(rows: list[tuple[str, ...]]) -> Shape:
    """Return the shape that DuckDB's DESCRIBE tells."""
    return Shape(
        columns={name: kind for name, kind, *_ in rows},
        required={name for name, _, null, _, default, *_ in rows if null == "NO" and default is None},
        defaults={name: default for name, _, _, _, default, *_ in rows if default is not None},
    )


def changes(table: Table, there: Shape, ours: Shape, stored_type: Callable[[str, str], str]) -> list[str]:
    """Return what to alter, as ``ADD COLUMN …``; ``stored_type`` says a column's type in the words of who stores it.

    Raises WarehouseError where a column is of another type: what its values would become is not ours to guess.
    """
    other = [column for column, kind in ours.columns.items() if there.columns.get(column, kind) != kind]
    if other:
        raise WarehouseError(
            f"{'.'.join((*table, other[0]))} is {there.columns[other[0]]} in the warehouse and"
            f" {ours.columns[other[0]]} in this release; bring the table in step by hand, or sync and refine in full"
            " into an empty warehouse"
        )
    added = [
        f"ADD COLUMN {names.quote(column)} {stored_type(column, kind)}"
        + (f" DEFAULT {ours.defaults[column]}" if column in ours.defaults else "")
        for column, kind in ours.columns.items()
        if column not in there.columns
    ]
    no_longer_ours = [column for column in there.required if column not in ours.columns]
    return added + [f"ALTER COLUMN {names.quote(column)} DROP NOT NULL" for column in no_longer_ours]
