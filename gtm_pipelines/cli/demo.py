"""``gtm demo``: four tenants, one of them with every source, from an empty folder to golden people, through Dagster.

What is here is the order of things; what it says at the end stands in demo_report.py. It can be run again: tenants and
worlds are kept, time moves on.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli.exits import CommandError, Exit
from gtm_pipelines.cli.output import Json, console, emit
from gtm_pipelines.cli.sandbox import DEFAULT_URL, sandbox_directory
from gtm_pipelines.cli.session import log_to_stderr, utc_now
from gtm_pipelines.cli.ui import answers, free_port, sandbox_beside
from gtm_pipelines.settings import PROJECT_ROOT, environment, read_env_file, read_settings, use_env_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.sandbox import Account
    from gtm_pipelines.settings import Settings

TENANTS = {"acme": "Acme Inc.", "globex": "Globex Corporation", "initech": "Initech", "hooli": "Hooli"}
EVERYTHING = "hooli"
"""The tenant that has every source the sandbox speaks; the others have the usual three."""

_USUAL = ("customerio", "file", "salesforce")
_BRIEFLY = {"close": {"history_days": 90}, "delivr": {"history_days": 14}}  # else their rate limits are all one sees
_DAYS = 3


@dataclass
class Story:
    """What happened, for the report: when each chapter began, and how long each part took."""

    seconds: dict[str, float] = field(default_factory=dict)
    first_began: datetime = field(default_factory=utc_now)
    second_began: datetime = field(default_factory=utc_now)
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def part(self, what: str) -> Iterator[None]:
        """Time a part, and say on stderr when it begins and ends."""
        began = time.monotonic()
        with _shown(what):
            yield
        self.seconds[what] = round(time.monotonic() - began, 2)
        sys.stderr.write(f"  done  {what} ({self.seconds[what]:.1f} s)\n")

    def fault(self, said: str) -> None:
        """Say at once what went wrong, for without it there may be nothing to report at the end."""
        self.faults.append(said)
        sys.stderr.write(f"  fault {said}\n")


def demo(
    size: Annotated[
        int, typer.Option("--size", min=50, help="About how many real people each tenant's world has.")
    ] = 400,
    as_json: Json = False,
) -> None:
    """Build four tenants on this machine, three with three sources and one with all, and show what comes of it.

    Writes .env, serves the sandbox for its time, runs a full sync and a refinement through Dagster, lets the world move
    on, runs an incremental sync and another refinement, and reports. What it makes is in .gtm; make clean removes it.
    """
    from gtm_pipelines.cli.demo_report import build_report, show_report
    from gtm_pipelines.control_plane import open_control_plane

    write_env_file(PROJECT_ROOT / ".env")
    use_env_file()
    settings = read_settings()
    log_to_stderr(settings)
    story = Story()
    with open_control_plane(settings, actor="demo") as control:
        with story.part("making the tenants' worlds of people and companies"):
            make_worlds(settings, size)
        with sandbox_beside(settings):
            set_up(settings, control)
            _chapters(settings, story)
        report = build_report(settings, control, list(TENANTS), story)
    emit(report, as_json=as_json, show=lambda out: show_report(out, report))
    raise typer.Exit(Exit.FAILED if report.faults else Exit.OK)


def _chapters(settings: Settings, story: Story) -> None:
    from gtm_pipelines.sandbox import advance

    story.first_began = utc_now()
    _job(settings, story, "full_sync", "first full sync of every connection")
    _job(settings, story, "refine", "refining to golden people")
    with story.part(f"letting {_DAYS} days pass at the vendors"):
        _two_at_a_time(lambda tenant: advance(sandbox_directory(settings), tenant, steps=_DAYS))
    story.second_began = utc_now()
    _job(settings, story, "incremental_sync", "incremental sync of what changed")
    _job(settings, story, "refine", "refining what changed")


def _job(settings: Settings, story: Story, job: str, what: str) -> None:
    """Run a job through Dagster; its faults are part of the story, not its end."""
    with story.part(what):
        from gtm_pipelines.defs.instance import launch

        runs = launch(settings, job, list(TENANTS))
    for run in runs:
        for fault in run.faults or ([] if run.success else [f"run {run.run_id} failed"]):
            story.fault(f"{job}: {fault}")


def _two_at_a_time(work: Callable[[str], object]) -> None:
    """Do something in the world of each tenant, the largest first, for the others are done while it is at work."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(work, sorted(TENANTS, key=lambda tenant: tenant != EVERYTHING)))


