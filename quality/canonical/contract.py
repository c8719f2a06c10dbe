"""What derives from the canonical models: columns, DDL, the check of a frame, a table for the docs.

No rule is stated here; each one is read off :mod:`quality.canonical.models`.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl

from quality.canonical import models
from quality.canonical.column import Column, Kind
from quality.normalise import text

MODELS: dict[Kind, type[models.Canonical]] = {
    Kind.PERSON: models.Person,
    Kind.ACCOUNT: models.Account,
    Kind.ACTIVITY: models.Activity,
}

BOOKKEEPING = {
    "_entity": "VARCHAR NOT NULL",  # with _record_id: the raw record this row was made from
    "_record_id": "VARCHAR NOT NULL",
    "_row_hash": "VARCHAR NOT NULL",  # of everything but _refined_at; equal means: do not touch
    "_merged_into": "VARCHAR",  # external_id of the winner of a merge at the source
    "_references": "JSON",  # array of "connector:external_id": the same thing in another system
    "_refined_at": "TIMESTAMPTZ NOT NULL",
}
"""Columns of the canonical tables beside the contract."""

_COMPRESSIONS = {
    **dict.fromkeys(("external_id", "account_external_id", "person_external_id", "_record_id"), "zstd"),
    **dict.fromkeys(("email", "phone", "domain"), "zstd"),
    "_row_hash": "uncompressed",
}
"""For columns whose values hardly repeat: DuckDB's default would try dictionaries, at two to four times the CPU."""

_TYPES = {"String": "VARCHAR", "Boolean": "BOOLEAN", "Int64": "BIGINT", "Float64": "DOUBLE", "Datetime": "TIMESTAMPTZ"}
_JSON = "properties"
_RULES = {
    "not_nullable": "required",
    "str_length": "length",
    "str_matches": "format",
    "greater_than_or_equal_to": "range",
    "less_than_or_equal_to": "range",
    "less_than": "range",
}
BREAKS = {
    "str_length": "length({name}) NOT BETWEEN {min_value} AND {max_value}",
    "str_matches": "NOT regexp_matches({name}, {pattern})",
    "greater_than_or_equal_to": "{name} < {min_value}",
    "less_than_or_equal_to": "{name} > {max_value}",
    "less_than": "{name} >= {max_value}",
}
"""For each of Pandera's checks, the SQL condition of a value that fails it; null fails none.

A check that is missing here still holds: :func:`suspects` then lets every row through to Pandera.
"""

FAILURES = {"row": pl.Int64, "field": pl.String, "rule": pl.String, "value": pl.String}


class ContractError(Exception):
    """A frame that is not of the contract's shape at all: a column missing, unknown or of another type."""


@cache
def columns(kind: Kind) -> tuple[Column, ...]:
    """Return the columns of ``kind`` in table order."""
    return tuple(_column(name, column) for name, column in MODELS[kind].to_schema().columns.items())


def _column(name: str, column: Any) -> Column:
    metadata = column.metadata or {}
    return Column(
        name=name,
        type="JSON" if name == _JSON else _TYPES[column.dtype.type.base_type().__name__],
        description=column.description or "",
        sensitivity=metadata["sensitivity"],
        is_required=not column.nullable,
        is_mapped=metadata["is_mapped"],
        transform=metadata["transform"],
    )


def ddl(kind: Kind, *, schema: str = "canonical") -> str:
    """Return the statement that creates the table of ``kind`` where it is missing.

    There is no primary key: it would double the time of a load, and refinement keeps keys unique by construction.
    """
    lines = {c.name: f"{c.type}{' NOT NULL' if c.is_required else ''}" for c in columns(kind)} | BOOKKEEPING
    listed = [
        f"{name} {rest}" + (f" USING COMPRESSION {_COMPRESSIONS[name]}" if name in _COMPRESSIONS else "")
        for name, rest in lines.items()
    ]
    return f"CREATE TABLE IF NOT EXISTS {schema}.{kind} (\n  " + ",\n  ".join(listed) + "\n)"


def describe(kind: Kind) -> str:
    """Return a Markdown table of the columns of ``kind``."""
    head = ["| column | type | required | sensitivity | meaning |", "|---|---|---|---|---|"]
    rows = [
        f"| `{c.name}` | {c.type} | {'yes' if c.is_required else ''} | {c.sensitivity} | {c.description} |"
        for c in columns(kind)
    ]
    return "\n".join(head + rows)


@cache
def suspects(kind: Kind) -> str:
    """Return the SQL condition that every row which breaks the contract meets.

    DuckDB applies it in a fraction of Pandera's time, so that :func:`failures` is asked about few rows and not all.
    """
    broken = []
    for name, column in MODELS[kind].to_schema().columns.items():
        if not column.nullable:
            broken.append(f"{name} IS NULL")
        for check in column.checks:
            words = {word: _literal(value) for word, value in check.statistics.items()}
            broken.append(BREAKS.get(check.name, "true").format(name=name, **words))
    return " OR ".join(broken)


def _literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ {text.literal(value.isoformat())}"
    return text.literal(value) if isinstance(value, str) else str(value)


def failures(kind: Kind, frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row per broken rule, ``row`` being the position in ``frame``; no rows when all is well.

    Raises ContractError when the frame has not the contract's columns and types, which is never the data's fault. Where
    there are no rows Pandera is not asked: its first check in a process takes half a second of imports.
    """
    if frame.is_empty():
        return pl.DataFrame(schema=FAILURES)
    try:
        MODELS[kind].validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        found = pl.DataFrame(error.failure_cases)
    else:
        return pl.DataFrame(schema=FAILURES)
    fatal = found.filter(pl.col("index").is_null())
    if fatal.height:
        faults = ", ".join(sorted({f"{row['column']}: {row['check']}" for row in fatal.iter_rows(named=True)}))
        raise ContractError(f"a frame of {kind} rows is not of the contract's shape: {faults}")
    return found.select(
        row=pl.col("index").cast(pl.Int64),
        field=pl.col("column"),
        rule=pl.col("check").str.split("(").list.first().replace(_RULES),
        value=pl.when(pl.col("check") == "not_nullable").then(None).otherwise(pl.col("failure_case")).cast(pl.String),
    ).unique(["row", "field", "rule"], keep="first", maintain_order=True)
