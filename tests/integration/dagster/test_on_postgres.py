"""Dagster's own storage in a real Postgres: chosen by one setting, and left alone by whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import psycopg2
import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config

from gtm_pipelines import sandbox
from gtm_pipelines.cli.doctor import FAIL, OK, _dagster
from gtm_pipelines.cli.ui import free_port
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.defs.instance import EMBEDDED, ON_POSTGRES, launch, open_instance
from gtm_pipelines.defs.storage import StorageUnreachableError
from gtm_pipelines.defs.worker import WORKER_TAG
from gtm_pipelines.settings import Settings, read_settings
from tests.postgres import new_database

TENANT, VENDOR = "acme", "customerio"
_IMPATIENT = "tests.integration.dagster.impatient"
OWN_TO_POSTGRES = {"storage", "run_launcher", "run_queue", "schedules", "sensors", "backfills"}
"""What the two instance files may differ in: where it is kept, and threads, which SQLite has no use for."""


@pytest.fixture
def on_postgres(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation whose Dagster keeps everything in an empty database of an ordinary role."""
    monkeypatch.setattr("gtm_pipelines.defs.instance.use_env_file", lambda **given: _set(monkeypatch, given))
    monkeypatch.setenv("GTM_DAGSTER_URL", new_database("dagster_owner"))
    monkeypatch.setenv("GTM_CONTROL_URL", new_database("control_owner"))
    assert settings.dagster_url is None
    return read_settings()


