"""``gtm query``: an analyst's read-only SQL on the published copy, which no sync ever blocks."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.output import Json, console, emit, show_rows
from gtm_pipelines.cli.secrets import STDIN
from gtm_pipelines.cli.session import open_shown
from gtm_pipelines.settings import read_settings

if TYPE_CHECKING:
    import pyarrow as pa

    from gtm_pipelines.settings import Settings


def query(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")],
    sql: Annotated[str, typer.Argument(metavar="SQL", help="Any SQL that only reads; - takes it from stdin.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most this many rows.")] = 200,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.", rich_help_panel="Output")] = False,
    as_json: Json = False,
) -> None:
    """Query a tenant's published data: read-only, and without reach to files or the network.

    gtm query acme "select * from marts.person_360 limit 5"
    gtm query acme "select type, count(*) from golden.activity group by type" --csv
    gtm query acme "select table_schema, table_name from information_schema.tables"
    gtm query acme - < report.sql

    The SQL is that of the warehouse's database: DuckDB's, or Postgres' where GTM_WAREHOUSE_URL names one.

    Rows too wide for the screen are shown one column per line. Moments are in UTC.
    """
    from gtm_pipelines.cli.values import csv_value, json_value, screen_value

    if as_csv and as_json:
        raise UsageError("give --csv or --json, not both")
    columns, rows, more = run(read_settings(), tenant, sys.stdin.read() if sql == STDIN else sql, limit)
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([csv_value(value) for value in row] for row in rows)
    elif as_json:
        _check_names(columns)
        data = [{name: json_value(value) for name, value in zip(columns, row, strict=True)} for row in rows]
        emit(data, as_json=True, show=lambda _: None)
    else:
        show_rows(console(), columns, [[screen_value(value) for value in row] for row in rows])
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
            if type(error).__module__.split(".")[0] not in {
                "duckdb",
                "_duckdb",
            }:  # only the warehouse may import the driver
                raise
            there = f'; gtm query {tenant} "show all tables" lists what there is'
            hint = there if type(error).__name__ == "CatalogException" else ""
            raise UsageError(f"the SQL was refused: {' '.join(str(error).split())}{hint}") from None
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


def _check_names(columns: list[str]) -> None:
    """Raise UsageError when two columns have one name, of which a JSON object would keep the last."""
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise UsageError(f"several columns are called {', '.join(twice)}: name them apart with AS, or take --csv")
