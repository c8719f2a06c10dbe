"""Exporting everything of a tenant in forms that any tool reads: Parquet, JSON, and a README that says what is what.

The directory appears whole or not at all: it is written beside its place and renamed. The warehouse is read as of one
moment and the control plane as of another shortly after; the manifest has both. No credential is in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from gtm_pipelines.control_plane import NotFoundError
from gtm_pipelines.marts import mart_files
from gtm_pipelines.marts.meanings import TABLES
from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import has_warehouse
from gtm_pipelines.warehouse.exporting import export_tables, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings

FORMAT_VERSION = 1
_SCRATCH = ".scratch"
_RAW = "One row per record of the source, as it sent it, in payload; is_deleted: the source has it no more."
_MART = "A view of golden data; the columns say what they hold."


class ExportRefusedError(Exception):
    """The directory cannot be taken; the message says which can."""


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export, as the manifest lists it."""

    path: str
    meaning: str
    rows: int
    bytes: int
    sha256: str
    columns: list[dict[str, str | None]] | None = None


@dataclass(frozen=True)
class Export:
    """What was exported, and where to."""

    tenant: TenantId
    directory: Path
    files: list[ExportedFile]


def export_tenant(settings: Settings, control: ControlPlane, tenant: str, directory: Path) -> Export:
    """Write all there is of a tenant, removed or not, to a new directory.

    Raises NotFoundError when there is no such tenant, ExportRefusedError when the directory is there already or is
    within the pipeline's own, and WarehouseBusyError when the warehouse stays in use.
    """
    scope = TenantId(tenant)
    if control.find_tenant(scope) is None:
        raise NotFoundError(f"there is no tenant {scope}; `gtm tenants list` shows them")
    target = _checked(settings, directory)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
    except OSError as error:
        raise ExportRefusedError(f"{target} cannot be made: {error.strerror}; name a directory elsewhere") from error
    try:
        files = _fill(settings, control, scope, fresh)
        _settle(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Export(scope, target, files)


def _checked(settings: Settings, directory: Path) -> Path:
    target = directory.absolute()
    if target.exists() or target.is_symlink():
        raise ExportRefusedError(f"{target} is there already: name a directory that is not, nothing is overwritten")
    if target.resolve().is_relative_to(settings.home.resolve()):
        raise ExportRefusedError(
            f"{target} is within GTM_HOME, where an erasure would not find it: name a directory elsewhere"
        )
    return target


def _fill(settings: Settings, control: ControlPlane, tenant: TenantId, fresh: Path) -> list[ExportedFile]:
    scratch = fresh / _SCRATCH
    scratch.mkdir()
    moments = {"warehouse_as_of": datetime.now(UTC)}
    files = list(_tables(settings, tenant, fresh, scratch))
    shutil.rmtree(scratch)
    moments["control_plane_as_of"] = datetime.now(UTC)
    files += _control_files(control, tenant, fresh)
    manifest = {
        "format": "gtm-pipelines export",
        "format_version": FORMAT_VERSION,
        "tenant": tenant,
        **moments,
        "versions": {"gtm-pipelines": version("gtm-pipelines")},
        "files": files,
    }
    (fresh / "README.md").write_text(_readme(tenant, moments["warehouse_as_of"], files), encoding="utf-8")
    _dump(fresh / "manifest.json", manifest)
    return files


def _tables(settings: Settings, tenant: TenantId, fresh: Path, scratch: Path) -> Iterator[ExportedFile]:
    if not has_warehouse(settings, tenant):
        return
    with open_snapshot(settings, tenant, scratch) as served:
        for made in export_tables(served, fresh, mart_files()):
            columns = [{"name": each.name, "type": each.kind, "meaning": each.comment} for each in made.columns]
            yield _listed(fresh, made.path, _meaning(made.path), made.rows, columns)


def _meaning(path: str) -> str:
    schema, table = path.removesuffix(".parquet").split("/")
    if schema.startswith("raw_"):
        return _RAW
    return TABLES.get(f"{schema}.{table}", _MART if schema == "marts" else "Bookkeeping of the pipeline.")


def _control_files(control: ControlPlane, tenant: TenantId, fresh: Path) -> Iterator[ExportedFile]:
    with control.snapshot(tenant) as of:
        overrides = [{"connection": name, "override": override} for name, override in of.overrides()]
        for name, meaning, rows in (
            ("tenant.json", "The tenant itself.", [of.tenant()]),
            ("connections.json", "Its connections: settings, schedule, status. No credentials.", of.connections()),
            ("mapping_overrides.json", "Where its mapping differs from the connectors' own.", overrides),
        ):
            _dump(fresh / name, rows)
            yield _listed(fresh, name, meaning, len(rows))
        for name, meaning, lines in (
            ("syncs.jsonl", "Every sync with its report, oldest first, a JSON object a line.", of.syncs()),
            ("audit.jsonl", "Who changed what of it and when, oldest first, a JSON object a line.", of.audit()),
        ):
            yield _listed(fresh, name, meaning, _dump_lines(fresh / name, lines))


def _dump(path: Path, value: Any) -> None:
    text = json.dumps(to_jsonable_python(value), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _dump_lines(path: Path, rows: Iterable[Any]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(to_jsonable_python(row), ensure_ascii=False) + "\n")
            count += 1
    return count


def _listed(
    fresh: Path, path: str, meaning: str, rows: int, columns: list[dict[str, str | None]] | None = None
) -> ExportedFile:
    with (fresh / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedFile(path, meaning, rows, (fresh / path).stat().st_size, digest, columns)


def _settle(fresh: Path, target: Path) -> None:
    """Wait until everything is on the disk, then give the directory its name."""
    fresh.chmod(0o700)
    os.sync()
    if target.exists():  # made in the meantime; renaming would silently replace an empty one
        raise ExportRefusedError(f"{target} was made by somebody else in the meantime: name another directory")
    fresh.rename(target)


def _readme(tenant: TenantId, moment: datetime, files: list[ExportedFile]) -> str:
    rows = "\n".join(f"| `{each.path}` | {each.rows:,} | {each.meaning} |" for each in files)
    return f"""# Everything of {tenant}

Exported by gtm-pipelines, the warehouse as it was on {moment:%Y-%m-%d at %H:%M:%S} UTC. It holds personal data: keep it
as you would keep the source.

- `.parquet` files are tables, compressed with zstd. DuckDB, pandas, Polars, Spark and most warehouses read them:
  `duckdb -c "SELECT * FROM 'golden/person.parquet' LIMIT 10"`. Columns of JSON are text. Times are UTC.
- `.json` and `.jsonl` (an object a line) are the configuration and the history. Credentials are in none of them.
- `manifest.json` lists every file with its rows, bytes, SHA-256, and the columns of every table with what they mean.

How the tables hang together: a record of a source is in `raw_<connection>/`, its typed form in `canonical/` (`source`
is the connection), `golden/person_link` and `golden/account_link` say which real person or company it belongs to, and
`golden/` has one row for each of those. `quality/quarantine` has what was left out, and why.

| file | rows | what it is |
|---|---|---|
{rows}
"""
