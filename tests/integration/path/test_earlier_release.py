"""A warehouse whose tables an earlier release made: the next refresh brings it to what this release would have made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from tests.integration.path.test_beside_ours import do
from tests.integration.postgres_warehouse.office import Office

if TYPE_CHECKING:
    from pathlib import Path

TABLES = ("canonical.person", "golden.person", "golden.person_link", "quality.quarantine")
LEFT_OUT = {"_refined_at", "first_seen", "last_seen", "updated_at", "since", "fax"}
EARLIER = (
    "ALTER TABLE {tenant}canonical.person DROP COLUMN title",
    "ALTER TABLE {tenant}golden.person DROP COLUMN title",
    "ALTER TABLE {tenant}golden.person_link DROP COLUMN confidence",
    "ALTER TABLE {tenant}quality.quarantine DROP COLUMN severity",
    "ALTER TABLE {tenant}canonical.person ADD COLUMN fax text DEFAULT 'none'",
    "ALTER TABLE {tenant}canonical.person ALTER COLUMN fax SET NOT NULL",
    "ALTER TABLE {tenant}canonical.person ALTER COLUMN fax DROP DEFAULT",
    "UPDATE {tenant}canonical.person SET _row_hash = 'without a title'",
    "UPDATE {tenant}golden.person SET provenance = '{{}}'",
)


def stored(settings: Settings) -> dict[str, list[Any]]:
    """The rows of the tables that are altered, whatever order their columns stand in."""
    with open_warehouse(settings, "acme") as warehouse:
        listed = {table: sorted(set(warehouse.columns(*table.split("."))) - LEFT_OUT) for table in TABLES}
        return {
            table: [columns, *warehouse.rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL")]
            for table, columns in listed.items()
        }


def test_a_warehouse_of_an_earlier_release_is_brought_in_step(tmp_path: Path, warehouse_url: str | None) -> None:
    """It lacks columns of canonical, golden and link rows, and has one that is no longer written."""
    office = Office(Settings(home=tmp_path / "home", warehouse_url=warehouse_url), tmp_path / "exports")
    office.open()
    office.work(1)
    expected = stored(office.settings)
    with open_warehouse(office.settings, "acme") as warehouse:
        marts = {column.table for column in warehouse.served.catalogue(["marts"])}
    do(office.settings, [f"DROP VIEW IF EXISTS {{tenant}}marts.{mart} CASCADE" for mart in sorted(marts)])
    do(office.settings, EARLIER)
    report = office.refresh()
    assert report.failed_checks == []
    assert stored(office.settings) == expected