def write_env_file(path: Path) -> None:
    """Add what is missing to ``.env``, readable by its owner only; a key that is there is never replaced."""
    known = read_env_file(path)
    home = path.parent / ".gtm"
    url = DEFAULT_URL if not answers(DEFAULT_URL) else f"http://127.0.0.1:{free_port()}"
    wanted = {
        "CONNECTOR_ENCRYPTION_KEY": secrets.token_hex(32),
        "GTM_HOME": str(home),
        "GTM_SANDBOX_URL": url,
        "GTM_PRIVATE_DATABASES": str(Path(environment(path.parent).get("GTM_HOME") or home).absolute() / "sandbox"),
        "DAGSTER_HOME": str(path.parent),
        "GTM_DAGSTER_DIR": str(home / "dagster"),
    }
    missing = {name: value for name, value in wanted.items() if name not in known}
    if not missing:
        return
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        if not known:
            file.write(
                "# Written by `gtm demo`. The real environment wins over this file. Keep the key: it opens the vault.\n"
            )
        file.writelines(f"{name}={value}\n" for name, value in missing.items())
    path.chmod(0o600)


def make_worlds(settings: Settings, size: int) -> None:
    """Make the worlds that do not exist yet, each with its own seed, and their file exports."""
    from gtm_pipelines.sandbox import create_world, files

    directory = sandbox_directory(settings)
    seeds = {tenant: seed for seed, tenant in enumerate(TENANTS, start=1)}

    def make(tenant: str) -> None:
        if not (directory / tenant).exists():
            vendors = None if tenant == EVERYTHING else _USUAL
            create_world(directory, tenant, size=size, seed=seeds[tenant], vendors=vendors)
        files(directory, tenant)

    _two_at_a_time(make)


def set_up(settings: Settings, control: ControlPlane) -> None:
    """Add the tenants and their connections where they are missing."""
    present = {tenant.id for tenant in control.list_tenants()}
    for tenant, name in TENANTS.items():
        if tenant not in present:
            control.add_tenant(tenant, display_name=name)
        have = {connection.name for connection in control.list_connections(tenant)}
        for connector, (options, credentials) in connections_of(settings, tenant).items():
            if connector not in have:
                chosen = {**options, **_BRIEFLY.get(connector, {})}
                control.add_connection(tenant, connector, connector, settings=chosen, credentials=credentials)


def connections_of(settings: Settings, tenant: str) -> dict[str, Account]:
    """Return each connector's settings and the sandbox's well-known credentials for a tenant."""
    from gtm_pipelines.sandbox import accounts, database, spreadsheets

    url = settings.sandbox_url
    if url is None:
        raise CommandError("GTM_SANDBOX_URL is empty; take that line out of .env and run gtm demo again")
    worlds = sandbox_directory(settings)
    every = {**accounts(url, tenant), "file": spreadsheets(worlds / tenant / "files")}
    if tenant == EVERYTHING:
        return {**every, "sql": database(worlds, tenant)}
    return {name: account for name, account in every.items() if name in _USUAL}


@contextmanager
def _shown(what: str) -> Iterator[None]:
    """Show a part while it runs: a spinner at a terminal, a line elsewhere."""
    if sys.stderr.isatty():
        with console(stderr=True).status(what):
            yield
    else:
        sys.stderr.write(f"  ...   {what}\n")
        yield
