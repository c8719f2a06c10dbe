"""Dagster's files are kept open between two events, never more than a few of them, and let go of whole at the end."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from sqlalchemy import Engine

from gtm_pipelines.defs import sqlite_storage
from gtm_pipelines.defs.instance import open_instance
from gtm_pipelines.settings import Settings


@dg.op
def noting(context: dg.OpExecutionContext) -> None:
    for partition in range(20):
        context.log_event(dg.AssetMaterialization("things", partition=str(partition)))


@dg.job
def note() -> None:
    noting()


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the instance of dagster.yaml writes."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("GTM_DAGSTER_DIR", str(settings.home / "dagster"))  # an .env of the project names another
    return settings.home / "dagster"


@pytest.fixture
def instance(settings: Settings, home: Path) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings) as opened:
        assert list(home.rglob("index.db")), "the instance is another one"
        yield opened


def files_open(home: Path) -> set[str]:
    return {file.path for file in psutil.Process().open_files() if file.path.startswith(str(home))}


def test_many_events_open_each_file_once(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def noted(address: str) -> Engine:
        opened.append(address)
        return kept(address)

    kept = sqlite_storage.open_engine
    monkeypatch.setattr(sqlite_storage, "open_engine", noted)
    assert note.execute_in_process(instance=instance).success
    assert len(instance.get_materialized_partitions(dg.AssetKey("things"))) == 20
    assert len(opened) == len(set(opened)) <= 2  # the run's own file, and the index unless it was open


def test_files_of_runs_long_past_are_closed(
    instance: dg.DagsterInstance, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_storage, "_KEPT", 2)
    runs = [note.execute_in_process(instance=instance).run_id for _ in range(3)]
    assert all(instance.all_logs(run) for run in runs)
    still = {Path(path).stem for path in files_open(home) if path.endswith(".db")}
    assert len(still & {*runs, "index"}) == 2


def test_an_instance_that_ends_leaves_whole_files_and_holds_none(settings: Settings, home: Path) -> None:
    with open_instance(settings) as instance:
        run = note.execute_in_process(instance=instance).run_id
        assert files_open(home)
    assert files_open(home) == set()
    assert list(home.rglob("*.db-wal")) == []
    with open_instance(settings) as instance:
        assert instance.get_run_by_id(run) is not None
        assert len(instance.get_materialized_partitions(dg.AssetKey("things"))) == 20