def _set(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def test_the_two_instance_files_say_the_same_of_everything_but_storage_and_threads() -> None:
    embedded, on_postgres = (yaml.safe_load((home / "dagster.yaml").read_text()) for home in (EMBEDDED, ON_POSTGRES))
    own = {name: on_postgres.pop(name) for name in OWN_TO_POSTGRES}
    assert own["run_queue"]["dequeue_interval_seconds"] == embedded["run_queue"]["dequeue_interval_seconds"]
    assert {name: value for name, value in embedded.items() if name not in OWN_TO_POSTGRES} == on_postgres


def test_dagster_takes_every_word_of_the_instance_file() -> None:
    config, _ = dagster_instance_config(str(ON_POSTGRES))
    assert config["run_monitoring"]["enabled"]
    assert config["sensors"]["use_threads"]


def test_a_run_lands_in_postgres_and_nothing_of_it_in_sqlite(on_postgres: Settings) -> None:
    with open_control_plane(on_postgres, actor="test") as control:
        control.add_tenant(TENANT)
    (run,) = launch(on_postgres, "incremental_sync", [TENANT])
    assert run.success, run.faults
    assert on_postgres.dagster_url is not None
    with psycopg2.connect(on_postgres.dagster_url) as session, session.cursor() as cursor:
        cursor.execute("SELECT run_id, status FROM runs")
        assert cursor.fetchall() == [(run.run_id, "SUCCESS")]
        cursor.execute("SELECT count(*) FROM event_logs WHERE run_id = %s", (run.run_id,))
        assert cursor.fetchone() != (0,)
    assert list(on_postgres.home.rglob("*.db")) == []
    (finding,) = _dagster(on_postgres)
    assert (finding.state, finding.detail) == (OK, "1 runs in its database")


def test_a_demos_env_file_does_not_outvote_the_setting(on_postgres: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(EMBEDDED))
    with open_instance(on_postgres) as instance:
        assert type(instance.run_storage).__name__ == "PostgresRunStorage"


def test_an_instance_of_the_operators_own_is_left_alone(
    on_postgres: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with open_instance(on_postgres) as instance:
        assert type(instance.run_storage).__name__ == "SqliteRunStorage"


def test_a_database_that_is_not_there_is_one_sentence_without_the_password(
    on_postgres: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtm_pipelines.defs.storage.PATIENCE_SECONDS", 0.0)
    url = "postgresql://dagster:correct-horse@127.0.0.1:1/dagster"
    gone = on_postgres.model_copy(update={"dagster_url": url})
    monkeypatch.setenv("GTM_DAGSTER_URL", url)
    (finding,) = _dagster(gone)
    assert finding.state == FAIL
    with (
        pytest.raises(StorageUnreachableError, match=r"cannot be opened.*GTM_DAGSTER_URL") as caught,
        open_instance(gone),
    ):
        pass
    assert "correct-horse" not in str(caught.value)


def test_processes_that_start_at_once_on_an_empty_database_all_find_their_tables(on_postgres: Settings) -> None:
    """Of two that made tables at once, one died: Dagster retries some of the ways in which they collide, not all."""
    program = (
        "import sys; from gtm_pipelines.defs.storage import PostgresStorage; print('ready', flush=True);"
        f"sys.stdin.readline(); PostgresStorage.from_config_value(None, {{'url': {on_postgres.dagster_url!r}}})"
    )
    command, pipe = [sys.executable, "-W", "ignore", "-c", program], subprocess.PIPE
    at_once = [
        subprocess.Popen(command, cwd=EMBEDDED, text=True, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(3)
    ]
    for process in at_once:
        assert process.stdout is not None
        process.stdout.readline()
    for process in at_once:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    ended = [(process.communicate()[1], process.returncode) for process in at_once]
    assert ended == [("", 0)] * 3, "they got in each other's way"


@dataclass
class Services:
    """The code server and the daemon, as processes of their own, the way ``deploy/compose.yaml`` starts them."""

    folder: Path
    port: int
    started: tuple[subprocess.Popen[bytes], ...] = ()

    def start(self) -> None:
        """Start both; neither waits for the other."""
        workspace = self.folder / "workspace.yaml"
        server = {"host": "127.0.0.1", "port": self.port, "location_name": "gtm_pipelines"}
        workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
        code = ["dagster", "api", "grpc", "-m", _IMPATIENT, "-h", "127.0.0.1", "-p", str(self.port)]
        daemon = ["dagster._daemon", "run", "-w", str(workspace)]
        self.started = (self._start(*code), self._start(*daemon))

    def _start(self, *module: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "ignore", "-m", *module]
        environ = {**os.environ, "PYTHONPATH": str(EMBEDDED)}
        with (self.folder / f"{module[0]}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env=environ, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """Kill both with everything they started, run workers included, as the end of a machine does."""
        for process in self.started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.started = ()

    def logs(self) -> str:
        """Return what they printed last."""
        return "\n".join(f"{path.name}:\n{path.read_text()[-3000:]}" for path in self.folder.glob("*.log"))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Services that are gone after the test."""
    made = Services(tmp_path, free_port())
    yield made
    made.kill()


@pytest.fixture
def vendor(on_postgres: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A vendor of one tenant whose next answer never ends, and a connection to it that was never synced."""
    sandbox.create_world(on_postgres.worlds_dir, TENANT, size=20, seed=5, vendors=[VENDOR])
    with sandbox.running(on_postgres.worlds_dir) as url:
        monkeypatch.setenv("GTM_SANDBOX_URL", url)
        monkeypatch.setenv("DAGSTER_HOME", str(ON_POSTGRES))
        monkeypatch.setenv("GTM_DAGSTER_DIR", str(on_postgres.home / "dagster"))
        monkeypatch.setenv("GTM_HOME", str(on_postgres.home))
        with open_control_plane(read_settings(), actor="test") as control:
            control.add_tenant(TENANT)
            control.add_connection(TENANT, VENDOR, VENDOR, *sandbox.accounts(url, TENANT)[VENDOR])
        yield f"{url}/{TENANT}/_faults"


def hang(vendor: str) -> None:
    httpx.put(vendor, json={VENDOR: {"hang_next": 1}}).raise_for_status()


def is_hanging(vendor: str) -> bool:
    return bool(httpx.get(vendor).json()[VENDOR]["hang_next"] == 0)


def until(there: Callable[[], Any], services: Services, what: str) -> Any:
    deadline = time.monotonic() + 120
    while not (found := there()):
        assert time.monotonic() < deadline, f"{what} did not come about\n{services.logs()}"
        time.sleep(0.1)
    return found


def test_services_killed_in_the_middle_of_a_sync_bring_it_to_its_end_by_themselves(
    on_postgres: Settings, services: Services, vendor: str
) -> None:
    """Nobody asks for anything: the first sync of a new connection begins by itself, and once more after the kill."""
    hang(vendor)
    services.start()
    with open_instance(on_postgres) as instance:

        def first_syncs(*statuses: dg.DagsterRunStatus) -> list[dg.DagsterRun]:
            return list(instance.get_runs(dg.RunsFilter(job_name="full_sync", statuses=statuses)))

        def at_work() -> dg.DagsterRun | None:
            started = first_syncs(dg.DagsterRunStatus.STARTED)
            return next((run for run in started if WORKER_TAG in run.tags and is_hanging(vendor)), None)

        lost = until(at_work, services, "the first sync")
        services.kill()
        assert first_syncs(dg.DagsterRunStatus.STARTED), "the run ended of itself: this proves nothing"
        services.start()
        (again,) = until(lambda: first_syncs(dg.DagsterRunStatus.SUCCESS), services, "the second attempt's end")
        assert again.parent_run_id == lost.run_id
        assert [run.run_id for run in first_syncs(dg.DagsterRunStatus.FAILURE)] == [lost.run_id]
        assert instance.get_materialized_partitions(dg.AssetKey(["raw", VENDOR, "people"])) == {TENANT}
