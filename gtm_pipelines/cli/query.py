"""``gtm query``: an analyst's read-only SQL on the published copy, which no sync ever blocks."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.output import Json, emit, table
from gtm_pipelines.settings import read_settings
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from rich.console import Console

    from gtm_pipelines.settings import Settings


def query(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")],
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SQL statement.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most this many rows.")] = 200,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.", rich_help_panel="Output")] = False,
    as_json: Json = False,
) -> None:
    """Query a tenant's published data: read-only, and without reach to files or the network.

    gtm query acme "from marts.person_360 limit 5"
    gtm query acme "select type, count(*) from golden.activity group by all" --csv
    gtm query acme "select table_schema, table_name from information_schema.tables"
    """
    columns, rows, more = run(read_settings(), tenant, sql, limit)
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows(rows)
    else:

        def show(out: Console) -> None:
            out.print(table(columns, rows))

        emit([dict(zip(columns, row, strict=True)) for row in rows], as_json=as_json, show=show)
    if more:
        typer.echo(f"the first {limit} rows; --limit shows more", err=True)


def run(settings: Settings, tenant: str, sql: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Return column names, at most ``limit`` rows, and whether there are more; raise UsageError for bad SQL."""
    from gtm_pipelines.warehouse import open_published  # noqa: PLC0415  `gtm --help` must start fast

    columns: list[str] = []
    rows: list[tuple[Any, ...]] = []
    with open_published(settings, TenantId(tenant)) as warehouse:
        try:
            for batch in warehouse.batches(sql, size=limit + 1):
                columns = list(batch.schema.names)
                rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
                if len(rows) > limit:
                    break
        except Exception as error:
            if type(error).__module__.split(".")[0] in {
                "duckdb",
                "_duckdb",
            }:  # only the warehouse may import the driver
                raise UsageError(f"the SQL was refused: {' '.join(str(error).split())}") from None
            raise
    return columns, rows[:limit], len(rows) > limit
