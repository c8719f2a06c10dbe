"""Running a job through the real Dagster instance from a plain function call.

The run executes in this process, which saves the seconds a fresh one takes to start, but it is kept by the instance:
the UI shows it under its job, with the tenants' partitions marked, like any other run. Dagster's public way to execute
in process leaves out where the code comes from, and the UI's timeline then leaves out the run; hence the few private
names, which the pin on Dagster and a test hold in place.
"""

from __future__ import annotations

import functools
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from gtm_pipelines.defs.composition import CODE_LOCATION, compose
from gtm_pipelines.defs.jobs import REFINE, launch_form
from gtm_pipelines.defs.partitions import TENANTS, Shard, cut_exact, shard_tags
from gtm_pipelines.defs.schedules import raw_keys
from gtm_pipelines.defs.shard_work import reason_of
from gtm_pipelines.settings import PROJECT_ROOT, use_env_file, use_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gtm_pipelines.settings import Settings

_SILENT = {"loggers": {"console": {"config": {"level": "CRITICAL"}}}}  # the caller prints the faults
_LAUNCHED_BY = "gtm/launched_by"
EMBEDDED, ON_POSTGRES = PROJECT_ROOT, PROJECT_ROOT / "deploy" / "dagster"
"""Folders of the two dagster.yaml; GTM_DAGSTER_URL chooses the second."""

_REPOSITORY = "__repository__"  # what Dagster calls the one repository of a Definitions object


@dataclass(frozen=True)
class Launched:
    """One run that was executed: what it covered and how it ended."""

    run_id: str
    job: str
    tenants: tuple[str, ...]
    success: bool
    seconds: float
    faults: tuple[str, ...]


def dagster_directory(settings: Settings) -> Path:
    """Return where Dagster keeps its storage, logs and artifacts."""
    return settings.home / "dagster"


def instance_home(settings: Settings) -> Path:
    """Return the folder of the dagster.yaml that the settings choose."""
    return ON_POSTGRES if settings.dagster_url else EMBEDDED


def use_dagster_environment(settings: Settings) -> None:
    """Point Dagster at the instance the settings choose and at our own directory, unless somebody chose a third one."""
    use_env_file(GTM_DAGSTER_DIR=str(dagster_directory(settings)))
    # A demo's .env names the embedded instance; that is no choice against the setting.
    use_variable("DAGSTER_HOME", str(instance_home(settings)), instead_of={str(EMBEDDED), str(ON_POSTGRES)})
    if settings.dagster_url:
        use_variable("GTM_DAGSTER_URL", settings.dagster_url)


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the persistent instance that `gtm ui` serves."""
    use_dagster_environment(settings)
    dagster_directory(settings).mkdir(parents=True, exist_ok=True)
    with dg.DagsterInstance.get() as instance:
        yield instance


def launch(settings: Settings, job: str, tenants: Sequence[str], *, reason: str = "") -> list[Launched]:
    """Run ``job`` for ``tenants`` to its end; tenants that stand side by side share one run."""
    form = {**({} if job == REFINE else launch_form(reason)), **_SILENT}
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(str(TENANTS.name), list(tenants))
        keys = instance.get_dynamic_partitions(str(TENANTS.name))
        shards = cut_exact(keys, set(tenants), at_most=settings.shard_size)
        wanted = [frozenset() if job == REFINE else connected(settings, shard) for shard in shards]
        return [_execute(instance, job, *each, form) for each in zip(shards, wanted, strict=True)]


def connected(settings: Settings, tenants: Sequence[str]) -> frozenset[dg.AssetKey]:
    """Return the raw assets of the connectors that these tenants have; where a run failed, others would look failed."""
    from gtm_pipelines.control_plane import open_control_plane

    with open_control_plane(settings, actor="dagster") as control:
        connectors = {each.connector for tenant in tenants for each in control.list_connections(tenant)}
    return frozenset(raw_keys(sorted(connectors)))


def _execute(
    instance: dg.DagsterInstance, job: str, shard: Shard, wanted: frozenset[dg.AssetKey], form: dict[str, Any]
) -> Launched:
    """Create the run as the web server would, with the place its code comes from, and execute it here.

    It is of the assets ``wanted``, or of all that the job has when there are none.
    """
    started = time.monotonic()
    definition = _definitions().resolve_job_def(job)
    run = instance.create_run_for_job(
        definition.get_subset(asset_selection=wanted) if wanted else definition,
        asset_selection=wanted or None,
        run_config=form,
        tags={**definition.run_tags, **shard_tags(shard), _LAUNCHED_BY: "gtm run"},
        remote_job_origin=_origin(job),
    )
    result = execute_run(InMemoryJob(definition), run, instance)
    faults = tuple(reason_of(event) for event in result.all_events if event.is_step_failure)
    return Launched(result.run_id, job, shard, result.success, time.monotonic() - started, faults)


@functools.cache
def _definitions() -> dg.Definitions:
    return compose()


def _origin(job: str) -> RemoteJobOrigin:
    """Say that the run's code is what the UI serves: it lists runs by that, and re-executes them from it."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name="gtm_pipelines.definitions")
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name=CODE_LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, _REPOSITORY), job)
