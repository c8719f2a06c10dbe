"""One dlt run: rows and cursors of a sync into the tenant's warehouse, committed together.

Called with the warehouse held by this process, so that dlt shares its DuckDB instance and memory limit, and nobody
writes between the comparison and the load. The working directory is new for every run and thrown away: a directory
that is kept after a crash wedges dlt for good in 3 of 100 crash points, a fresh one in none.
"""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gtm_pipelines.warehouse import Dialect, names
from gtm_pipelines.warehouse.postgres.errors import told_of_load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from connectors.dlt_source import EntityLoad
    from gtm_pipelines.warehouse import LoadTarget

_LOG = logging.getLogger(__name__)


class LoadError(Exception):
    """dlt could not load; nothing of this batch is committed, or all of it will be found stored by the next sync."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is loaded where. ``still_ours`` raises when somebody else may have begun to write there meanwhile."""

    target: LoadTarget
    tenant: str
    connection: str
    still_ours: Callable[[], None]


def load(job: Job, directory: Path, loads: Sequence[EntityLoad]) -> str:
    """Load all entities as one package and return its load id; a load that fails is restarted once from nothing.

    Raises LoadError, or as a WarehouseError what Postgres said of itself: that it is full, locked or gone.
    """
    from dlt.common.exceptions import DltException

    try:
        return _run(job, directory / "first", loads)
    except (DltException, OSError) as error:
        _LOG.warning("load of %s/%s restarted after %s", job.tenant, job.connection, _cause(error))
    merging = [replace(each, is_new=False) for each in loads]  # the failed attempt may have appended some of its files
    try:
        return _run(job, directory / "second", merging)
    except (DltException, OSError) as error:
        said = f"loading {job.tenant}/{job.connection} failed twice, last with {_cause(error)}"
        raise told_of_load(_innermost(error), said) or LoadError(said) from error


def _run(job: Job, directory: Path, loads: Sequence[EntityLoad]) -> str:
    import dlt

    from connectors.dlt_source import build_source
    from gtm_pipelines.ingest.dlt_settings import configure

    configure()
    target, schema = job.target, names.raw_schema(job.connection)
    pipeline = dlt.pipeline(
        pipeline_name=names.pipeline_name(job.tenant, job.connection),
        pipelines_dir=str(directory),
        destination=_destination(target),
        dataset_name=target.dataset,
    )
    _check_names(pipeline, target.dataset, loads)
    pipeline.sync_destination()  # schema and state; there is nothing of them in a fresh directory
    pipeline.extract(build_source(schema, loads, target.file_format), loader_file_format=target.file_format)
    pipeline.normalize()
    pa.default_memory_pool().release_unused()  # what Arrow keeps of the extract is better used by DuckDB
    job.still_ours()  # what was compared is only true for as long as nobody else writes
    info = pipeline.load()
    return info.loads_ids[-1] if info.loads_ids else ""


def _destination(target: LoadTarget) -> Any:
    """Build dlt's destination; it keeps our names, which :func:`_check_names` proves to be its own."""
    from dlt.destinations import duckdb, postgres

    layout = names.STAGING_LAYOUT
    made: Any
    if target.destination is Dialect.DUCKDB:
        made = duckdb(target.address, staging_dataset_name_layout=layout)
    else:
        made = postgres(target.address, staging_dataset_name_layout=layout, enable_dataset_name_normalization=False)
    made.capabilities = _worked_out_once(made.capabilities)
    return made


def _worked_out_once(capabilities: Callable[..., Any]) -> Callable[..., Any]:
    """Remember what a destination can do: dlt resolves it anew twenty times a load, a third of a small load's CPU.

    Of a naming convention only its kind counts: whether it tells capitals apart.
    """
    known: dict[type, Any] = {}

    def remembered(config: Any = None, naming: Any = None) -> Any:
        if config is not None:
            return capabilities(config, naming)
        if type(naming) not in known:
            known[type(naming)] = capabilities(None, naming)
        return copy.copy(known[type(naming)])  # a pipeline writes into what it is given

    return remembered


def _check_names(pipeline: Any, dataset: str, loads: Sequence[EntityLoad]) -> None:
    """Prove that dlt will use the names we ask for; two tenants or entities must never meet under one."""
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    fold = NamingConvention().normalize_table_identifier
    for name in (each.table for each in loads):
        if fold(name) != name:
            raise LoadError(f"dlt would rename {name!r} to {fold(name)!r}")
    if pipeline.dataset_name != dataset:
        raise LoadError(f"dlt renamed the dataset {dataset!r} to {pipeline.dataset_name!r}")


def _cause(error: BaseException) -> str:
    """Name the step and the innermost error's type; its text may hold a record."""
    return f"{type(_innermost(error)).__name__} at {getattr(error, 'step', 'run')}"


def _innermost(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
