"""The root of the command: its groups, its one global option, and the one place where errors end."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli import (
    audit,
    connections,
    connectors,
    demo,
    doctor,
    keys,
    mappings,
    quarantine,
    query,
    run,
    sandbox,
    status,
    sync,
    tenants,
    ui,
    why,
)
from gtm_pipelines.cli.exits import Exit, report_error
from gtm_pipelines.settings import use_env_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

app = typer.Typer(
    name="gtm",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 3 partly done, 4 not now: locked or put off by a vendor.",
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"gtm-pipelines {metadata.version('gtm-pipelines')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Land go-to-market data of many tenants and turn it into one truthful set of people, accounts and activities.

    [bold]First steps[/bold]

      gtm doctor                            what is missing, and how to mend it
      gtm tenants add acme                  a tenant
      gtm connections add acme salesforce   a source; asks for what it needs
      gtm sync acme && gtm refine acme      read it, and make people of it
      gtm query acme "select * from marts.person_360 limit 5"

    [bold]No account at hand?[/bold]

      gtm demo                              four tenants on this machine
    """
    del version  # its callback has shown it
    context.obj = {"debug": debug}
    _options["debug"] = debug


_options = {"debug": False}

_SET_UP, _RUN, _LOOK = "Set up", "Run", "Look"

for group, module, panel in (
    ("tenants", tenants, _SET_UP),
    ("connectors", connectors, _SET_UP),
    ("connections", connections, _SET_UP),
    ("mappings", mappings, _SET_UP),
    ("keys", keys, _SET_UP),
    ("run", run, _RUN),
    ("sandbox", sandbox, _RUN),
    ("quarantine", quarantine, _LOOK),
    ("audit", audit, _LOOK),
):
    app.add_typer(module.app, name=group, rich_help_panel=panel)
for name, command, panel in (
    ("doctor", doctor.doctor, _SET_UP),
    ("demo", demo.demo, _SET_UP),
    ("sync", sync.sync, _RUN),
    ("refine", sync.refine, _RUN),
    ("ui", ui.ui, _RUN),
    ("status", status.status, _LOOK),
    ("why", why.why, _LOOK),
):
    app.command(name, rich_help_panel=panel)(command)
# SQL may begin with a comment, which looks like an option; a misspelt one is still refused, as an argument too many.
app.command("query", rich_help_panel=_LOOK, context_settings={"ignore_unknown_options": True})(query.query)


def main() -> None:
    """Run the command line; every error ends here as one line and an exit code."""
    with _interruptions() as heard:
        try:
            use_env_file()
            app()
        except KeyboardInterrupt:
            sys.exit(130)
        except Exception as error:  # noqa: BLE001  the outermost boundary: a person reads one line, not a traceback
            sys.exit(130 if heard else report_error(error, debug=_options["debug"]))
        sys.exit(Exit.OK)


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """Note every interruption by the user: DuckDB answers one with an error of its own, of no type to tell it by."""
    heard: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        signal.default_int_handler(number, frame)

    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else a shell made it ignored
        signal.signal(signal.SIGINT, note)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)
