"""Running a job through the real Dagster instance from a plain function call.

The run executes in this process, which saves the seconds a fresh one takes to start, but it is kept by the instance:
the UI shows it under its job, with the tenants' partitions marked, like any other run.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from gtm_pipelines.defs.composition import CODE_LOCATION, compose
from gtm_pipelines.defs.jobs import QUIET, REFINE, launch_form
from gtm_pipelines.defs.partitions import TENANTS, Shard, cut_exact, shard_tags
from gtm_pipelines.defs.shard_work import reason_of
from gtm_pipelines.settings import PROJECT_ROOT, use_env_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gtm_pipelines.settings import Settings

_REPOSITORY_TAG = ".dagster/repository"  # what the UI lists a job's runs by
_LAUNCHED_BY = "gtm/launched_by"


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


def use_dagster_environment(settings: Settings) -> None:
    """Point Dagster at the project's dagster.yaml and at our own directory, unless the environment says otherwise."""
    use_env_file(DAGSTER_HOME=str(PROJECT_ROOT), GTM_DAGSTER_DIR=str(dagster_directory(settings)))


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the persistent instance that `gtm ui` serves."""
    use_dagster_environment(settings)
    dagster_directory(settings).mkdir(parents=True, exist_ok=True)
    with dg.DagsterInstance.get() as instance:
        yield instance


def launch(settings: Settings, job: str, tenants: Sequence[str], *, reason: str = "") -> list[Launched]:
    """Run ``job`` for ``tenants`` to its end; tenants that stand side by side share one run."""
    form = QUIET if job == REFINE else launch_form(reason)
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(str(TENANTS.name), list(tenants))
        keys = instance.get_dynamic_partitions(str(TENANTS.name))
        shards = cut_exact(keys, set(tenants), at_most=settings.shard_size)
        return [_execute(instance, job, shard, form) for shard in shards]


def _execute(instance: dg.DagsterInstance, job: str, shard: Shard, form: dict[str, Any]) -> Launched:
    started = time.monotonic()
    result = (
        compose()
        .resolve_job_def(job)
        .execute_in_process(
            run_config=form,
            instance=instance,
            raise_on_error=False,
            partition_key=shard[0] if len(shard) == 1 else None,
            tags={
                **shard_tags(shard),
                _REPOSITORY_TAG: f"__repository__@{CODE_LOCATION}",
                _LAUNCHED_BY: "gtm run",
            },
        )
    )
    faults = tuple(reason_of(event) for event in result.all_events if event.is_step_failure)
    return Launched(result.run_id, job, shard, result.success, time.monotonic() - started, faults)
