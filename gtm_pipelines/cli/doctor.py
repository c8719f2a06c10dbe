"""``gtm doctor``: is everything in place, and if not, how to mend it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import typer

from gtm_pipelines.cli.exits import Exit
from gtm_pipelines.cli.output import Json, emit
from gtm_pipelines.cli.ui import answers, is_here
from gtm_pipelines.settings import PROJECT_ROOT, SettingsError, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings

OK, WARN, FAIL = "ok", "warning", "fault"
_OLDEST_PYTHON = (3, 11)
_LOW_DISK = 2 * 1024**3
_MAKE_KEY = f'echo "CONNECTOR_ENCRYPTION_KEY=$(gtm keys new)" >> {PROJECT_ROOT / ".env"}'


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``mend`` says what to do when it is not ok."""

    what: str
    state: str
    detail: str
    mend: str = ""


def doctor(as_json: Json = False) -> None:
    """Check settings, key, stores, connectors, versions and disk; say how to mend each fault.

    Exit code 1 when something is broken; a warning alone is 0.
    """
    findings = list(examine())

    def show(out: Console) -> None:
        colours = {OK: "green", WARN: "yellow", FAIL: "red"}
        for finding in findings:
            out.print(f"{finding.state:<8}", style=colours[finding.state], end="")
            out.print(f"{finding.what}: {finding.detail}", markup=False)
            if finding.mend:
                out.print(f"        {finding.mend}", markup=False, style="bold", soft_wrap=True)
        if all(finding.state == OK for finding in findings):
            out.print("everything is in place")

    emit([asdict(finding) for finding in findings], as_json=as_json, show=show)
    raise typer.Exit(Exit.FAILED if any(finding.state == FAIL for finding in findings) else Exit.OK)


def examine() -> Iterator[Finding]:
    """Look at everything, in the order in which one thing needs another."""
    yield _python()
    yield from _packages()
    try:
        settings = read_settings()
    except SettingsError as error:
        yield Finding("settings", FAIL, str(error), "mend the variable in .env or in the environment")
        return
    env_file = PROJECT_ROOT / ".env"
    yield Finding("settings", OK, f"home {settings.home}" + (f", {env_file} is read" if env_file.is_file() else ""))
    disk = _disk(settings)
    yield disk
    yield from _connectors()
    warehouse = _warehouse(settings)
    yield warehouse
    if FAIL not in {disk.state, warehouse.state}:
        yield from _control_plane(settings)
        yield from _dagster(settings)
    yield _sandbox(settings)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return Finding(
            "python", FAIL, version, "install Python 3.11 or newer and run make clean demo PYTHON=python3.11"
        )
    return Finding("python", OK, version)


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    try:
        wanted = metadata.requires("gtm-pipelines") or []
    except metadata.PackageNotFoundError:
        yield Finding("packages", WARN, "gtm-pipelines is not installed here", "make demo installs it into .venv")
        return
    wrong = []
    for line in wanted:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found}, not {requirement.specifier}")
    if wrong:
        yield Finding("packages", FAIL, "; ".join(wrong), "make clean demo installs the locked versions")
    else:
        yield Finding("packages", OK, f"dagster {metadata.version('dagster')}, duckdb {metadata.version('duckdb')}")


def _disk(settings: Settings) -> Finding:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding("disk", FAIL, f"{settings.home}: {error.strerror}", "set GTM_HOME to a folder you may write to")
    free = shutil.disk_usage(settings.home).free
    mend = "" if free > _LOW_DISK else "free some space or move GTM_HOME; loads need room for a second copy"
    return Finding("disk", OK if free > _LOW_DISK else WARN, f"{free / 1024**3:.1f} GB free in {settings.home}", mend)


def _connectors() -> Iterator[Finding]:
    from connectors import registry
    from connectors.manifest import ManifestError
    from quality.mapping import MappingError, load_mapping

    sound = []
    for connector in registry.ids():
        try:
            registry.manifest(connector)
            load_mapping(registry.mapping_path(connector))
        except (ManifestError, MappingError, OSError) as error:
            yield Finding("connector", FAIL, f"{connector}: {error}", f"mend connectors/vendors/{connector}")
        else:
            sound.append(connector)
    yield Finding("connectors", OK, ", ".join(sound))


def _warehouse(settings: Settings) -> Finding:
    from gtm_pipelines.warehouse import WarehouseError, warehouse_kind

    try:
        return Finding("warehouse", OK, warehouse_kind(settings))
    except WarehouseError as error:
        return Finding("warehouse", FAIL, str(error), "mend GTM_WAREHOUSE_URL, its server or its role: docs/operate.md")


