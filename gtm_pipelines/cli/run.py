"""``gtm run``: a Dagster job from the command line, seen in the UI like any other run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli.exits import Exit, UsageError
from gtm_pipelines.cli.output import Json, emit, progress, table
from gtm_pipelines.cli.session import open_session
from gtm_pipelines.cli.ui import silence_of

if TYPE_CHECKING:
    from rich.console import Console

    from gtm_pipelines.defs.instance import Launched

app = typer.Typer(
    help="Run a Dagster job here and now; the UI shows the run. Without tenants, for all of them.", no_args_is_help=True
)

Tenants = Annotated[list[str] | None, typer.Argument(help="The tenants; all if left out.", metavar="[TENANT]...")]


@app.command("incremental")
def incremental(tenants: Tenants = None, as_json: Json = False) -> None:
    """Sync what changed since the last sync.

    gtm run incremental            every tenant, one run
    gtm run incremental acme
    """
    _run("incremental_sync", tenants, as_json=as_json)


@app.command("full")
def full(
    tenants: Tenants = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown beside the run.")] = "",
    as_json: Json = False,
) -> None:
    """Read everything again and find what was deleted.

    gtm run full acme --reason "restored from backup at the vendor"
    """
    _run("full_sync", tenants, as_json=as_json, reason=reason)


@app.command("refine")
def refine(tenants: Tenants = None, as_json: Json = False) -> None:
    """Turn raw records into canonical rows, golden people and marts.

    gtm run refine acme globex
    """
    _run("refine", tenants, as_json=as_json)


def _run(job: str, wanted: list[str] | None, *, as_json: bool, reason: str = "") -> None:
    from gtm_pipelines.defs.instance import launch

    with open_session() as session:
        tenants = session.tenants(wanted)
        settings = session.settings
    if not tenants:
        raise UsageError("there are no tenants yet: gtm tenants add TENANT")
    with progress(f"running {job} for {', '.join(tenants)}", quiet=as_json):
        done = launch(settings, job, tenants, reason=reason)
    emit(done, as_json=as_json, show=lambda out: show_runs(out, done, settings.sandbox_url))
    good = sum(run.success for run in done)
    raise typer.Exit(Exit.OK if good == len(done) else Exit.PARTIAL if good else Exit.FAILED)


def show_runs(out: Console, done: list[Launched], sandbox: str | None) -> None:
    """Draw the runs, and a line for each fault."""
    rows = [[run.job, ", ".join(run.tenants), run.success, round(run.seconds, 2), run.run_id] for run in done]
    out.print(table(["job", "tenants", "succeeded", "#seconds", "run"], rows))
    for run in done:
        for fault in run.faults:
            out.print(fault, style="red", markup=False)
    if not all(run.success for run in done) and (silence := silence_of(sandbox)):
        out.print(silence)
