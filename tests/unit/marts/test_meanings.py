"""What a table or column means stands in the catalogue, where SQL clients show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import Dialect
from gtm_pipelines.warehouse.hidden import is_bookkeeping

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Served
    from tests.unit.resolution.tenant import Tenant

TABLES = {
    Dialect.DUCKDB: "SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() UNION ALL"
    " SELECT schema_name || '.' || view_name, comment FROM duckdb_views()",
    Dialect.POSTGRES: "SELECT split_part(nspname, '__', 2) || '.' || relname, obj_description(c.oid, 'pg_class')"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE starts_with(nspname, 'acme__')",
}


def told(served: Served) -> dict[str, str]:
    """Return what is said of each table and view."""
    return dict(served.rows(TABLES[served.dialect]))


def test_every_mart_and_each_of_its_columns_says_what_it_means(sound: Tenant) -> None:
    assert "grain: one row per live golden person" in told(sound.warehouse.served)["marts.person_360"]
    columns = sound.warehouse.served.catalogue(["marts"])
    assert columns
    assert [column for column in columns if column.comment is None] == []


def test_golden_tables_say_what_one_row_is_and_provenance_how_to_read_it(sound: Tenant) -> None:
    assert told(sound.warehouse.served)["golden.person"].startswith("One row per real person")
    columns = {(column.table, column.name): column for column in sound.warehouse.served.catalogue(["golden"])}
    assert "losers" in str(columns["person", "provenance"].comment)


def test_every_column_that_readers_see_beside_the_typed_views_says_what_it_means(sound: Tenant) -> None:
    columns = sound.warehouse.served.catalogue(["canonical", "golden", "quality", "raw"])
    silent = {f"{column.schema}.{column.table}.{column.name}" for column in columns if column.comment is None}
    assert {place for place in silent if not is_bookkeeping(*place.split(".")[:2])} == set()


def test_a_name_that_means_something_else_in_one_table_is_told_so_there(sound: Tenant) -> None:
    columns = {f"{c.table}.{c.name}": c.comment for c in sound.warehouse.served.catalogue(["golden", "marts"])}
    assert "planned" in str(columns["engagement_daily.activities"])
    assert columns["person_360.activities"] == "Live activities that have happened."
    assert columns["person.is_deleted"] != columns["activity.is_deleted"]