def _control_plane(settings: Settings) -> Iterator[Finding]:
    from gtm_pipelines.control_plane import ControlPlaneError, SchemaVersionError, VaultError, open_control_plane

    try:
        control = open_control_plane(settings, actor="doctor")
    except ControlPlaneError as error:
        is_ours = settings.control_url is None or isinstance(error, SchemaVersionError)
        mend = "restore it from a backup, or set GTM_CONTROL_URL" if is_ours else "mend GTM_CONTROL_URL or its server"
        yield Finding("control plane", FAIL, str(error), mend)
        return
    with control:
        tenants = control.list_tenants()
        yield Finding("control plane", OK, f"tenants: {len(tenants)}, in {control.place}")
        try:
            control.check_key()
            yield Finding("key", OK, "it opens the vault")
        except VaultError as error:
            former = "set CONNECTOR_ENCRYPTION_KEY to the key in use before: a new one opens nothing that is stored"
            is_needed = any(
                each.credential_fields for tenant in tenants for each in control.list_connections(tenant.id)
            )
            yield Finding("key", FAIL, str(error), former if is_needed else _MAKE_KEY)
        faults = control.verify_audit()
        if faults:
            detail = "; ".join(f"{fault.kind} at {fault.seq}: {fault.detail}" for fault in faults[:5])
            yield Finding("audit log", FAIL, detail, "someone changed it: compare with a backup before going on")
        else:
            yield Finding("audit log", OK, "its chain holds")
        for tenant in tenants:
            yield from _tenant(settings, control, tenant.id)


def _tenant(settings: Settings, control: ControlPlane, tenant: Any) -> Iterator[Finding]:
    from gtm_pipelines.warehouse import (
        WarehouseBusyError,
        WarehouseError,
        has_published,
        has_warehouse,
        open_warehouse,
    )

    what = f"tenant {tenant}"
    connections = control.list_connections(tenant)
    if not connections:
        yield Finding(what, WARN, "no connection", f"gtm connections add {tenant} CONNECTOR")
        return
    for connection in connections:
        if connection.status == "reauth_required":
            mend = f"gtm connections credentials {tenant} {connection.name}"
            yield Finding(what, FAIL, f"{connection.name}: the vendor refuses its credentials", mend)
        elif connection.failures:
            mend = f"gtm sync {tenant} {connection.name} says why"
            yield Finding(what, WARN, f"{connection.name}: {connection.failures} syncs failed in a row", mend)
    if not has_warehouse(settings, tenant):
        yield Finding(what, WARN, "nothing landed yet", f"gtm sync {tenant}")
        return
    try:
        with open_warehouse(settings, tenant, wait=2) as warehouse:
            count = len(warehouse.raw_entities())
    except WarehouseBusyError as error:
        yield Finding(what, OK, f"the warehouse is at work ({error})")
        return
    except WarehouseError as error:
        mend = "move the file away and run gtm sync --full, or restore it from a backup"
        yield Finding(what, FAIL, str(error), mend if settings.warehouse_url is None else "mend the warehouse's server")
        return
    if not has_published(settings, tenant):
        yield Finding(what, WARN, "nothing is published for analysts", f"gtm refine {tenant}")
        return
    yield Finding(what, OK, f"{len(connections)} connections, {count} raw tables, published")


def _dagster(settings: Settings) -> Iterator[Finding]:
    """Open Dagster's database, when it has one: the embedded storage has nothing to fail, and takes seconds to load."""
    if settings.dagster_url is None:
        return
    from gtm_pipelines.defs.instance import open_instance
    from gtm_pipelines.defs.storage import StorageUnreachableError

    try:
        with open_instance(settings) as instance:
            yield Finding("dagster", OK, f"{instance.get_runs_count()} runs in its database")
    except StorageUnreachableError as error:
        yield Finding("dagster", FAIL, str(error), "mend GTM_DAGSTER_URL or its server")


def _sandbox(settings: Settings) -> Finding:
    url = settings.sandbox_url
    if url is None:
        return Finding("sandbox", OK, "not in use")
    if not is_here(url):
        return Finding("sandbox", WARN, f"GTM_SANDBOX_URL is {url}", "name this machine: http://127.0.0.1:8765")
    if not answers(url):
        return Finding("sandbox", WARN, f"nothing answers on {url}", "gtm sandbox serve; gtm ui serves it too")
    return Finding("sandbox", OK, f"answers on {url}")
