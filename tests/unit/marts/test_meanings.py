"""What a table or column means stands in the catalogue, where SQL clients show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.resolution.tenant import Tenant


def test_every_mart_and_each_of_its_columns_says_what_it_means(tenant: Tenant) -> None:
    views = dict(tenant.warehouse.rows("SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'marts'"))
    assert "grain: one row per live golden person" in views["person_360"]
    silent = tenant.warehouse.rows(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'marts' AND comment IS NULL"
    )
    assert views
    assert silent == []


def test_golden_tables_say_what_one_row_is_and_provenance_how_to_read_it(tenant: Tenant) -> None:
    tables = dict(tenant.warehouse.rows("SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'golden'"))
    assert tables["person"].startswith("One row per real person")
    (provenance,) = tenant.warehouse.rows(
        "SELECT comment FROM duckdb_columns()"
        " WHERE schema_name = 'golden' AND table_name = 'person' AND column_name = 'provenance'"
    )
    assert "losers" in provenance[0]
