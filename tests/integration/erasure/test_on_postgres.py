"""A tenant on Postgres, exported and erased by a service role that is no superuser."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from gtm_pipelines.control_plane import ControlPlane, open_control_plane
from gtm_pipelines.erasure import erase_tenant
from gtm_pipelines.export import export_tenant
from gtm_pipelines.ingest import sync_connection
from gtm_pipelines.refresh import refresh_tenant
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import WarehouseBusyError, WarehouseMissingError, names, open_published, open_warehouse
from gtm_pipelines.warehouse.erasing import erase_warehouse, hold_for_erasure
from tests import postgres
from tests.integration.erasure.conftest import LOCAL_PART, people, use_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
SERVICE = "service_that_erases"
TENANTS = ("acme", "acme_eu")


@pytest.fixture(scope="module")
def databases() -> dict[str, str]:
    """A database for the warehouse, whose owner may make roles, and one for the control plane."""
    server = postgres.shared()
    server.psql(f"CREATE ROLE {SERVICE} LOGIN CREATEROLE")
    made = {name: server.create_database(SERVICE) for name in ("warehouse_url", "control_url")}
    return {name: server.dsn(database, SERVICE) for name, database in made.items()}


@pytest.fixture(scope="module")
def settings(databases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    home = tmp_path_factory.mktemp("on_postgres") / "home"
    with pytest.MonkeyPatch.context() as patch:
        yield use_home(patch, home).model_copy(update=databases)


@pytest.fixture(scope="module")
def control(settings: Settings) -> Iterator[ControlPlane]:
    """Two tenants, synced and refined."""
    with open_control_plane(settings, actor="test") as control:
        for tenant in TENANTS:
            folder = settings.home.parent / "exports" / tenant
            folder.mkdir(parents=True)
            (folder / "people.csv").write_text(people(tenant))
            control.add_tenant(tenant)
            control.add_connection(tenant, "file", "file", {"folder": str(folder)}, {})
            assert sync_connection(settings, control, tenant, "file").status == "ok"
            refresh_tenant(settings, control, tenant)
        yield control


def stored(settings: Settings) -> dict[str, list[str]]:
    """Every row of every table there is, as text, by schema and table; read above all rights."""
    database = str(settings.warehouse_url).split("?", maxsplit=1)[0].rsplit("/", maxsplit=1)[1]
    with postgres.shared().session(database) as cursor:
        cursor.execute(
            "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind IN ('r', 'v') AND nspname NOT LIKE 'pg_%' AND nspname <> 'information_schema'"
        )
        found = {}
        for schema, table in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{schema}"."{table}" t ORDER BY 1')
            found[f"{schema}.{table}"] = [str(row) for (row,) in cursor.fetchall()]
        cursor.execute("SELECT rolname FROM pg_roles")  # of all databases: only this one's are ours
        here = names.tenant_role("x", database, "writer").removeprefix("x__writer")
        found["roles"] = sorted(role for (role,) in cursor.fetchall() if role.endswith(here))
    return found


def of(tenant: str, everything: dict[str, list[str]]) -> dict[str, Any]:
    own = {name: rows for name, rows in everything.items() if name.startswith((f"{tenant}__", f"_staging_{tenant}__"))}
    return {**own, "roles": [role for role in everything["roles"] if role.startswith(f"{tenant}__")]}


def test_an_export_has_the_columns_and_rows_of_one_from_duckdb(
    settings: Settings, control: ControlPlane, worked: Path, tmp_path: Path
) -> None:
    """Golden ids and moments differ from one installation to the other; everything else is compared value by value."""
    export_tenant(settings, control, "acme", tmp_path / "postgres")
    embedded = Settings(home=worked)
    with open_control_plane(embedded) as other:
        export_tenant(embedded, other, "acme", tmp_path / "duckdb")
    files = {path.relative_to(tmp_path / "duckdb") for path in (tmp_path / "duckdb").rglob("*.parquet")}
    assert files == {path.relative_to(tmp_path / "postgres") for path in (tmp_path / "postgres").rglob("*.parquet")}
    for file in sorted(files):
        one, two = (pq.read_schema(tmp_path / which / file) for which in ("duckdb", "postgres"))
        assert one.equals(two, check_metadata=False), file
        assert (
            pl.read_parquet(tmp_path / "duckdb" / file).height == pl.read_parquet(tmp_path / "postgres" / file).height
        )
    people = [pl.read_parquet(tmp_path / which / "canonical" / "person.parquet") for which in ("duckdb", "postgres")]
    told = [
        each.select("external_id", "email", "first_name", "last_name", "title").sort("external_id") for each in people
    ]
    assert told[0].rows() == told[1].rows()


def test_it_is_refused_while_someone_works_on_the_warehouse(settings: Settings, control: ControlPlane) -> None:
    before = stored(settings)
    with open_warehouse(settings, "acme"), pytest.raises(WarehouseBusyError, match="being written by another process"):
        erase_tenant(settings, control, "acme")
    assert stored(settings) == before
    assert control.get_tenant("acme")


def test_who_waited_for_the_warehouse_does_not_make_it_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_warehouse(settings, "initech"):
        pass
    erasing = ExitStack()
    erasing.enter_context(hold_for_erasure(settings, "initech"))

    def erased_meanwhile(_: float) -> None:
        erase_warehouse(settings, "initech")
        erasing.close()

    monkeypatch.setattr("gtm_pipelines.warehouse.postgres.opening.time.sleep", erased_meanwhile)
    with pytest.raises(WarehouseMissingError, match="erased while this waited"), open_warehouse(settings, "initech"):
        pass
    assert of("initech", stored(settings)) == {"roles": []}


def test_everything_of_the_tenant_goes_and_nothing_of_its_neighbour(settings: Settings, control: ControlPlane) -> None:
    """Killed in the middle first: one schema is gone already. Then twice, and the id is free for somebody else."""
    before = stored(settings)
    assert any(LOCAL_PART in str(rows) for rows in before.values())
    database = str(settings.warehouse_url).split("?", maxsplit=1)[0].rsplit("/", maxsplit=1)[1]
    with postgres.shared().session(database) as cursor:
        cursor.execute("DROP SCHEMA acme__golden CASCADE")
    done = {each.what: each for each in erase_tenant(settings, control, "acme").removed}
    assert done["warehouse schemas"].count > 4
    assert done["warehouse schemas"].bytes > 0
    assert done["warehouse roles"].count == 2
    after = stored(settings)
    assert of("acme", after) == {"roles": []}
    assert of("acme_eu", after) == of("acme_eu", before)
    assert len(of("acme_eu", after)) > 10
    assert not any(LOCAL_PART in str(rows) for rows in after.values())
    assert erase_tenant(settings, control, "acme").removed == []
    assert control.verify_audit() == []
    with open_published(settings, "acme_eu") as served:
        assert served.rows("SELECT count(*) FROM golden.person") == [(2,)]
    control.add_tenant("acme")
    with open_warehouse(settings, "acme") as warehouse:
        assert warehouse.raw_entities() == []
