"""What an operator put into the layers' schemas: neither a refresh nor an export is stopped by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.export import export_tenant
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_published, open_warehouse
from tests.integration.postgres_warehouse.office import Office
from tests.unit.warehouse.operating import operator

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DEEDS = (
    "CREATE TABLE {tenant}golden.notes (said text)",
    "CREATE VIEW {tenant}marts.a_view AS SELECT source, records FROM {tenant}marts.source_freshness",
    "CREATE VIEW {tenant}marts.broken AS SELECT sqrt(records - 1000) AS root FROM {tenant}marts.a_view",
)


def do(settings: Settings, deeds: Iterable[str]) -> None:
    """As whoever holds the file, or runs the server, does it."""
    if settings.warehouse_url:
        with operator(settings) as cursor:
            for deed in deeds:
                cursor.execute(deed.format(tenant="acme__"))
    else:
        with open_warehouse(settings, "acme") as warehouse:
            for deed in deeds:
                warehouse.served.execute(deed.format(tenant=""))


def test_a_new_source_is_refreshed_and_exported_beside_tables_and_views_of_others(
    tmp_path: Path, warehouse_url: str | None
) -> None:
    """Among them a table that is not ours to read, and a view that fails whoever asks it."""
    office = Office(Settings(home=tmp_path / "home", warehouse_url=warehouse_url), tmp_path / "exports")
    office.open()
    office.write(1)
    office.sync("crm")
    office.refresh()
    do(office.settings, DEEDS)
    office.sync("fair")
    report = office.refresh()
    assert not {"golden.notes", "marts.a_view", "marts.broken"} & report.row_counts.keys()
    with open_published(office.settings, "acme") as served:
        assert served.rows("SELECT DISTINCT source FROM marts.source_freshness ORDER BY 1") == [("crm",), ("fair",)]
    with open_control_plane(office.settings) as control:
        exported = {file.path for file in export_tenant(office.settings, control, "acme", tmp_path / "given").files}
    assert {"golden/person.parquet", "marts/source_freshness.parquet"} <= exported
    assert not {"marts/a_view.parquet", "marts/broken.parquet"} & exported
