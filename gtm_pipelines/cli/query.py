"""``gtm query``: an analyst's read-only SQL on the published copy, which no sync ever blocks."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.output import Json, emit, show_rows
from gtm_pipelines.cli.session import open_shown
from gtm_pipelines.settings import read_settings

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from gtm_pipelines.settings import Settings


def query(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")],
    sql: Annotated[str, typer.Argument(metavar="SQL", help="Any SQL that only reads.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most this many rows.")] = 200,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.", rich_help_panel="Output")] = False,
    as_json: Json = False,
) -> None:
    """Query a tenant's published data: read-only, and without reach to files or the network.

    gtm query acme "select * from marts.person_360 limit 5"
    gtm query acme "select type, count(*) from golden.activity group by type" --csv
    gtm query acme "select table_schema, table_name from information_schema.tables"

    The SQL is that of the warehouse's database: DuckDB's, or Postgres' where GTM_WAREHOUSE_URL names one.

    Rows too wide for the screen are shown one column per line.
    """
    columns, rows, more = run(read_settings(), tenant, sql, limit)
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_csv_cell(value) for value in row] for row in rows)
    else:

        def show(out: Console) -> None:
            show_rows(out, columns, rows)

        emit([dict(zip(columns, row, strict=True)) for row in rows], as_json=as_json, show=show)
    if more:
        typer.echo(f"the first {limit} rows; --limit shows more", err=True)


def run(settings: Settings, tenant: str, sql: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Return column names, at most ``limit`` rows, and whether there are more; raise UsageError for bad SQL."""
    from gtm_pipelines.warehouse import WarehouseRefusedError
    from gtm_pipelines.warehouse.postgres.sql_text import statements

    given = statements(sql)
    if not given:
        raise UsageError('there is no SQL to run: gtm query TENANT "select * from marts.person_360 limit 5"')
    if len(given) > 1:  # DuckDB would run them all and show the last
        raise UsageError("the SQL was refused: one statement is run at a time")
    columns: list[str] = []
    rows: list[tuple[Any, ...]] = []
    with open_shown(settings, tenant) as warehouse:
        try:
            for batch in warehouse.batches(sql, size=limit + 1):
                columns = list(batch.schema.names)
                rows += zip(*map(_values, columns, batch.columns), strict=True)
                if len(rows) > limit:
                    break
            if not columns:  # an empty result comes without a batch to name its columns
                columns = list(warehouse.arrow(sql).schema.names)
        except WarehouseRefusedError as error:
            hint = "; begin with SELECT * FROM" if sql.split(maxsplit=1)[0].lower() == "from" else ""
            raise UsageError(f"the SQL was refused: {error}{hint}") from None
        except Exception as error:
            if type(error).__module__.split(".")[0] in {
                "duckdb",
                "_duckdb",
            }:  # only the warehouse may import the driver
                raise UsageError(f"the SQL was refused: {' '.join(str(error).split())}") from None
            raise
    return columns, rows[:limit], len(rows) > limit


def _values(name: str, column: pa.Array[Any]) -> list[Any]:
    """Return a column as Python's values; raise UsageError for times that Python's calendar does not have."""
    try:
        return column.to_pylist()
    except OverflowError:
        raise UsageError(
            f"column {name} holds a date or time before year 1, after year 9999 or infinite: "
            f'select CAST("{name}" AS VARCHAR) to see it'
        ) from None


def _csv_cell(value: Any) -> Any:
    """Return lists and structs as JSON, which other programs read, and times as ISO 8601."""
    if isinstance(value, (list, dict)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else value
