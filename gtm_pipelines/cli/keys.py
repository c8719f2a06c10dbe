"""``gtm keys``: the keys that seal credentials, and changing from one to the next without stopping anything."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli.output import Json, emit, progress, table
from gtm_pipelines.cli.session import open_session

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="See which keys seal credentials, and rotate them.", no_args_is_help=True)


@app.command("new")
def new() -> None:
    """Print a fresh key, for CONNECTOR_ENCRYPTION_KEY. Nothing is stored.

    echo "CONNECTOR_ENCRYPTION_KEY=$(gtm keys new)" >> .env
    """
    typer.echo(secrets.token_hex(32))


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the keys this installation has sealed with, and how many credentials still need each.

    gtm keys list
    """
    with open_session() as session:
        found = session.control.list_keys()

    def show(out: Console) -> None:
        rows = [[key.kid, key.is_primary, key.credentials, key.created_at, key.retired_at] for key in found]
        out.print(table(["key id", "seals now", "#credentials", "first used", "retired"], rows))

    emit(found, as_json=as_json, show=show)


@app.command("rotate")
def rotate(as_json: Json = False) -> None:
    """Seal every credential under the present key. Syncs may go on meanwhile; killed halfway, run it again.

    Before it, everywhere: the new key in CONNECTOR_ENCRYPTION_KEY, the old one in CONNECTOR_PREVIOUS_ENCRYPTION_KEYS.
    After it: gtm keys retire for the old one, and take it out of the environment.

    gtm keys rotate
    """
    with open_session() as session:
        with progress("sealing credentials anew", quiet=as_json) as report:
            done = session.control.rewrap_credentials(lambda at, of: report(f"sealing credentials anew: {at} of {of}"))
        unneeded = [
            key.kid for key in session.control.list_keys() if not (key.is_primary or key.retired_at or key.credentials)
        ]

    def show(out: Console) -> None:
        if done.rewrapped:
            out.print(f"sealed under {done.kid}: {done.rewrapped} credentials")
        else:
            out.print(f"every credential is sealed under {done.kid} already")
        for kid in unneeded:
            out.print(f"next: gtm keys retire {kid}, then take that key out of the environment")

    emit(done, as_json=as_json, show=show)


@app.command("retire")
def retire(
    kid: Annotated[str, typer.Argument(metavar="KEY_ID", help="As in gtm keys list.")],
) -> None:
    """Mark a key as dropped, so that no process can seal with it again. Refused while a credential needs it.

    gtm keys retire 1f0c9a7be2d34c55
    """
    with open_session() as session:
        session.control.retire_key(kid)
        typer.echo(f"retired {kid}; it can be taken out of the environment of every process")
