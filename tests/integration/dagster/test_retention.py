"""A run that retention deletes leaves nothing behind, on either storage; Dagster's own deletion does."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg2
import pytest
from psycopg2.sql import SQL, Identifier

from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.defs.instance import dagster_directory, launch, open_instance
from gtm_pipelines.defs.sensors.housekeeping import delete_old_runs
from gtm_pipelines.settings import Settings, read_settings
from tests.postgres import new_database

CHECK = dg.AssetCheckKey(dg.AssetKey(["canonical", "person"]), "nothing_lost")


@pytest.fixture
def installation(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with one tenant, its Dagster on either storage."""
    monkeypatch.setenv("GTM_DAGSTER_DIR", str(dagster_directory(settings)))
    monkeypatch.setattr("gtm_pipelines.defs.instance.use_env_file", lambda **_: None)
    if request.param == "postgres":
        monkeypatch.setenv("GTM_DAGSTER_URL", new_database("dagster_owner"))
    with open_control_plane(settings, actor="test") as control:
        control.add_tenant("acme")
    return read_settings()


def traces(settings: Settings, run_id: str) -> list[str]:
    """Return where a run is found: files named after it, and tables with rows of it."""
    found = [str(path) for path in dagster_directory(settings).rglob(f"*{run_id}*")]
    if settings.dagster_url is not None:
        with closing(psycopg2.connect(settings.dagster_url)) as session, session.cursor() as cursor:
            cursor.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'run_id'")
            for (table,) in cursor.fetchall():
                cursor.execute(SQL("SELECT 1 FROM {} WHERE run_id = %s LIMIT 1").format(Identifier(table)), (run_id,))
                found += [table] if cursor.fetchone() else []
    return found


@pytest.mark.parametrize(
    ("installation", "job"), [("sqlite", "incremental_sync"), ("postgres", "refine")], indirect=["installation"]
)
def test_a_deleted_run_leaves_nothing_behind(installation: Settings, job: str) -> None:
    first, second = (launch(installation, job, ["acme"])[0].run_id for _ in range(2))
    assert traces(installation, first)
    with open_instance(installation) as instance:
        deleted = delete_old_runs(instance, datetime.now(UTC) + timedelta(days=1))
        assert traces(installation, first) == []
        results = instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=10)
    # A refinement is the tenant's last state and stays; a sync of no connection is nobody's.
    stays = {second} if job == "refine" else set()
    assert {run_id for run_id in (second,) if traces(installation, run_id)} == stays
    assert {result.run_id for result in results} == stays
    assert deleted == len({first, second} - stays)
