"""What is wrong with a chunk's projected rows: values no transform could read, broken rules of the contract.

A fault in a required column rejects its row (severity ``row``); in any other column the value is set aside and the row
lands (severity ``field``). Values that SQL could not decide are read by the Python transforms first, each distinct
value once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quality.canonical import Kind, columns, failures, suspects
from quality.mapping.model import Transform
from quality.mapping.readers import COMPLETIONS, LONGEST_SHOWN, RULES

if TYPE_CHECKING:
    import polars as pl

    from gtm_pipelines.warehouse.protocol import Warehouse

_RULES: Final = {str(transform): rule for transform, rule in RULES.items()}


def complete(warehouse: Warehouse, kind: Kind, region: str) -> None:
    """Read the values that a transform's SQL left undecided, with the Python function that has the last word."""
    import polars as pl

    for column in columns(kind):
        read = COMPLETIONS.get(Transform(column.transform))
        if read is None:
            continue
        given = f"_given_{column.name}"
        values = [v for (v,) in warehouse.rows(f"SELECT DISTINCT {given} FROM projected WHERE {given} IS NOT NULL")]
        decided = {value: form for value in values if (form := read(value, region)) is not None}
        if decided:
            completed = pl.DataFrame({"given": list(decided), "form": list(decided.values())}).to_arrow()
            with warehouse.registered("completed", completed):
                warehouse.execute(
                    f"UPDATE projected SET {column.name} = b.form, {given} = NULL"
                    f" FROM completed AS b WHERE {given} = b.given"
                )


def find(warehouse: Warehouse, kind: Kind) -> None:
    """Make the temporary table ``fault`` of every fault in ``projected``, and null optional values at fault there."""
    found = _judge(warehouse, kind)
    with warehouse.registered("found_faults", found.to_arrow()):
        warehouse.execute("CREATE OR REPLACE TEMP TABLE fault AS SELECT * FROM found_faults")
    required = {column.name for column in columns(kind) if column.is_required}
    names = {column.name for column in columns(kind)}
    for field in sorted(set(found["field"]) & names - required):
        warehouse.execute(
            f"UPDATE projected SET {field} = NULL WHERE rowid IN (SELECT _n FROM fault WHERE field = '{field}')"
        )


def _judge(warehouse: Warehouse, kind: Kind) -> pl.DataFrame:
    """Return every fault of the rows that apply: _n, field, rule, value, severity."""
    import polars as pl

    unread = _unread(warehouse, kind)
    broken = _broken(warehouse, kind)
    told = unread.select("_n", "field")  # an unread required value is null: say why, not also that it is absent
    broken = broken.join(told, on=["_n", "field"], how="anti")
    required = [column.name for column in columns(kind) if column.is_required]
    severity = pl.when(pl.col("field").is_in(required)).then(pl.lit("row")).otherwise(pl.lit("field"))
    return pl.concat([unread, broken]).with_columns(pl.col("value").str.head(LONGEST_SHOWN), severity=severity)


def _unread(warehouse: Warehouse, kind: Kind) -> pl.DataFrame:
    """Return the faults of transforms: those SQL listed, and the values that Python could not read either."""
    listed = (
        "SELECT rowid AS _n, unnest(_issues, recursive := true) FROM projected WHERE _applies AND _issues IS NOT NULL"
    )
    undecided = [
        f"SELECT rowid, '{column.name}', '{_RULES[column.transform]}', _given_{column.name} FROM projected"
        f" WHERE _applies AND _given_{column.name} IS NOT NULL"
        for column in columns(kind)
        if Transform(column.transform) in COMPLETIONS
    ]
    return warehouse.polars(" UNION ALL ".join([listed, *undecided]))


def _broken(warehouse: Warehouse, kind: Kind) -> pl.DataFrame:
    """Return the faults against the contract: SQL picks the rows that break it, Pandera says which rule and value."""
    import polars as pl

    listed = ", ".join(f"{c.name}::VARCHAR AS {c.name}" if c.type == "JSON" else c.name for c in columns(kind))
    rows = warehouse.polars(f"SELECT rowid AS _n, {listed} FROM projected WHERE _applies AND ({suspects(kind)})")
    found = failures(kind, rows.drop("_n"))
    numbered = found.with_columns(_n=rows["_n"].gather(found["row"]))
    return numbered.select("_n", "field", "rule", pl.col("value"))
